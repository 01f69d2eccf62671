// Package ua is a SIP user agent that does what a script says, for tests of
// what a gate between two of them makes of it: raw messages over UDP, TCP and
// TLS, dialogs that the script need not keep and headers that it may replace
// one by one, audio and telephone-events over RTP. A scenario reads like a
// ladder:
//
//	a.Invite(x, a.SDP())
//	b.Expect(ua.INVITE)
//	b.Reply(183, b.SDP())
//	a.Expect(183)
//
// What arrives is checked strictly at each step, and kept byte for byte. It
// shares nothing with the product's reading of SIP.
package ua

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// patience is how long what must come is waited for.
const patience = 15 * time.Second

// Agent is one party of a scenario. The dialog it is in is embedded: that of
// its last Invite or of the last INVITE that it expected. All that the script
// does is done by one goroutine, that of its test.
type Agent struct {
	*Call
	*Media
	Number  string // its own, as it writes it
	t       testing.TB
	name    string
	station *Station
	calls   []*Call
	ignored []Kind
	sent    map[string]*sent // by branch
	wait    time.Duration    // how long what must come is waited for

	mu     sync.Mutex
	queue  []*Msg
	seen   map[string]int
	got    [][]byte
	ladder []Rung
	fresh  chan struct{}
}

// Rung is one message that an agent sent or was sent.
type Rung struct {
	At   time.Time
	Who  string
	Sent bool
	Text string // its first line, and what tells it from others
	Raw  []byte
}

// sent is a request of ours that responses may come to.
type sent struct {
	kind   Kind
	cseq   uint32
	branch string
	call   *Call
	msg    *Msg // as it was sent
	final  int
}

var ids atomic.Uint64

// unique is a token that no other message of this process has.
func unique(prefix string) string {
	return prefix + strconv.FormatUint(ids.Add(1), 36) + "-" + strconv.FormatInt(time.Now().UnixNano()&0xffffff, 36)
}

// Agent makes the agent of a station to whom all is sent that is for nobody
// else; its audio is at the station's host.
func (s *Station) Agent(t testing.TB, name, number string) *Agent {
	a := s.newAgent(t, name, number, s.cfg.At.Addr())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.only = a
	return a
}

// Line makes the agent to whom requests for a number are given; its audio is
// at a host of its own.
func (s *Station) Line(t testing.TB, name, number string, audio netip.Addr) *Agent {
	a := s.newAgent(t, name, number, audio)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines[Digits(number)] = a
	return a
}

func (s *Station) newAgent(t testing.TB, name, number string, audio netip.Addr) *Agent {
	return &Agent{t: t, name: name, Number: number, station: s, wait: patience, Media: openMedia(t, name, audio), sent: make(map[string]*sent),
		seen: make(map[string]int), fresh: make(chan struct{}, 1)}
}

// For makes the agent play in another test from now on.
func (a *Agent) For(t testing.TB) { a.t, a.Media.t = t, t }

// Ignore lets requests or responses of these kinds pass unread.
func (a *Agent) Ignore(kinds ...Kind) { a.ignored = append(a.ignored, kinds...) }

// Patience is how long the agent waits for what must come, from now on.
func (a *Agent) Patience(d time.Duration) { a.wait = d }

// Acks counts the ACKs that came, with their repetitions.
func (a *Agent) Acks() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for raw, times := range a.seen {
		if strings.HasPrefix(raw, "ACK ") {
			n += times
		}
	}
	return n
}

// Rehome makes the agent's next messages leave from where its station is now.
func (a *Agent) Rehome() { a.Call.conn, a.Call.Contact = nil, a.contact() }

// take keeps a message, by the station's goroutine.
func (a *Agent) take(m *Msg) {
	a.mu.Lock()
	a.got = append(a.got, m.Raw)
	a.seen[string(m.Raw)]++
	if a.seen[string(m.Raw)] == 1 { // repetitions are only counted
		a.queue = append(a.queue, m)
		a.ladder = append(a.ladder, Rung{m.At, a.name, false, m.String(), m.Raw})
	}
	a.mu.Unlock()
	select {
	case a.fresh <- struct{}{}:
	default:
	}
}

// Got is everything that was sent to the agent over SIP, message by message.
func (a *Agent) Got() [][]byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.got)
}

// Ladder is what the agent sent and was sent, repetitions left out.
func (a *Agent) Ladder() []Rung {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.ladder)
}

// Waiting tells whether something came that nobody has taken yet.
func (a *Agent) Waiting() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.queue) > 0
}

// Times tells how often a message came, with its repetitions.
func (a *Agent) Times(m *Msg) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.seen[string(m.Raw)]
}

// Until waits until something is so.
func (a *Agent) Until(what string, f func() bool) {
	a.t.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			a.fail("waited in vain: %s", what)
		}
	}
}

func (a *Agent) fail(format string, args ...any) {
	a.t.Helper()
	var b strings.Builder
	for _, r := range a.Ladder() {
		way := "<"
		if r.Sent {
			way = ">"
		}
		fmt.Fprintf(&b, "  %s %s %s\n", r.At.Format("05.000"), way, r.Text)
	}
	a.t.Fatalf("%s: %s; its ladder:\n%s", a.name, fmt.Sprintf(format, args...), b.String())
}

// Check says what is wrong with a message, beyond what is always checked.
type Check func(*Msg) error

// Expect takes the next message, which has to be of that kind and in order in
// every way. 100 may come before any other, if it is not what is expected.
func (a *Agent) Expect(kind Kind, checks ...Check) *Msg {
	a.t.Helper()
	m := a.next(kind.String())
	for m.Kind != kind && (m.Kind == 100 || slices.Contains(a.ignored, m.Kind)) {
		a.accept(m)
		m = a.next(kind.String())
	}
	if m.Kind != kind {
		a.fail("it expects %v and gets\n%s", kind, m.Raw)
	}
	a.accept(m, checks...)
	return m
}

// Any expects one message of each of these kinds, in any order, and gives them
// in the order of the kinds.
func (a *Agent) Any(kinds ...Kind) []*Msg {
	a.t.Helper()
	found := make([]*Msg, len(kinds))
	for range kinds {
		m := a.next(fmt.Sprint("one of ", kinds))
		for m.Kind == 100 {
			a.accept(m)
			m = a.next(fmt.Sprint("one of ", kinds))
		}
		i := slices.IndexFunc(kinds, func(k Kind) bool { return k == m.Kind })
		for i >= 0 && found[i] != nil {
			next := slices.Index(kinds[i+1:], m.Kind)
			if next < 0 {
				i = -1
				break
			}
			i += 1 + next
		}
		if i < 0 {
			a.fail("it expects %v and gets\n%s", kinds, m.Raw)
		}
		a.accept(m)
		found[i] = m
	}
	return found
}

// Final takes what comes until a final response, and that.
func (a *Agent) Final() *Msg {
	a.t.Helper()
	for {
		m := a.next("a final response")
		a.accept(m)
		if !m.request() && m.Kind >= 200 {
			return m
		}
	}
}

// Gone waits for the answer to the agent's BYE, and answers one that crosses
// it.
func (a *Agent) Gone() {
	a.t.Helper()
	for {
		m := a.next("200 to its BYE")
		a.accept(m)
		switch {
		case m.Kind == BYE:
			m.Call.Answer(m, 200, "")
		case m.Kind == 200 && m.by.kind == BYE:
			return
		default:
			a.fail("it expects 200 to its BYE and gets\n%s", m.Raw)
		}
	}
}

// Quiet makes sure that nothing comes for a while, and that nothing came which
// nobody expected.
func (a *Agent) Quiet(d time.Duration) {
	a.t.Helper()
	time.Sleep(d)
	for {
		a.mu.Lock()
		if len(a.queue) == 0 {
			a.mu.Unlock()
			return
		}
		m := a.queue[0]
		a.queue = a.queue[1:]
		a.mu.Unlock()
		if m.Kind != 100 && !slices.Contains(a.ignored, m.Kind) {
			a.fail("it must get nothing and gets\n%s", m.Raw)
		}
	}
}

func (a *Agent) next(what string) *Msg {
	a.t.Helper()
	limit := time.NewTimer(a.wait)
	defer limit.Stop()
	for {
		a.mu.Lock()
		if len(a.queue) > 0 {
			m := a.queue[0]
			a.queue = a.queue[1:]
			a.mu.Unlock()
			return m
		}
		a.mu.Unlock()
		select {
		case <-a.fresh:
		case <-limit.C:
			a.fail("it waits in vain for %s", what)
		}
	}
}

// accept checks a message and brings dialog and audio to what it says.
func (a *Agent) accept(m *Msg, checks ...Check) {
	a.t.Helper()
	var err error
	if m.request() {
		err = a.acceptRequest(m)
	} else {
		err = a.acceptResponse(m)
	}
	for _, check := range checks {
		if err == nil {
			err = check(m)
		}
	}
	if err != nil {
		a.fail("%v in\n%s", err, m.Raw)
	}
}
