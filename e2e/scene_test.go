//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/leak"
	"axgate/e2e/receiver"
	"axgate/phone"
	"axgate/phone/hear"
	"axgate/phone/speech"
)

// scene is one scenario: an X, phones and calls of its own in the common world.
type scene struct {
	*testing.T
	*world
	ctx context.Context
}

// scenario is a test that runs beside the others in one world.
type scenario struct {
	name string
	play func(s *scene)
}

func (w *world) play(t *testing.T, sc scenario) {
	t.Run(sc.name, func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		sc.play(&scene{T: t, world: w, ctx: ctx})
	})
}

// within bounds one step.
func (s *scene) within(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(s.ctx, d)
	s.Cleanup(cancel)
	return ctx
}

// step is the time that a step of a call may take on a busy machine.
const step = 15 * time.Second

// stranger is a registered phone with a number of its own.
func (s *scene) stranger(change ...func(*phone.Config)) *phone.Phone {
	return s.phone(s.takeMobile(s.T), change...)
}

// phone opens a phone, registers it, and has all that is sent to it searched
// for the other numbers of the scenario.
func (s *scene) phone(number string, change ...func(*phone.Config)) *phone.Phone {
	s.Helper()
	host := s.takeHost(false)
	cfg := phone.Config{Number: number, Display: "Phone of " + number, Password: password, Server: s.gate.SIP().String(), ListenIP: host.String()}
	for _, c := range change {
		c(&cfg)
	}
	p, err := phone.New(cfg)
	require.NoError(s, err)
	s.Cleanup(func() { require.NoError(s, p.Close()) })
	require.NoError(s, p.Register(s.within(step)))
	s.watch(host, number)
	return p
}

// watch adds a party to the leak search.
func (s *scene) watch(host netip.Addr, own ...string) {
	s.addParty(&party{scene: s.Name(), own: own,
		Party: leak.Party{Name: fmt.Sprintf("%s: %v at %v", s.Name(), own, host), Addrs: []netip.AddrPort{netip.AddrPortFrom(host, 0)}}})
}

// networkNumber is the number of a phone in the network behind the trunk; its
// last two digits say what it does (uas_trunk.xml).
func (s *scene) networkNumber(does string) string {
	n := s.takeMobile(s.T)
	n = "+86139" + n[len(n)-8:len(n)-2] + does
	s.watch(trunkIP, n)
	return n
}

func (s *scene) bind(mode string, args ...string) string {
	s.Helper()
	id, err := s.gate.Bind(s.within(step), mode, args...)
	require.NoError(s, err)
	return id
}

// dial calls X the way people dial it, and hangs up at the end at the latest.
func (s *scene) dial(p *phone.Phone, x string, options ...phone.Option) *phone.Call {
	s.Helper()
	c, err := p.Dial(s.ctx, x[len("+86"):], options...)
	require.NoError(s, err)
	return c
}

// rings waits for the call at a phone and lets it ring.
func (s *scene) rings(p *phone.Phone) *phone.Call {
	s.Helper()
	c := s.reaches(p)
	require.NoError(s, c.Ring())
	return c
}

// reaches waits for the call at a phone.
func (s *scene) reaches(p *phone.Phone) *phone.Call {
	s.Helper()
	select {
	case c := <-p.Incoming():
		return c
	case <-time.After(step):
		require.FailNow(s, "no call at "+p.Number())
		return nil
	}
}

// reachesNobody makes sure that no call came to a phone.
func (s *scene) reachesNobody(p *phone.Phone) {
	s.Helper()
	select {
	case c := <-p.Incoming():
		require.Fail(s, "a call came to "+p.Number(), "from %s", c.Seen().FromUser)
	default:
	}
}

// shows checks that the callee sees X and nothing else.
func (s *scene) shows(c *phone.Call, x string) {
	s.Helper()
	seen := c.Seen()
	require.Equal(s, x, seen.FromUser)
	require.Contains(s, []string{"", x}, seen.FromName)
	for _, pai := range seen.PAI {
		require.Contains(s, pai, x)
	}
}

// answered lets the callee answer and waits until the caller knows.
func (s *scene) answered(caller, callee *phone.Call) {
	s.Helper()
	require.NoError(s, callee.Answer(s.within(step)))
	require.NoError(s, caller.WaitAnswer(s.within(step)))
}

// connect makes a call from a to b through X, up to the talk.
func (s *scene) connect(a, b *phone.Phone, x string) (caller, callee *phone.Call) {
	s.Helper()
	caller = s.dial(a, x)
	callee = s.rings(b)
	s.shows(callee, x)
	require.NoError(s, caller.WaitRinging(s.within(step)))
	s.answered(caller, callee)
	return caller, callee
}

// What the two say: three and a half seconds each.
var (
	firstSpeech  = speech.First()[:28000]
	secondSpeech = speech.Second()[:28000]
)

// Correlations from which speech counts as heard, and up to which it counts as
// not heard. A mix of two voices holds each by about 0.7.
const (
	heardFrom  = 0.85
	mixedFrom  = 0.5
	silentUpTo = 0.25
)

// talk lets both speak at once; each must hear the other and not itself.
func (s *scene) talk(caller, callee *phone.Call) {
	s.Helper()
	said := make(chan error, 2)
	ctx := s.within(step)
	start := time.Now()
	go func() { said <- caller.Say(ctx, firstSpeech) }()
	go func() { said <- callee.Say(ctx, secondSpeech) }()
	require.NoError(s, <-said)
	require.NoError(s, <-said)
	s.hears(callee, start, firstSpeech, "the caller")
	s.hears(caller, start, secondSpeech, "the callee")
	s.hearsNot(callee, start, secondSpeech, "the callee itself")
	s.hearsNot(caller, start, firstSpeech, "the caller itself")
}

func (s *scene) hears(c *phone.Call, since time.Time, said []byte, who string) {
	s.Helper()
	var peak float64
	var lag time.Duration
	require.Eventually(s, func() bool {
		peak, lag = hear.Correlate(c.Heard().Since(since), said)
		return peak >= heardFrom
	}, 3*time.Second, 100*time.Millisecond, "%s is not heard", who)
	require.Less(s, lag, 800*time.Millisecond, "%s is heard late", who)
}

func (s *scene) hearsNot(c *phone.Call, since time.Time, said []byte, who string) {
	s.Helper()
	peak, _ := hear.Correlate(c.Heard().Since(since), said)
	require.Less(s, peak, silentUpTo, "%s is heard", who)
}

// steady checks that all that came to a phone is one unbroken stream.
func (s *scene) steady(c *phone.Call) {
	s.Helper()
	streams := c.Streams()
	require.Len(s, streams, 1, "one source")
	require.Zero(s, streams[0].Lost, "lost packets")
	require.Zero(s, streams[0].Breaks, "jumps of the RTP clock")
}

// ended waits for the end of a call at a phone.
func (s *scene) ended(c *phone.Call) phone.End {
	s.Helper()
	end, err := c.WaitEnd(s.within(step))
	require.NoError(s, err)
	require.NoError(s, end.Err)
	return end
}

// refusedWith checks how a caller's call ended that nobody answered: status
// and Q.850 cause of behaviour section 9.
func (s *scene) refusedWith(c *phone.Call, status, cause int) {
	s.Helper()
	end := s.ended(c)
	require.Equal(s, []int{status, cause}, []int{end.Status, end.Cause}, "SIP status and Q.850 cause: %s", end.Reason)
}

// clearedWith checks the cause with which an answered call was ended by the
// other side.
func (s *scene) clearedWith(c *phone.Call, cause int) {
	s.Helper()
	end := s.ended(c)
	require.Equal(s, phone.Remote, end.By)
	require.Zero(s, end.Status)
	require.Equal(s, cause, end.Cause, "Q.850 cause in BYE: %s", end.Reason)
}

// billed is what the customer must have been told of a call: the literal
// values of behaviour section 9.
type billed struct {
	state, fail int
	direction   int
	binding     string // subscriptionId; empty: absent or empty
	caller      string
	callee      string // fwdDstNum; empty: nobody was called
	service     string // serviceType
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
	evTyped    = []string{"callin", "collectInfo", "callout", "alerting", "answer", "disconnect"}
)

// story waits for the events of the nth call to X and checks them.
func (s *scene) story(x string, n int, want billed) receiver.Call {
	s.Helper()
	c, err := s.customer.Story(s.within(step), x, n)
	require.NoError(s, err)
	require.Equal(s, want.events, c.Types())
	require.Equal(s, 1, c.Fees, "one fee event")
	in, out := c.Event("callin"), c.Event("disconnect")
	require.Equal(s, want.caller, in["caller"])
	require.Equal(s, x, in["called"])
	require.EqualValues(s, want.state, out["stateCode"], "stateCode")
	for _, e := range c.Events {
		_, err := time.Parse(time.DateTime, fmt.Sprint(e.Info["timestamp"]))
		require.NoError(s, err, "%s", e.Type)
		if e.Type == "callout" || e.Type == "alerting" || e.Type == "answer" {
			require.Equal(s, x, e.Info["caller"], e.Type)
			require.Equal(s, want.callee, e.Info["called"], e.Type)
		}
	}
	s.fee(c.Fee, x, want)
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
	shown := ""
	if want.callee != "" {
		shown = x
	}
	require.Equal(s, shown, text("fwdDisplayNum"))
	in := s.instant(f, "callInTime")
	end := s.instant(f, "callEndTime")
	require.False(s, end.Before(in))
	require.WithinDuration(s, time.Now().UTC(), in, 3*time.Minute, "in UTC")
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
