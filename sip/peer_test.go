package sip

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is how long what must come is waited for; no test that passes
// waits so long.
const patience = 10 * time.Second

// msg is a SIP message as a peer reads it: by its bytes, with nothing of the
// product's parser.
type msg struct {
	raw, start, body string
	headers          [][2]string
}

func read(raw string) msg {
	head, body, _ := strings.Cut(raw, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	m := msg{raw: raw, start: lines[0], body: body}
	for _, l := range lines[1:] {
		name, value, _ := strings.Cut(l, ":")
		m.headers = append(m.headers, [2]string{strings.TrimSpace(name), strings.TrimSpace(value)})
	}
	return m
}

func (m msg) get(name string) string {
	for _, h := range m.headers {
		if strings.EqualFold(h[0], name) {
			return h[1]
		}
	}
	return ""
}

func (m msg) lines(name string) string {
	var b strings.Builder
	for _, h := range m.headers {
		if strings.EqualFold(h[0], name) {
			b.WriteString(h[0] + ": " + h[1] + "\r\n")
		}
	}
	return b.String()
}

func (m msg) status() int {
	rest, ok := strings.CutPrefix(m.start, "SIP/2.0 ")
	if !ok {
		return 0
	}
	n, _ := strconv.Atoi(rest[:3])
	return n
}

func (m msg) method() string {
	if m.status() != 0 {
		return ""
	}
	method, _, _ := strings.Cut(m.start, " ")
	return method
}

func (m msg) uri() string { return strings.Split(m.start, " ")[1] }

func (m msg) cseq() (int, string) {
	n, method, _ := strings.Cut(m.get("CSeq"), " ")
	i, _ := strconv.Atoi(n)
	return i, method
}

func (m msg) tag(header string) string {
	_, tag, _ := strings.Cut(m.get(header), ";tag=")
	tag, _, _ = strings.Cut(tag, ";")
	return tag
}

// contact is the address in Contact.
func (m msg) contact() string {
	return strings.Trim(strings.Split(m.get("Contact"), ">")[0], "<>")
}

// media is the audio line, its port, and the direction.
func (m msg) media(t testing.TB) (port int, way string) {
	t.Helper()
	_, rest, ok := strings.Cut(m.body, "m=audio ")
	require.True(t, ok, "no audio in:\n%s", m.raw)
	port, err := strconv.Atoi(strings.Split(rest, " ")[0])
	require.NoError(t, err)
	for _, w := range []string{"sendrecv", "sendonly", "recvonly", "inactive"} {
		if strings.Contains(m.body, "a="+w+"\r\n") {
			way = w
		}
	}
	return port, way
}

// version is the version in o=.
func (m msg) version(t testing.TB) int {
	t.Helper()
	_, rest, ok := strings.Cut(m.body, "o=")
	require.True(t, ok, "no o= in:\n%s", m.raw)
	n, err := strconv.Atoi(strings.Split(rest, " ")[2])
	require.NoError(t, err)
	return n
}

// peer is a bare socket that speaks SIP: a carrier's switch.
type peer struct {
	t    testing.TB
	name string
	addr netip.AddrPort // its own
	to   netip.AddrPort // where its requests go
	udp  *net.UDPConn
	tcp  net.Conn
	ln   net.Listener
	done sync.WaitGroup

	mu      sync.Mutex
	fresh   chan struct{}
	backlog []msg
	seen    map[string]int // how often each message came
	raws    []string
	at      map[string][]time.Time
}

var ids atomic.Uint64

func unique(prefix string) string { return prefix + strconv.FormatUint(ids.Add(1), 36) + "x" }

func newPeer(t testing.TB, name, ip string) *peer {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(ip)})
	require.NoError(t, err)
	p := &peer{t: t, name: name, udp: c, addr: c.LocalAddr().(*net.UDPAddr).AddrPort(), fresh: make(chan struct{}, 1), seen: map[string]int{}, at: map[string][]time.Time{}}
	p.done.Go(func() {
		buf := make([]byte, 65536)
		for {
			n, _, err := c.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			p.take(string(buf[:n]))
		}
	})
	t.Cleanup(p.close)
	return p
}

// overTCP makes the peer listen and talk on TCP instead.
func (p *peer) overTCP() {
	ln, err := net.Listen("tcp", p.addr.String())
	require.NoError(p.t, err)
	p.ln = ln
	p.done.Go(func() {
		c, err := ln.Accept()
		if err == nil {
			p.mu.Lock()
			p.tcp = c
			p.mu.Unlock()
			p.readTCP(c)
		}
	})
}

func (p *peer) dialTCP(to netip.AddrPort) {
	c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: p.addr.Addr().AsSlice()}}).Dial("tcp", to.String())
	require.NoError(p.t, err)
	p.tcp, p.addr = c, c.LocalAddr().(*net.TCPAddr).AddrPort()
	p.done.Go(func() { p.readTCP(c) })
}

func (p *peer) readTCP(c net.Conn) {
	r := bufio.NewReader(c)
	for {
		var head strings.Builder
		length := 0
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			head.WriteString(line)
			if name, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(name, "content-length") {
				length, _ = strconv.Atoi(strings.TrimSpace(value))
			}
			if line == "\r\n" {
				break
			}
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(r, body); err != nil {
			return
		}
		p.take(head.String() + string(body))
	}
}

func (p *peer) close() {
	_ = p.udp.Close()
	if p.ln != nil {
		_ = p.ln.Close()
	}
	p.mu.Lock()
	c := p.tcp
	p.mu.Unlock()
	if c != nil {
		_ = c.Close()
	}
	p.done.Wait()
}

func (p *peer) take(raw string) {
	p.mu.Lock()
	p.seen[raw]++
	p.raws = append(p.raws, raw)
	p.at[raw] = append(p.at[raw], time.Now())
	if p.seen[raw] == 1 { // repetitions are only counted
		p.backlog = append(p.backlog, read(raw))
	}
	p.mu.Unlock()
	select {
	case p.fresh <- struct{}{}:
	default:
	}
}

// everything is all that the peer was ever sent.
func (p *peer) everything() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.raws...)
}

// times tells how often a message came.
func (p *peer) times(m msg) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen[m.raw]
}

// gap is the time between a message's coming number i and the one after it.
func (p *peer) gap(m msg, i int) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at[m.raw][i+1].Sub(p.at[m.raw][i])
}

func (p *peer) send(raw string) {
	p.t.Helper()
	p.mu.Lock()
	tcp := p.tcp
	p.mu.Unlock()
	var err error
	if tcp != nil {
		_, err = io.WriteString(tcp, raw)
	} else {
		_, err = p.udp.WriteToUDPAddrPort([]byte(raw), p.to)
	}
	require.NoError(p.t, err)
}

func (p *peer) find(f func(msg) bool) (msg, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, m := range p.backlog {
		if f(m) {
			p.backlog = append(p.backlog[:i:i], p.backlog[i+1:]...)
			return m, true
		}
	}
	return msg{}, false
}

// await takes the first message that fits, now or soon.
func (p *peer) await(what string, f func(msg) bool) msg {
	p.t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		if m, ok := p.find(f); ok {
			return m
		}
		select {
		case <-p.fresh:
		case <-limit.C:
			var have strings.Builder
			for _, raw := range p.everything() {
				have.WriteString("  " + read(raw).start + " (" + read(raw).get("CSeq") + ")\n")
			}
			p.t.Fatalf("%s waits in vain for %s; it got\n%s", p.name, what, have.String())
		}
	}
}

func (p *peer) request(method string) msg {
	p.t.Helper()
	return p.await(method, func(m msg) bool { return m.method() == method })
}

// never fails if a message that fits comes within d.
func (p *peer) never(d time.Duration, what string, f func(msg) bool) {
	p.t.Helper()
	time.Sleep(d)
	if m, ok := p.find(f); ok {
		p.t.Fatalf("%s must not get %s:\n%s", p.name, what, m.raw)
	}
}

func (p *peer) transport() string {
	if p.tcp != nil || p.ln != nil {
		return "TCP"
	}
	return "UDP"
}

// side is one end of a dialog.
type side struct {
	p             *peer
	callID        string
	me, other     string // From and To without tags
	mine, theirs  string // tags
	target        string
	route         string // header lines
	cseq          int
	branch        string // of the last INVITE
	invite        msg    // the one that came in
	contact       string
	answeredBody  string
	lastInviteSeq int
}

// dial sends an INVITE for X.
func (p *peer) dial(x, from, sdp string, headers ...string) *side {
	p.t.Helper()
	d := &side{p: p, callID: unique("call"), me: "<sip:" + from + "@carrier.example>", other: "<sip:" + x + "@axgate.example>", mine: unique("a"),
		target: "sip:" + x + "@" + p.to.String(), contact: "<sip:" + from + "@" + p.addr.String() + ">"}
	d.reinvite(sdp, headers...)
	return d
}

// reinvite sends an INVITE, the first or one in the dialog.
func (d *side) reinvite(sdp string, headers ...string) {
	d.p.t.Helper()
	d.cseq++
	d.branch, d.lastInviteSeq = unique("z9hG4bK"), d.cseq
	d.p.send(d.text("INVITE", d.cseq, d.branch, sdp, headers...))
}

func (d *side) text(method string, cseq int, branch, body string, headers ...string) string {
	to := d.other
	if d.theirs != "" {
		to += ";tag=" + d.theirs
	}
	forwards := "Max-Forwards: 70\r\n"
	extra := ""
	for _, h := range headers {
		if strings.HasPrefix(h, "Max-Forwards:") {
			forwards = ""
		}
		extra += h + "\r\n"
	}
	if body != "" && !strings.Contains(extra, "Content-Type:") {
		extra += "Content-Type: application/sdp\r\n"
	}
	return fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=%s;rport\r\n%s%sFrom: %s;tag=%s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nContact: %s\r\n%sContent-Length: %d\r\n\r\n%s",
		method, d.target, d.p.transport(), d.p.addr, branch, forwards, d.route, d.me, d.mine, to, d.callID, cseq, method, d.contact, extra, len(body), body)
}

// request sends a request in the dialog and returns its CSeq.
func (d *side) request(method, body string, headers ...string) int {
	d.p.t.Helper()
	d.cseq++
	d.p.send(d.text(method, d.cseq, unique("z9hG4bK"), body, headers...))
	return d.cseq
}

// response takes the response with a status to the last request of a method.
func (d *side) response(status int, method string) msg {
	d.p.t.Helper()
	m := d.p.await(fmt.Sprintf("%d to %s", status, method), func(m msg) bool {
		n, of := m.cseq()
		return m.get("Call-ID") == d.callID && m.status() == status && of == method && (n == d.cseq || method == "CANCEL" || n == d.lastInviteSeq && method == "INVITE")
	})
	if method == "INVITE" && status > 100 && status < 300 {
		d.theirs = m.tag("To")
		if c := m.contact(); c != "" {
			d.target = c
		}
	}
	return m
}

// ack acknowledges a 2xx.
func (d *side) ack(body string) {
	d.p.t.Helper()
	d.p.send(d.text("ACK", d.lastInviteSeq, unique("z9hG4bK"), body))
}

// nack acknowledges a failure, in the transaction of its INVITE.
func (d *side) nack(m msg) {
	d.p.t.Helper()
	was := d.theirs
	d.theirs = m.tag("To")
	d.p.send(d.text("ACK", d.lastInviteSeq, d.branch, ""))
	d.theirs = was
}

// fails takes a final failure and acknowledges it.
func (d *side) fails(status int) msg {
	d.p.t.Helper()
	m := d.response(status, "INVITE")
	d.nack(m)
	return m
}

func (d *side) cancel() {
	d.p.t.Helper()
	d.p.send(d.text("CANCEL", d.lastInviteSeq, d.branch, ""))
}

// bye hangs up and waits for the answer.
func (d *side) bye() {
	d.p.t.Helper()
	d.request("BYE", "")
	d.response(200, "BYE")
}

// ring waits for an INVITE.
func (p *peer) ring() *side {
	p.t.Helper()
	m := p.request("INVITE")
	d := &side{p: p, mine: unique("b"), contact: "<sip:device@" + p.addr.String() + ">"}
	d.take(m)
	return d
}

// take makes an INVITE the one that is answered.
func (d *side) take(m msg) {
	d.invite = m
	d.callID = m.get("Call-ID")
	d.me, d.other = strings.Split(m.get("To"), ";tag=")[0], strings.Split(m.get("From"), ";tag=")[0]
	d.theirs = m.tag("From")
	d.target = m.contact()
}

// reply answers a request; a To tag is added where it has none.
func (d *side) reply(m msg, status int, body string, headers ...string) {
	d.p.t.Helper()
	d.p.send(d.answer(m, status, body, headers...))
}

func (d *side) answer(m msg, status int, body string, headers ...string) string {
	to := m.get("To")
	if !strings.Contains(to, ";tag=") && status > 100 {
		to += ";tag=" + d.mine
	}
	extra := ""
	for _, h := range headers {
		extra += h + "\r\n"
	}
	if body != "" {
		extra += "Content-Type: application/sdp\r\n"
	}
	return fmt.Sprintf("SIP/2.0 %d Whatever\r\n%s%sFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\nContact: %s\r\n%sContent-Length: %d\r\n\r\n%s",
		status, m.lines("Via"), m.lines("Record-Route"), m.get("From"), to, m.get("Call-ID"), m.get("CSeq"), d.contact, extra, len(body), body)
}

// says answers the INVITE.
func (d *side) says(status int, body string, headers ...string) {
	d.p.t.Helper()
	d.reply(d.invite, status, body, headers...)
}

// acked waits for the ACK of the INVITE with the number of a 2xx.
func (d *side) acked() msg {
	d.p.t.Helper()
	n, _ := d.invite.cseq()
	return d.p.await("ACK", func(m msg) bool {
		k, _ := m.cseq()
		return m.method() == "ACK" && k == n && m.get("Call-ID") == d.callID
	})
}

// hungUp waits for BYE and answers it.
func (d *side) hungUp() msg {
	d.p.t.Helper()
	m := d.p.await("BYE", func(m msg) bool { return m.method() == "BYE" && m.get("Call-ID") == d.callID })
	d.reply(m, 200, "")
	return m
}

// cancelled waits for CANCEL, answers it and ends the INVITE with 487.
func (d *side) cancelled() msg {
	d.p.t.Helper()
	m := d.p.await("CANCEL", func(m msg) bool { return m.method() == "CANCEL" && m.get("Call-ID") == d.callID })
	d.reply(m, 200, "")
	d.says(487, "")
	d.p.await("ACK of 487", func(m msg) bool { return m.method() == "ACK" && m.get("Call-ID") == d.callID })
	return m
}

// outside sends a request that belongs to no dialog.
func (p *peer) outside(method string, headers ...string) *side {
	p.t.Helper()
	d := &side{p: p, callID: unique("out"), me: "<sip:13800000001@carrier.example>", other: "<sip:17010000001@axgate.example>", mine: unique("o"),
		target: "sip:17010000001@" + p.to.String(), contact: "<sip:13800000001@" + p.addr.String() + ">"}
	d.request(method, "", headers...)
	return d
}
