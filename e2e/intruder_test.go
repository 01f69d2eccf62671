//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// intruder is an address of somebody who looks for open doors, or floods.
type intruder struct {
	conn *net.UDPConn
	to   netip.AddrPort
	n    int

	sent, answers atomic.Int64
}

// intruders counts the addresses given out to them.
var intruders atomic.Int32

func newIntruder(t *testing.T, to netip.AddrPort) *intruder {
	t.Helper()
	at := netip.AddrFrom4([4]byte{127, 6, 5, byte(intruders.Add(1))})
	conn, err := net.DialUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(at, 0)), net.UDPAddrFromAddrPort(to))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return &intruder{conn: conn, to: to}
}

// request is one of a method to a number, in the way of SIPVicious' svwar:
// REGISTER and INVITE guess a password.
func (i *intruder) request(method, number, agent string) string {
	i.n++
	me := i.conn.LocalAddr().String()
	guess, body := "", ""
	if method == "REGISTER" {
		guess = fmt.Sprintf("Authorization: Digest username=%q,realm=\"axgate\",nonce=\"0\",uri=\"sip:%s\",response=%q,qop=auth,nc=00000001,cnonce=\"c\",algorithm=MD5\r\n", number, i.to, strings.Repeat("0", 32))
	}
	if method == "INVITE" {
		body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9000 RTP/AVP 8\r\n"
		guess = "Content-Type: application/sdp\r\n"
	}
	return fmt.Sprintf("%s sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK-%d-%s;rport\r\nMax-Forwards: 70\r\nFrom: <sip:%s@%s>;tag=%d\r\nTo: <sip:%s@%s>\r\n"+
		"Call-ID: %d-%s\r\nCSeq: 1 %s\r\nContact: <sip:%s@%s>\r\nUser-Agent: %s\r\n%sContent-Length: %d\r\n\r\n%s",
		method, number, i.to, me, i.n, method, number, i.to, i.n, number, i.to, i.n, me, method, number, me, agent, guess, len(body), body)
}

// sweep sends a request per number, over and over, at a rate until ctx ends.
func (i *intruder) sweep(ctx context.Context, rate int, methods, numbers []string) {
	go func() {
		b := make([]byte, 4096)
		for {
			if _, err := i.conn.Read(b); err != nil {
				return
			}
			i.answers.Add(1)
		}
	}()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for range max(1, rate/100) {
			_, err := i.conn.Write([]byte(i.request(methods[n%len(methods)], numbers[n/len(methods)%len(numbers)], "phone 1.0")))
			if err == nil {
				i.sent.Add(1)
			}
			n++
		}
	}
}

// ask sends one request and gives its first answer but 100; "" if none comes.
func (i *intruder) ask(method, number string) string {
	_, _ = i.conn.Write([]byte(i.request(method, number, "phone 1.0")))
	_ = i.conn.SetReadDeadline(time.Now().Add(2 * time.Second))
	b := make([]byte, 4096)
	for {
		n, err := i.conn.Read(b)
		if err != nil {
			return ""
		}
		if text := string(b[:n]); !strings.HasPrefix(text, "SIP/2.0 100") {
			return text
		}
	}
}

// random are the parts of an answer that are another one each time.
var random = regexp.MustCompile(`(?m)(tag=|branch=|nonce="|received=|rport=|port=)[^";\r\n]*|^(Call-ID|Via|CSeq): .*$`)

// shape is an answer without what the request itself says, and without what is
// random.
func shape(answer, number string) string {
	return random.ReplaceAllString(strings.ReplaceAll(answer, number, "NUMBER"), "$1")
}
