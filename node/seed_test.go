package node

import (
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/config"
	"axgate/routing"
)

// TestSwitchesOfTexts: the configuration sets those of accounts, apps and X at
// each start, but for an X of which it says nothing.
func TestSwitchesOfTexts(t *testing.T) {
	const said, unsaid = routing.X("+8617010000001"), routing.X("+8617010000002")
	c := config.Default()
	c.Data, c.HTTP.Listen = t.TempDir(), "off"
	c.SIP.UDP, c.SIP.TCP, c.Media.Ports, c.Redis.Embedded = "127.0.0.1:0", "off", "20000-20019", "127.0.0.1:0"
	c.Accounts = []config.Account{{Name: "on", SMS: true, MaxApps: 5}, {Name: "off", MaxApps: 5}}
	c.Apps = []config.App{
		{Key: "ax", Secret: "s", Account: "on", Mode: "AX", SMS: true, SMSContent: true, SMSURL: "http://127.0.0.1/sms", SMSControlURL: "http://127.0.0.1/control",
			SMSKeywords: []string{"code", "two words"}, SMSForbidden: []string{"发票"}},
		{Key: "axb", Secret: "s", Account: "off", Mode: "AXB", SMS: true},
	}
	c.Numbers = []config.Number{{X: string(said), App: "axb", SMS: "true"}, {X: string(unsaid), App: "axb"}}
	open := func() *Node {
		n, err := Open(t.Context(), c, zerolog.Nop())
		require.NoError(t, err)
		return n
	}
	takes := func(n *Node, x routing.X) bool {
		is, err := n.ledger.Number(t.Context(), x)
		require.NoError(t, err)
		return is.SMS
	}

	n := open()
	a, err := n.ledger.App(t.Context(), "ax")
	require.NoError(t, err)
	require.True(t, a.SMS && a.SMSContent && !a.SMSBarred)
	require.Equal(t, []string{"http://127.0.0.1/sms", "http://127.0.0.1/control"}, []string{a.SMSURL, a.SMSControlURL})
	require.Equal(t, [][]string{{"code", "two words"}, {"发票"}}, [][]string{a.Keywords.List(), a.Forbidden.List()})
	a, err = n.ledger.App(t.Context(), "axb")
	require.NoError(t, err)
	require.True(t, a.SMS && a.SMSBarred)
	require.True(t, takes(n, said))
	require.False(t, takes(n, unsaid))
	for _, x := range []routing.X{said, unsaid} {
		is, err := n.ledger.Number(t.Context(), x)
		require.NoError(t, err)
		is.SMS = x == unsaid
		_, err = n.office.AddNumber(t.Context(), is)
		require.NoError(t, err)
	}
	require.NoError(t, n.Close(t.Context()))

	c.Accounts[1].SMS, c.Apps[1].SMS = true, false
	n = open()
	a, err = n.ledger.App(t.Context(), "axb")
	require.NoError(t, err)
	require.False(t, a.SMS || a.SMSBarred)
	require.True(t, takes(n, said), "the file says so")
	require.True(t, takes(n, unsaid), "the file says nothing, and somebody has switched it on")
	require.NoError(t, n.Close(t.Context()))
}
