package events_test

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"axgate/events"
)

// read is what encoding/json reads of an entry's text.
func read(t require.TestingT, e *events.Entry) (got events.Entry) {
	text, err := e.AppendText([]byte("before"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text[len("before"):], &got), "%s", text)
	return got
}

// fill sets all that is in v to something that is not zero and different each time.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(int64(*n), int64(*n)).UTC()))
		return
	case json.RawMessage:
		v.SetBytes([]byte(`{"n":"` + word(*n) + `"}`))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("text " + word(*n))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint64:
		v.SetUint(uint64(*n))
	case reflect.Float64:
		v.SetFloat(float64(*n) + 0.1)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	default:
		panic("a kind that the text of entries does not know: " + v.Kind().String())
	}
}

func word(n int) string { return string(rune('a'+n%26)) + string(rune('a'+n/26%26)) }

// TestEntryTextHasAll: whatever members an entry has or gets.
func TestEntryTextHasAll(t *testing.T) {
	t.Parallel()
	var e events.Entry
	n := 0
	fill(reflect.ValueOf(&e).Elem(), &n)
	require.Equal(t, e, read(t, &e))
	e = events.Entry{}
	require.Equal(t, e, read(t, &e))
}

// TestEntryTextIsRead: as encoding/json would have written it, whatever the texts are.
func TestEntryTextIsRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		texts, number := rapid.String(), rapid.Int()
		e := events.Entry{Call: events.Call{
			Session: texts.Draw(t, "session"), Why: texts.Draw(t, "why"), UserData: string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")),
			StateCode: number.Draw(t, "state"), In: time.Unix(rapid.Int64Range(-1e9, 1e11).Draw(t, "in"), 1).In(time.FixedZone("", rapid.IntRange(-12, 12).Draw(t, "zone")*3600)),
			RecordBytes: rapid.Int64().Draw(t, "bytes"), CallerLeg: events.Quality{Received: rapid.Uint64().Draw(t, "received"), MOS: rapid.Float64().Draw(t, "mos")},
		}}
		for range rapid.IntRange(0, 3).Draw(t, "events") {
			body, err := json.Marshal(map[string]string{texts.Draw(t, "key"): texts.Draw(t, "value")})
			require.NoError(t, err)
			e.Events = append(e.Events, events.Event{Session: e.Call.Session, Seq: number.Draw(t, "seq"), Kind: events.Kind(texts.Draw(t, "kind")), Body: body, Question: rapid.Bool().Draw(t, "question")})
		}
		text, err := json.Marshal(e)
		require.NoError(t, err)
		var want events.Entry
		require.NoError(t, json.Unmarshal(text, &want))
		require.Equal(t, want, read(t, &e))
	})
}

func TestEntryTextRefuses(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]events.Entry{
		"a body that is no JSON": {Events: []events.Event{{Body: json.RawMessage(`{"a"`)}}},
		"an empty body":          {Events: []events.Event{{Body: json.RawMessage{}}}},
		"no number":              {Call: events.Call{CalleeLeg: events.Quality{MOS: math.NaN()}}},
		"a year without form":    {Call: events.Call{In: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := e.AppendText(nil)
			require.Error(t, err)
			_, err = json.Marshal(e)
			require.Error(t, err, "encoding/json says so too")
		})
	}
}

// BenchmarkEntryText is what one write of a call costs before it is on the disk.
func BenchmarkEntryText(b *testing.B) {
	now := time.Now()
	c := events.Call{Session: "2786123_12_1234567_20261126180000@node.example.com", ICID: "0d1c2b3a-1234-5678-9abc-def012345678", Node: "node-1", Incarnation: 3,
		Host: "node.example.com", App: "appkeyappkeyappkey", SP: "sp1", Mode: "AXB", X: "+8617010000008", Caller: "+8613800000001", Callee: "+8613900000002",
		Binding: "01a21902-c348-7e8f-9af7-d96777135440", Direction: 1, CallerTrunk: "network", CalleeTrunk: "network", In: now, Out: now, Alerting: now, Why: "bound pair"}
	e := events.Entry{Call: c, Events: []events.Event{events.NewCallEvent(c, 4, events.Answer, now, "")}}
	b.ReportAllocs()
	var text []byte
	for b.Loop() {
		text, _ = e.AppendText(text[:0])
	}
	b.SetBytes(int64(len(text)))
}
