//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/gate"
	"axgate/e2e/receiver"
	"axgate/e2e/wave"
)

// fetched is what a customer got for a fee event while it had not answered it
// yet.
type fetched struct {
	err        error
	file       string
	link       reply // redirect off
	whole      reply // redirect on
	byEvent    reply // recordFileDownloadUrl
	part, none reply // ranges
}

// TestRecordings: a recording can be fetched the moment its fee event arrives,
// by its link and by the address in the event, whole and in part; by its app
// alone.
func TestRecordings(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	w := openWorld(t, nil, func(c *gate.Config) {
		for i := range c.Apps {
			c.Apps[i].SendRecordURL = true
		}
	})
	t.Run("call", func(t *testing.T) { recordingOnFee(&scene{T: t, world: w, name: t.Name(), ctx: ctx}) })
	w.close(t)
}

// recordingOnFee makes a recorded call and fetches its recording in the middle
// of the push of its fee event.
func recordingOnFee(s *scene) {
	var got fetched
	var once sync.Once
	s.customer.Answer(func(p receiver.Push) int {
		if p.Path == "/fee" {
			once.Do(func() { got = s.fetch(p.Body) })
		}
		return http.StatusOK
	})
	a, b, x, id := s.pair(appInforms, "--record")
	out, in := s.connect(a, b, x)
	s.talk(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	c := s.story(x, 1, billed{direction: 1, binding: id, caller: a.Number(), callee: b.Number(), service: "004", events: evAnswered, talk: true, recorded: true})

	require.NoError(s, got.err)
	require.Equal(s, c.Fee["recordObjectName"], got.file)
	path, err := s.gate.Recording(got.file)
	require.NoError(s, err)
	want, err := os.ReadFile(path)
	require.NoError(s, err)
	require.Equal(s, http.StatusMovedPermanently, got.link.status, "%s", got.link.body)
	require.Empty(s, got.link.body)
	require.True(s, strings.HasPrefix(got.link.header.Get("Location"), s.gate.API()+"/"), got.link.header.Get("Location"))
	for what, r := range map[string]reply{"redirect followed": got.whole, "recordFileDownloadUrl": got.byEvent} {
		require.Equal(s, http.StatusOK, r.status, "%s: %s", what, r.body)
		require.Equal(s, want, r.body, what)
		require.Equal(s, "audio/wav", r.header.Get("Content-Type"))
	}
	require.Equal(s, http.StatusPartialContent, got.part.status)
	require.Equal(s, want[100:200], got.part.body)
	require.Equal(s, http.StatusRequestedRangeNotSatisfiable, got.none.status)
	f, err := wave.Parse(got.whole.body)
	require.NoError(s, err)
	s.voices(f)
	s.nobodyElse(got.file)
}

// fetch does what a customer does with a fee event.
func (s *scene) fetch(body []byte) (f fetched) {
	var push struct {
		FeeLst []struct{ RecordObjectName, RecordDomain, RecordFileDownloadURL string }
	}
	if f.err = json.Unmarshal(body, &push); f.err != nil || len(push.FeeLst) != 1 {
		f.err = fmt.Errorf("%w in %s", f.err, body)
		return f
	}
	fee := push.FeeLst[0]
	f.file = fee.RecordObjectName
	link := s.recordLink(fee.RecordObjectName, fee.RecordDomain)
	try := func(to *reply, do func() (reply, error)) {
		if f.err == nil {
			*to, f.err = do()
		}
	}
	try(&f.link, func() (reply, error) { return call(s.ctx, direct, http.MethodGet, link, appInforms, nil) })
	try(&f.whole, func() (reply, error) {
		return call(s.ctx, &http.Client{Timeout: step}, http.MethodGet, link, appInforms, nil)
	})
	plain := func(address, part string) func() (reply, error) {
		return func() (reply, error) {
			req, err := http.NewRequestWithContext(s.ctx, http.MethodGet, address, nil)
			if err != nil {
				return reply{}, err
			}
			if part != "" {
				req.Header.Set("Range", part)
			}
			return send(direct, req)
		}
	}
	at := f.link.header.Get("Location")
	try(&f.byEvent, plain(fee.RecordFileDownloadURL, ""))
	try(&f.part, plain(at, "bytes=100-199"))
	try(&f.none, plain(at, "bytes=99999999-"))
	return f
}

func (s *scene) recordLink(file, domain string) string {
	return s.gate.API() + "/rest/provision/voice/record/v1.0?" + url.Values{"fileName": {file}, "recordDomain": {domain}}.Encode()
}

// nobodyElse: no other app gets the link, and nothing else can be had.
func (s *scene) nobodyElse(file string) {
	s.Helper()
	for name, c := range map[string]struct {
		app, file, want string
		status          int
	}{
		"another app":    {appAXB, file, `{"resultcode":"1012007","resultdesc":"The record does not exist."}`, 403},
		"frozen account": {appFrozen, file, `{"resultcode":"1012007","resultdesc":"The record does not exist."}`, 403},
		"unknown":        {appInforms, "2" + file, `{"resultcode":"1012007","resultdesc":"The record does not exist."}`, 403},
		"traversal":      {appInforms, "../axgate.db", `{"resultcode":"1012007","resultdesc":"The record does not exist."}`, 403},
		"no app":         {"nobody", file, `{"resultcode":"1010003","resultdesc":"Invalid app_key."}`, 403},
	} {
		r, err := call(s.within(step), direct, http.MethodGet, s.recordLink(c.file, "d"), c.app, nil)
		require.NoError(s, err, name)
		require.Equal(s, c.status, r.status, name)
		require.Equal(s, c.want, string(r.body), name)
		require.True(s, r.closes, "connections are short (API 2.1)")
	}
	for _, path := range []string{"/records/" + file, "/records/..%2faxgate.db", "/records/", "/rest/", "/"} {
		req, err := http.NewRequestWithContext(s.ctx, http.MethodGet, s.gate.API()+path, nil)
		require.NoError(s, err)
		r, err := send(direct, req)
		require.NoError(s, err)
		require.GreaterOrEqual(s, r.status, 403, path)
		require.Less(s, r.status, 405, path)
	}
}
