package events

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestAXYBShowsTheOtherNumber: the second leg is told with the number that the
// callee saw, the first one with the number that was dialled.
func TestAXYBShowsTheOtherNumber(t *testing.T) {
	const dialled, shown = "+8616500000009", "+8616500000010"
	c := sample()
	c.Mode, c.Shown = "AXYB", shown
	read := func(e Event) (m map[string]any) {
		require.NoError(t, json.Unmarshal(e.Body, &m))
		return m
	}
	in := read(NewCallEvent(c, 1, CallIn, c.In, ""))
	require.Equal(t, []any{c.Caller, dialled, c.Binding}, []any{in["caller"], in["called"], in["subscriptionId"]})
	for _, kind := range []Kind{CallOut, Alerting, Answer, Disconnect} {
		m := read(NewCallEvent(c, 2, kind, c.Answered, ""))
		require.Equal(t, []any{shown, c.Callee}, []any{m["caller"], m["called"]}, kind)
	}
	fee := read(NewFee(c, 6))
	require.Equal(t, []any{dialled, dialled, shown, c.Callee, "007"},
		[]any{fee["bindNum"], fee["calleeNum"], fee["fwdDisplayNum"], fee["fwdDstNum"], fee["serviceType"]})
	require.NotContains(t, fee, "mptyId")

	c.Out, c.StateCode, c.FailReason = time.Time{}, 8032, 8032
	fee = read(NewFee(c, 3))
	require.NotContains(t, fee, "fwdDisplayNum", "nobody was called")
	require.Equal(t, "The caller dialled its own private number.", read(NewCallEvent(c, 2, Disconnect, c.Ended, ""))["stateDesc"])
}
