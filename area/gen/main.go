// Command gen writes homes.bin, the home areas of mobile segments, from
// codes.tsv and libphonenumber's geocoding data. It is run by go generate in
// the directory area.
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

func main() {
	if err := generate("codes.tsv", "homes.bin"); err != nil {
		fmt.Fprintln(os.Stderr, "generate the home areas:", err)
		os.Exit(1)
	}
}

// The segments of mobile numbers, and how a run of them is packed.
const (
	first, last = 1300000, 1999999
	lineBits    = 12
)

func generate(table, to string) error {
	lines, err := read(table)
	if err != nil {
		return err
	}
	var out []byte
	before := -1
	for segment := first; segment <= last; segment++ {
		place, err := home(segment)
		if err != nil {
			return fmt.Errorf("segment %d: %w", segment, err)
		}
		line := 0
		if place != nowhere {
			if line = lines[plain(place)]; line == 0 {
				return fmt.Errorf("segment %d: %s is in no line of %s", segment, place, table)
			}
		}
		if line != before {
			out = binary.BigEndian.AppendUint32(out, uint32(segment-first)<<lineBits|uint32(line))
			before = line
		}
	}
	return os.WriteFile(to, out, 0o644)
}

// nowhere is what the library says of segments that it does not know.
const nowhere = "中国"

func home(segment int) (string, error) {
	const subscriber = 10_000
	country, national := int32(86), uint64(segment)*subscriber
	return phonenumbers.GetGeocodingForNumber(&phonenumbers.PhoneNumber{CountryCode: &country, NationalNumber: &national}, "zh")
}

// read gives the line of each city, from 1 on, by plain name of its province
// and it. Retired codes have none.
func read(table string) (map[string]int, error) {
	text, err := os.ReadFile(table)
	if err != nil {
		return nil, err
	}
	lines := map[string]int{}
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		f := strings.Split(line, "\t")
		const columns = 6
		if len(f) != columns {
			return nil, fmt.Errorf("%s line %d has %d columns, not %d", table, i+1, len(f), columns)
		}
		if i == 0 || f[5] != "" {
			continue
		}
		for city := range strings.SplitSeq(f[1], "、") {
			name := f[3] + city
			if city == f[3] {
				name = city // a municipality
			}
			lines[plain(name)] = i
		}
	}
	return lines, nil
}

// plain spells a province and a city as both sources have it: without what
// kind of place they are, which changed over the years, and by today's name.
func plain(place string) string {
	for old, today := range map[string]string{"湖北省襄樊市": "湖北省襄阳市", "山东省莱芜市": "山东省济南市"} {
		if place == old {
			place = today
		}
	}
	for _, kind := range []string{"壮族自治区", "维吾尔自治区", "回族自治区", "自治区", "地区", "市"} {
		place = strings.ReplaceAll(place, kind, "")
	}
	return place
}
