package node

import (
	"context"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/config"
	"axgate/ledger"
	"axgate/provision"
	"axgate/routing"
)

// TestExplainMessage: what is explained is what a text would come to, by the
// cache and by the ledger.
func TestExplainMessage(t *testing.T) {
	const anna, bert, carl, x, other = "+8613800000001", "+8613800000002", "+8613800000003", "+8617010000001", "+8617010000002"
	c := config.Default()
	c.Node, c.Data, c.Redis.Embedded = "n1", t.TempDir(), "127.0.0.1:0"
	c.SIP.UDP, c.SIP.TCP, c.HTTP.Listen = "127.0.0.1:0", config.Off, config.Off
	n, err := Open(t.Context(), c, zerolog.Nop())
	require.NoError(t, err)
	defer func() { require.NoError(t, n.Close(context.WithoutCancel(t.Context()))) }()
	ctx := t.Context()
	require.NoError(t, n.office.EnsureAccount(ctx, ledger.Account{SP: "demo"}))
	_, err = n.office.CreateApp(ctx, ledger.App{App: routing.App{Key: "ax", SP: "demo", Mode: routing.AX, SMS: true}, SMSControlURL: "http://192.0.2.1/control"})
	require.NoError(t, err)
	for _, number := range []routing.X{x, other} {
		_, err = n.office.AddNumber(ctx, ledger.Number{XNumber: routing.XNumber{X: number, App: "ax", SMS: true}})
		require.NoError(t, err)
	}
	_, err = n.office.BindAX(ctx, "ax", provision.BindAX{OrigNum: anna, PrivateNum: x})
	require.NoError(t, err)
	require.NoError(t, n.office.Block(ctx, "ax", x, []string{carl}, true))

	for _, text := range []struct {
		x      routing.X
		sender routing.Number
		text   string
		step   routing.MessageStep
		result routing.SendResult
	}{
		{x, bert, "hello", routing.ForwardText, 0}, {x, anna, "hello@13800000002", routing.ForwardText, 0}, {x, anna, "hello", routing.AskText, 0},
		{x, carl, "hello", routing.DropText, routing.TextBlacklisted}, {x, anna, "hello@13800000003", routing.DropText, routing.TextBlacklisted},
		{x, anna, "hello@17010000002", routing.DropText, routing.TextNotSent}, {x, other, "hello", routing.DropText, routing.TextNotSent},
		{x, "", "hello", routing.DropText, routing.TextNotSent}, {other, bert, "hello", routing.DropText, routing.TextNoBinding},
		{"+8617010000999", bert, "hello", routing.DropText, routing.TextNotSent},
	} {
		m := routing.Message{X: text.x, Sender: text.sender, Text: text.text, At: time.Now()}
		byLedger, err := explainMessage(ctx, n.ledger, nil, &n.plan, m)
		require.NoError(t, err)
		want, err := n.router.DecideMessage(ctx, m)
		require.NoError(t, err)
		byCache, err := explainMessage(ctx, n.ledger, n.cache, &n.plan, m)
		require.NoError(t, err)
		require.Equal(t, []any{text.step, text.result}, []any{want.Step, want.Result}, "%+v: %s", text, want.Why)
		for _, got := range []MessageExplanation{byLedger, byCache} {
			require.Equal(t, []any{want.Step, want.Result, want.Receiver, want.Text, want.Why}, []any{got.Step, got.Result, got.Receiver, got.Text, got.Why}, "%+v by %s", text, got.Source)
		}
		require.Equal(t, "the ledger", byLedger.Source)
		require.Equal(t, 1, byLedger.Parts)
	}
}
