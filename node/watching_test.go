package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/archive"
	"axgate/archive/archivetest"
	"axgate/config"
	"axgate/events"
	"axgate/health"
	"axgate/ledger"
	"axgate/media"
	"axgate/metrics"
	"axgate/provision"
	"axgate/routing"
	"axgate/sip"
)

// watched is a node whose figures are listened for, with a trunk that wants us
// to register, and a certificate.
func watched(t *testing.T, edit func(*config.Config)) *Node {
	t.Helper()
	c := config.Default()
	c.Node, c.Data = "n1", t.TempDir()
	c.SIP.UDP, c.SIP.TCP, c.Redis.Embedded, c.HTTP.Listen, c.Metrics.Listen = "127.0.0.1:0", config.Off, "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	c.Media.Ports = "31000-31099"
	c.Health.DiskFree = 0
	if edit != nil {
		edit(&c)
	}
	n, err := Open(context.Background(), c, zerolog.Nop())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Close(context.Background())) })
	require.NoError(t, n.Serve())
	return n
}

var plainly = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 15 * time.Second}

// fetch gets a page with a token, or without one.
func fetch(t *testing.T, url, token string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	require.NoError(t, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := plainly.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(text)
}

// scrape reads the figures as Prometheus does.
func scrape(t *testing.T, n *Node) map[string]*dto.MetricFamily {
	t.Helper()
	status, text := fetch(t, "http://"+n.Figures()+"/metrics", "")
	require.Equal(t, 200, status, text)
	p := expfmt.NewTextParser(model.UTF8Validation)
	all, err := p.TextToMetricFamilies(strings.NewReader(text))
	require.NoError(t, err)
	return all
}

// TestWhoSeesFigures: figures and reasons want a token that sees the whole
// system, unless somebody listens for them; whether calls are taken is for all.
func TestWhoSeesFigures(t *testing.T) {
	t.Parallel()
	n := watched(t, nil)
	base, ctx := "http://"+n.Running().HTTP, context.Background()
	token := func(name, sp string) string {
		_, token, err := n.office.AddOperator(ctx, provision.NewOperator{Name: name, Role: ledger.RoleReadOnly, SP: sp})
		require.NoError(t, err)
		return string(token)
	}
	require.NoError(t, n.office.EnsureAccount(ctx, ledger.Account{SP: "demo", MaxApps: 1}))
	all, one := token("prometheus", ""), token("tenant", "demo")
	for path, want := range map[string][4]int{ // without a token, with a wrong one, one of an account, one of the system
		"/livez": {200, 200, 200, 200}, "/readyz": {200, 200, 200, 200}, "/healthz": {401, 401, 403, 200}, "/metrics": {401, 401, 403, 200},
	} {
		for i, token := range []string{"", "axg_wrong_token", one, all} {
			status, text := fetch(t, base+path, token)
			require.Equal(t, want[i], status, "%s %d %s", path, i, text)
		}
		status, _ := fetch(t, "http://"+n.Figures()+path, "")
		require.Equal(t, 200, status, path)
	}
	status, _ := fetch(t, "http://"+n.Figures()+"/manage/v1/apps", n.token)
	require.Equal(t, 404, status, "nothing else is there")
}

// TestHealthOfANode: what is not well has its reason.
func TestHealthOfANode(t *testing.T) {
	t.Parallel()
	n := watched(t, func(c *config.Config) { c.Health.DiskFree = 1 << 24 })
	report := func() (int, health.Report) {
		status, text := fetch(t, "http://"+n.Figures()+"/healthz", "")
		var r health.Report
		require.NoError(t, json.Unmarshal([]byte(text), &r), text)
		return status, r
	}
	var r health.Report
	require.Eventually(t, func() bool { _, r = report(); return len(r.Reasons) > 0 }, 15*time.Second, 50*time.Millisecond)
	require.Equal(t, health.Degraded, r.Status)
	require.Equal(t, "disk", r.Reasons[0].Check)
	require.Contains(t, r.Reasons[0].Text, "MiB are free for data")
	require.False(t, r.Reasons[0].Since.IsZero())
	require.Equal(t, "n1", r.Node)
	status, _ := fetch(t, "http://"+n.Figures()+"/readyz", "")
	require.Equal(t, 200, status, "calls are taken all the same")
}

// spoils is a register that makes files unreadable whose names begin with bad: modes would
// not do, since a test that runs as root can read each file.
type spoils struct{ dir string }

func (s spoils) Known(_ context.Context, names []string) (map[string]bool, error) {
	known := map[string]bool{}
	for _, name := range names {
		known[name] = true
		if path := filepath.Join(s.dir, name); strings.HasPrefix(name, "bad") {
			if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
				return nil, err
			}
		}
	}
	return known, nil
}

func (spoils) Stored(context.Context, string, string) (bool, error) { return true, nil }

// TestUnreadableRecordings: health and figures tell of recordings that cannot be read on the
// disk, and do not blame the store.
func TestUnreadableRecordings(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	for _, name := range []string{"bad1.wav", "bad2.wav", "good.wav"} {
		require.NoError(t, os.WriteFile(filepath.Join(path, name), []byte("RIFF"), 0o600))
	}
	dir, err := archive.OpenDir(path)
	require.NoError(t, err)
	uploads := archive.NewUploader(archive.UploaderConfig{Dir: dir, Store: archivetest.Serve(t).Store(t, nil), Register: spoils{path}, Look: time.Hour, Log: zerolog.Nop()})
	stored := func() (health.Level, string) { return (&Node{uploads: uploads}).storeHealth() }
	level, text := stored()
	require.Equal(t, health.OK, level, text)

	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { uploads.Run(ctx) })
	defer done.Wait()
	defer cancel()
	require.Eventually(t, func() bool { return uploads.Uploads().Brought == 1 }, patient, tick)
	level, text = stored()
	require.Equal(t, health.Degraded, level)
	require.Regexp(t, `^2 recordings cannot be read or deleted on this disk, .*: bad\d\.wav is no file$`, text)

	parts := watched(t, nil).parts()
	parts.Uploads = uploads
	figures, page := metrics.New(), httptest.NewRecorder()
	figures.Ask(parts)
	figures.Handler().ServeHTTP(page, httptest.NewRequest(http.MethodGet, metrics.Path, nil))
	require.Contains(t, page.Body.String(), "\naxgate_recordings_unreadable 2\n")
}

// TestFigures: a scrape has what happened, and says no number of anybody's.
func TestFigures(t *testing.T) {
	t.Parallel()
	n := watched(t, nil)
	feed(n)
	all := scrape(t, n)
	value := func(name string) float64 {
		require.Contains(t, all, name)
		m := all[name].Metric[0]
		return m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
	}
	require.Equal(t, 1.0, value("axgate_calls_answered_total"))
	require.Equal(t, 60.0, value("axgate_calls_talk_seconds_total"))
	require.Equal(t, 50.0, value("axgate_media_ports"))
	require.Equal(t, 1.0, value("axgate_cache_believed"))
	require.Positive(t, value("axgate_ledger_seconds"))
	require.Positive(t, value("go_goroutines"))
	require.Positive(t, value("process_open_fds"))
	for name, f := range all {
		if strings.HasPrefix(name, "go_") {
			continue
		}
		require.LessOrEqual(t, len(f.Metric), 60, name)
		for _, m := range f.Metric {
			for _, l := range m.Label {
				require.NotRegexp(t, `\d{5}`, l.GetValue(), fmt.Sprint(name, m.Label))
			}
		}
	}
}

// feed has a call, a push and the like happen, so that each figure is there.
func feed(n *Node) {
	f, now := n.watching.figures, time.Now()
	rec := events.Call{X: "+8617010000001", Caller: "+8613800000001", In: now.Add(-70 * time.Second), Alerting: now.Add(-65 * time.Second), Answered: now.Add(-time.Minute), Ended: now,
		RecordFile: "a.wav", RecordBytes: 5}
	ended := sip.Ended{Call: &rec, End: routing.EndTalk, Decided: rec.In.Add(time.Millisecond), Tried: 1, Stats: [2]media.Stats{{Received: 100, Lost: 1, Late: 2, JitterMS: 3, MOS: 4}, {Received: 100}}}
	f.Calls().Ended(&ended)
	full := events.Call{In: now, Ended: now}
	f.Calls().Ended(&sip.Ended{Call: &full, End: routing.EndOverload})
	f.Calls().Refused(sip.RefusedRate)
	f.Pushed(events.Pushed{Event: &events.Event{Kind: events.Fee}, Result: events.PushTaken, Tries: 1, Began: now, Ended: now})
	f.TextDone(routing.TextSent)
	f.Redis(time.Millisecond, nil)
	f.Ledger(ledger.Change, time.Millisecond, true)
}

const (
	patient = 15 * time.Second
	tick    = 50 * time.Millisecond
)
