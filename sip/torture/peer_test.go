package torture

import (
	"bufio"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const patience = 15 * time.Second

// peer is a bare sender of the messages.
type peer struct {
	t     *testing.T
	write func(string)
	in    chan string // answers; closed with a connection
	tcp   bool
}

// newUDPPeer listens on all ports to which the messages have answers sent.
func newUDPPeer(t *testing.T, host netip.Addr, to netip.AddrPort) *peer {
	t.Helper()
	p := &peer{t: t, in: make(chan string, 64)}
	for _, port := range []uint16{5060, 5050, 6050, 19823} {
		c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, port)))
		require.NoError(t, err)
		done := make(chan struct{})
		go func() {
			defer close(done)
			buf := make([]byte, 65535)
			for {
				n, _, err := c.ReadFromUDPAddrPort(buf)
				if err != nil {
					return
				}
				p.in <- string(buf[:n])
			}
		}()
		t.Cleanup(func() { _ = c.Close(); <-done })
		if port == 5060 {
			p.write = func(raw string) {
				_, err := c.WriteToUDPAddrPort([]byte(raw), to)
				require.NoError(t, err)
			}
		}
	}
	return p
}

func newTCPPeer(t *testing.T, host netip.Addr, to netip.AddrPort) *peer {
	t.Helper()
	c, err := dialFrom(host, to)
	require.NoError(t, err)
	p := &peer{t: t, in: make(chan string, 64), tcp: true, write: func(raw string) { _, _ = io.WriteString(c, raw) }}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(p.in)
		for r := bufio.NewReader(c); ; {
			var head strings.Builder
			length := 0
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				head.WriteString(line)
				if n, ok := strings.CutPrefix(line, "Content-Length: "); ok {
					length, _ = strconv.Atoi(strings.TrimSpace(n))
				}
				if line == "\r\n" {
					break
				}
			}
			body := make([]byte, length)
			if _, err := io.ReadFull(r, body); err != nil {
				return
			}
			p.in <- head.String() + string(body)
		}
	}()
	t.Cleanup(func() { _ = c.Close(); <-done })
	return p
}

// send sends the bytes, and a good request behind them.
func (p *peer) send(raw []byte) {
	p.write(string(raw))
	p.write("OPTIONS sip:a@example.com SIP/2.0\r\nVia: SIP/2.0/UDP fence.example.com;branch=z9hG4bKfence\r\nFrom: <sip:f@example.com>;tag=f\r\n" +
		"To: <sip:a@example.com>\r\nCall-ID: fence\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n")
}

// verdict reads the final answers until as many came as are expected, and the
// one to the request behind, or the connection ended; what else comes within a
// moment counts too.
func (p *peer) verdict(want string) string {
	var got []string
	wanted := len(strings.Fields(want))
	if want == "none" {
		wanted = 0
	}
	seen := map[string]bool{}
	fence := false
	wait := time.After(patience)
	if p.tcp && want == "none" {
		wait = time.After(300 * time.Millisecond) // there is no end to wait for: the message is not whole
	}
	var quiet <-chan time.Time
	for {
		if fence && len(got) >= wanted && quiet == nil {
			quiet = time.After(50 * time.Millisecond)
		}
		select {
		case raw, ok := <-p.in:
			if !ok {
				return said(got)
			}
			status := strings.SplitN(raw, " ", 3)[1]
			switch {
			case seen[raw] || status < "200":
			case strings.Contains(raw, "Call-ID: fence\r\n"):
				require.Equal(p.t, "200", status)
				fence = true
			default:
				got = append(got, status)
				p.check(raw, status)
			}
			seen[raw] = true
		case <-quiet:
			return said(got)
		case <-wait:
			return said(got)
		}
	}
}

// check sees that an answer has what its status asks for, and acknowledges it.
func (p *peer) check(raw, status string) {
	header := map[string]string{}
	for _, l := range strings.Split(raw, "\r\n")[1:] {
		if name, value, ok := strings.Cut(l, ":"); ok && header[name] == "" {
			header[name] = strings.TrimSpace(value)
		}
	}
	need := map[string]string{"420": "Unsupported", "415": "Accept", "501": "Allow", "401": "WWW-Authenticate"}[status]
	if need != "" {
		require.NotEmpty(p.t, header[need], raw)
	}
	require.NotEmpty(p.t, header["Via"], raw)
	number, method, _ := strings.Cut(header["CSeq"], " ")
	if method == "INVITE" {
		p.write("ACK sip:a@example.com SIP/2.0\r\nVia: " + header["Via"] + "\r\nFrom: " + header["From"] + "\r\nTo: " + header["To"] +
			"\r\nCall-ID: " + header["Call-ID"] + "\r\nCSeq: " + number + " ACK\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n")
	}
}

func said(got []string) string {
	if len(got) == 0 {
		return "none"
	}
	return strings.Join(got, " ")
}
