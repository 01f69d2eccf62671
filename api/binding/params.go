package binding

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"axgate/provision"
)

// params are the parameters of a request. They are looked up by names that are
// spelled as in api.md, upper and lower case told apart; unknown ones are
// ignored. The first fault is kept, and what is wrong reads as absent.
type params struct {
	values map[string]any // string, json.Number, bool, map[string]any, []any
	twice  map[string]bool
	query  string // of the URL, also where the parameters are in the body
	err    error
}

func (p *params) wrong(name, detail string, args ...any) {
	if p.err == nil {
		p.err = provision.Invalid(name, detail, args...)
	}
}

// value is nil for what is absent.
func (p *params) value(name string) any {
	if p.twice[name] {
		p.wrong(name, "it is there twice")
		return nil
	}
	return p.values[name]
}

// has tells whether a parameter was sent at all.
func (p *params) has(name string) bool { return p.values[name] != nil }

// text is a parameter of type String; absent is empty. Clients in the field send
// numbers and booleans as such.
func (p *params) text(name string) string {
	var s string
	switch v := p.value(name).(type) {
	case nil:
	case string:
		s = v
	case json.Number:
		s = v.String()
	case bool:
		s = strconv.FormatBool(v)
	default:
		p.wrong(name, "it has to be a string")
	}
	if !utf8.ValidString(s) {
		p.wrong(name, "it is not UTF-8")
		return ""
	}
	if strings.ContainsFunc(s, unicode.IsControl) { // databases choke on some
		p.wrong(name, "it has control characters")
		return ""
	}
	return s
}

// id is a subscriptionId: String(1-64).
func (p *params) id() string {
	const name, most = "subscriptionId", 64
	s := p.text(name)
	if n := utf8.RuneCountInString(s); n > most {
		p.wrong(name, "it has %d characters: at most %d are possible", n, most)
	}
	return s
}

// maybe is a text that may be absent, which is nil, or empty.
func (p *params) maybe(name string) *string {
	if !p.has(name) {
		return nil
	}
	s := p.text(name)
	return &s
}

// integer is a parameter of type Integer; absent is 0.
func (p *params) integer(name string) int {
	if n := p.maybeInteger(name); n != nil {
		return *n
	}
	return 0
}

// maybeInteger reads an Integer, which clients in the field send in quotes too;
// nil is absent. Those without end are the largest that there are.
func (p *params) maybeInteger(name string) *int {
	var s string
	switch v := p.value(name).(type) {
	case nil:
		return nil
	case json.Number:
		s = v.String()
	case string:
		s = v
	default:
		p.wrong(name, "it has to be an integer")
		return nil
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if errors.Is(err, strconv.ErrRange) {
		err = nil // n is the nearest
	}
	if err != nil {
		f, bad := strconv.ParseFloat(s, 64) // 60.0 and 6e1 are integers in JSON
		if bad != nil || f != math.Trunc(f) || math.Abs(f) > math.MaxInt32 || strings.ContainsAny(s, "xXpP_") {
			p.wrong(name, "it has to be an integer")
			return nil
		}
		n = int64(f)
	}
	out := int(n)
	return &out
}

// flag is a parameter of type String enum "true"/"false"; absent is nil.
func (p *params) flag(name string) *bool {
	var out bool
	switch v := p.value(name).(type) {
	case nil:
		return nil
	case bool:
		out = v
	case string:
		if v == "" {
			return nil
		}
		out = v == "true"
		if !out && v != "false" {
			p.wrong(name, `it has to be "true" or "false"`)
		}
	default:
		p.wrong(name, `it has to be "true" or "false"`)
	}
	return &out
}

// preVoice is an ApiPlayInfo: an object, which one of the vendor's own clients
// builds as an array of objects with one key each (API 2.9).
func (p *params) preVoice() (v provision.PreVoiceChange) {
	const name = "preVoice"
	parts := []any{}
	switch t := p.value(name).(type) {
	case nil:
	case map[string]any:
		parts = append(parts, t)
	case []any:
		parts = t
	default:
		p.wrong(name, "it has to be an object")
	}
	for _, part := range parts {
		object, ok := part.(map[string]any)
		if !ok {
			p.wrong(name, "it has to be an object, or an array of objects")
			return v
		}
		p.tone(object, "callerHintTone", &v.CallerHintTone)
		p.tone(object, "calleeHintTone", &v.CalleeHintTone)
	}
	return v
}

func (p *params) tone(in map[string]any, name string, to **string) {
	if in[name] == nil {
		return
	}
	full := "preVoice." + name
	if *to != nil {
		p.wrong(full, "it is there twice")
		return
	}
	q := params{values: map[string]any{full: in[name]}}
	*to = q.maybe(full)
	if q.err != nil && p.err == nil {
		p.err = q.err
	}
}
