package store

import (
	"fmt"
	"strconv"
	"time"

	"axgate/routing"
)

// instantLayout is UTC and of fixed width: such texts compare like instants.
const instantLayout = "2006-01-02T15:04:05.000000Z"

func formatInstant(t time.Time) string { return t.UTC().Format(instantLayout) }

// record is a Redis hash in the making: names and values in turn.
type record []any

func (r *record) text(name, value string) {
	if value != "" {
		*r = append(*r, name, value)
	}
}

func (r *record) flag(name string, value bool) {
	if value {
		*r = append(*r, name, "1")
	}
}

// mark is the value of a flag that is always written; empty: it is not set.
func mark(value bool) string {
	if value {
		return "1"
	}
	return ""
}

func (r *record) number(name string, value int) {
	if value != 0 {
		*r = append(*r, name, strconv.Itoa(value))
	}
}

func (r *record) instant(name string, t time.Time) {
	if !t.IsZero() {
		*r = append(*r, name, formatInstant(t))
	}
}

// encodeBinding is what a call to x, one of its numbers, has to know of a
// binding. What x as a whole has - app, mode, area - stands in its number's
// hash.
func encodeBinding(b *routing.Binding, x routing.X) record {
	var r record
	r.text("id", b.ID)
	r.text("of", b.Of)
	if b.Y == x {
		r.text("x", string(b.X))
	} else {
		r.text("y", string(b.Y))
	}
	r.text("a", string(b.A))
	r.text("b", string(b.B))
	r.text("ext", string(b.Ext))
	r.number("allowed", int(b.Allowed))
	r.flag("off", b.Off)
	r.instant("until", b.Until)
	r.flag("record", b.Record)
	r.text("record_hint", b.RecordHint)
	r.text("caller_tone", b.CallerTone)
	r.text("callee_tone", b.CalleeTone)
	r.number("max_minutes", b.MaxMinutes)
	r.text("last_minute", b.LastMinute)
	r.flag("no_sms", b.NoSMS)
	r.text("user_data", b.UserData)
	r.text("no_callback", b.NoCallback)
	r.text("callback_num", string(b.CallbackNum))
	if b.CallbackFor != 0 {
		r.text("callback_for", b.CallbackFor.String())
	}
	return r
}

// found is a Redis hash as it was read. err is the first value that could not
// be understood.
type found struct {
	key string
	m   map[string]string
	err error
}

// readHash takes the flat list of names and values that HGETALL gives.
func readHash(key string, v any) found {
	flat, ok := v.([]any)
	if !ok || len(flat)%2 != 0 {
		return found{err: fmt.Errorf("%s is not a hash", key)}
	}
	f := found{key: key, m: make(map[string]string, len(flat)/2)}
	for i := 0; i < len(flat); i += 2 {
		name, ok1 := flat[i].(string)
		value, ok2 := flat[i+1].(string)
		if !ok1 || !ok2 {
			return found{err: fmt.Errorf("%s is not a hash of texts", key)}
		}
		f.m[name] = value
	}
	return f
}

func (f *found) fail(name string, err error) {
	if f.err == nil {
		f.err = fmt.Errorf("field %s of %s: %w", name, f.key, err)
	}
}

func (f *found) flag(name string) bool { return f.m[name] == "1" }

func (f *found) number(name string) int64 {
	s, ok := f.m[name]
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		f.fail(name, err)
	}
	return n
}

func (f *found) instant(name string) time.Time {
	s, ok := f.m[name]
	if !ok {
		return time.Time{}
	}
	t, err := time.Parse(instantLayout, s)
	if err != nil {
		f.fail(name, err)
	}
	return t
}

func (f *found) span(name string) time.Duration {
	s, ok := f.m[name]
	if !ok {
		return 0
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		f.fail(name, err)
	}
	return d
}

func (f *found) binding(x routing.X, number *found) *routing.Binding {
	if len(f.m) == 0 {
		return nil
	}
	b := &routing.Binding{
		ID: f.m["id"], Of: f.m["of"], App: number.m["app"], Mode: routing.Mode(number.m["mode"]), X: x, Y: routing.X(f.m["y"]),
		A: routing.Number(f.m["a"]), B: routing.Number(f.m["b"]), Ext: routing.Extension(f.m["ext"]),
		Allowed: routing.Allowed(f.number("allowed")), Off: f.flag("off"), Until: f.instant("until"),
		Record: f.flag("record"), RecordHint: f.m["record_hint"], CallerTone: f.m["caller_tone"], CalleeTone: f.m["callee_tone"],
		MaxMinutes: int(f.number("max_minutes")), LastMinute: f.m["last_minute"], NoSMS: f.flag("no_sms"), UserData: f.m["user_data"],
		AreaCode: number.m["area"], NoCallback: f.m["no_callback"], CallbackNum: routing.Number(f.m["callback_num"]),
		CallbackFor: f.span("callback_for"), Version: f.number("version"),
	}
	if other := routing.X(f.m["x"]); other != "" {
		b.X, b.Y, b.Version, b.YVersion = other, x, 0, b.Version
	}
	return b
}

func encodeTemporary(t *routing.TemporaryCallee) record {
	r := record{"callee", string(t.Callee)}
	r.instant("until", t.Until)
	r.text("user_data", t.UserData)
	return r
}

func (f *found) temporary() *routing.TemporaryCallee {
	if len(f.m) == 0 {
		return nil
	}
	return &routing.TemporaryCallee{Callee: routing.Number(f.m["callee"]), Until: f.instant("until"), UserData: f.m["user_data"]}
}

// encodeCallback keeps the binding's id with the record: it dies with it. A
// caller without a number is a record too, of somebody who cannot be called.
func encodeCallback(id string, c *routing.Callback) record {
	r := record{"caller", string(c.Caller), "id", id}
	r.instant("until", c.Until)
	return r
}

func (f *found) callback(b *routing.Binding) *routing.Callback {
	if len(f.m) == 0 || b == nil || f.m["id"] != b.ID {
		return nil
	}
	return &routing.Callback{Caller: routing.Number(f.m["caller"]), Until: f.instant("until")}
}

// grace keeps what has run out a while longer: the clean-up must not depend on
// clocks that agree.
const grace = 24 * time.Hour

// expiry is when Redis may forget an entry that runs out, in ms since 1970.
func expiry(until time.Time) string {
	if until.IsZero() {
		return ""
	}
	return strconv.FormatInt(until.Add(grace).UnixMilli(), 10)
}
