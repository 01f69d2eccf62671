package routing

import (
	"errors"
	"fmt"
	"strings"
)

// Pattern describes numbers digit by digit: a digit is itself, X any digit,
// and [3-57] one of 3, 4, 5, 7. The whole number has to fit, so the pattern
// gives the length too: 1[3-9]XXXXXXXXX is a Chinese mobile number.
type Pattern string

// Match tells whether all of digits fits the pattern. A malformed pattern
// matches nothing.
func (p Pattern) Match(digits string) bool {
	rest, ok := p.cut(digits)
	return ok && rest == ""
}

// Begins tells whether digits begin with what fits the pattern. A malformed
// pattern begins nothing.
func (p Pattern) Begins(digits string) bool {
	_, ok := p.cut(digits)
	return ok
}

// cut takes from the beginning of digits what fits the pattern.
func (p Pattern) cut(digits string) (rest string, ok bool) {
	for places := string(p); places != ""; digits = digits[1:] {
		one, after, err := place(places)
		if err != nil || digits == "" || !one.has(digits[0]) {
			return "", false
		}
		places = after
	}
	return digits, true
}

func matchAny(patterns []Pattern, digits string) bool {
	for _, p := range patterns {
		if p.Match(digits) {
			return true
		}
	}
	return false
}

// check tells what is wrong with the pattern.
func (p Pattern) check() error {
	if p == "" {
		return errors.New("a pattern is empty")
	}
	for rest := string(p); rest != ""; {
		_, after, err := place(rest)
		if err != nil {
			return fmt.Errorf("pattern %q: %w", string(p), err)
		}
		rest = after
	}
	return nil
}

func beginAny(patterns []Pattern, digits string) bool {
	for _, p := range patterns {
		if p.Begins(digits) {
			return true
		}
	}
	return false
}

// digits is a set of digits, bit n for digit n.
type digits uint16

func (d digits) has(c byte) bool {
	return c >= '0' && c <= '9' && d&(1<<(c-'0')) != 0
}

// place reads the first place of a pattern and returns what follows it.
func place(s string) (digits, string, error) {
	switch {
	case s == "":
		return 0, "", errors.New("is shorter than the number")
	case s[0] >= '0' && s[0] <= '9':
		return 1 << (s[0] - '0'), s[1:], nil
	case s[0] == 'X':
		return 1<<10 - 1, s[1:], nil
	case s[0] == '[':
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return 0, "", errors.New("[ has no ]")
		}
		set, err := class(s[1:end])
		return set, s[end+1:], err
	default:
		return 0, "", fmt.Errorf("%q is not a digit, X or [...]", s[0])
	}
}

// class reads the inside of [...].
func class(s string) (digits, error) {
	if s == "" {
		return 0, errors.New("[] holds no digit")
	}
	var set digits
	for i := 0; i < len(s); i++ {
		low, high := s[i], s[i]
		if i+2 < len(s) && s[i+1] == '-' {
			high = s[i+2]
			i += 2
		}
		if low < '0' || high > '9' || low > high {
			return 0, fmt.Errorf("[%s] is not made of digits and rising ranges such as 3-9", s)
		}
		for d := low; d <= high; d++ {
			set |= 1 << (d - '0')
		}
	}
	return set, nil
}
