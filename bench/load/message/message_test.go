package message_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/bench/load/message"
)

var (
	a     = netip.MustParseAddrPort("127.0.2.1:5060")
	rtp   = netip.MustParseAddrPort("127.0.2.1:30000")
	sut   = netip.MustParseAddrPort("127.0.1.1:5060")
	agent = message.NewAgent(a, rtp, sut, 0xabcd)
	id    = message.ID{Place: 0x00beef, Turn: 7}
)

func parse(t *testing.T, text []byte) *message.Message {
	t.Helper()
	m := new(message.Message)
	require.True(t, m.Parse(text), "%s", text)
	body := strings.SplitN(string(text), "\r\n\r\n", 2)[1]
	length := ""
	for line := range strings.Lines(string(text)) {
		if v, ok := strings.CutPrefix(line, "Content-Length:"); ok {
			length = strings.TrimSpace(v)
		}
	}
	require.Equal(t, len(body), message.Number([]byte(length)), "%s", text)
	return m
}

func TestInvite(t *testing.T) {
	t.Parallel()
	m := parse(t, agent.Invite(nil, id, []byte("+8613800000001"), []byte("+8617010000000")))
	require.True(t, m.Is("INVITE"))
	require.Equal(t, "+8617010000000", string(m.User()))
	require.Equal(t, "sip:load@127.0.2.1:5060", string(m.Target))
	require.Equal(t, message.Session{Audio: rtp, Event: 101}, m.Session())
	for _, text := range [][]byte{m.CallID, m.FromTag()} {
		got, ok := message.ReadID(text)
		require.True(t, ok)
		require.Equal(t, id, got)
	}
	require.Nil(t, m.ToTag())
}

// The dialog of a caller goes through the proxies that wrote Record-Route, in
// reverse order; that of a callee in theirs.
func TestDialogs(t *testing.T) {
	t.Parallel()
	const head = "Via: SIP/2.0/UDP 127.0.1.1;branch=z9hG4bK1\r\nv: SIP/2.0/UDP 127.0.2.1:5060;branch=z9hG4bK2\r\n" +
		"Record-Route: <sip:one;lr>\r\nrecord-route: <sip:two;lr>\r\nf: <sip:+86138@a>;tag=them\r\nTo: \"X ;tag=no\" <sip:+86170@b>%\r\nCall-ID: 99@c\r\nCSeq: 5 INVITE\r\nm: <sip:there@127.0.1.1:5070;x=1>;q=1\r\n\r\n"
	ok := parse(t, []byte("SIP/2.0 200 OK\r\n"+strings.ReplaceAll(head, "%", ";tag=theirs")))
	require.True(t, ok.Answers("INVITE"))
	var d message.Dialog
	d.Called(ok)
	ack := agent.Ack(nil, id, &d)
	m := parse(t, ack)
	require.True(t, m.Is("ACK"))
	require.Equal(t, "sip:there@127.0.1.1:5070;x=1", string(m.URI))
	require.Equal(t, []any{5, "them", "theirs"}, []any{m.CSeq, string(m.FromTag()), string(m.ToTag())})
	require.Contains(t, string(ack), "Route: <sip:two;lr>\r\nRoute: <sip:one;lr>\r\n")
	require.Equal(t, 6, parse(t, agent.Bye(nil, id, &d)).CSeq)

	in := parse(t, []byte("INVITE sip:+86139@127.0.2.1 SIP/2.0\r\n"+strings.ReplaceAll(head, "%", "")))
	text := agent.Respond(nil, in, "200 OK", id, 97)
	m = parse(t, text)
	require.Equal(t, 200, m.Status)
	require.Equal(t, message.Session{Audio: rtp, Event: 97}, m.Session())
	require.Contains(t, string(text), "Via: SIP/2.0/UDP 127.0.1.1;branch=z9hG4bK1\r\nVia: SIP/2.0/UDP 127.0.2.1:5060;branch=z9hG4bK2\r\nRecord-Route: <sip:one;lr>\r\nRecord-Route: <sip:two;lr>\r\n")
	got, _ := message.ReadID(m.ToTag())
	require.Equal(t, id, got)
	d.Taken(in, id)
	bye := agent.Bye(nil, id, &d)
	m = parse(t, bye)
	got, _ = message.ReadID(m.FromTag())
	require.Equal(t, id, got)
	require.Equal(t, "them", string(m.ToTag()))
	require.Equal(t, "sip:there@127.0.1.1:5070;x=1", string(m.URI))
	require.Contains(t, string(bye), "Route: <sip:one;lr>\r\nRoute: <sip:two;lr>\r\n")
}

func TestAckOfARefusal(t *testing.T) {
	t.Parallel()
	invite := string(agent.Invite(nil, id, []byte("+861"), []byte("+862")))
	branch := strings.SplitN(strings.SplitN(invite, "branch=", 2)[1], ";", 2)[0]
	refusal := parse(t, []byte("SIP/2.0 486 Busy Here\r\nVia: x\r\nFrom: <sip:+861@a>;tag=1\r\nTo: <sip:+862@b>;tag=2\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\r\n"))
	ack := agent.AckRefusal(nil, id, refusal)
	m := parse(t, ack)
	require.True(t, m.Is("ACK"))
	require.Equal(t, "sip:+862@b", string(m.URI))
	require.Contains(t, string(ack), branch+";", "RFC 3261 section 17.1.1.3: the same branch")
}

func TestNothingIsAllocated(t *testing.T) {
	text := agent.Invite(nil, id, []byte("+8613800000001"), []byte("+8617010000000"))
	buffer := make([]byte, 0, 4096)
	var m message.Message
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if !m.Parse(text) || !m.Session().Audio.IsValid() {
			t.Fail()
		}
		buffer = agent.Respond(buffer[:0], &m, "200 OK", id, 101)
	}))
}

func FuzzParse(f *testing.F) {
	f.Add(agent.Invite(nil, id, []byte("+8613800000001"), []byte("+8617010000000")))
	f.Add([]byte("SIP/2.0 200 OK\r\nVia: x\r\nFrom: a\r\nTo: b\r\nCall-ID: c\r\nCSeq: 1 BYE\r\n\r\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var m message.Message
		if !m.Parse(text) {
			return
		}
		m.Session()
		var d message.Dialog
		d.Called(&m)
		d.Taken(&m, id)
		agent.Bye(agent.Respond(nil, &m, "200 OK", id, 0), id, &d)
	})
}
