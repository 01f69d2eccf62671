package routing

import (
	"errors"
	"fmt"
	"strings"
)

// Plan is the number plan of the country that the X numbers belong to, as
// plain data (section 2). National digits are those after the country code,
// without the long-distance prefix. Check a Plan with Validate before use.
type Plan struct {
	Country       string   `yaml:"country"`       // calling code without +, for example 86
	National      string   `yaml:"national"`      // long-distance prefix, 0 in China; may be empty
	International string   `yaml:"international"` // prefix of an international number, 00 in China
	Abroad        []Abroad `yaml:"abroad"`        // further countries whose numbers may be bound and called

	Mobile    []Pattern `yaml:"mobile"`    // national digits of mobile numbers
	Areas     []Pattern `yaml:"areas"`     // area codes, without the long-distance prefix
	Local     []Pattern `yaml:"local"`     // what follows an area code in a fixed-line number
	Service   []Pattern `yaml:"service"`   // 400, 95…: may call and be a temporary callee, never be bound
	Emergency []Pattern `yaml:"emergency"` // emergency and short codes: never bound, never called
	Premium   []Pattern `yaml:"premium"`   // beginnings of numbers, country code included, that cost too much: never bound, never called
	X         []Pattern `yaml:"x"`         // national digits of X numbers
}

// Abroad is a further country with its own number patterns.
type Abroad struct {
	Code   string    `yaml:"code"` // calling code without +, for example 852
	Mobile []Pattern `yaml:"mobile"`
	Fixed  []Pattern `yaml:"fixed"`
}

// Kind is what a number is by its plan.
type Kind int

// The kinds. Only mobile and fixed-line numbers can be bound; a service number
// may be an AX temporary callee. Masked is the shape of an X that no ordinary
// number has (China: 15 digits beginning with 700): such a number may call,
// but is never bound and never called. Premium is a number that would be mobile,
// fixed-line or service but for its price.
const (
	Malformed Kind = iota
	Mobile
	Fixed
	Service
	Emergency
	Foreign
	Masked
	Premium
)

var kindNames = [...]string{"malformed", "mobile", "fixed-line", "service", "emergency or short", "foreign", "masked", "premium-rate"}

func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("Kind(%d)", int(k))
	}
	return kindNames[k]
}

// ChinaPlan is the plan of mainland China, and the default. X is an 11-digit
// mobile number or 15 digits beginning with 700.
func ChinaPlan() Plan {
	return Plan{
		Country:       "86",
		National:      "0",
		International: "00",
		Mobile:        []Pattern{"1[3-9]XXXXXXXXX"},
		Areas:         []Pattern{"10", "2[0-57-9]", "3[13-579]X", "4[1-8]X", "5XX", "6[3469]X", "7XX", "8[1-35789]X", "9[0134579]X"},
		Local:         []Pattern{"[2-9]XXXXXX", "[2-9]XXXXXXX"},
		Service:       []Pattern{"400XXXXXXX", "800XXXXXXX", "95XXX", "95XXXX", "95XXXXX", "95XXXXXX"},
		Emergency:     []Pattern{"110", "112", "119", "120", "122", "911", "999", "1XX", "1XXX", "1XXXX", "1XXXXX", "1XXXXXX", "1XXXXXXX", "96XXX", "96XXXX", "9XX"},
		X:             []Pattern{"1[3-9]XXXXXXXXX", "700XXXXXXXXXXXX"},
	}
}

// Validate names the first field that is wrong, and what is right.
func (p *Plan) Validate() error {
	if !allDigits(p.Country) || len(p.Country) > 3 || p.Country[0] == '0' {
		return fmt.Errorf("country: %q is not a calling code of 1 to 3 digits without +, such as 86", p.Country)
	}
	if p.National != "" && (!allDigits(p.National) || len(p.National) > 3) {
		return fmt.Errorf("national: %q is not a prefix of at most 3 digits, such as 0", p.National)
	}
	if !allDigits(p.International) || len(p.International) > 4 {
		return fmt.Errorf("international: %q is not a prefix of 1 to 4 digits, such as 00", p.International)
	}
	for _, l := range []struct {
		field    string
		patterns []Pattern
		needed   bool
	}{
		{"mobile", p.Mobile, true}, {"areas", p.Areas, false}, {"local", p.Local, len(p.Areas) > 0},
		{"service", p.Service, false}, {"emergency", p.Emergency, true}, {"premium", p.Premium, false}, {"x", p.X, true},
	} {
		if err := checkAll(l.patterns, l.needed); err != nil {
			return fmt.Errorf("%s: %w", l.field, err)
		}
	}
	return p.validateAbroad()
}

func (p *Plan) validateAbroad() error {
	codes := []string{p.Country}
	for i, a := range p.Abroad {
		field := fmt.Sprintf("abroad[%d]", i)
		if !allDigits(a.Code) || len(a.Code) > 3 || a.Code[0] == '0' {
			return fmt.Errorf("%s.code: %q is not a calling code of 1 to 3 digits without +, such as 852", field, a.Code)
		}
		for _, c := range codes {
			if strings.HasPrefix(a.Code, c) || strings.HasPrefix(c, a.Code) {
				return fmt.Errorf("%s.code: %q and %q cannot both be calling codes", field, a.Code, c)
			}
		}
		codes = append(codes, a.Code)
		if err := checkAll(a.Mobile, true); err != nil {
			return fmt.Errorf("%s.mobile: %w", field, err)
		}
		if err := checkAll(a.Fixed, false); err != nil {
			return fmt.Errorf("%s.fixed: %w", field, err)
		}
	}
	return nil
}

func checkAll(patterns []Pattern, needed bool) error {
	if needed && len(patterns) == 0 {
		return errors.New("at least one pattern is needed")
	}
	for _, pattern := range patterns {
		if err := pattern.check(); err != nil {
			return err
		}
	}
	return nil
}

// Kind tells what a number is. Only the global form has a kind but Malformed.
func (p *Plan) Kind(n Number) Kind {
	digits, global := strings.CutPrefix(string(n), "+")
	if !global || !allDigits(digits) || digits[0] == '0' || len(digits) > maxDigits {
		return Malformed
	}
	kind := p.ordinaryKind(digits)
	if (kind == Mobile || kind == Fixed || kind == Service) && beginAny(p.Premium, digits) {
		return Premium
	}
	return kind
}

// ordinaryKind is what a number is whatever it costs.
func (p *Plan) ordinaryKind(digits string) Kind {
	if national, home := strings.CutPrefix(digits, p.Country); home {
		return p.nationalKind(national)
	}
	for _, a := range p.Abroad {
		national, ok := strings.CutPrefix(digits, a.Code)
		switch {
		case !ok:
		case matchAny(a.Mobile, national):
			return Mobile
		case matchAny(a.Fixed, national):
			return Fixed
		default:
			return Malformed
		}
	}
	if len(digits) < 7 || len(digits) > 15 { // E.164
		return Malformed
	}
	return Foreign
}

func (p *Plan) nationalKind(national string) Kind {
	switch {
	case matchAny(p.Emergency, national):
		return Emergency
	case matchAny(p.Mobile, national):
		return Mobile
	case matchAny(p.Service, national):
		return Service
	case p.fixed(national):
		return Fixed
	case matchAny(p.X, national):
		return Masked
	default:
		return Malformed
	}
}

// fixed tells whether some beginning is an area code and the rest a local
// number.
func (p *Plan) fixed(national string) bool {
	for i := 1; i < len(national) && i <= maxAreaCode; i++ {
		if matchAny(p.Areas, national[:i]) && matchAny(p.Local, national[i:]) {
			return true
		}
	}
	return false
}

const (
	maxDigits   = 32 // of a number in any spelling
	maxText     = 64 // of a spelling with its separators
	maxAreaCode = 5
)

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
