//go:build e2e

package e2e

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/receiver"
)

// billed is what the customer must have been told of a call: the literal
// values of behaviour section 9.
type billed struct {
	state, fail int
	direction   int
	binding     string // subscriptionId; empty: absent or empty
	caller      string
	callee      string // fwdDstNum; empty: nobody was called
	shown       string // fwdDisplayNum if it is not X (AXYB)
	ext         string // extendNum (AXE)
	service     string // serviceType: 003 AX, 004 AXB, 005 AXE, 007 AXYB
	events      []string
	talk        bool // somebody talked
	recorded    bool
}

// Event types of calls that got so far.
var (
	evRefused  = []string{"callin", "disconnect"}
	evUnrung   = []string{"callin", "callout", "disconnect"}
	evRung     = []string{"callin", "callout", "alerting", "disconnect"}
	evAnswered = []string{"callin", "callout", "alerting", "answer", "disconnect"}
	evMistyped = []string{"callin", "collectInfo", "disconnect"}
	evTyped    = []string{"callin", "collectInfo", "callout", "alerting", "answer", "disconnect"}
)

// shows is the caller ID of a call to x.
func (b *billed) shows(x string) string {
	if b.shown != "" {
		return b.shown
	}
	return x
}

// story waits for the events of the nth call to X and checks them.
func (s *scene) story(x string, n int, want billed) receiver.Call {
	s.Helper()
	c, err := s.customer.Story(s.within(step), x, n)
	require.NoError(s, err)
	require.Equal(s, want.events, c.Types())
	require.Equal(s, 1, c.Fees, "one fee event")
	in, out := c.Event("callin"), c.Event("disconnect")
	caller, _ := in["caller"].(string)
	require.Equal(s, want.caller, caller)
	require.Equal(s, x, in["called"])
	require.EqualValues(s, want.state, out["stateCode"], "stateCode")
	last := time.Time{}
	for _, e := range c.Events {
		at, err := time.Parse(time.DateTime, fmt.Sprint(e.Info["timestamp"]))
		require.NoError(s, err, "%s", e.Type)
		require.False(s, at.Before(last), "%s comes after what happened later", e.Type)
		last = at
		binding, _ := e.Info["subscriptionId"].(string)
		switch {
		case e.Type == "collectInfo":
			require.Empty(s, binding)
		case e.Type == "callin" && want.service == "005":
			require.Empty(s, binding, "callin of AXE")
		case e.Type == "callin" && want.state == 522: // it was there before the ports were not
		default:
			require.Equal(s, want.binding, binding, "subscriptionId of %s", e.Type)
		}
		if e.Type == "callout" || e.Type == "alerting" || e.Type == "answer" {
			require.Equal(s, want.shows(x), e.Info["caller"], e.Type)
			require.Equal(s, want.callee, e.Info["called"], e.Type)
		}
	}
	s.fee(c.Fee, x, want)
	s.observe(fmt.Sprintf("%d/%d", want.state, want.fail), fmt.Sprintf("dir %d sub %t", want.direction, want.binding != ""))
	return c
}

func (s *scene) fee(f map[string]any, x string, want billed) {
	s.Helper()
	text := func(key string) string { v, _ := f[key].(string); return v }
	require.EqualValues(s, want.fail, f["ulFailReason"], "ulFailReason")
	require.EqualValues(s, want.direction, f["direction"], "direction")
	require.Equal(s, want.binding, text("subscriptionId"), "subscriptionId")
	require.Equal(s, x, text("bindNum"))
	require.Equal(s, x, text("calleeNum"))
	require.Equal(s, want.caller, text("callerNum"))
	require.Equal(s, want.callee, text("fwdDstNum"))
	require.Equal(s, want.service, text("serviceType"))
	require.Equal(s, want.ext, text("extendNum"))
	for _, key := range []string{"spId", "appKey", "icid", "sessionId", "hostName"} {
		require.NotEmpty(s, text(key), key)
	}
	shown := ""
	if want.callee != "" {
		shown = want.shows(x)
	}
	require.Equal(s, shown, text("fwdDisplayNum"))
	in := s.instant(f, "callInTime")
	end := s.instant(f, "callEndTime")
	require.False(s, end.Before(in))
	require.WithinDuration(s, time.Now().UTC(), end, 3*time.Minute, "in UTC")
	if want.talk {
		require.False(s, s.instant(f, "fwdAnswerTime").Before(s.instant(f, "fwdStartTime")))
	} else {
		require.Empty(s, text("fwdAnswerTime"))
	}
	if want.recorded {
		require.EqualValues(s, 1, f["recordFlag"])
		require.NotEmpty(s, text("recordObjectName"))
	} else {
		require.EqualValues(s, 0, f["recordFlag"])
		require.Empty(s, text("recordObjectName"))
	}
}

func (s *scene) instant(f map[string]any, key string) time.Time {
	s.Helper()
	at, err := time.Parse(time.DateTime, fmt.Sprint(f[key]))
	require.NoError(s, err, key)
	return at
}
