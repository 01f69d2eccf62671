package routing

import (
	"errors"
	"fmt"
	"strings"
)

// Rewrite changes how a number is spelled: a pattern, and what is written in
// the place of a number that fits it.
type Rewrite struct {
	plus          bool      // the number begins with +
	before, after []digits  // the places before and behind what is kept
	kept          []digits  // what $ stands for
	rest          portion   // which of these parts goes on for any digits
	to            [2]string // what is written before and behind the kept part
	keeps         bool      // the kept part is written
}

// portion names a part of a pattern.
type portion int

const (
	nowhere portion = iota
	inBefore
	inKept
	inAfter
)

// ParseRewrite reads a rule such as
//
//	9901(*) -> $
//	+86(1XXXXXXXXXX) -> 0$
//	0[1-9]* -> +86$
//
// In the pattern a digit is itself, X any digit, [3-57] one of these and * any
// number of further digits; a + may stand before it. The number as a whole has
// to fit. Parentheses, once, mark the part that $ stands for in the
// replacement; without them it is all the digits. The replacement has digits
// around at most one $, and a + may stand before it. The error says what is
// right.
func ParseRewrite(rule string) (Rewrite, error) {
	var r Rewrite
	pattern, to, ok := strings.Cut(rule, "->")
	if !ok || len(rule) > 200 {
		return r, fmt.Errorf("rule %.80q: use pattern -> replacement, such as 9901(*) -> $", rule)
	}
	if err := r.pattern(strings.TrimSpace(pattern)); err != nil {
		return r, fmt.Errorf("rule %.80q: %w", rule, err)
	}
	if err := r.replacement(strings.TrimSpace(to)); err != nil {
		return r, fmt.Errorf("rule %.80q: %w", rule, err)
	}
	return r, nil
}

func (r *Rewrite) pattern(s string) error {
	s, r.plus = strings.CutPrefix(s, "+")
	if s == "" {
		return errors.New("its pattern is empty")
	}
	if strings.Count(s, "(") != strings.Count(s, ")") {
		return errors.New("parentheses stand in it once, around a part of the number")
	}
	into, which := &r.kept, inKept
	if strings.Contains(s, "(") {
		into, which = &r.before, inBefore
	}
	for s != "" {
		switch s[0] {
		case '(':
			if which != inBefore {
				return errors.New("parentheses stand in it once, around a part of the number")
			}
			into, which, s = &r.kept, inKept, s[1:]
			continue
		case ')':
			if which != inKept || len(r.kept) == 0 && r.rest != inKept {
				return errors.New("parentheses stand in it once, around a part of the number")
			}
			into, which, s = &r.after, inAfter, s[1:]
			continue
		case '*':
			if r.rest != nowhere {
				return errors.New("there is more than one * in it")
			}
			if next := strings.TrimLeft(s[1:], ")"); next != "" {
				return errors.New("* stands at the end of the pattern")
			}
			r.rest, s = which, s[1:]
			continue
		}
		one, rest, err := place(s)
		if err != nil {
			return err
		}
		*into, s = append(*into, one), rest
	}
	return nil
}

func (r *Rewrite) replacement(s string) error {
	r.to[0], r.to[1], r.keeps = strings.Cut(s, "$")
	digits := strings.TrimPrefix(r.to[0], "+") + r.to[1]
	if s == "" || s == "+" || digits != "" && !allDigits(digits) {
		return errors.New("its replacement is digits around at most one $, with or without a + before them")
	}
	return nil
}

// Keeps tells whether a part of the number stands in what becomes of it.
func (r Rewrite) Keeps() bool { return r.keeps }

// apply rewrites a number of digits with or without a leading +; not ok: it
// does not fit, or what becomes of it is too long.
func (r Rewrite) apply(number string) (string, bool) {
	plain, plus := strings.CutPrefix(number, "+")
	if plus != r.plus {
		return "", false
	}
	least := len(r.before) + len(r.kept) + len(r.after)
	if len(plain) < least || r.rest == nowhere && len(plain) > least {
		return "", false
	}
	for i, one := range append(append(append([]digits(nil), r.before...), r.kept...), r.after...) {
		if !one.has(plain[i]) {
			return "", false
		}
	}
	if !allDigits(plain) {
		return "", false
	}
	end := len(r.before) + len(r.kept)
	if r.rest == inKept {
		end = len(plain)
	}
	out := r.to[0]
	if r.keeps {
		out += plain[len(r.before):end] + r.to[1]
	}
	count := len(strings.TrimPrefix(out, "+"))
	return out, count > 0 && count <= maxDigits
}

// Rewritten is a number after the first of the rules that it fits, or as it was
// if it fits none. Separators are dropped where a rule fits.
func Rewritten(number string, rules []Rewrite) string {
	plain := number
	if len(rules) > 0 {
		plain = strings.Map(func(c rune) rune {
			if strings.ContainsRune(" -.()", c) {
				return -1
			}
			return c
		}, number)
	}
	for _, r := range rules {
		if out, ok := r.apply(plain); ok {
			return out
		}
	}
	return number
}

// Names tells whether a spelling is that of X: its national digits, with or
// without anything before them.
func (p *Plan) Names(spelling string, x X) bool {
	national := strings.TrimPrefix(strings.TrimPrefix(string(x), "+"), p.Country)
	return national != "" && strings.HasSuffix(spelling, national)
}
