package records

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"axgate/api/answer"
	"axgate/api/auth"
	"axgate/archive"
	"axgate/archive/archivetest"
	"axgate/vault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	file   = "26010203041612050118304.wav"
	other  = "26010203041612050118305.wav" // on another node
	lost   = "26010203041612050118306.wav" // known, and not on the disk
	old    = "26010203041612050118307.wav" // its time is nearly over
	gone   = "26010203041612050118308.wav" // its time is over
	keep   = 7 * 24 * time.Hour
	stored = "26010203041612050118309.wav" // in the store
	here   = "http://here.example"
	there  = "https://there.example"
)

var audio = []byte("RIFF" + strings.Repeat("0123456789", 1000))

// library is what a test asks, at a time that it moves.
type library struct {
	*Library
	now time.Time
}

func (l *library) App(r *http.Request) (auth.App, *answer.Refusal) {
	key := r.Header.Get("X-Test-App")
	if key == "" {
		return auth.App{}, &answer.Refusal{HTTP: 401, Code: "1010010", Desc: "Invalid digest."}
	}
	return auth.App{Key: key, Frozen: key == "frozen"}, nil
}

func (l *library) Recording(_ context.Context, app, name string) (Recording, bool, error) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	switch {
	case app == "ill":
		return Recording{}, false, errors.New("the ledger is away")
	case app != "app" && app != "frozen":
		return Recording{}, false, nil
	}
	r, ok := map[string]Recording{
		file: {Base: here}, other: {Base: there}, lost: {Base: here}, old: {Kept: start.Add(time.Hour - keep)}, gone: {Kept: start.Add(-keep)},
	}[name]
	if name == stored {
		r, ok = Recording{Base: there, Place: "s3:" + archivetest.Bucket + "/calls/"}, true
	}
	r.Keep = keep
	return r, ok, nil
}

func open(t *testing.T) *library {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "recordings")
	require.NoError(t, os.Mkdir(dir, 0o700))
	for _, name := range []string{file, old, gone, "../secret.wav", ".hidden.wav"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), audio, 0o600))
	}
	require.NoError(t, os.Symlink("../secret.wav", filepath.Join(dir, "link.wav")))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "dir.wav"), 0o700))
	l := &library{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	files, err := archive.OpenDir(dir)
	require.NoError(t, err)
	l.Library, err = New(Config{Auth: l, Store: l, Links: NewLinks("k"), Base: func() string { return here }, Files: files, Valid: 24 * time.Hour,
		Now: func() time.Time { return l.now }, Log: zerolog.Nop()})
	require.NoError(t, err)
	return l
}

func (l *library) ask(method, app, query string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, Path+"?"+query, nil)
	r.Header.Set("X-Test-App", app)
	w := httptest.NewRecorder()
	l.Link(w, r)
	return w
}

// location asks for the link to a file, which has to be given.
func (l *library) location(t *testing.T, name string) string {
	t.Helper()
	w := l.ask(http.MethodGet, "app", "fileName="+name+"&recordDomain=records.example.com")
	require.Equal(t, http.StatusMovedPermanently, w.Code, w.Body)
	require.Empty(t, w.Body.Bytes())
	return w.Header().Get("Location")
}

func (l *library) fetch(method, address string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, address, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	l.Fetch(w, r)
	return w
}

const notThere = `{"resultcode":"1012007","resultdesc":"The record does not exist."}`

// TestLink: each precondition and each parameter of api section 6.
func TestLink(t *testing.T) {
	l := open(t)
	const domain = "&recordDomain=records.example.com"
	for name, c := range map[string]struct {
		method, app, query string
		status             int
		body               string
	}{
		"right":                 {"GET", "app", "fileName=" + file + domain, 301, ""},
		"with more":             {"GET", "app", "fileName=" + file + domain + "&x=y", 301, ""},
		"not authenticated":     {"GET", "", "fileName=" + file + domain, 401, `{"resultcode":"1010010","resultdesc":"Invalid digest."}`},
		"POST":                  {"POST", "app", "fileName=" + file + domain, 403, `{"resultcode":"1010006","resultdesc":"Invalid Rest API."}`},
		"no fileName":           {"GET", "app", "recordDomain=d", 403, `{"resultcode":"1010002","resultdesc":"Invalid request. fileName: it is missing"}`},
		"empty fileName":        {"GET", "app", "fileName=" + domain, 403, `{"resultcode":"1010002","resultdesc":"Invalid request. fileName: it is missing"}`},
		"no recordDomain":       {"GET", "app", "fileName=" + file, 403, `{"resultcode":"1010002","resultdesc":"Invalid request. recordDomain: it is missing"}`},
		"long fileName":         {"GET", "app", "fileName=" + strings.Repeat("1", 129) + domain, 403, `{"resultcode":"1010002","resultdesc":"Invalid request. fileName: it has more than 128 characters"}`},
		"long recordDomain":     {"GET", "app", "fileName=" + file + "&recordDomain=" + strings.Repeat("d", 129), 403, `{"resultcode":"1010002","resultdesc":"Invalid request. recordDomain: it has more than 128 characters"}`},
		"longest":               {"GET", "app", "fileName=" + strings.Repeat("1", 128) + "&recordDomain=" + strings.Repeat("d", 128), 403, notThere},
		"unknown":               {"GET", "app", "fileName=26010203041612050118399.wav" + domain, 403, notThere},
		"another app's":         {"GET", "app2", "fileName=" + file + domain, 403, notThere},
		"account frozen":        {"GET", "frozen", "fileName=" + file + domain, 403, notThere},
		"its time is over":      {"GET", "app", "fileName=" + gone + domain, 403, notThere},
		"not on the disk":       {"GET", "app", "fileName=" + lost + domain, 403, notThere},
		"traversal":             {"GET", "app", "fileName=..%2Fsecret.wav" + domain, 403, notThere},
		"absolute":              {"GET", "app", "fileName=%2Fetc%2Fpasswd" + domain, 403, notThere},
		"zero byte, not UTF-8":  {"GET", "app", "fileName=%00%ff.wav" + domain, 403, notThere},
		"ledger away":           {"GET", "ill", "fileName=" + file + domain, 500, `{"resultcode":"1010001","resultdesc":"Internal system error."}`},
		"on another node":       {"GET", "app", "fileName=" + other + domain, 301, ""},
		"its time is not over ": {"GET", "app", "fileName=" + old + domain, 301, ""},
	} {
		w := l.ask(c.method, c.app, c.query)
		require.Equal(t, c.status, w.Code, name)
		require.Equal(t, c.body, w.Body.String(), name)
		require.Equal(t, c.status == 301, w.Header().Get("Location") != "", name)
	}
	require.True(t, strings.HasPrefix(l.location(t, file), here+Download+file+"?"))
	require.True(t, strings.HasPrefix(l.location(t, other), there+Download+other+"?"), "the node that has the file")
}

// TestFetch: the bytes, ranges of them, and nothing without a link that holds.
func TestFetch(t *testing.T) {
	l := open(t)
	address := l.location(t, file)
	w := l.fetch(http.MethodGet, address)
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, audio, w.Body.Bytes())
	require.Equal(t, []string{"audio/wav", "bytes", "10004", "private, no-store"},
		[]string{w.Header().Get("Content-Type"), w.Header().Get("Accept-Ranges"), w.Header().Get("Content-Length"), w.Header().Get("Cache-Control")})
	w = l.fetch(http.MethodGet, address, "Range", "bytes=4-13")
	require.Equal(t, http.StatusPartialContent, w.Code)
	require.Equal(t, "0123456789", w.Body.String())
	require.Equal(t, "bytes 4-13/10004", w.Header().Get("Content-Range"))
	w = l.fetch(http.MethodGet, address, "Range", "bytes=-3")
	require.Equal(t, "789", w.Body.String())
	require.Equal(t, http.StatusRequestedRangeNotSatisfiable, l.fetch(http.MethodGet, address, "Range", "bytes=20000-").Code)
	w = l.fetch(http.MethodHead, address)
	require.Equal(t, http.StatusOK, w.Code)
	require.Empty(t, w.Body.Bytes())
	require.Equal(t, http.StatusForbidden, l.fetch(http.MethodPost, address).Code)

	u, err := url.Parse(address)
	require.NoError(t, err)
	spoil := func(change func(u *url.URL, q url.Values)) string {
		c, q := *u, u.Query()
		change(&c, q)
		c.RawQuery = q.Encode()
		return c.String()
	}
	for name, bad := range map[string]string{
		"no query":      spoil(func(_ *url.URL, q url.Values) { clear(q) }),
		"another file":  spoil(func(u *url.URL, _ url.Values) { u.Path = Download + old }),
		"a longer time": spoil(func(_ *url.URL, q url.Values) { q.Set("until", "99999999999") }),
		"another key":   spoil(func(_ *url.URL, q url.Values) { q.Set("key", strings.ToLower(q.Get("key"))) }),
		"key of others": NewLinks("x").URL(here, file, l.now.Add(time.Hour)),
		"not a time":    strings.Replace(NewLinks("k").URL(here, file, time.Time{}), "until=-", "until=x", 1),
		"outside":       l.cfg.Links.URL(here, "../secret.wav", l.now.Add(time.Hour)),
		"hidden":        l.cfg.Links.URL(here, ".hidden.wav", l.now.Add(time.Hour)),
		"a link out":    l.cfg.Links.URL(here, "link.wav", l.now.Add(time.Hour)),
		"a directory":   l.cfg.Links.URL(here, "dir.wav", l.now.Add(time.Hour)),
		"not there":     l.cfg.Links.URL(here, lost, l.now.Add(time.Hour)),
	} {
		w := l.fetch(http.MethodGet, bad)
		require.Equal(t, http.StatusForbidden, w.Code, name)
		require.Equal(t, notThere, w.Body.String(), name)
	}
}

// TestValidity: a link holds for its time, and never longer than the recording
// is kept.
func TestValidity(t *testing.T) {
	l := open(t)
	usual, soon := l.location(t, file), l.location(t, old)
	l.now = l.now.Add(time.Hour - time.Second)
	require.Equal(t, http.StatusOK, l.fetch(http.MethodGet, soon).Code)
	l.now = l.now.Add(time.Second)
	require.Equal(t, http.StatusForbidden, l.fetch(http.MethodGet, soon).Code)
	require.Equal(t, notThere, l.ask("GET", "app", "recordDomain=d&fileName="+old).Body.String())
	require.Equal(t, http.StatusOK, l.fetch(http.MethodGet, usual).Code)
	l.now = l.now.Add(23 * time.Hour)
	require.Equal(t, http.StatusForbidden, l.fetch(http.MethodGet, usual).Code)
	l.cfg.Valid = 30 * 24 * time.Hour
	l.now = l.now.Add(keep - 24*time.Hour)
	usual = l.location(t, file) // its fee event is owed
	l.now = l.now.Add(keep - time.Second)
	require.Equal(t, http.StatusOK, l.fetch(http.MethodGet, usual).Code)
	l.now = l.now.Add(time.Second)
	require.Equal(t, http.StatusForbidden, l.fetch(http.MethodGet, usual).Code)
	_, err := New(Config{Auth: l, Store: l, Links: NewLinks("k"), Base: l.cfg.Base, Files: l.cfg.Files, Valid: 0})
	require.Error(t, err)
}

// TestStored: links to what is in the store lead there, or are answered from
// there; a link that is older than that still leads to the file.
func TestStored(t *testing.T) {
	s := archivetest.Serve(t)
	l := open(t)
	l.now = time.Now()
	before := l.location(t, file)
	l.cfg.Stored, l.cfg.Redirect = s.Store(t, nil), true
	for _, name := range []string{stored, file} {
		require.NoError(t, l.cfg.Stored.Put(t.Context(), name, strings.NewReader(string(audio)), int64(len(audio))))
	}
	fetched := func(address string) string {
		res, err := http.Get(address)
		require.NoError(t, err)
		defer http.DefaultClient.CloseIdleConnections()
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return string(body)
	}
	address := l.location(t, stored)
	require.True(t, strings.HasPrefix(address, s.URL+"/"), address)
	require.Contains(t, address, "X-Amz-Expires=86400")
	require.Equal(t, string(audio), fetched(address))
	require.NoError(t, l.cfg.Files.Remove(file))
	w := l.fetch(http.MethodGet, before)
	require.Equal(t, http.StatusFound, w.Code)
	require.Equal(t, string(audio), fetched(w.Header().Get("Location")))
	require.Equal(t, http.StatusOK, l.fetch(http.MethodHead, before).Code)

	l.cfg.Redirect = false
	address = l.location(t, stored)
	require.True(t, strings.HasPrefix(address, here+"/"), address)
	require.Equal(t, string(audio), l.fetch(http.MethodGet, address).Body.String())
	w = l.fetch(http.MethodGet, before, "Range", "bytes=4-8")
	require.Equal(t, http.StatusPartialContent, w.Code)
	require.Equal(t, string(audio[4:9]), w.Body.String())
	require.NoError(t, l.cfg.Stored.Remove(t.Context(), file))
	for _, redirect := range []bool{false, true} {
		l.cfg.Redirect = redirect
		require.Equal(t, notThere, l.fetch(http.MethodGet, before).Body.String())
	}
}

// TestEncrypted: what is encrypted is handed out as it was, from the directory
// and from the store; one that was cut off is not.
func TestEncrypted(t *testing.T) {
	s := archivetest.Serve(t)
	l := open(t)
	key, err := vault.NewKey("k")
	require.NoError(t, err)
	ring, err := vault.ReadRing(strings.NewReader(key))
	require.NoError(t, err)
	l.cfg.Ring, l.cfg.Stored = ring, s.Store(t, nil)
	anew, err := l.cfg.Files.Reseal(ring, file)
	require.NoError(t, err)
	require.True(t, anew)
	f, is, err := l.cfg.Files.Open(file)
	require.NoError(t, err)
	require.Greater(t, is.Bytes, int64(len(audio)))
	address := l.location(t, file)
	check := func() {
		require.Equal(t, string(audio), l.fetch(http.MethodGet, address).Body.String())
		w := l.fetch(http.MethodGet, address, "Range", "bytes=5000-5009")
		require.Equal(t, http.StatusPartialContent, w.Code)
		require.Equal(t, string(audio[5000:5010]), w.Body.String())
	}
	check()
	require.NoError(t, l.cfg.Stored.Put(t.Context(), file, f, is.Bytes))
	require.NoError(t, f.Close())
	require.NoError(t, l.cfg.Files.Remove(file))
	check()
	anew, err = l.cfg.Stored.Reseal(t.Context(), ring, file)
	require.NoError(t, err)
	require.False(t, anew)
	require.NoError(t, l.cfg.Stored.Put(t.Context(), file, strings.NewReader(string(audio)), int64(len(audio))))
	check() // it is in the clear
	anew, err = l.cfg.Stored.Reseal(t.Context(), ring, file)
	require.NoError(t, err)
	require.True(t, anew)
	check()
	second, err := vault.NewKey("k2")
	require.NoError(t, err)
	l.cfg.Ring, err = vault.ReadRing(strings.NewReader(key + " " + second))
	require.NoError(t, err)
	anew, err = l.cfg.Stored.Reseal(t.Context(), l.cfg.Ring, file)
	require.NoError(t, err)
	require.True(t, anew)
	check()
	l.cfg.Ring, err = vault.ReadRing(strings.NewReader(second))
	require.NoError(t, err)
	check()

	l.cfg.Ring = ring
	require.Equal(t, notThere, l.fetch(http.MethodGet, address).Body.String(), "its key is not there")
	content, is, err := l.cfg.Stored.Open(t.Context(), file)
	require.NoError(t, err)
	cut, err := io.ReadAll(io.LimitReader(content, is.Bytes-1))
	require.NoError(t, errors.Join(err, content.Close()))
	require.NoError(t, l.cfg.Stored.Put(t.Context(), file, strings.NewReader(string(cut)), int64(len(cut))))
	l.cfg.Ring, err = vault.ReadRing(strings.NewReader(second))
	require.NoError(t, err)
	require.Equal(t, notThere, l.fetch(http.MethodGet, address).Body.String(), "its end is missing")
}

// TestAnyLink: only what was signed is handed out, whatever a link looks like.
func TestAnyLink(t *testing.T) {
	l := open(t)
	parts := []string{"..", "/", "%2e", "%2f", "\\", file, "secret.wav", "?", "until=", "key=", "&", "9999999999", "%00"}
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 0, 12).Draw(t, "link"), "")
		u, err := url.Parse(here + Download + text)
		if err != nil {
			return
		}
		r := httptest.NewRequest(http.MethodGet, here, nil)
		r.URL = u
		w := httptest.NewRecorder()
		l.Fetch(w, r)
		body, err := io.ReadAll(w.Body)
		if err != nil || w.Code != http.StatusForbidden || string(body) != notThere {
			t.Fatalf("%d %.100q", w.Code, body)
		}
	})
}
