package provision_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/provision"
	"axgate/routing"
)

// TestXModeSettings: what is done without an answer is checked when it is set.
func TestXModeSettings(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.XMode)
	for name, row := range map[string]struct {
		change func(*ledger.App)
		want   string
	}{
		"mobile":           {func(a *ledger.App) { a.Fallback = "+8613800000001" }, "0"},
		"fixed line":       {func(a *ledger.App) { a.Fallback = "+8675528000001" }, "0"},
		"400 number":       {func(a *ledger.App) { a.Fallback = "+864001234567" }, "0"},
		"none":             {func(a *ledger.App) { a.Fallback = "" }, "0"},
		"no global form":   {func(a *ledger.App) { a.Fallback = "13800000001" }, "1010002 fallback"},
		"emergency number": {func(a *ledger.App) { a.Fallback = "+86110" }, "1010002 fallback"},
		"foreign number":   {func(a *ledger.App) { a.Fallback = "+12125550100" }, "1010002 fallback"},
		"an X of ours":     {func(a *ledger.App) { a.Fallback = xo }, "1010002 fallback"},
		"shortest time":    {func(a *ledger.App) { a.AnswerIn = 100 * time.Millisecond }, "0"},
		"longest time":     {func(a *ledger.App) { a.AnswerIn = 30 * time.Second }, "0"},
		"as the node":      {func(a *ledger.App) { a.AnswerIn = 0 }, "0"},
		"too short":        {func(a *ledger.App) { a.AnswerIn = 99 * time.Millisecond }, "1010002 answerTimeout"},
		"too long":         {func(a *ledger.App) { a.AnswerIn = 31 * time.Second }, "1010002 answerTimeout"},
		"below 0":          {func(a *ledger.App) { a.AnswerIn = -time.Second }, "1010002 answerTimeout"},
		"number address":   {func(a *ledger.App) { a.NumberURL = "ftp://x" }, "1010002 numberUrl"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := o.ChangeApp(o.ctx, "app", func(a *ledger.App) error { row.change(a); return nil })
			require.Equal(t, row.want, outcome(err))
		})
	}
	_, err := o.BindAX(o.ctx, "app", provision.BindAX{OrigNum: "+8613800000001", PrivateNum: x1})
	require.Equal(t, "1010040", outcome(err), "nothing is bound in X mode")
}
