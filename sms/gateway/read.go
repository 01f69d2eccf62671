package gateway

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"axgate/routing"
	"axgate/sms"
)

// message is a text as a gateway posts it.
type message struct {
	id, from, to, text string
	part               *sms.Part
	at                 time.Time // zero: it does not say

	x      routing.X
	sender routing.Number // empty: from is no number
}

// wrong is a field that is not as it has to be, and why; field is empty for the
// body as a whole. It never repeats a value.
type wrong struct{ field, why string }

func (f *wrong) problem() *Problem {
	if f.field == "" {
		return problem(http.StatusBadRequest, f.why)
	}
	p := problem(http.StatusBadRequest, f.field+": "+f.why)
	p.Errors = []Wrong{{Field: f.field, Message: f.why}}
	return p
}

// The longest fields, in bytes.
const (
	mostID     = 128
	mostNumber = 64
)

// read reads a body, and checks its form.
func read(body []byte) (*message, *wrong) {
	if !utf8.Valid(body) {
		return nil, &wrong{"", "the body is not UTF-8"}
	}
	f, bad := object("", body, "id", "from", "to", "text", "part", "time")
	if bad != nil {
		return nil, bad
	}
	m := &message{}
	var at string
	for _, t := range []struct {
		name   string
		to     *string
		most   int
		needed bool
	}{{"id", &m.id, mostID, true}, {"from", &m.from, mostNumber, true}, {"to", &m.to, mostNumber, true}, {"text", &m.text, mostBody, true}, {"time", &at, mostNumber, false}} {
		if bad = f.text(t.name, t.to, t.most, t.needed); bad != nil {
			return nil, bad
		}
	}
	if m.id == "" || strings.ContainsFunc(m.id, unicode.IsControl) {
		return nil, &wrong{"id", "it is empty or has control characters"}
	}
	if at != "" {
		var err error
		if m.at, err = time.Parse(time.RFC3339, at); err != nil {
			return nil, &wrong{"time", "it has to be an instant such as 2026-01-02T03:04:05Z"}
		}
	}
	m.part, bad = f.part()
	return m, bad
}

// check reads the numbers.
func (m *message) check(plan *routing.Plan) *wrong {
	var ok bool
	if m.x, ok = plan.ParseX(m.to); !ok {
		return &wrong{"to", "this can be no X"}
	}
	if n, ok := plan.ReadNumber(m.from); ok {
		m.sender = n
	}
	return nil
}

// fields are those of an object that were given; null is none.
type fields struct {
	of  string // path with a dot at its end
	has map[string]json.RawMessage
}

// object reads an object that has fields of these names alone.
func object(of string, body []byte, names ...string) (fields, *wrong) {
	f := fields{of: of}
	whole := strings.TrimSuffix(of, ".")
	if err := json.Unmarshal(body, &f.has); err != nil || f.has == nil {
		return f, &wrong{whole, "it has to be a JSON object"}
	}
	for _, name := range slices.Sorted(maps.Keys(f.has)) {
		if !slices.Contains(names, name) {
			return f, &wrong{of + fmt.Sprintf("%.40s", name), "there is no such field: use " + strings.Join(names, ", ")}
		}
		if string(f.has[name]) == "null" {
			delete(f.has, name)
		}
	}
	return f, nil
}

func (f fields) text(name string, to *string, most int, needed bool) *wrong {
	raw, given := f.has[name]
	switch {
	case !given && needed:
		return &wrong{f.of + name, "it is missing"}
	case !given:
		return nil
	case raw[0] != '"' || json.Unmarshal(raw, to) != nil:
		return &wrong{f.of + name, "it has to be a string"}
	case len(*to) > most:
		return &wrong{f.of + name, fmt.Sprintf("it has more than %d bytes", most)}
	}
	return nil
}

func (f fields) number(name string, to *int, least, most int) *wrong {
	raw, given := f.has[name]
	if !given {
		return &wrong{f.of + name, "it is missing"}
	}
	if json.Unmarshal(raw, to) != nil || *to < least || *to > most {
		return &wrong{f.of + name, fmt.Sprintf("it has to be a whole number from %d to %d", least, most)}
	}
	return nil
}

// part reads which part of a text this is; nil: it is whole.
func (f fields) part() (*sms.Part, *wrong) {
	raw, given := f.has["part"]
	if !given {
		return nil, nil
	}
	of, bad := object("part.", raw, "ref", "seq", "total")
	if bad != nil {
		return nil, bad
	}
	var p sms.Part
	const mostRef, mostParts = 1<<16 - 1, 255 // TS 23.040 9.2.3.24.8
	if bad := of.number("ref", &p.Ref, 0, mostRef); bad != nil {
		return nil, bad
	}
	if bad := of.number("total", &p.Total, 1, mostParts); bad != nil {
		return nil, bad
	}
	if bad := of.number("seq", &p.Seq, 1, p.Total); bad != nil {
		return nil, bad
	}
	if p.Total == 1 {
		return nil, nil
	}
	return &p, nil
}
