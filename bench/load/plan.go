package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"axgate/bench/load/message"
)

// numbers are telephone numbers that follow each other.
type numbers struct {
	plus  string // "+" or nothing
	first uint64
	width int
}

// UnmarshalText reads the first one.
func (n *numbers) UnmarshalText(text []byte) error {
	digits, plus := strings.CutPrefix(string(text), "+")
	first, err := strconv.ParseUint(digits, 10, 60)
	if err != nil {
		return fmt.Errorf("%q is no number such as +8613800000000", text)
	}
	*n = numbers{first: first, width: len(digits)}
	if plus {
		n.plus = "+"
	}
	return nil
}

// append writes the i-th of them.
func (n *numbers) append(b []byte, i int) []byte {
	b = append(b, n.plus...)
	return appendDigits(b, n.first+uint64(i), n.width)
}

// appendDigits writes n with its leading zeros.
func appendDigits(b []byte, n uint64, width int) []byte {
	at := len(b)
	for range width {
		b = append(b, '0')
	}
	for i := len(b) - 1; i >= at && n > 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return b
}

// tail is how many digits tell numbers apart, whatever prefix they carry.
const tail, tails = 8, 100_000_000

// index is which of them it is, by its last digits.
func (n *numbers) index(number []byte) (int, bool) {
	if len(number) < tail {
		return 0, false
	}
	number = number[len(number)-tail:]
	for _, c := range number {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	last := uint64(message.Number(number))
	return int((last + tails - n.first%tails) % tails), true
}

// plan is what every call of a load does. Pair i has a caller, an X and a
// callee of its own; the X is shared by PerX pairs.
type plan struct {
	Scenario string        `default:"axb" enum:"axb,ax,axe" help:"axb: pairs of an X; ax: an X per callee; axe: extensions of an X, typed as RFC 4733 events. It sets --per-x and --digits."`
	From     numbers       `default:"+8613800000000" placeholder:"NUMBER" help:"The first caller; others follow."`
	X        numbers       `name:"x" default:"+8617010000000" placeholder:"NUMBER" help:"The first X; others follow."`
	To       numbers       `default:"+8613900000000" placeholder:"NUMBER" help:"The first callee; others follow. The last 8 digits tell them apart."`
	Pairs    int           `default:"1000" help:"How many pairs of caller and callee are bound."`
	PerX     int           `name:"per-x" placeholder:"N" help:"Pairs, or extensions, on an X; 1000, with ax 1."`
	Digits   int           `placeholder:"N" help:"Digits of an extension: those of pair i on its X are i+1; 4 with axe, else none."`
	Random   bool          `help:"Take pairs at random instead of one after the other."`
	Stride   int           `default:"1" help:"Take every so-many-th pair."`
	Hangup   string        `default:"caller" enum:"caller,callee" help:"Who hangs up: caller or callee."`
	Think    time.Duration `default:"200ms" help:"How long a caller who is answered waits before typing digits."`
}

func (p *plan) complete() error {
	switch {
	case p.PerX == 0 && p.Scenario == "ax":
		p.PerX = 1
	case p.PerX == 0:
		p.PerX = 1000
	}
	if p.Digits == 0 && p.Scenario == "axe" {
		p.Digits = 4
	}
	if p.Pairs < 1 || p.Pairs > tails || p.Stride < 1 || p.PerX < 1 || p.Digits < 0 || p.Digits > 9 {
		return fmt.Errorf("%d pairs, %d to an X, extensions of %d digits: that cannot be", p.Pairs, p.PerX, p.Digits)
	}
	most := 1
	for range p.Digits {
		most *= 10
	}
	if p.Digits > 0 && p.PerX >= most {
		return fmt.Errorf("an X has no %d extensions of %d digits", p.PerX, p.Digits)
	}
	return nil
}

// typed are the digits that the caller of a pair types.
func (p *plan) typed(b []byte, pair int) []byte {
	return appendDigits(b, uint64(1+pair%p.PerX), p.Digits)
}
