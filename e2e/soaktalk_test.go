//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/ua"
	"axgate/phone"
	"axgate/phone/hear"
)

// soakTime is AXGATE_SOAK_TALK, such as 31m. Without it a long talk is left out:
// make soak sets it.
func soakTime(t *testing.T) time.Duration {
	t.Helper()
	length, err := time.ParseDuration(os.Getenv("AXGATE_SOAK_TALK"))
	if err != nil || length <= 0 {
		t.Skip("AXGATE_SOAK_TALK is no duration")
	}
	return length
}

// kept tells how the sessions of a leg are kept alive (RFC 4028): by its peer or
// by axgate, with that method, each half of the session.
type kept struct {
	byPeer bool
	method ua.Kind
	often  bool // the sessions are short
}

// TestSoakTalk are calls that take AXGATE_SOAK_TALK, side by side: longer than
// a session of the usual 30 minutes. Each leg is refreshed by axgate or by its
// peer, all the time both hear each other, and nothing of the audio is lost.
func TestSoakTalk(t *testing.T) {
	t.Parallel()
	length := soakTime(t)
	talk := func(name string, a, b kept) acceptance {
		return acceptance{name: name, play: func(l *ladder) { soakTalk(l, length, a, b) }}
	}
	list := []acceptance{
		talk("axgate refreshes both", kept{method: ua.INVITE}, kept{method: ua.UPDATE}),
		talk("both peers refresh", kept{byPeer: true, method: ua.UPDATE}, kept{byPeer: true, method: ua.INVITE}),
		talk("the caller refreshes its leg, axgate the callee's", kept{byPeer: true, method: ua.INVITE, often: true}, kept{method: ua.INVITE, often: true}),
		talk("the callee refreshes its leg, axgate the caller's", kept{method: ua.UPDATE, often: true}, kept{byPeer: true, method: ua.UPDATE, often: true}),
	}
	f := openField(t, "UDP", list)
	table := &results{cell: make(map[string]string)}
	t.Run("talk", func(t *testing.T) { f.playAll(t, list, table) })
	nothingLost(t, f.gate, len(list))
	f.close(t)
}

// sessionOf is how long the sessions of a leg are that has a talk of that
// length, in seconds: the whole of them takes two refreshes or more. 90 is the
// least that is taken.
func sessionOf(length time.Duration, often bool) int {
	seconds := min(1800, int(length.Seconds())*30/31)
	if often {
		seconds /= 6
	}
	return max(90, seconds)
}

// soakTalk is one of the talks.
func soakTalk(l *ladder, length time.Duration, a, b kept) {
	keepA, keepB := l.newKeeper("A", l.a, a, length), l.newKeeper("B", l.b, b, length)
	l.a.Invite(l.x, l.a.SDP(), keepA.terms("uac", "uas")...)
	l.b.Expect(ua.INVITE, l.shows)
	l.b.Reply(200, l.b.SDP(), keepB.terms("uas", "uac")...)
	l.b.Expect(ua.ACK)
	l.a.Expect(200, with("Session-Expires", keepA.agreed("uac", "uas")))
	l.a.Ack("")
	start := time.Now()
	keepA.begin(start)
	keepB.begin(start)
	turn := l.newTurn()
	turns := 0
	for time.Since(start) < length {
		keepA.keep()
		keepB.keep()
		if turn.over() {
			turn = l.newTurn()
			turns++
		}
		time.Sleep(50 * time.Millisecond)
	}
	l.heard()
	l.a.Quiet(0)
	l.b.Quiet(0)
	spoke := time.Since(start)
	if b.byPeer {
		l.hangsUp(l.b, l.a)
		l.spoken(byCallee, spoke)
	} else {
		l.hangsUp(l.a, l.b)
		l.spoken(byCaller, spoke)
	}
	for _, k := range []*keeper{keepA, keepB} {
		require.GreaterOrEqual(l, k.refreshes, int((length-late)/k.half), "refreshes of %s's leg", k.name)
		lost, sources := k.who.Missing()
		require.Zero(l, lost, "packets that did not reach %s", k.name)
		require.Equal(l, 1, sources, "sources that reached %s", k.name)
	}
	l.Logf("%v, %d turns heard both ways; refreshes: %d of A's leg (%s), %d of B's leg (%s)", spoke.Round(time.Second), turns, keepA.refreshes, keepA, keepB.refreshes, keepB)
}

// keeper plays the peer's part in keeping the sessions of its leg alive.
type keeper struct {
	*ladder
	kept
	name      string
	who       *ua.Agent
	seconds   int
	half      time.Duration // of a session
	start     time.Time
	next      time.Time // when the next refresh is due
	refreshes int
}

func (l *ladder) newKeeper(name string, who *ua.Agent, k kept, length time.Duration) *keeper {
	s := sessionOf(length, k.often)
	return &keeper{ladder: l, kept: k, name: name, who: who, seconds: s, half: time.Duration(s) * time.Second / 2}
}

func (k *keeper) String() string {
	who := "axgate"
	if k.byPeer {
		who = "its peer"
	}
	return fmt.Sprintf("%s by %v every %v", who, k.method, k.half)
}

// agreed is the Session-Expires of a message that gives the refreshing to the
// peer's role or to axgate's.
func (k *keeper) agreed(peer, gate string) string {
	role := gate
	if k.byPeer {
		role = peer
	}
	return fmt.Sprintf("%d;refresher=%s", k.seconds, role)
}

// terms are the headers with which the peer agrees to that.
func (k *keeper) terms(peer, gate string) []string {
	agreed := k.agreed(peer, gate)
	headers := []string{"Session-Expires: " + agreed, "Supported: timer", allowed(k.method)}
	if strings.HasSuffix(agreed, "refresher=uac") && peer == "uas" { // RFC 4028 section 9
		headers = append(headers, "Require: timer")
	}
	return headers
}

func (k *keeper) begin(now time.Time) { k.start, k.next = now, now.Add(k.half) }

// late is how long after its time axgate's refresh may come on a busy machine.
const late = 10 * time.Second

// keep sends the refresh that is due, or takes axgate's, which has to come at
// its time.
func (k *keeper) keep() {
	now := time.Now()
	switch {
	case k.byPeer && now.After(k.next):
		refreshes(k.who, k.method, fmt.Sprintf("%d;refresher=uac", k.seconds), allowed(k.method))
	case !k.byPeer && k.who.Waiting():
		if k.next.Sub(now) > time.Second { // too early
			k.who.Quiet(0)
		}
		k.refreshed(k.who, k.method, fmt.Sprintf("%d;refresher=uac", k.seconds))
	case !k.byPeer && now.After(k.next.Add(late)):
		k.refreshed(k.who, k.method, fmt.Sprintf("%d;refresher=uac", k.seconds)) // waits, and tells what is missing
	default:
		return
	}
	k.refreshes++
	if k.next = now.Add(k.half); k.byPeer {
		k.next = k.start.Add(time.Duration(k.refreshes+1) * k.half)
	}
}

// turn is a while in which both speak at once and are heard by the other.
type turn struct {
	*ladder
	began        time.Time
	markA, markB int
}

// turnTime is that while; there is silence behind what is said.
const turnTime = 8 * time.Second

func (l *ladder) newTurn() *turn {
	t := &turn{ladder: l, began: time.Now(), markA: l.a.Mark(), markB: l.b.Mark()}
	l.a.Speak(firstSpeech)
	l.b.Speak(secondSpeech)
	return t
}

// over tells whether the while is over, and checks what was heard then.
func (t *turn) over() bool {
	t.Helper()
	if time.Since(t.began) < turnTime {
		return false
	}
	atA, atB := t.a.HeardSince(t.markA), t.b.HeardSince(t.markB)
	for _, h := range []struct {
		what        string
		heard, said []byte
		yes         bool
	}{{"A hears B", atA, secondSpeech, true}, {"B hears A", atB, firstSpeech, true}, {"A hears itself", atA, firstSpeech, false}, {"B hears itself", atB, secondSpeech, false}} {
		peak, lag := hear.Correlate(h.heard, h.said)
		if h.yes {
			require.GreaterOrEqual(t, peak, heardFrom, h.what)
			require.Less(t, lag, 2*time.Second, h.what)
		} else {
			require.Less(t, peak, silentUpTo, h.what)
		}
	}
	return true
}

// spoken checks the fee event of a talk that took so long.
func (l *ladder) spoken(want billing, d time.Duration) {
	l.Helper()
	fee := l.billed(want).Fee
	instant := func(key string) time.Time {
		at, err := time.Parse(time.DateTime, fmt.Sprint(fee[key]))
		require.NoError(l, err, key)
		return at
	}
	require.InDelta(l, d.Seconds(), instant("callEndTime").Sub(instant("fwdAnswerTime")).Seconds(), 5, "seconds that are billed")
}

// TestSoakTape is a recorded call of AXGATE_SOAK_TALK between softphones that
// know no session timers: axgate keeps both legs alive, nothing of what they
// hear is lost, and the recording has it all.
func TestSoakTape(t *testing.T) {
	t.Parallel()
	length := soakTime(t)
	w := openWorld(t, nil)
	t.Run("talk", func(t *testing.T) { soakTape(soakScene(t, w, length+8*step), length) })
	w.close(t)
}

func soakTape(s *scene, length time.Duration) {
	a, b, x, id := s.pair(appInforms, "--record")
	out, in := s.connect(a, b, x)
	s.talk(out, in)
	for start := time.Now(); time.Since(start) < length; time.Sleep(turnTime) {
		s.talkIn(2*time.Second, out, in)
	}
	s.steady(out)
	s.steady(in)
	due := int((length - late) / (15 * time.Minute)) // half of the default session_expires
	require.GreaterOrEqual(s, refreshesOf(out), due, "the caller's leg")
	require.GreaterOrEqual(s, refreshesOf(in)-1, due, "the callee's leg")
	s.Logf("refreshes by axgate: %d of the caller's leg, %d of the callee's", refreshesOf(out), refreshesOf(in)-1)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.taped(s.story(x, 1, billed{direction: 1, binding: id, caller: a.Number(), callee: b.Number(), service: "004", events: evAnswered, talk: true, recorded: true}), 2)
}

// refreshesOf counts the INVITEs and UPDATEs that came to a softphone in a call.
func refreshesOf(c *phone.Call) (n int) {
	for _, m := range c.Messages() {
		if start := m.StartLine(); !m.Sent && (strings.HasPrefix(start, "INVITE ") || strings.HasPrefix(start, "UPDATE ")) {
			n++
		}
	}
	return n
}
