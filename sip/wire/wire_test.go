package wire

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// collector is a handler that keeps what it was given, in order.
type collector struct {
	mu      sync.Mutex
	got     []string
	txs     chan *ServerTx
	cancels chan *ServerTx
	acks    chan *sip.Request
	strays  chan *sip.Response
	refuse  bool
	onReq   func(*ServerTx)
}

func newCollector() *collector {
	return &collector{txs: make(chan *ServerTx, 1000), cancels: make(chan *ServerTx, 10), acks: make(chan *sip.Request, 10), strays: make(chan *sip.Response, 10)}
}

func (c *collector) note(s string) {
	c.mu.Lock()
	c.got = append(c.got, s)
	c.mu.Unlock()
}

func (c *collector) Accept(Peer) bool { return !c.refuse }
func (c *collector) Request(tx *ServerTx) {
	c.note(fmt.Sprintf("%s %d", tx.Request.Method, tx.Request.CSeq().SeqNo))
	if c.onReq != nil {
		c.onReq(tx)
	}
	c.txs <- tx
}
func (c *collector) Cancel(tx *ServerTx, _ *sip.Request) { c.note("CANCEL"); c.cancels <- tx }
func (c *collector) Ack(req *sip.Request, _ Peer) {
	c.note(fmt.Sprintf("ACK %d", req.CSeq().SeqNo))
	c.acks <- req
}
func (c *collector) Stray(res *sip.Response, _ Peer) { c.strays <- res }

func open(t *testing.T, h Handler) *Stack {
	t.Helper()
	s, err := Open(Config{UDP: "127.0.0.1:0", TCP: "127.0.0.1:0"}, zerolog.Nop())
	require.NoError(t, err)
	s.Serve(h)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// raw is a peer made of a bare socket.
type raw struct {
	t *testing.T
	c *net.UDPConn
}

func newRaw(t *testing.T) *raw {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return &raw{t, c}
}

func (r *raw) addr() netip.AddrPort { return r.c.LocalAddr().(*net.UDPAddr).AddrPort() }

func (r *raw) send(to netip.AddrPort, msg string) {
	r.t.Helper()
	_, err := r.c.WriteToUDPAddrPort([]byte(msg), to)
	require.NoError(r.t, err)
}

// read is the next message within d, or nothing.
func (r *raw) read(d time.Duration) string {
	r.t.Helper()
	require.NoError(r.t, r.c.SetReadDeadline(time.Now().Add(d)))
	buf := make([]byte, 65535)
	n, _, err := r.c.ReadFromUDPAddrPort(buf)
	if err != nil {
		return ""
	}
	return string(buf[:n])
}

func (r *raw) request(method, branch string, cseq int, toTag string) string {
	if toTag != "" {
		toTag = ";tag=" + toTag
	}
	m := method
	return strings.Join([]string{
		method + " sip:17010000001@127.0.0.1 SIP/2.0",
		"Via: SIP/2.0/UDP " + r.addr().String() + ";branch=z9hG4bK" + branch + ";rport",
		"From: <sip:13800000001@127.0.0.1>;tag=a1",
		"To: <sip:17010000001@127.0.0.1>" + toTag,
		"Call-ID: c1", fmt.Sprintf("CSeq: %d %s", cseq, m),
		"Contact: <sip:13800000001@" + r.addr().String() + ">", "Max-Forwards: 70", "Content-Length: 0", "", ""}, "\r\n")
}

func status(msg string) string {
	line, _, _ := strings.Cut(msg, "\r\n")
	return strings.TrimPrefix(line, "SIP/2.0 ")
}

func TestMessagesKeepTheirOrder(t *testing.T) {
	h := newCollector()
	s := open(t, h)
	r := newRaw(t)
	var want []string
	for i := 1; i <= 300; i++ {
		r.send(s.UDPAddr(), r.request("INFO", fmt.Sprintf("b%d", i), i, "x"))
		want = append(want, fmt.Sprintf("INFO %d", i))
	}
	for range 300 {
		tx := <-h.txs
		require.NoError(t, tx.Respond(Reply(tx.Request, 200, "OK")))
	}
	require.Equal(t, want, h.got)
	require.Zero(t, s.Transactions(), "answered requests leave nothing behind")
}

func TestInviteAndCancelInOneBurst(t *testing.T) {
	h := newCollector()
	s := open(t, h)
	r := newRaw(t)
	r.send(s.UDPAddr(), r.request("INVITE", "i", 1, ""))
	r.send(s.UDPAddr(), r.request("CANCEL", "i", 1, ""))
	require.Equal(t, "200 OK", status(r.read(time.Second)))
	invite := <-h.txs
	require.Same(t, invite, <-h.cancels)
	require.NoError(t, invite.Respond(Reply(invite.Request, 487, "Request Terminated")))
	require.Equal(t, "487 Request Terminated", status(r.read(time.Second)))
	require.Equal(t, "487 Request Terminated", status(r.read(2*time.Second)), "a failure is repeated until its ACK")
	r.send(s.UDPAddr(), r.request("ACK", "i", 1, ""))
	require.Eventually(t, func() bool { return s.Transactions() == 0 }, time.Second, time.Millisecond)
	require.Empty(t, r.read(1200*time.Millisecond), "nothing is repeated after the ACK")
	r.send(s.UDPAddr(), r.request("INVITE", "i", 1, ""))
	require.Empty(t, r.read(100*time.Millisecond))
	require.Equal(t, []string{"INVITE 1", "CANCEL"}, h.got, "a late repetition is no new call")
}

func TestRepeatedRequestGetsTheSameAnswer(t *testing.T) {
	h := newCollector()
	s := open(t, h)
	r := newRaw(t)
	bye := r.request("BYE", "b", 2, "x")
	r.send(s.UDPAddr(), bye)
	tx := <-h.txs
	require.NoError(t, tx.Respond(Reply(tx.Request, 200, "OK")))
	first := r.read(time.Second)
	r.send(s.UDPAddr(), bye)
	require.Equal(t, first, r.read(time.Second))
	require.Equal(t, []string{"BYE 2"}, h.got)
}

func TestAcceptedInvite(t *testing.T) {
	h := newCollector()
	s := open(t, h)
	r := newRaw(t)
	r.send(s.UDPAddr(), r.request("INVITE", "i", 1, ""))
	tx := <-h.txs
	res := Reply(tx.Request, 200, "OK")
	require.NoError(t, tx.Respond(res))
	ok := r.read(time.Second)
	require.NoError(t, tx.Repeat(res))
	require.Equal(t, ok, r.read(time.Second))
	r.send(s.UDPAddr(), r.request("INVITE", "i", 1, ""))
	require.Equal(t, ok, r.read(time.Second), "the caller lost the 200 and asks again")
	for _, branch := range []string{"own", "i"} { // RFC 3261, and a client that reuses the INVITE's branch
		r.send(s.UDPAddr(), r.request("ACK", branch, 1, "x"))
		require.EqualValues(t, 1, (<-h.acks).CSeq().SeqNo)
	}
	r.send(s.UDPAddr(), r.request("CANCEL", "i", 1, ""))
	require.Equal(t, "200 OK", status(r.read(time.Second)), "a CANCEL after the 200 is answered")
	require.Empty(t, h.cancels, "and has no effect")
}

// TestCancelHasTheTagOfItsInvite before and after the INVITE was answered.
func TestCancelHasTheTagOfItsInvite(t *testing.T) {
	h := newCollector()
	s := open(t, h)
	for i, final := range []string{"", "200 OK", "486 Busy Here"} {
		r := newRaw(t)
		branch := fmt.Sprint("i", i)
		r.send(s.UDPAddr(), r.request("INVITE", branch, 1, ""))
		tx := <-h.txs
		require.NoError(t, tx.Respond(Reply(tx.Request, 100, "Trying")))
		ringing := Reply(tx.Request, 180, "Ringing")
		require.NoError(t, tx.Respond(ringing))
		tag, _ := ringing.To().Params.Get("tag")
		want := []string{"100 Trying", "180 Ringing"}
		if final != "" {
			res := Reply(tx.Request, 200, "OK")
			if res.StatusCode, res.Reason = 486, "Busy Here"; final == "200 OK" {
				res.StatusCode, res.Reason = 200, "OK"
			}
			res.To().Params.Add("tag", tag)
			require.NoError(t, tx.Respond(res))
			want = append(want, final)
		}
		for _, w := range want {
			require.Equal(t, w, status(r.read(10*time.Second)))
		}
		if final == "486 Busy Here" {
			r.send(s.UDPAddr(), r.request("ACK", branch, 1, tag))
		}
		r.send(s.UDPAddr(), r.request("CANCEL", branch, 1, ""))
		var got string
		for !strings.Contains(got, "CANCEL") { // the 486 may be repeated before
			got = r.read(10 * time.Second)
			require.NotEmpty(t, got)
		}
		require.Equal(t, "200 OK", status(got))
		require.Contains(t, got, "\r\nTo: <sip:17010000001@127.0.0.1>;tag="+tag+"\r\n", final)
	}
}

func TestCancelOfNothing(t *testing.T) {
	h := newCollector()
	s := open(t, h)
	r := newRaw(t)
	r.send(s.UDPAddr(), r.request("CANCEL", "none", 1, ""))
	require.Equal(t, "481 Call/Transaction Does Not Exist", status(r.read(5*time.Second)))
}

func TestBadRequests(t *testing.T) {
	h := newCollector()
	s := open(t, h)
	r := newRaw(t)
	good := r.request("OPTIONS", "o", 1, "")
	for name, c := range map[string]struct{ msg, want string }{
		"method of CSeq":  {strings.Replace(good, "CSeq: 1 OPTIONS", "CSeq: 1 INVITE", 1), "400 CSeq Method Mismatch"},
		"no tag in From":  {strings.Replace(good, ";tag=a1", "", 1), "400 Missing From Tag"},
		"version":         {strings.Replace(good, "127.0.0.1 SIP/2.0\r\nVia", "127.0.0.1 SIP/7.0\r\nVia", 1), "505 Version Not Supported"},
		"no Call-ID":      {strings.Replace(good, "Call-ID: c1\r\n", "", 1), "400 Missing Call-ID"},
		"no Via":          {strings.Replace(good, "Via:", "X-Via:", 1), ""},
		"garbage":         {"\x00\x01\x02 hello \r\n\r\n", ""},
		"a line too long": {"OPTIONS sip:" + strings.Repeat("a", 60000) + " SIP/2.0\r\n\r\n", ""},
		"keep-alive":      {"\r\n\r\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r.send(s.UDPAddr(), c.msg)
			wait := 150 * time.Millisecond
			if c.want != "" {
				wait = 5 * time.Second
			}
			require.Equal(t, c.want, status(r.read(wait)))
		})
	}
	require.Empty(t, h.got)
}

func TestStrangersAreNotRead(t *testing.T) {
	h := newCollector()
	h.refuse = true
	s := open(t, h)
	r := newRaw(t)
	r.send(s.UDPAddr(), r.request("OPTIONS", "o", 1, ""))
	require.Empty(t, r.read(100*time.Millisecond))
	require.EqualValues(t, 1, s.Dropped())
	c, err := net.Dial("tcp", s.TCPAddr().String())
	require.NoError(t, err)
	defer func() { _ = c.Close() }()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Second)))
	_, err = c.Read(make([]byte, 1))
	require.ErrorContains(t, err, "EOF")
}

func invite(s *Stack, branch string) *sip.Request {
	req := sip.NewRequest(sip.INVITE, sip.Uri{Scheme: "sip", User: "13800000002", Host: "nowhere.invalid"})
	via := &sip.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: "UDP", Host: "127.0.0.1", Port: int(s.UDPAddr().Port())}
	via.Params.Add("branch", "z9hG4bK"+branch)
	req.AppendHeader(via)
	from := &sip.FromHeader{Address: sip.Uri{Scheme: "sip", User: "x", Host: "h"}}
	from.Params.Add("tag", "f")
	req.AppendHeader(from)
	req.AppendHeader(&sip.ToHeader{Address: sip.Uri{Scheme: "sip", User: "y", Host: "h"}})
	id := sip.CallIDHeader("c")
	req.AppendHeader(&id)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: 1, MethodName: sip.INVITE})
	req.SetBody(nil)
	return req
}

// answer makes a response out of the request text that a raw peer read.
func answerTo(t *testing.T, req string, code int, phrase string) string {
	t.Helper()
	msg, err := sip.ParseMessage([]byte(req))
	require.NoError(t, err)
	res := Reply(msg.(*sip.Request), code, phrase)
	res.To().Params.Add("tag", "peer")
	return res.String()
}

func TestFailedInviteIsAcknowledgedEachTime(t *testing.T) {
	h := newCollector()
	s := open(t, h)
	r := newRaw(t)
	var got []int
	done := make(chan struct{})
	s.Send(invite(s, "x"), Peer{Addr: r.addr(), Transport: "UDP"}, func(res *sip.Response, err error) {
		require.NoError(t, err)
		got = append(got, res.StatusCode)
		if res.StatusCode >= 200 {
			close(done)
		}
	})
	req := r.read(time.Second)
	for _, code := range []int{100, 180, 183, 180, 181, 180, 180, 180, 180, 180, 180, 180} { // long ringing
		r.send(s.UDPAddr(), answerTo(t, req, code, "P"))
	}
	busy := answerTo(t, req, 486, "Busy Here")
	r.send(s.UDPAddr(), busy)
	ack := r.read(time.Second)
	require.True(t, strings.HasPrefix(ack, "ACK sip:13800000002@nowhere.invalid"), ack)
	<-done
	require.Equal(t, []int{100, 180, 183, 180, 181, 180, 180, 180, 180, 180, 180, 180, 486}, got)
	r.send(s.UDPAddr(), busy)
	require.Equal(t, ack, r.read(time.Second), "the ACK was lost and is repeated")
	require.Eventually(t, func() bool { return s.Transactions() == 0 }, time.Second, time.Millisecond)
}

func TestAcceptedInviteLeavesNothingAndRepetitionsStray(t *testing.T) {
	h := newCollector()
	s := open(t, h)
	r := newRaw(t)
	done := make(chan int, 1)
	s.Send(invite(s, "x"), Peer{Addr: r.addr(), Transport: "UDP"}, func(res *sip.Response, err error) { done <- res.StatusCode })
	req := r.read(time.Second)
	ok := answerTo(t, req, 200, "OK")
	r.send(s.UDPAddr(), ok)
	require.Equal(t, 200, <-done)
	require.Eventually(t, func() bool { return s.Transactions() == 0 }, time.Second, time.Millisecond)
	r.send(s.UDPAddr(), ok)
	require.Equal(t, 200, (<-h.strays).StatusCode)
}

func TestUnreachable(t *testing.T) {
	h := newCollector()
	s := open(t, h)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().(*net.TCPAddr).AddrPort()
	require.NoError(t, l.Close())
	failed := make(chan error, 1)
	s.Send(invite(s, "x"), Peer{Addr: addr, Transport: "TCP"}, func(_ *sip.Response, err error) { failed <- err })
	require.ErrorIs(t, <-failed, ErrUnreachable)
}

// TestChallengesAreSentOnce: a forged INVITE makes us send one answer, its
// repetition one more, and the ACK nothing.
func TestChallengesAreSentOnce(t *testing.T) {
	h := newCollector()
	h.onReq = func(tx *ServerTx) { _ = tx.Respond(Reply(tx.Request, 407, "Proxy Authentication Required")) }
	s := open(t, h)
	r := newRaw(t)
	for range 2 {
		r.send(s.UDPAddr(), r.request("INVITE", "once", 1, ""))
		require.Equal(t, "407 Proxy Authentication Required", status(r.read(2*time.Second)))
		require.Empty(t, r.read(1200*time.Millisecond), "T1 is 500 ms")
	}
	r.send(s.UDPAddr(), r.request("ACK", "once", 1, "x"))
	require.Empty(t, r.read(100*time.Millisecond))
	require.Zero(t, s.Transactions())
}

// TestConnectionsLeaveFromTheListener: a peer that knows us by our address sees
// no other one of this host.
func TestConnectionsLeaveFromTheListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	s, err := Open(Config{TCP: "127.0.0.77:0"}, zerolog.Nop())
	require.NoError(t, err)
	s.Serve(newCollector())
	defer func() { require.NoError(t, s.Close()) }()
	s.Send(invite(s, "x"), Peer{Addr: l.Addr().(*net.TCPAddr).AddrPort(), Transport: "TCP"}, func(*sip.Response, error) {})
	c, err := l.Accept()
	require.NoError(t, err)
	defer c.Close()
	require.Equal(t, "127.0.0.77", c.RemoteAddr().(*net.TCPAddr).IP.String())
}

func TestOverTCP(t *testing.T) {
	h := newCollector()
	h.onReq = func(tx *ServerTx) { _ = tx.Respond(Reply(tx.Request, 200, "OK")) }
	s := open(t, h)
	c, err := net.Dial("tcp", s.TCPAddr().String())
	require.NoError(t, err)
	defer func() { _ = c.Close() }()
	r := newRaw(t)
	msg := strings.Replace(r.request("OPTIONS", "t", 1, ""), "SIP/2.0/UDP", "SIP/2.0/TCP", 1)
	for _, part := range []string{msg[:40], msg[40:200], msg[200:]} {
		_, err = c.Write([]byte(part))
		require.NoError(t, err)
		time.Sleep(5 * time.Millisecond) // so that the parts are parts
	}
	require.NoError(t, c.SetReadDeadline(time.Now().Add(2*time.Second)))
	buf := make([]byte, 4096)
	n, err := c.Read(buf)
	require.NoError(t, err)
	require.Equal(t, "200 OK", status(string(buf[:n])))
}

// TestAnswersOverTCPAreTold: over TCP the machine of a transaction ends as soon
// as it has seen the final response, which must not look like an end without one.
func TestAnswersOverTCPAreTold(t *testing.T) {
	const most = 3000
	h := newCollector()
	h.txs = make(chan *ServerTx, most)
	h.onReq = func(tx *ServerTx) { _ = tx.Respond(Reply(tx.Request, 200, "OK")) }
	asks := newCollector()
	asks.strays = make(chan *sip.Response, most)
	answering, asking := open(t, h), open(t, asks)
	failed := make(chan error, most)
	for range most {
		req := invite(asking, sip.GenerateTagN(8))
		req.Method = sip.OPTIONS
		req.CSeq().MethodName = sip.OPTIONS
		asking.Send(req, Peer{Addr: answering.TCPAddr(), Transport: "TCP"}, func(_ *sip.Response, err error) { failed <- err })
	}
	for range most {
		require.NoError(t, <-failed)
	}
}

func TestReplyGoesWhereViaSays(t *testing.T) {
	h := newCollector()
	h.onReq = func(tx *ServerTx) { _ = tx.Respond(Reply(tx.Request, 200, "OK")) }
	s := open(t, h)
	asks, hears := newRaw(t), newRaw(t)
	msg := strings.Replace(asks.request("OPTIONS", "v", 1, ""), ";rport", "", 1)
	msg = strings.Replace(msg, "UDP "+asks.addr().String(), "UDP "+hears.addr().String(), 1)
	asks.send(s.UDPAddr(), msg)
	require.Equal(t, "200 OK", status(hears.read(time.Second)), "without rport the answer goes to the port in Via")
}

// TestCheckRefuses: what may not leave is not sent, by any of the ways out, and
// a sender whose answer may not leave gets one with nothing in it.
func TestCheckRefuses(t *testing.T) {
	c := newCollector()
	s, err := Open(Config{UDP: "127.0.0.1:0", Check: func(_ sip.Message, text *Text) error {
		for name := range text.Fields {
			if name == "Subject" {
				return fmt.Errorf("it has a subject")
			}
		}
		return nil
	}}, zerolog.Nop())
	require.NoError(t, err)
	s.Serve(c)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	r := newRaw(t)
	to := Peer{Addr: r.addr(), Transport: "UDP"}
	bad := sip.NewHeader("Subject", "x")

	req := invite(s, "z9hG4bKrefused")
	req.AppendHeader(bad)
	failed := make(chan error, 1)
	s.Send(req, to, func(_ *sip.Response, err error) { failed <- err })
	require.ErrorIs(t, <-failed, ErrRefused)
	require.ErrorIs(t, s.Write(req, to), ErrRefused)

	for _, method := range []string{"OPTIONS", "INVITE"} {
		r.send(s.UDPAddr(), r.request(method, "z9hG4bK"+method, 1, ""))
		tx := <-c.txs
		res := Reply(tx.Request, 200, "OK")
		res.AppendHeader(bad)
		require.ErrorIs(t, tx.Respond(res), ErrRefused)
		require.ErrorIs(t, tx.Repeat(res), ErrRefused)
		got := ""
		for got = r.read(10 * time.Second); strings.HasPrefix(got, "SIP/2.0 100 "); got = r.read(10 * time.Second) {
		}
		require.True(t, strings.HasPrefix(got, "SIP/2.0 500 "), got)
		require.NotContains(t, got, "Subject")
	}
}
