package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/routing"
	"axgate/sms"
)

const token, otherToken = "first-token-0123456789", "other-token-0123456789"

var now = time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)

// office is an office that says what it is told to, and counts what is repeated.
type office struct {
	mu      sync.Mutex
	got     []sms.Incoming
	receipt sms.Receipt
	err     error
}

func (o *office) Receive(_ context.Context, in sms.Incoming) (sms.Receipt, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.got = append(o.got, in)
	return o.receipt, o.err
}

type logged struct{ strings.Builder }

func door(o *office, log io.Writer) *Door {
	return NewDoor(DoorConfig{Tokens: map[string]string{"first": token, "other": otherToken, "out": ""}, Office: o, Plan: routing.ChinaPlan(),
		Now: func() time.Time { return now }, Log: zerolog.New(log)})
}

type given struct {
	status int
	header http.Header
	body   string
	fields map[string]any
}

func post(t testing.TB, d http.Handler, path, auth, kind, body string) given {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	if auth != "" {
		r.Header.Set("Authorization", auth)
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	out := given{status: w.Code, header: w.Header(), body: w.Body.String()}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &out.fields), out.body)
	if out.status >= 400 {
		require.Equal(t, "application/problem+json", out.header.Get("Content-Type"))
		require.Equal(t, float64(out.status), out.fields["status"])
		require.Equal(t, http.StatusText(out.status), out.fields["title"])
		require.NotEmpty(t, out.fields["detail"])
	}
	return out
}

const (
	messages = "/sms/v1/gateways/first/messages"
	bearer   = "Bearer " + token
	good     = `{"id":"m-1","from":"13800000001","to":"17010000001","text":"hello"}`
)

func TestTaken(t *testing.T) {
	o := &office{receipt: sms.Receipt{ID: "text-1", Outcome: sms.Taken}}
	a := post(t, door(o, io.Discard), messages, bearer, "application/json", good)
	require.Equal(t, http.StatusAccepted, a.status)
	require.Equal(t, "application/json", a.header.Get("Content-Type"))
	require.JSONEq(t, `{"id":"text-1","outcome":"taken"}`, a.body)
	require.Len(t, o.got, 1)
	in := o.got[0]
	require.NotEmpty(t, in.Key)
	require.LessOrEqual(t, len(in.Key), 64)
	require.NotContains(t, in.Key, "m-1", "an id may hold a number")
	in.Key = ""
	require.Equal(t, sms.Incoming{Source: "first", X: "+8617010000001", Sender: "+8613800000001", Text: "hello", At: now}, in)
}

// TestOutcomes is the table of answers to what the office says.
func TestOutcomes(t *testing.T) {
	for name, c := range map[string]struct {
		receipt sms.Receipt
		err     error
		status  int
		wait    string
		has     map[string]any
	}{
		"taken":        {sms.Receipt{ID: "a", Outcome: sms.Taken}, nil, 202, "", map[string]any{"id": "a", "outcome": "taken"}},
		"repeated":     {sms.Receipt{ID: "a", Outcome: sms.Repeated}, nil, 202, "", map[string]any{"id": "a", "outcome": "repeated"}},
		"refused":      {sms.Receipt{ID: "a", Outcome: sms.Refused, Result: routing.TextBlacklisted}, nil, 403, "", map[string]any{"id": "a", "result": 8.0}},
		"not ours":     {sms.Receipt{Outcome: sms.Unknown}, nil, 404, "", nil},
		"too many":     {sms.Receipt{Outcome: sms.Limited, After: 1500 * time.Millisecond}, nil, 429, "2", nil},
		"busy":         {sms.Receipt{Outcome: sms.Busy, After: time.Second}, nil, 503, "1", nil},
		"too many now": {sms.Receipt{Outcome: sms.Limited}, nil, 429, "1", nil},
		"too long":     {sms.Receipt{Outcome: sms.TooLong}, nil, 413, "", nil},
		"a fault":      {sms.Receipt{}, errors.New("the disk is full"), 503, "5", nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := post(t, door(&office{receipt: c.receipt, err: c.err}, io.Discard), messages, bearer, "application/json", good)
			require.Equal(t, c.status, a.status)
			require.Equal(t, c.wait, a.header.Get("Retry-After"))
			for field, value := range c.has {
				require.Equal(t, value, a.fields[field], field)
			}
			require.NotContains(t, a.body, "13800000001")
			require.NotContains(t, a.body, "disk")
			if c.status != 403 {
				require.NotContains(t, a.fields, "result")
			}
		})
	}
	for result := routing.TextFrozen; result <= routing.TextForbidden; result++ {
		switch result {
		case routing.TextFault, routing.TextDiscarded, routing.TextNotAnswered, routing.TextPartlySent: // of a text that was taken
		default:
			require.NotEmpty(t, reasons[result], result)
		}
	}
}

// TestWho: whoever shows no token, a wrong one, or that of another gateway gets
// the same answer as for a gateway that there is not.
func TestWho(t *testing.T) {
	log := &logged{}
	o := &office{}
	d := door(o, log)
	var first *given
	for name, c := range map[string]struct{ path, auth string }{
		"no token":                {messages, ""},
		"a wrong one":             {messages, "Bearer wrong-token-0123456789"},
		"the beginning":           {messages, "Bearer " + token[:10]},
		"more behind it":          {messages, "Bearer " + token + "x"},
		"none":                    {messages, "Bearer "},
		"another scheme":          {messages, "Basic " + token},
		"no scheme":               {messages, token},
		"another's":               {messages, "Bearer " + otherToken},
		"no such gateway":         {"/sms/v1/gateways/third/messages", "Bearer " + token},
		"nor without a token":     {"/sms/v1/gateways/third/messages", ""},
		"it brings none":          {"/sms/v1/gateways/out/messages", "Bearer "},
		"a name with a line":      {"/sms/v1/gateways/fir%0ast/messages", "Bearer " + token},
		"the name in other cases": {"/sms/v1/gateways/First/messages", "Bearer " + token},
	} {
		a := post(t, d, c.path, c.auth, "application/json", good)
		require.Equal(t, http.StatusUnauthorized, a.status, name)
		if first == nil {
			first = &a
		}
		require.Equal(t, first.body, a.body, name)
		require.Equal(t, first.header, a.header, name)
	}
	require.Equal(t, `Bearer realm="axgate"`, first.header.Get("WWW-Authenticate"))
	require.Empty(t, o.got)
	for range 100 {
		post(t, d, messages, "Bearer wrong", "application/json", good)
	}
	require.Less(t, strings.Count(log.String(), "\n"), 40, "whoever tries many does not fill the disk")
	require.NotContains(t, log.String(), "token-0123456789")
	require.NotContains(t, log.String(), "13800000001")
	require.Equal(t, http.StatusAccepted, post(t, d, messages, "bearer  "+token+" ", "application/json", good).status)
}

func TestWhere(t *testing.T) {
	d := door(&office{}, io.Discard)
	for _, path := range []string{Path, "/sms/v1/gateways//messages", "/sms/v1/gateways/first", "/sms/v1/gateways/first/messages/", "/sms/v1/gateways/first/x/messages", "/sms/v1/gateways/messages", "/messages"} {
		require.Equal(t, http.StatusNotFound, post(t, d, path, bearer, "application/json", good).status, path)
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, httptest.NewRequest(http.MethodGet, messages, nil))
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
	require.Equal(t, http.MethodPost, w.Header().Get("Allow"))
}

func TestContentType(t *testing.T) {
	d := door(&office{}, io.Discard)
	for kind, status := range map[string]int{
		"application/json": 202, "Application/JSON; charset=UTF-8": 202, `application/json;charset="utf-8"`: 202,
		"": 415, "text/plain": 415, "application/x-www-form-urlencoded": 415, "application/json; charset=gbk": 415, "application/json; boundary=x": 415,
		"application/jsonx": 415, "application/json, text/plain": 415, "application/json;;;=": 415,
	} {
		require.Equal(t, status, post(t, d, messages, bearer, kind, good).status, kind)
	}
}

// TestFields: what is wrong is named, and never repeated.
func TestFields(t *testing.T) {
	with := func(changes string) string { return strings.TrimSuffix(good, "}") + "," + changes + "}" }
	for name, c := range map[string]struct{ body, field string }{
		"nothing":             {"", ""},
		"no JSON":             {"id=m-1", ""},
		"half":                {good[:20], ""},
		"a list":              {"[" + good + "]", ""},
		"null":                {"null", ""},
		"two":                 {good + good, ""},
		"no UTF-8":            {strings.Replace(good, "hello", "\xff\xfe", 1), ""},
		"deep":                {strings.Repeat("[", 30000) + strings.Repeat("]", 30000), ""},
		"an unknown field":    {with(`"txt":"x"`), "txt"},
		"in other cases":      {strings.Replace(good, `"text"`, `"Text"`, 1), "Text"},
		"no id":               {strings.Replace(good, `"id":"m-1",`, "", 1), "id"},
		"id empty":            {with(`"id":""`), "id"},
		"id null":             {with(`"id":null`), "id"},
		"id a number":         {with(`"id":1`), "id"},
		"id long":             {with(`"id":"` + strings.Repeat("i", 129) + `"`), "id"},
		"id of lines":         {with(`"id":"a\nb"`), "id"},
		"no sender":           {strings.Replace(good, `"from":"13800000001",`, "", 1), "from"},
		"sender a number":     {with(`"from":13800000001`), "from"},
		"sender long":         {with(`"from":"` + strings.Repeat("1", 65) + `"`), "from"},
		"no X":                {strings.Replace(good, `"to":"17010000001",`, "", 1), "to"},
		"X is none":           {with(`"to":"hello"`), "to"},
		"X is a service":      {with(`"to":"10086"`), "to"},
		"no text":             {strings.Replace(good, `,"text":"hello"`, "", 1), "text"},
		"text a list":         {with(`"text":["hello"]`), "text"},
		"part a list":         {with(`"part":[]`), "part"},
		"part empty":          {with(`"part":{}`), "part.ref"},
		"part more":           {with(`"part":{"ref":1,"seq":1,"total":2,"of":3}`), "part.of"},
		"no ref":              {with(`"part":{"seq":1,"total":2}`), "part.ref"},
		"ref below":           {with(`"part":{"ref":-1,"seq":1,"total":2}`), "part.ref"},
		"ref beyond":          {with(`"part":{"ref":65536,"seq":1,"total":2}`), "part.ref"},
		"seq 0":               {with(`"part":{"ref":1,"seq":0,"total":2}`), "part.seq"},
		"seq beyond":          {with(`"part":{"ref":1,"seq":3,"total":2}`), "part.seq"},
		"total 0":             {with(`"part":{"ref":1,"seq":1,"total":0}`), "part.total"},
		"total beyond":        {with(`"part":{"ref":1,"seq":1,"total":256}`), "part.total"},
		"total a text":        {with(`"part":{"ref":1,"seq":1,"total":"2"}`), "part.total"},
		"half a part":         {with(`"part":{"ref":1,"seq":1.5,"total":2}`), "part.seq"},
		"a day alone":         {with(`"time":"2026-01-02"`), "time"},
		"seconds since 1970":  {with(`"time":1767323045}`), ""},
		"time a number":       {with(`"time":1767323045`), "time"},
		"another place's way": {with(`"time":"2026-01-02 03:04:05"`), "time"},
	} {
		t.Run(name, func(t *testing.T) {
			o := &office{}
			log := &logged{}
			a := post(t, door(o, log), messages, bearer, "application/json", c.body)
			require.Equal(t, http.StatusBadRequest, a.status)
			require.Empty(t, o.got)
			require.NotContains(t, a.body+log.String(), "13800000001")
			if c.field == "" {
				require.NotContains(t, a.fields, "errors")
				return
			}
			require.Equal(t, c.field, a.fields["errors"].([]any)[0].(map[string]any)["field"])
			require.Contains(t, a.fields["detail"], c.field+": ")
		})
	}
}

// TestRead: what is right in several ways.
func TestRead(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want sms.Incoming
	}{
		"spellings":              {`{"id":"m","from":"0086 138-0000-0001","to":"+86 (170) 1000 0001","text":""}`, sms.Incoming{X: "+8617010000001", Sender: "+8613800000001"}},
		"a sender that is none":  {`{"id":"m","from":"BANK","to":"8617010000001","text":"x"}`, sms.Incoming{X: "+8617010000001", Text: "x"}},
		"an empty sender":        {`{"id":"m","from":"","to":"8617010000001","text":"x"}`, sms.Incoming{X: "+8617010000001", Text: "x"}},
		"null for what is none":  {`{"id":"m","from":"13800000001","to":"17010000001","text":"x","part":null,"time":null}`, sms.Incoming{X: "+8617010000001", Sender: "+8613800000001", Text: "x"}},
		"a part":                 {`{"id":"m","from":"13800000001","to":"17010000001","text":"x","part":{"ref":0,"seq":2,"total":255}}`, sms.Incoming{X: "+8617010000001", Sender: "+8613800000001", Text: "x", Part: &sms.Part{Seq: 2, Total: 255}}},
		"the only part":          {`{"id":"m","from":"13800000001","to":"17010000001","text":"x","part":{"ref":7,"seq":1,"total":1}}`, sms.Incoming{X: "+8617010000001", Sender: "+8613800000001", Text: "x"}},
		"written before":         {`{"id":"m","from":"13800000001","to":"17010000001","text":"x","time":"2026-01-02T11:03:05+08:00"}`, sms.Incoming{X: "+8617010000001", Sender: "+8613800000001", Text: "x", At: now.Truncate(time.Second).Add(-time.Minute)}},
		"written in the future":  {`{"id":"m","from":"13800000001","to":"17010000001","text":"x","time":"2026-01-02T03:04:06Z"}`, sms.Incoming{X: "+8617010000001", Sender: "+8613800000001", Text: "x"}},
		"written before numbers": {`{"id":"m","from":"13800000001","to":"17010000001","text":"x","time":"0000-01-01T00:00:00Z"}`, sms.Incoming{X: "+8617010000001", Sender: "+8613800000001", Text: "x", At: now.Add(-7 * 24 * time.Hour)}},
		"emoji":                  {`{"id":"m","from":"13800000001","to":"17010000001","text":"\ud83d\ude00 见\u0000面 😀"}`, sms.Incoming{X: "+8617010000001", Sender: "+8613800000001", Text: "😀 见\x00面 😀"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := &office{}
			require.Equal(t, http.StatusAccepted, post(t, door(o, io.Discard), messages, bearer, "application/json", c.body).status)
			require.Len(t, o.got, 1)
			got := o.got[0]
			if c.want.At.IsZero() {
				c.want.At = now
			}
			require.True(t, c.want.At.Equal(got.At), "%v", got.At)
			c.want.Source, c.want.Key, c.want.At = "first", got.Key, got.At
			require.Equal(t, c.want, got)
		})
	}
}

// TestKeys: one text has one key, however often and wherever it is posted, and
// no two have the same.
func TestKeys(t *testing.T) {
	o := &office{}
	d := door(o, io.Discard)
	of := func(path, auth, id, more string) string {
		require.Equal(t, http.StatusAccepted, post(t, d, path, auth, "application/json", `{"id":"`+id+`","from":"1","to":"17010000001","text":"x"`+more+`}`).status)
		return o.got[len(o.got)-1].Key
	}
	first := of(messages, bearer, "1", "")
	require.Equal(t, first, of(messages, bearer, "1", `,"time":"2026-01-02T03:04:05Z"`))
	require.Equal(t, first, of(messages, bearer, "1", `,"part":{"ref":1,"seq":1,"total":1}`))
	all := map[string]bool{first: true}
	for _, other := range []string{
		of(messages, bearer, "2", ""), of("/sms/v1/gateways/other/messages", "Bearer "+otherToken, "1", ""),
		of(messages, bearer, "1", `,"part":{"ref":1,"seq":1,"total":2}`), of(messages, bearer, "1", `,"part":{"ref":1,"seq":2,"total":2}`),
		of(messages, bearer, "first 1", ""), of(messages, bearer, "1 ", ""), of(messages, bearer, strings.Repeat("1", 128), ""),
	} {
		require.False(t, all[other])
		require.LessOrEqual(t, len(other), 64)
		all[other] = true
	}
}

// TestHuge: a body is read up to its bound, and no further.
func TestHuge(t *testing.T) {
	o := &office{}
	s := httptest.NewServer(door(o, io.Discard))
	t.Cleanup(s.Close)
	body := &endless{}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+messages, io.LimitReader(body, 1<<30))
	require.NoError(t, err)
	r.Header.Set("Authorization", bearer)
	r.Header.Set("Content-Type", "application/json")
	res, err := s.Client().Do(r)
	if err == nil { // else the connection was cut while it was written
		require.Equal(t, http.StatusRequestEntityTooLarge, res.StatusCode)
		require.NoError(t, res.Body.Close())
	}
	require.Empty(t, o.got)
	require.Less(t, body.read(), int64(64<<20))

	exact := strings.Replace(good, "hello", strings.Repeat("x", mostBody-len(good)+len("hello")), 1)
	require.Len(t, exact, mostBody)
	require.Equal(t, http.StatusAccepted, post(t, door(o, io.Discard), messages, bearer, "application/json", exact).status)
	require.Equal(t, http.StatusRequestEntityTooLarge, post(t, door(o, io.Discard), messages, bearer, "application/json", exact+" ").status)
}

type endless struct {
	mu sync.Mutex
	n  int64
}

func (e *endless) Read(b []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.n += int64(len(b))
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

func (e *endless) read() int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.n
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		good, `{"id":"m","from":"+8613800000001","to":"+8617010000001","text":"x","part":{"ref":1,"seq":1,"total":2},"time":"2026-01-02T03:04:05.678+08:00"}`,
		`{"id":null}`, `{"part":{}}`, `[]`, ``, "\xff",
	} {
		f.Add([]byte(seed))
	}
	plan := routing.ChinaPlan()
	f.Fuzz(func(t *testing.T, body []byte) {
		m, bad := read(body)
		if (m == nil || bad != nil) && bad == nil {
			t.Fatal("neither a text nor a reason")
		}
		if bad != nil {
			if len(bad.field) > 200 || len(bad.why) > 200 {
				t.Fatalf("a reason without measure: %v", bad)
			}
			return
		}
		if bad := m.check(&plan); bad != nil {
			return
		}
		if m.id == "" || len(m.id) > mostID || m.x == "" || len(key("first", m)) > 64 {
			t.Fatalf("%+v", m)
		}
		if p := m.part; p != nil && (p.Total < 2 || p.Total > 255 || p.Seq < 1 || p.Seq > p.Total || p.Ref < 0) {
			t.Fatalf("%+v", p)
		}
	})
}
