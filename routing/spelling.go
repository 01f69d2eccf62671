package routing

import (
	"fmt"
	"strings"
)

// ParseX reads a dialled X in any of the spellings that callers use: 180…,
// 0180…, 86180…, +86180…, 0086180…, with visual separators (section 2). It
// tells only that the number may be an X by the plan, not that it is ours.
func (p *Plan) ParseX(dialled string) (X, bool) {
	for _, national := range p.nationals(dialled) {
		if matchAny(p.X, national) {
			return X("+" + p.Country + national), true
		}
	}
	return "", false
}

// ParseNumber reads the global form that the API wants: + country code and
// national digits, nothing else (section 2). The error says what the number is
// if it is not a mobile, fixed-line or service number; it does not repeat the
// number. That a service number cannot be bound is for the caller to check
// with Kind.
func (p *Plan) ParseNumber(s string) (Number, error) {
	n := Number(s)
	switch kind := p.Kind(n); kind {
	case Mobile, Fixed, Service:
		return n, nil
	case Malformed:
		return "", fmt.Errorf("not a number in global form: +%s and a mobile number, or +%s, an area code without leading %s and a fixed-line number", p.Country, p.Country, p.National)
	default:
		return "", fmt.Errorf("a number of a kind that cannot be used: %s", kind)
	}
}

// ReadNumber reads a caller's or callee's number in any spelling a trunk may
// use: +86138…, 86138…, 0086138…, 138…, 0138…, 0755…, +1…, 001…, with visual
// separators. Not ok means that it is no number of any kind; such a caller
// counts as unknown.
func (p *Plan) ReadNumber(s string) (Number, bool) {
	for _, national := range p.nationals(s) {
		n := Number("+" + p.Country + national)
		if p.Kind(n) != Malformed {
			return n, true
		}
	}
	digits, global, ok := p.strip(s)
	if !ok || !global {
		return "", false
	}
	n := Number("+" + digits)
	return n, p.Kind(n) != Malformed
}

// nationals are the national digits that a spelling may stand for, the
// likeliest first. A spelling of another country has none.
func (p *Plan) nationals(s string) []string {
	digits, global, ok := p.strip(s)
	if !ok {
		return nil
	}
	all := make([]string, 0, 4)
	add := func(national string) {
		all = append(all, national)
		if p.National != "" {
			if short, ok := strings.CutPrefix(national, p.National); ok {
				all = append(all, short)
			}
		}
	}
	if !global {
		add(digits)
	}
	if national, home := strings.CutPrefix(digits, p.Country); home {
		add(national)
	}
	return all
}

// strip removes separators and a + or international prefix. global tells that
// there was one, so that the digits begin with a country code.
func (p *Plan) strip(s string) (digits string, global, ok bool) {
	if len(s) > maxText {
		return "", false, false
	}
	s = strings.TrimSpace(s)
	s, global = strings.CutPrefix(s, "+")
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			b.WriteByte(c)
		case c == ' ' || c == '-' || c == '.' || c == '(' || c == ')': // RFC 3966 section 3
		default:
			return "", false, false
		}
	}
	digits = b.String()
	if !global {
		digits, global = cutLonger(digits, p.International)
	}
	return digits, global, digits != "" && len(digits) <= maxDigits
}

// cutLonger cuts a prefix if something is left.
func cutLonger(s, prefix string) (string, bool) {
	if rest, ok := strings.CutPrefix(s, prefix); ok && rest != "" {
		return rest, true
	}
	return s, false
}

// Format is how a trunk wants numbers spelled.
type Format string

// The formats, with what becomes of +8613800000001 and +8675528000001. The
// empty Format is FormatE164. Numbers of other countries are spelled with the
// international prefix where the format has no country code.
const (
	FormatE164          Format = "e164"          // +8613800000001 +8675528000001
	FormatDigits        Format = "digits"        // 8613800000001 8675528000001
	FormatInternational Format = "international" // 008613800000001 008675528000001
	FormatNational      Format = "national"      // 13800000001 075528000001
	FormatNationalZero  Format = "national-zero" // 013800000001 075528000001
)

// Validate names the formats there are if f is none of them.
func (f Format) Validate() error {
	switch f {
	case "", FormatE164, FormatDigits, FormatInternational, FormatNational, FormatNationalZero:
		return nil
	}
	return fmt.Errorf("number format %q: use e164 (+86138…), digits (86138…), international (0086138…), national (138…, 0755…) or national-zero (0138…, 0755…)", string(f))
}

// Spell writes a number as a trunk wants it.
func (p *Plan) Spell(n Number, f Format) string {
	kind := p.Kind(n)
	return p.spell(string(n), f, kind == Fixed, kind == Mobile || kind == Fixed)
}

// SpellX writes an X as a trunk wants it.
func (p *Plan) SpellX(x X, f Format) string {
	national := strings.TrimPrefix(strings.TrimPrefix(string(x), "+"), p.Country)
	fixed := !matchAny(p.Mobile, national) && p.fixed(national)
	return p.spell(string(x), f, fixed, true)
}

// spell writes a global number. fixed tells that even the plain national form
// has the long-distance prefix, prefixed that the zero form has it.
func (p *Plan) spell(global string, f Format, fixed, prefixed bool) string {
	digits := strings.TrimPrefix(global, "+")
	national, home := strings.CutPrefix(digits, p.Country)
	switch {
	case f == FormatDigits:
		return digits
	case f == FormatInternational:
		return p.International + digits
	case f != FormatNational && f != FormatNationalZero:
		return "+" + digits
	case !home:
		return p.International + digits
	case fixed, prefixed && f == FormatNationalZero:
		return p.National + national
	default:
		return national
	}
}
