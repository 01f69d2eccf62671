package area

import "strings"

// Names gives the English names of city and province for a number of the code.
// Either may be empty, and then comes from the table; either may be given in
// Chinese or English, with or without 市, 省 or the like. A city that the table
// does not name is kept as it is: many codes serve towns besides. So is
// everything with a code that is not known. wrong tells what contradicts the
// code, nil if nothing does.
func Names(code, city, province string) (ofCity, ofProvince string, wrong *Contradiction) {
	r := find(code)
	if r == nil {
		return city, province, nil
	}
	if province != "" && !same(province, r.province.Chinese) && !same(province, r.province.English) {
		return "", "", &Contradiction{Field: "province", Right: r.province.English}
	}
	if ofCity = r.called(city); ofCity == "" {
		if elsewhere(city) {
			return "", "", &Contradiction{Field: "city", Right: r.city.English}
		}
		ofCity = city
	}
	return ofCity, r.province.English, nil
}

// Contradiction tells that a code is not of the place that is said.
type Contradiction struct {
	Field string // "city" or "province"
	Right string // its name in the table
}

// called is the English name of the city of the code that is meant: all of them
// if none is named, nothing if it is none of them.
func (r *row) called(city string) string {
	if city == "" || city == r.city.Chinese || city == r.city.English {
		return r.city.English
	}
	english := strings.Split(r.city.English, "/")
	for i, chinese := range strings.Split(r.city.Chinese, "、") {
		if same(city, chinese) || same(city, english[i]) {
			return english[i]
		}
	}
	return ""
}

// elsewhere tells whether another code has a city of this name.
func elsewhere(city string) bool {
	for i := range rows {
		if rows[i].called(city) != "" {
			return true
		}
	}
	return false
}

// same compares names without what kind of place they are, and without case,
// blanks and apostrophes.
func same(a, b string) bool { return strings.EqualFold(bare(a), bare(b)) }

var kinds = strings.NewReplacer(" ", "", "'", "", "’", "", "-", "")

func bare(name string) string {
	name = kinds.Replace(name)
	for _, kind := range []string{"壮族自治区", "维吾尔自治区", "回族自治区", "自治区", "地区", "市", "省", "盟"} {
		if short, ok := strings.CutSuffix(name, kind); ok && short != "" {
			return short
		}
	}
	return name
}
