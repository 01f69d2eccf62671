package ua

import (
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// pair is an agent that calls and one that is called, with nothing between
// them: the callee's station takes the place of the gate.
func pair(t *testing.T, transport string) (a, b *Agent) {
	t.Helper()
	at := netip.MustParseAddr("127.0.0.1")
	sb := Open(t, Config{Name: "b", Transport: transport, At: netip.AddrPortFrom(at, 0)})
	sa := Open(t, Config{Name: "a", Transport: transport, At: netip.AddrPortFrom(at, 0), Gate: sb.Addr(), Dials: transport != "UDP"})
	return sa.Agent(t, "A", "13800000001"), sb.Line(t, "B", "13900000002", at)
}

// gateReply answers as a gate does: with where the request came from.
func gateReply(b *Agent, status int, body string, headers ...string) {
	via := b.First().Get("Via")
	if b.station.udp != nil {
		via = strings.Replace(via, ";rport", fmt.Sprintf(";rport=%d;received=127.0.0.1", b.First().From.Port()), 1)
	}
	b.Reply(status, body, append([]string{"Via: " + via}, headers...)...)
}

func TestCall(t *testing.T) {
	for _, transport := range []string{"UDP", "TCP"} {
		t.Run(transport, func(t *testing.T) {
			a, b := pair(t, transport)
			a.Invite("13900000002", a.SDP(PCMA, Keys))
			b.Expect(INVITE)
			gateReply(b, 100, "")
			gateReply(b, 180, "")
			a.Expect(180)
			gateReply(b, 200, b.SDP(PCMU, Events(97, 8000)))
			a.Expect(200)
			require.Equal(t, 97, a.Gate().Audio().Format("telephone-event/8000"))
			a.Ack("")
			b.Expect(ACK)
			a.Media.SDP(PCMA, PCMU, Keys)
			b.Media.SDP(PCMA, PCMU, Events(97, 8000))
			a.Say(700)
			b.Say(1500)
			b.Hears(700)
			a.Hears(1500)
			a.Press("19#")
			b.Pressed("19#")
			require.Contains(t, string(a.Got()[0]), "SIP/2.0 100")
		})
	}
}

// failing catches the failure of an agent's test.
type failing struct {
	testing.TB
	said string
}

func (f *failing) Helper() {}
func (f *failing) Fatalf(format string, args ...any) {
	f.said = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// fails runs a step that must fail, and gives why.
func fails(a *Agent, step func()) string {
	f := &failing{TB: a.t}
	was := a.t
	a.t = f
	defer func() { a.t = was }()
	done := make(chan struct{})
	go func() {
		defer close(done)
		step()
	}()
	<-done
	return f.said
}

// TestStrict: each thing that a gate may do wrong is found.
func TestStrict(t *testing.T) {
	for _, c := range []struct {
		what    string
		status  int
		headers []string
		want    string
	}{
		{"another status", 486, nil, "expects 180"},
		{"no rport", 180, []string{"Via: SIP/2.0/UDP {at};branch={branch};rport"}, "want rport="},
		{"another branch", 180, []string{"Via: SIP/2.0/UDP {at};branch=z9hG4bKother;rport=1;received=127.0.0.1"}, "nothing that was sent"},
		{"From changed", 180, []string{"From: <sip:x@h>;tag=1"}, "From is not"},
		{"no To tag", 180, []string{"To: {to}"}, "no To tag"},
		{"CSeq changed", 180, []string{"CSeq: 2 INVITE"}, "CSeq"},
		{"no Contact", 180, []string{"Contact:"}, "no Contact"},
		{"RSeq alone", 180, []string{"RSeq: 1"}, "go together"},
		{"reliable without leave", 180, []string{"RSeq: 1", "Require: 100rel"}, "does not support"},
		{"two From", 180, []string{"f: <sip:x@h>;tag=1"}, "waits in vain"},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			a, b := pair(t, "UDP")
			a.Patience(time.Second)
			a.Invite("13900000002", "")
			m := b.Expect(INVITE)
			var headers []string
			for _, h := range c.headers {
				headers = append(headers, strings.NewReplacer("{at}", a.station.Addr().String(), "{branch}", param(m.Get("Via"), "branch"), "{to}", m.Get("To")).Replace(h))
			}
			if len(headers) > 0 && strings.HasPrefix(headers[0], "Via") {
				b.Reply(c.status, "", headers...)
			} else {
				gateReply(b, c.status, "", headers...)
			}
			require.Contains(t, fails(a, func() { a.Expect(180) }), c.want)
		})
	}
}

// TestStrictSDP: a description may not say more than it must, nor change without a
// new version.
func TestStrictSDP(t *testing.T) {
	a, b := pair(t, "UDP")
	for _, body := range []string{
		strings.Replace(b.SDP(), "s=-", "s=call of 13800000001", 1),
		strings.Replace(b.SDP(), "o=-", "o=13800000001", 1),
		b.SDP("a=tool:x"), b.SDP() + "a=candidate:1\r\n", strings.TrimSuffix(b.SDP(), "\r\n"), strings.Replace(b.SDP(), "c=IN", "i=x\r\nc=IN", 1),
	} {
		_, err := ReadSDP(body)
		require.Error(t, err, body)
	}
	c := &Call{agent: a, session: new(session)}
	is := func(body string) error {
		m, err := parse([]byte(compose("SIP/2.0 200 OK", []header{{"Via", "v"}, {"From", "f"}, {"To", "t"}, {"Call-ID", "i"}, {"CSeq", "1 INVITE"}}, body, nil)))
		require.NoError(t, err)
		return c.described(m)
	}
	first := b.SDP()
	require.NoError(t, is(first))
	require.NoError(t, is(first))
	require.Error(t, is(strings.Replace(first, "m=audio ", "m=audio 1", 1)), "a change without a new version")
	require.NoError(t, is(b.SDP("a=sendonly")))
	b.version++
	require.Error(t, is(b.SDP("a=sendonly")), "a new version of nothing new")
}
