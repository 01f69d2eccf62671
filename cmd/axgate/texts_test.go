package main

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/lab"
)

// TestTexts sends texts through a running server and tells of them.
func TestTexts(t *testing.T) {
	t.Parallel()
	const ann, ben, x = "+8613800000001", "+8613800000002", "+8617010000001"
	file := write(t, "")
	server := serve(t, file)
	at := func(args ...string) []string { return append(args, "--config", file) }
	var bound struct {
		ID string `json:"subscriptionId"`
	}
	require.NoError(t, json.Unmarshal([]byte(succeed(t, at("bind", "axb", "--json", "--x", x, "--a", ann, "--b", ben)...)), &bound))
	require.Contains(t, succeed(t, at("sms", "explain", "17010000001", "13800000001", "hello")...), "sendResult 4, SIP 403")
	succeed(t, at("app", "change", "axb", "--sms", "--sms-content")...)
	succeed(t, at("number", "sms", "on", x)...)
	out := succeed(t, at("sms", "explain", "17010000001", "13800000001", "hello")...)
	require.Regexp(t, `receiver +\+8613800000002\nsees +\+8617010000001\nreads +hello\n`, out)

	var told toldText
	send := func(from, text string, more ...string) {
		t.Helper()
		told = toldText{}
		out := succeed(t, at(append([]string{"sms", "send", "--json", "--from", from, "--x", x, text}, more...)...)...)
		require.NoError(t, json.Unmarshal([]byte(out), &told), out)
		require.Empty(t, told.Problems, out)
		require.NotNil(t, told.Text, out)
	}
	for from, to := range map[string]string{ann: ben, ben: ann} {
		send(from, "你好 😀")
		require.Equal(t, []any{202, x, "你好 😀"}, []any{told.Status, told.Shown, told.Content})
		require.Equal(t, []any{"done", from, to, 0, "你好 😀"}, []any{told.Text.Message.State, told.Text.Message.Sender, told.Text.Message.Receiver, *told.Text.Message.Result, told.Text.Message.Content})
		require.Len(t, told.Text.Log, 1)
	}
	id := told.Text.Message.ID
	require.Contains(t, succeed(t, at("sms", "show", id)...), "It was sent. (sendResult 0)")
	require.Contains(t, fail(t, exitFailed, at("sms", "show", "none")...), "axgate sms list shows which there are")

	succeed(t, at("unbind", "--id", bound.ID)...)
	require.Contains(t, succeed(t, at("sms", "send", "--from", ann, "--to", x, "hello")...), "SIP           403 at the sender")
	list := succeed(t, at("sms", "list")...)
	require.Equal(t, 4, strings.Count(list, "\n"), list)
	require.Contains(t, list, id)
	require.Equal(t, 2, strings.Count(succeed(t, at("sms", "list", "--result", "2", "--number", "13800000001", "--state", "done", "--since", "1h")...), "\n"))
	require.Equal(t, "there are none\n", succeed(t, at("texts", "--state", "waiting")...))
	rows, err := csv.NewReader(strings.NewReader(succeed(t, at("sms", "export", "--result", "0")...))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 3)

	require.Contains(t, fail(t, exitFailed, at("sms", "send", "--from", "13800000009", "--x", x, "hello")...), "has no account")
	server.signals <- syscall.SIGTERM
	require.Zero(t, server.ended(t), "%s", server.errs)
	require.Contains(t, fail(t, exitFailed, at("sms", "send", "--from", ann, "--x", x, "hello")...), "no node runs")
	for _, secret := range []string{"13800000001", "13800000002", "你好"} {
		require.NotContains(t, server.errs.String(), secret, "real numbers or a text in the log")
	}
}

// TestTextProblems: what is otherwise than decided is told.
func TestTextProblems(t *testing.T) {
	const x = "+8617010000001"
	for want, spoil := range map[string]func(*lab.Written){
		"is answered 403, not 202": func(w *lab.Written) { w.Status = 403 },
		"did not get it":           func(w *lab.Written) { w.Came = false },
		"not X":                    func(w *lab.Written) { w.Shown = "+8613800000001" },
		"can read the sender":      func(w *lab.Written) { w.Leaks = []string{"From: x"} },
		"":                         func(*lab.Written) {},
	} {
		var told toldText
		told.Decision.SIPStatus = 202
		out := lab.Written{Status: 202, Came: true, Shown: x}
		spoil(&out)
		told.adopt(&out, x, true)
		if want == "" {
			require.Empty(t, told.Problems)
			continue
		}
		require.Len(t, told.Problems, 1, want)
		require.Contains(t, told.Problems[0], want)
	}
}
