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
	"axgate/phone"
)

// scene is one scenario: an X, phones and calls of its own in the common world.
type scene struct {
	*testing.T
	*world
	name string
	ctx  context.Context
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
		sc.play(&scene{T: t, world: w, name: sc.name, ctx: ctx})
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
	host := takeHost()
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

// carrier is a phone on an address of the trunk: without an account, calling
// with any number (phone.From). It may know the numbers of those it calls for.
func (s *scene) carrier(own ...string) *phone.Phone {
	s.Helper()
	host := takeTrunkHost()
	p, err := phone.New(phone.Config{Number: "carrier", Server: s.gate.SIP().String(), ListenIP: host.String()})
	require.NoError(s, err)
	s.Cleanup(func() { require.NoError(s, p.Close()) })
	s.watch(host, own...)
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
	s.mu.Lock()
	s.network++
	n := fmt.Sprintf("+86139%06d%s", 200_000+s.network, does)
	s.mu.Unlock()
	s.watch(trunkIP, n)
	return n
}

func (s *scene) bind(mode string, args ...string) string {
	s.Helper()
	id, err := s.gate.Bind(s.within(step), mode, args...)
	require.NoError(s, err)
	return id
}

// run gives axgate a command.
func (s *scene) run(args ...string) {
	s.Helper()
	_, err := s.gate.Run(s.within(step), args...)
	require.NoError(s, err)
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
	s.observe(fmt.Sprintf("%d/%d", status, cause))
}

// clearedWith checks the cause with which an answered call was ended by the
// other side.
func (s *scene) clearedWith(c *phone.Call, cause int) {
	s.Helper()
	end := s.ended(c)
	require.Equal(s, phone.Remote, end.By)
	require.Zero(s, end.Status)
	require.Equal(s, cause, end.Cause, "Q.850 cause in BYE: %s", end.Reason)
	s.observe(fmt.Sprintf("BYE/%d", cause))
}
