// Package area knows the long-distance codes of mainland China: the city and
// province of each, and the code of a phone number's home.
//
// Both tables come from Google's libphonenumber 9.0 (Apache License 2.0) by way
// of the module github.com/nyaruka/phonenumbers, which the tests compare them
// with. codes.tsv has the codes of its number plan, with the cities of its
// geocoding data by their names of today, in Chinese and in English; the column
// now is the code that took over from a retired one. homes.bin has the homes of
// mobile numbers, and is written by go generate.
package area

import (
	_ "embed"
	"strings"
)

//go:generate go run ./gen

// Country is the calling code of the country whose codes these are.
const Country = "86"

// City is the city or the cities of a code, the main one first: 029 has
// 西安市、咸阳市 and Xi'an/Xianyang. Autonomous prefectures, leagues and
// districts count as cities.
type City struct {
	Chinese string // joined by 、
	English string // joined by /
}

// Province is a province, an autonomous region or a municipality.
type Province struct {
	Chinese string // 广东省
	English string // Guangdong
}

// Of is where an area code is, written with its leading 0: 0755, 010. Codes of
// Hong Kong, Macao and Taiwan are not known.
func Of(code string) (City, Province, bool) {
	r := find(code)
	if r == nil {
		return City{}, Province{}, false
	}
	return r.city, r.province, true
}

// SameProvince tells whether both codes are known and of one province.
func SameProvince(a, b string) bool {
	p, q := find(a), find(b)
	return p != nil && q != nil && p.province == q.province
}

// row is a line of the table.
type row struct {
	code     string
	city     City
	province Province
	now      string // the code in use today
}

//go:embed codes.tsv
var codes string

// rows are in the order of codes.tsv, byDigits are their places plus one by the
// value of the digits behind the 0.
var rows, byDigits = parse(codes)

func parse(table string) (rows []row, byDigits [1000]uint16) {
	lines := strings.Split(strings.TrimSuffix(table, "\n"), "\n")
	rows = make([]row, 0, len(lines)-1)
	for _, line := range lines[1:] {
		f := strings.Split(line, "\t")
		r := row{code: f[0], city: City{Chinese: f[1], English: f[2]}, province: Province{Chinese: f[3], English: f[4]}, now: f[0]}
		if f[5] != "" {
			r.now = f[5]
		}
		rows = append(rows, r)
		byDigits[value(r.code[1:])] = uint16(len(rows))
	}
	return rows, byDigits
}

// find is the line of a code, nil if there is none.
func find(code string) *row {
	if len(code) < 3 || len(code) > 4 || code[0] != '0' {
		return nil
	}
	r := at(value(code[1:]))
	if r == nil || r.code != code {
		return nil
	}
	return r
}

// at is the line of the code with these digits behind its 0.
func at(digits int) *row {
	if digits < 0 || digits >= len(byDigits) || byDigits[digits] == 0 {
		return nil
	}
	return &rows[byDigits[digits]-1]
}

// value reads digits; -1 if others are among them.
func value(s string) int {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return -1
		}
		n = 10*n + int(s[i]-'0')
	}
	return n
}
