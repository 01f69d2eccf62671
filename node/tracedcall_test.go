package node

import (
	"context"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	v1 "go.opentelemetry.io/proto/otlp/trace/v1"

	"axgate/config"
	"axgate/ledger"
	"axgate/phone"
	"axgate/traces/tracestest"
)

// TestSpansOfACall: a call that was made is one trace at the collector, which is shown
// the headers that it wants: each span is of what the phones and the record know, its
// pushes are in it, and nobody's number is.
func TestSpansOfACall(t *testing.T) {
	const a, b, x = "+8613800000001", "+8613900000002", "+8617010000001"
	collector, told := tracestest.Start(t), newPosts(t)
	c := config.Default()
	c.Data = t.TempDir()
	c.SIP.UDP, c.SIP.TCP, c.Redis.Embedded, c.HTTP.Listen = "127.0.0.1:0", config.Off, "127.0.0.1:0", config.Off
	c.Media.Ports, c.Recording.MinTalk = "31200-31299", 300*time.Millisecond
	file := filepath.Join(c.Data, "headers")
	require.NoError(t, os.WriteFile(file, []byte("X-Tenant: seven\n\nauthorization: Bearer of-the-file\n"), 0o600))
	c.Traces = config.Traces{Endpoint: collector.URL, PerThousand: 1000, Headers: map[string]string{"api_key": "secret-of-the-collector", "authorization": "Bearer x"}, CredentialsFile: file}
	c.Registrar.Accounts = []config.Phone{{Number: a, Password: "password-of-a"}, {Number: b, Password: "password-of-b"}}
	c.Accounts = []config.Account{{Name: "demo", MaxApps: 1}}
	c.Apps = []config.App{{Key: "axb", Secret: "s", Account: "demo", Mode: "AXB", Recording: true, Informs: true, Defaults: []string{"all"}, StatusURL: told.URL, FeeURL: told.URL, Signing: "wsse", ExtDigits: 4}}
	c.Numbers = []config.Number{{X: x, App: "axb"}}
	c.Bindings = []config.Binding{{App: "axb", X: x, A: a, B: b, Record: true}}
	n, err := Open(t.Context(), c, zerolog.Nop())
	require.NoError(t, err)
	require.NoError(t, n.Serve())
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()

	phones := map[string]*phone.Phone{}
	for number, password := range map[string]string{a: "password-of-a", b: "password-of-b"} {
		p, err := phone.New(phone.Config{Number: number, Password: password, Server: n.Running().UDP})
		require.NoError(t, err)
		defer func() { require.NoError(t, p.Close()) }()
		require.NoError(t, p.Register(ctx))
		phones[number] = p
	}
	begun := time.Now()
	out, err := phones[a].Dial(ctx, x)
	require.NoError(t, err)
	var in *phone.Call
	select {
	case in = <-phones[b].Incoming():
	case <-ctx.Done():
		t.Fatal("no call comes")
	}
	ringing := time.Now()
	require.NoError(t, in.Ring())
	time.Sleep(1500 * time.Millisecond) // it rings so long
	answering := time.Now()
	require.NoError(t, in.Answer(ctx))
	require.NoError(t, out.WaitAnswer(ctx))
	answered := time.Now()
	time.Sleep(2 * time.Second)
	ending := time.Now()
	require.NoError(t, out.Hangup(ctx))
	_, err = in.WaitEnd(ctx)
	require.NoError(t, err)
	ended := time.Now()
	require.Eventually(t, func() bool {
		bodies, _ := told.got()
		return slices.ContainsFunc(bodies, func(b string) bool { return strings.Contains(b, `"feeLst"`) })
	}, 15*time.Second, 20*time.Millisecond, "the fee is pushed")
	page, err := n.ledger.Calls(ctx, ledger.CallFilter{Limit: 10})
	require.NoError(t, err)
	require.Len(t, page.Calls, 1)
	require.NotEmpty(t, page.Calls[0].RecordFile)
	for _, p := range phones {
		require.NoError(t, p.Close())
	}
	require.NoError(t, n.Close(context.Background()))

	list := collector.Named("call")
	require.Len(t, list, 1)
	root := list[0]
	require.Equal(t, page.Calls[0].Session, root.Attributes[0].Value.GetStringValue())
	times := func(s *v1.Span) [2]time.Time {
		return [2]time.Time{time.Unix(0, int64(s.StartTimeUnixNano)), time.Unix(0, int64(s.EndTimeUnixNano))}
	}
	// Between what the phones do and what they see, however slow the machine is; it rings
	// and talks for longer than the slack.
	within := func(from, at, to time.Time, what string) {
		t.Helper()
		const slack = time.Second
		require.True(t, !at.Before(from.Add(-slack)) && !at.After(to.Add(slack)), "%s: %v, not from %v to %v", what, at, from, to)
	}
	within(begun, times(root)[0], ringing, "the call begins")
	within(ending, times(root)[1], ended, "the call ends")
	one := func(name string) [2]time.Time {
		all := collector.Named(name)
		require.Len(t, all, 1, name)
		require.Equal(t, hex.EncodeToString(root.TraceId), hex.EncodeToString(all[0].TraceId), name)
		require.Equal(t, root.SpanId, all[0].ParentSpanId, name)
		return times(all[0])
	}
	within(begun, one("decide")[1], ringing, "it is decided")
	ring, answer, talk, recording := one("ring"), one("answer"), one("talk"), one("recording")
	within(ringing, ring[1], answering, "it rings")
	require.Equal(t, ring[1], answer[0])
	require.Greater(t, answer[1].Sub(answer[0]), 500*time.Millisecond)
	within(answering, answer[1], answered, "it is answered")
	within(answering, talk[0], answered, "they talk")
	within(ending, talk[1], ended, "they have talked")
	require.False(t, recording[0].Before(talk[0]))
	require.Equal(t, talk[1], recording[1])
	require.Equal(t, talk[1], one("tear-down")[0])
	pushes := collector.Named("push")
	require.GreaterOrEqual(t, len(pushes), 5)
	kinds := map[string]bool{}
	for _, p := range pushes {
		require.Equal(t, root.TraceId, p.TraceId)
		for _, attribute := range p.Attributes {
			if attribute.Key == "axgate.event" {
				kinds[attribute.Value.GetStringValue()] = true
			}
		}
	}
	for _, kind := range []string{"callin", "callout", "alerting", "answer", "disconnect", "fee"} {
		require.True(t, kinds[kind], "%s in %v", kind, kinds)
	}
	for _, number := range []string{a, b, x} {
		require.NotContains(t, collector.Whole(), number[3:])
	}
	for _, h := range collector.Headers() {
		require.Equal(t, []string{"secret-of-the-collector", "seven", "Bearer of-the-file"}, []string{h.Get("Api-Key"), h.Get("X-Tenant"), h.Get("Authorization")})
	}
}

// TestTraceHeaders: what is wrong with the file of headers is told without what is in it.
func TestTraceHeaders(t *testing.T) {
	file := filepath.Join(t.TempDir(), "headers")
	for _, text := range []string{"Bearer secret\n", "a: b\nsecret\n", ": secret\n", "bearer secret: x\n", "authorization: secret\u00e9", "authorization: \u00e9secret"} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		_, err := traceHeaders(&config.Traces{CredentialsFile: file})
		require.ErrorContains(t, err, "traces.credentials_file: line ", text)
		require.NotContains(t, err.Error(), "secret")
	}
	_, err := traceHeaders(&config.Traces{CredentialsFile: file + ".no"})
	require.ErrorContains(t, err, "traces.credentials_file")
}
