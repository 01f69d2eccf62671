package provision

import (
	"context"
	"errors"
	"strings"
	"time"

	"axgate/ledger"
	"axgate/routing"
)

// check judges the parameters of one request, and keeps the first refusal.
// What comes after it is no longer looked at.
type check struct {
	s   *Service
	ctx context.Context
	app *ledger.App
	err error

	xs map[routing.Number]bool // those among the numbers that are X; nil: the ledger is asked for each
}

func (s *Service) check(ctx context.Context, app *ledger.App) *check {
	return &check{s: s, ctx: ctx, app: app}
}

// wrong refuses a parameter.
func (c *check) wrong(field, detail string, args ...any) {
	if c.err == nil {
		c.err = resultInvalid.refuse(field, detail, args...)
	}
}

// number reads a real number that has to be of one of the kinds.
func (c *check) number(field, text string, kinds ...routing.Kind) routing.Number {
	if c.err != nil {
		return ""
	}
	if text == "" {
		c.wrong(field, "it is missing")
		return ""
	}
	n, err := c.s.plan.ParseNumber(text)
	if err != nil {
		c.wrong(field, "%v", err)
		return ""
	}
	kind := c.s.plan.Kind(n)
	for _, k := range kinds {
		if kind == k {
			c.real(field, n)
			return n
		}
	}
	c.wrong(field, "a %s number is not possible here", kind)
	return ""
}

// bindable reads a number that is to be bound: mobile or fixed line.
func (c *check) bindable(field, text string) routing.Number {
	return c.number(field, text, routing.Mobile, routing.Fixed)
}

// real refuses a number that is an X: a call to it would come back to us.
func (c *check) real(field string, n routing.Number) {
	if c.xs != nil {
		if c.xs[n] {
			c.isX(field)
		}
		return
	}
	x, err := c.s.ledger.Number(c.ctx, routing.X(n))
	switch {
	case errors.Is(err, ledger.ErrUnknownX):
	case err != nil:
		c.err = failed("tell real numbers from X", err)
	case x.Status != routing.StatusReturned:
		c.isX(field)
	}
}

func (c *check) isX(field string) { c.wrong(field, "it is an X, not a real number") }

func (c *check) different(field string, n, other routing.Number, than string) {
	if c.err == nil && n != "" && n == other {
		c.wrong(field, "it has to be another number than %s", than)
	}
}

func (c *check) between(field string, n, least, most int) {
	if n < least || n > most {
		c.wrong(field, "%d is not between %d and %d", n, least, most)
	}
}

// oneOf reads a text with few values; empty is the first of them.
func (c *check) oneOf(field, text string, values ...string) string {
	if text == "" {
		return values[0]
	}
	for _, v := range values {
		if text == v {
			return v
		}
	}
	c.wrong(field, "it has to be %s", strings.Join(values, " or "))
	return values[0]
}

// shownX refuses what asks for the caller's real number on the callee's phone:
// carriers forbid it.
func (c *check) shownX(field, text string) {
	if text != "" && text != "0" {
		c.wrong(field, `it has to be "0": callees see X, never the caller's number`)
	}
}

// prompt reads the name of a prompt file: an approved one of the app.
func (c *check) prompt(field, name string) string {
	if c.err == nil && name != "" {
		c.err = c.s.promptApproved(c.ctx, c.app.Key, field, name)
	}
	return name
}

// newPrompt is prompt for one that is to be changed, if it is not nil.
func (c *check) newPrompt(field string, name *string) {
	if name != nil {
		c.prompt(field, *name)
	}
}

// record reads recordFlag, which needs an app that records.
func (c *check) record(flag bool) bool {
	if c.err == nil && flag && !c.app.Recording {
		c.err = resultNoRecording.refuse("recordFlag", "recording is off for the app")
	}
	return flag
}

// userData is opaque: 1 to 256 characters of ASCII without braces.
func (c *check) userData(text string) string {
	const most = 256
	if len(text) > most {
		c.wrong("userData", "it has %d characters: at most %d are possible", len(text), most)
	}
	for i := range len(text) {
		if b := text[i]; b < ' ' || b > '~' || b == '{' || b == '}' {
			c.wrong("userData", "it may have ASCII characters other than { and } alone: encode it, for example in Base64")
			break
		}
	}
	return text
}

// areaCode is written with its leading zero. One that nobody has is no mistake
// of form: there are no numbers of it.
func (c *check) areaCode(text string) string {
	const most = 32
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			c.wrong("areaCode", "it is not an area code such as 0755")
			break
		}
	}
	switch {
	case len(text) > most:
		c.wrong("areaCode", "it has more than %d digits", most)
	case text != "" && !strings.HasPrefix(text, c.s.plan.National):
		c.wrong("areaCode", "it has to be written with its leading %s, such as 0755", c.s.plan.National)
	}
	return text
}

// extension is one of the app's length, and not all zeros.
func (c *check) extension(field, text string) routing.Extension {
	if text == "" || c.err != nil {
		return ""
	}
	digits, zeros := 0, 0
	for i := range len(text) {
		if text[i] >= '0' && text[i] <= '9' {
			digits++
		}
		if text[i] == '0' {
			zeros++
		}
	}
	switch {
	case digits != len(text) || digits != c.app.ExtDigits:
		c.wrong(field, "it needs exactly %d digits", c.app.ExtDigits)
	case zeros == digits:
		c.wrong(field, "it may not be all zeros")
	}
	return routing.Extension(text)
}

// lifetime reads a time of an AXE binding: at most 30 days, in hours or, with
// the unit "1", minutes.
func (c *check) lifetime(field, unit string, n int) time.Duration {
	const days = 30
	if unit == "1" {
		c.between(field, n, 0, days*24*60)
		return time.Duration(n) * time.Minute
	}
	c.between(field, n, 0, days*24)
	return time.Duration(n) * time.Hour
}

// until is the end of a binding that lasts so long from an instant on.
func until(from time.Time, lasts time.Duration) time.Time {
	if lasts == 0 {
		return time.Time{}
	}
	return from.Add(lasts)
}
