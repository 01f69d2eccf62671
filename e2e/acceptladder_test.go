//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/leak"
	"axgate/e2e/receiver"
	"axgate/e2e/ua"
)

// ladder is a scenario that is played: caller a, callee b, and the X between
// them.
type ladder struct {
	*testing.T
	*field
	x        string // as callers dial it
	xGlobal  string
	numberA  string
	numberB  string
	sa       *ua.Station // a's host
	a, b     *ua.Agent
	hzA, hzB int // what each says, in no other call at the same time on this axgate
	audioB   netip.Addr
	known    []string // real numbers that the scenario itself tells both sides
	more     []*ua.Agent
	others   []*ua.Media // audio beside that of the agents
}

// ladder plays a scenario beside the others.
func (f *field) ladder(t *testing.T, i int, sc acceptance, table *results) {
	t.Run(sc.name, func(t *testing.T) {
		l := &ladder{T: t, field: f, xGlobal: fieldX(i), x: strings.TrimPrefix(fieldX(i), "+86"), numberA: fieldA(i), numberB: fieldB(i, sc.to),
			hzA: 700 + i%10*60, hzB: 1500 + i%9*70}
		t.Cleanup(func() {
			if t.Failed() {
				l.print()
			}
			table.set(sc.name, f.transport, !t.Failed())
		})
		l.sa, l.a = f.caller(t, "A", strings.TrimPrefix(l.numberA, "+86"), sc.from)
		l.audioB = f.ip(fieldNets-1, 1+i%250)
		l.b = l.line("B", calleeTrunks()[calleeTrunkAt(sc.to)].name)
		sc.play(l)
		l.searched()
	})
}

// line opens the callee's line at the station of a trunk.
func (l *ladder) line(name, trunk string) *ua.Agent {
	l.Helper()
	s := l.stations[trunk]
	a := s.Line(l.T, name, l.numberB, l.audioB)
	l.Cleanup(func() { s.Unline(a) })
	l.more = append(l.more, a)
	return a
}

// print shows the ladder of a scenario that failed.
func (l *ladder) print() {
	var all []ua.Rung
	for _, a := range append([]*ua.Agent{l.a}, l.more...) {
		if a != nil {
			all = append(all, a.Ladder()...)
		}
	}
	slices.SortStableFunc(all, func(p, q ua.Rung) int { return p.At.Compare(q.At) })
	var b strings.Builder
	for _, r := range all {
		way := "<--"
		if r.Sent {
			way = "-->"
		}
		fmt.Fprintf(&b, "%s %s %s %s\n", r.At.Format("05.000"), r.Who, way, r.Text)
	}
	l.Logf("the ladder:\n%s", b.String())
}

// searched looks for the other party's number in every byte that each was sent:
// SIP as it came over the wire, behind TLS if that is spoken, RTP and RTCP, and
// the keys that events spell.
func (l *ladder) searched() {
	l.Helper()
	l.search("A", append(l.sa.Got(), l.a.Heard()...), l.a.KeysHeard(), l.numberB)
	for _, m := range l.others {
		l.search("other", m.Heard(), m.KeysHeard(), l.numberA)
		l.search("other", m.Heard(), m.KeysHeard(), l.numberB)
	}
	for _, b := range l.more {
		l.search("B", append(b.Got(), b.Heard()...), b.KeysHeard(), l.numberA)
	}
	require.Empty(l, l.sa.Bad(), "what is no SIP")
}

func (l *ladder) search(who string, got [][]byte, keys, secret string) {
	l.Helper()
	if slices.Contains(l.known, secret) {
		return
	}
	for _, text := range append(got, []byte(keys)) {
		for _, found := range leak.Text(who, text, []string{secret}) {
			l.Error(found)
		}
	}
}

// billing is what the customer must have been told of a call.
type billing struct {
	state, fail int
	answered    bool
	by          int // who released an answered call: 1 caller, 2 callee, 0 neither
	reached     bool
}

// The usual ends.
var (
	byCaller    = billing{answered: true, by: 1, reached: true}
	byCallee    = billing{answered: true, by: 2, reached: true}
	gaveUp      = billing{state: 7502, fail: 8009, reached: true}
	gaveUpEarly = billing{state: 7501, fail: 7501, reached: true}
)

// billed waits for the events of the first call to X and checks them.
func (l *ladder) billed(want billing) receiver.Call { return l.billedNth(1, want) }

// story waits for the events of the nth call to X.
func (l *ladder) story(n int) receiver.Call {
	l.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*step)
	defer cancel()
	c, err := l.customer.Story(ctx, l.xGlobal, n)
	require.NoError(l, err)
	require.Equal(l, 1, c.Fees, "fee events")
	return c
}

func (l *ladder) billedNth(n int, want billing) receiver.Call {
	l.Helper()
	c := l.story(n)
	text := func(key string) string { v, _ := c.Fee[key].(string); return v }
	require.EqualValues(l, want.state, c.Event("disconnect")["stateCode"], "stateCode")
	require.EqualValues(l, want.fail, c.Fee["ulFailReason"], "ulFailReason")
	require.Equal(l, want.answered, text("fwdAnswerTime") != "", "answered")
	require.Equal(l, want.answered, c.Event("answer") != nil, "answer event")
	by, _ := c.Fee["callRelDirection"].(float64)
	require.EqualValues(l, want.by, by, "callRelDirection")
	require.Equal(l, l.numberA, text("callerNum"))
	require.Equal(l, l.xGlobal, text("bindNum"))
	if want.reached {
		require.Equal(l, l.numberB, text("fwdDstNum"))
		require.Equal(l, l.xGlobal, text("fwdDisplayNum"))
	} else {
		require.Empty(l, text("fwdDstNum"))
	}
	return c
}

// unheard makes sure that the customer was told of no call.
func (l *ladder) unheard() {
	l.Helper()
	require.Empty(l, l.customer.Of(l.xGlobal))
}

// rings calls X, up to b's phone ringing.
func (l *ladder) rings() {
	l.Helper()
	l.calls()
	l.b.Reply(180, "")
	l.a.Expect(180, without("Content-Type"))
}

// calls sends the INVITE on to b, who sees X and nobody else.
func (l *ladder) calls(headers ...string) {
	l.Helper()
	l.a.Invite(l.x, l.a.SDP(), headers...)
	l.b.Expect(ua.INVITE, l.shows)
}

// shows checks that b sees X.
func (l *ladder) shows(m *ua.Msg) error {
	if from := ua.User(m.Get("From")); from != l.xGlobal {
		return fmt.Errorf("From %q: want %s", from, l.xGlobal)
	}
	if to := ua.User(m.URI); to != l.numberB {
		return fmt.Errorf("Request-URI %q: want %s", to, l.numberB)
	}
	return nil
}

// answers lets b answer.
func (l *ladder) answers() {
	l.Helper()
	l.b.Reply(200, l.b.SDP())
	l.b.Expect(ua.ACK)
	l.a.Expect(200)
	l.a.Ack("")
}

// talks makes a call up to the talk.
func (l *ladder) talks() {
	l.Helper()
	l.rings()
	l.answers()
	l.heard()
}

// heard checks that audio flows both ways, each hearing what the other says.
func (l *ladder) heard() {
	l.Helper()
	l.a.Say(l.hzA)
	l.b.Say(l.hzB)
	l.b.Hears(l.hzA)
	l.a.Hears(l.hzB)
}

// hangsUp ends a call from one side.
func (l *ladder) hangsUp(who, other *ua.Agent) {
	l.Helper()
	who.Bye()
	who.Expect(200)
	other.Expect(ua.BYE, reason(16))
	other.Reply(200, "")
}

// ends is the end of a scenario: a hangs up, and the call is billed so.
func (l *ladder) ends() {
	l.Helper()
	l.hangsUp(l.a, l.b)
	l.billed(byCaller)
}

// without checks that a header is not there, with that it has a value.
func without(header string) ua.Check {
	return func(m *ua.Msg) error {
		if len(m.All(header)) > 0 {
			return fmt.Errorf("%s: %q", header, m.All(header))
		}
		return nil
	}
}

func with(header, value string) ua.Check {
	return func(m *ua.Msg) error {
		if got := m.Get(header); got != value {
			return fmt.Errorf("%s %q: want %q", header, got, value)
		}
		return nil
	}
}

// reason checks the Q.850 cause, told without a text.
func reason(cause int) ua.Check { return with("Reason", fmt.Sprintf("Q.850;cause=%d", cause)) }

// within a while something has to be so.
func (l *ladder) until(what string, f func() bool) {
	l.Helper()
	require.Eventually(l, f, step, 20*time.Millisecond, what)
}
