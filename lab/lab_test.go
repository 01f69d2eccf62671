package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"axgate/config"
	"axgate/routing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestProfile: the lab's configuration passes the checks of every other one,
// and can be read back from the file that the lab leaves.
func TestProfile(t *testing.T) {
	c, err := config.Load(Profile("127.0.0.1", "http://127.0.0.1:9/"), "", nil)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), ConfigFile)
	var text bytes.Buffer
	require.NoError(t, c.Write(&text))
	require.NoError(t, os.WriteFile(path, text.Bytes(), 0o600))
	again, err := config.Load(config.Default(), path, nil)
	require.NoError(t, err)
	require.Equal(t, c.Registrar, again.Registrar)
	require.Equal(t, c.Bindings, again.Bindings)
	require.Equal(t, c.SIP, again.SIP)
}

func push(t *testing.T, r *Receiver, body string) int {
	t.Helper()
	res, err := http.Post(r.URL(), "application/json", strings.NewReader(body))
	require.NoError(t, err)
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	require.NoError(t, err)
	http.DefaultClient.CloseIdleConnections()
	return res.StatusCode
}

// TestReceiver: the story of a call is complete with disconnect and fee event,
// in whichever order these come, and has nothing of other calls.
func TestReceiver(t *testing.T) {
	var shown []string
	r, err := Receive("127.0.0.1", func(p Push) { shown = append(shown, p.Type) })
	require.NoError(t, err)
	defer func() { require.NoError(t, r.Close()) }()
	start := time.Now()
	require.Equal(t, 200, push(t, r, `{"eventType":"callin","statusInfo":{"sessionId":"other","called":"+8617010000002"}}`))
	require.Equal(t, 200, push(t, r, `{"eventType":"callin","statusInfo":{"sessionId":"mine","called":"+8617010000001"}}`))
	require.Equal(t, 200, push(t, r, `{"eventType":"fee","feeLst":[{"sessionId":"other"},{"sessionId":"mine","bindNum":"+8617010000001"}]}`))
	require.Equal(t, 400, push(t, r, `no JSON`))

	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err = r.Story(ctx, "+8617010000001", start)
	require.ErrorIs(t, err, context.DeadlineExceeded, "without disconnect it is not complete")

	require.Equal(t, 200, push(t, r, `{"eventType":"disconnect","statusInfo":{"sessionId":"mine"}}`))
	story, err := r.Story(context.Background(), "+8617010000001", start)
	require.NoError(t, err)
	var types []string
	for _, p := range story {
		require.Equal(t, "mine", p.Session)
		types = append(types, p.Type)
	}
	require.Equal(t, []string{"callin", "disconnect", "fee"}, types)
	require.Equal(t, []string{"callin", "callin", "fee", "fee", "disconnect"}, shown)
}

// TestReceiverOfTexts: the notice of a text is found among others, and a question
// about one is answered with the visitor as its receiver.
func TestReceiverOfTexts(t *testing.T) {
	r, err := Receive("127.0.0.1", func(Push) {})
	require.NoError(t, err)
	defer func() { require.NoError(t, r.Close()) }()
	start := time.Now()
	event := func(mode, x, calling, id string) string {
		return `{"appKey":"a","smsEvent":{"smsIdentifier":"` + id + `","notificationMode":"` + mode + `","calling":"` + calling + `","virtualNumber":"` + x + `","sendResult":0}}`
	}
	res, err := http.Post(r.URL(), "application/json", strings.NewReader(event("Block", XofAX, Ann.Number, "1")))
	require.NoError(t, err)
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, errors.Join(err, res.Body.Close()))
	require.JSONEq(t, `{"actions":[{"operation":"vNumberRoute","message":{"calling":"`+Ann.Number+`","called":"`+Visitor.Number+`"}}]}`, string(answer))
	require.Equal(t, 200, push(t, r, event("Notify", XofAXB, Ann.Number, "2")))
	require.Equal(t, 200, push(t, r, event("Notify", XofAX, Ben.Number, "3")))
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err = r.Notice(ctx, XofAX, Ann.Number, start)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, 200, push(t, r, event("Notify", XofAX, Ann.Number, "4")))
	notice, err := r.Notice(context.Background(), XofAX, Ann.Number, start)
	require.NoError(t, err)
	require.Equal(t, "4", field(notice, "smsIdentifier"))
}

func TestLeaks(t *testing.T) {
	const invite = "INVITE sip:+8613800000002@127.0.0.1 SIP/2.0\r\nFrom: <sip:+8617010000001@127.0.0.1>\r\nX-Who: 0086-13800000001\r\n\r\n"
	require.Equal(t, []string{"X-Who: 0086-13800000001"}, leaks([]byte(invite), "+8613800000001"))
	require.Empty(t, leaks([]byte(invite), "+8613800000009"))
}

func TestCompact(t *testing.T) {
	require.Equal(t, `{"a":"1","n":0}`, Compact(json.RawMessage(`{"a":"1","b":"","n":0,"c":null,"id":"x"}`), "id"))
	require.Equal(t, "no object", Compact(json.RawMessage("no object")))
}

// TestResultIsChecked: everything that can be wrong with a demonstration is
// told.
func TestResultIsChecked(t *testing.T) {
	whole := func() (*Result, *Outcome) {
		r := &Result{X: XofAXB, Caller: First.Number, Callee: Second.Number, CallerID: XofAXB, Heard: Correlation{1, 1},
			Decision: Describe(&routing.Decision{Step: routing.Dial, Shown: XofAXB, Callee: routing.Number(Second.Number)}),
			Fee:      json.RawMessage(`{"fwdDisplayNum":"` + XofAXB + `"}`)}
		r.Recording.Heard = Correlation{1, 1}
		for _, e := range []string{"callin", "callout", "alerting", "answer", "disconnect"} {
			r.Events = append(r.Events, Push{Type: e})
		}
		for i, to := range []Party{Second, First} {
			r.Texts = append(r.Texts, Texted{Receiver: to.Number, Wrote: wrote[i], Read: wrote[i], Shown: XofAXB, Status: 202,
				Notice: json.RawMessage(`{"called":"` + to.Number + `","sendResult":0}`)})
		}
		return r, &Outcome{Answered: true}
	}
	r, out := whole()
	r.check(out)
	require.Empty(t, r.Problems)
	for want, spoil := range map[string]func(*Result, *Outcome){
		"not X":                           func(r *Result, _ *Outcome) { r.CallerID = First.Number },
		"was not answered":                func(_ *Result, o *Outcome) { o.Answered = false },
		"can read the caller's number":    func(_ *Result, o *Outcome) { o.Leaks = []string{"From: x"} },
		"does not hear the callee":        func(r *Result, _ *Outcome) { r.Heard.Caller = 0.1 },
		"does not hear the caller":        func(r *Result, _ *Outcome) { r.Heard.Callee = 0.1 },
		"caller's voice is not in the re": func(r *Result, _ *Outcome) { r.Recording.Heard.Caller = 0.5 },
		"the events are":                  func(r *Result, _ *Outcome) { r.Events = r.Events[1:] },
		"the decision is to call":         func(r *Result, _ *Outcome) { r.Decision.Callee = Ann.Number },
		"fee event says":                  func(r *Result, _ *Outcome) { r.Fee = nil },
		"1 texts were sent":               func(r *Result, _ *Outcome) { r.Texts = r.Texts[:1] },
		"was answered 403":                func(r *Result, _ *Outcome) { r.Texts[0].Status = 403 },
		"not \"I am downstairs.\" of X":   func(r *Result, _ *Outcome) { r.Texts[0].Read = "" },
		"of \"+8613800000002\", not":      func(r *Result, _ *Outcome) { r.Texts[1].Shown = Second.Number },
		"can read the sender's number":    func(r *Result, _ *Outcome) { r.Texts[1].leaks = []string{"From: x"} },
		"does not say that it was sent":   func(r *Result, _ *Outcome) { r.Texts[1].Notice = nil },
		"was sent to +8613800000002":      func(r *Result, _ *Outcome) { r.Texts[0].Notice = json.RawMessage(`{"called":"","sendResult":0}`) },
	} {
		r, out := whole()
		spoil(r, out)
		r.check(out)
		require.Len(t, r.Problems, 1, want)
		require.Contains(t, r.Problems[0], want)
	}
}

// TestFold: lines break between members only, and nothing is lost.
func TestFold(t *testing.T) {
	const object = `{"a":"1,\"2","b":[1,2],"c":"x,"}`
	require.Equal(t, object, Fold(object, 100, 2))
	require.Equal(t, "{\"a\":\"1,\\\"2\",\n  \"b\":[1,2],\n  \"c\":\"x,\"}", Fold(object, 12, 2))
	require.Equal(t, "no object", Fold("no object", 3, 1))
}

// TestInPieces: a voice that a recorder has moved in its middle is there all
// the same; one that is not there, or only half, is not.
func TestInPieces(t *testing.T) {
	first, second := said()
	silence := bytes.Repeat([]byte{0xd5}, 8000)
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	moved := join(silence, first, silence[:400], second[:12_000], silence[:480], second[12_000:])
	require.Greater(t, inPieces(moved, first), HeardFrom)
	require.Greater(t, inPieces(moved, second), HeardFrom)
	require.Less(t, inPieces(join(silence, first, silence), second), MixedFrom)
	require.Less(t, inPieces(join(silence, first, second[:14_000]), second), MixedFrom)
	require.Less(t, inPieces(silence, first), MixedFrom)
	require.Less(t, inPieces(nil, first), MixedFrom)
}

// TestRecipe: its commands can be copied as they stand.
func TestRecipe(t *testing.T) {
	var text bytes.Buffer
	Recipe(&text, "127.0.0.1:5061", "127.0.0.1:8080", "bin/axgate -d other")
	require.Contains(t, text.String(), "bin/axgate -d other binding temp --x +8617010000002 --callee +8613800000005")
	require.Contains(t, text.String(), "<sip:+8613800000003@127.0.0.1:5061>;auth_pass=axgate-lab")
	require.Contains(t, text.String(), "http://127.0.0.1:8080, app_key lab-axb, secret secret-of-lab-axb ")
	require.Contains(t, text.String(), "bin/axgate -d other sms send --from +8613800000003 --x +8617010000001 ")
	require.NotContains(t, text.String(), "%!")
}
