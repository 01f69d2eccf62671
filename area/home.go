package area

import (
	_ "embed"
	"sort"
	"strings"

	"axgate/routing"
)

// homes holds the mobile segments (the first seven digits) in runs of one home:
// four bytes each, big-endian, rising. The upper 20 bits are the first segment
// of the run less firstSegment, the lower 12 the line of the table from 1 on, or
// 0 where no home is known.
//
//go:embed homes.bin
var homes string

const (
	firstSegment = 1300000
	lineBits     = 12
)

// Home is the area code of a number of mainland China: for a mobile number that
// of the place where its segment is at home, for a fixed line its own, or the
// one that replaced it. A number that was ported to another carrier keeps its
// home. Not ok: a number of another kind, or a segment that is not known, as
// those of young carriers and ranges often are.
func Home(n routing.Number) (code string, ok bool) {
	national, mainland := strings.CutPrefix(string(n), "+"+Country)
	if !mainland || value(national) < 0 {
		return "", false
	}
	var r *row
	if mobile := len(national) == 11 && national[0] == '1' && national[1] >= '3'; mobile {
		r = ofSegment(value(national[:7]))
	} else {
		r = ofFixed(national)
	}
	if r == nil {
		return "", false
	}
	return r.now, true
}

// ofFixed is the line of a fixed-line number: 10 and 2x have two digits, other
// codes three, and seven or eight follow.
func ofFixed(national string) *row {
	const least, most = 7, 8
	digits := 3
	if strings.HasPrefix(national, "10") || strings.HasPrefix(national, "2") {
		digits = 2
	}
	if local := len(national) - digits; local < least || local > most {
		return nil
	}
	return at(value(national[:digits]))
}

func ofSegment(segment int) *row {
	const bytes = 4
	run := func(i int) uint32 {
		b := homes[bytes*i : bytes*i+bytes]
		return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	}
	from := segment - firstSegment
	behind := sort.Search(len(homes)/bytes, func(i int) bool { return int(run(i)>>lineBits) > from })
	if behind == 0 {
		return nil
	}
	line := int(run(behind-1) & (1<<lineBits - 1))
	if line == 0 || line > len(rows) {
		return nil
	}
	return &rows[line-1]
}
