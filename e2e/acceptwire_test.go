//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/ua"
)

// wireAcceptances are of messages as bytes on the wire.
func wireAcceptances() []acceptance {
	return []acceptance{
		{name: "messages in fragments, several in one segment", play: acceptFragments, on: "TCP TLS"},
		{name: "keep-alive between messages", play: acceptKeepAlive, on: "TCP TLS"},
		{name: "Content-Length that cannot be", play: acceptBadLength, on: "TCP TLS"},
		{name: "connection that breaks during the talk", play: acceptBroken, on: "TCP"},
		{name: "INVITE of 5 KB", play: acceptLong},
		{name: "short header names, folded lines, odd case", play: acceptSpelled},
		{name: "OPTIONS", play: acceptOptions},
		{name: "phone registers with a stale nonce and is called", play: acceptPhone, phone: true},
		{name: "flood at ten times the limit", play: acceptFlood},
	}
}

// acceptFragments: a message may come byte by byte, and the next one behind it
// in the same segment (RFC 3261 section 18.3).
func acceptFragments(l *ladder) {
	l.a.Invite(l.x, l.a.SDP()) // one in the plain way: it names the call
	l.b.Expect(ua.INVITE)
	l.b.RespondPieces(l.b.Response(l.b.First(), 180, ""), 7, time.Millisecond)
	l.a.Expect(180)
	l.b.RespondPieces(l.b.Response(l.b.First(), 200, l.b.SDP()), 61, time.Millisecond)
	l.b.Expect(ua.ACK)
	l.a.Expect(200)
	ack := l.a.AckText("")
	l.a.SendPieces(ack, 3, time.Millisecond)
	l.heard()
	l.a.SendPieces(l.a.Text(ua.INVITE, l.a.SDP()), 1, 0)
	l.a.Expect(200)
	l.a.Send("\r\n\r\n" + l.a.AckText("") + l.a.Text(ua.OPTIONS, "") + "\r\n\r\n" + l.a.Text(ua.BYE, ""))
	l.a.Expect(200)
	l.a.Expect(200)
	l.b.Expect(ua.BYE)
	l.b.Reply(200, "")
	l.billed(byCaller)
}

func acceptKeepAlive(l *ladder) {
	l.talks()
	for range 3 {
		l.a.Send("\r\n\r\n")
		l.b.Send("\r\n\r\n")
	}
	l.ends()
}

// acceptBadLength: 400, and the connection is closed (section 5); the call that
// came over it goes on over another.
func acceptBadLength(l *ladder) {
	for _, length := range []string{"-1", "99999999999", "x"} {
		station, who := l.caller(l.T, "A again", l.a.Number, "")
		who.Outside(ua.OPTIONS, l.x, "", "Content-Length: "+length)
		l.until("the connection is closed", station.Ended)
	}
	l.talks()
	l.ends()
}

// acceptBroken: requests of the dialog go over a new connection.
func acceptBroken(l *ladder) {
	l.talks()
	l.sa.Hang()
	require.NoError(l, l.sa.Dial())
	l.a.Rehome()
	l.hangsUp(l.a, l.b)
	l.billed(byCaller)
}

// acceptLong: an INVITE as IMS sends them, over UDP too.
func acceptLong(l *ladder) {
	var headers []string
	for i := range 40 {
		headers = append(headers, fmt.Sprintf("P-Extension-%d: %s", i, strings.Repeat("x", 100)))
	}
	l.calls(headers...)
	l.b.Reply(180, "", headers...)
	l.a.Expect(180)
	l.answers()
	l.heard()
	l.ends()
}

// acceptSpelled: RFC 3261 section 7.3.1.
func acceptSpelled(l *ladder) {
	l.a.Invite(l.x, l.a.SDP(), "Content-Type:", "c: application/sdp", "Subject: folded\r\n over\r\n\tlines", "mAX-fORWARDS: 69")
	l.b.Expect(ua.INVITE, with("Max-Forwards", "68"))
	l.b.Reply(180, "")
	l.a.Expect(180)
	l.answers()
	l.heard()
	l.ends()
}

func acceptOptions(l *ladder) {
	l.a.Outside(ua.OPTIONS, l.x, "")
	m := l.a.Expect(200)
	require.True(l, m.Has("Allow", "INVITE"))
	require.False(l, m.Has("Allow", "REFER"))
	l.talks()
	for _, who := range []*ua.Agent{l.a, l.b} {
		who.Request(ua.OPTIONS, "")
		who.Expect(200)
	}
	l.ends()
}

// acceptPhone: a nonce that is not ours any more is told to be stale, a proof
// does not serve twice, and X reaches the phone where it registered.
func acceptPhone(l *ladder) {
	var station *ua.Station
	l.exchange.Unline(l.b)
	station, l.b = l.stranger(l.T, "B", l.numberB)
	l.more = append(l.more, l.b)
	l.b.Outside(ua.REGISTER, l.numberB, "")
	challenge := l.b.Expect(401).Get("WWW-Authenticate")
	require.NotEqual(l, "true", ua.Challenged(challenge)["stale"])
	register := func(challenge, password string, count int) {
		l.b.Request(ua.REGISTER, "", "Authorization: "+ua.Credentials(challenge, l.numberB, password, ua.REGISTER, l.b.Call.Target, count), "Expires: 600")
	}
	register(strings.Replace(challenge, ua.Challenged(challenge)["nonce"], "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 1), password, 1)
	challenge = l.b.Expect(401).Get("WWW-Authenticate")
	require.Equal(l, "true", ua.Challenged(challenge)["stale"])
	register(challenge, "wrong", 1)
	require.NotEqual(l, "true", ua.Challenged(l.b.Expect(401).Get("WWW-Authenticate"))["stale"])
	register(challenge, password, 1)
	l.b.Expect(200)
	register(challenge, password, 1)
	challenge = l.b.Expect(401).Get("WWW-Authenticate")
	require.Equal(l, "true", ua.Challenged(challenge)["stale"])
	register(challenge, password, 1)
	l.b.Expect(200)
	l.a.Invite(l.x, l.a.SDP())
	m := l.b.Expect(ua.INVITE)
	require.Equal(l, l.xGlobal, ua.User(m.Get("From")))
	l.b.Reply(180, "")
	l.a.Expect(180)
	l.answers()
	l.heard()
	l.ends()
	require.Empty(l, station.Bad())
}

// acceptFlood: a stranger's INVITEs at ten times of what it may send cost it its
// answers; the talk that is up goes on, and a new call is made.
func acceptFlood(l *ladder) {
	l.talks()
	station, who := l.stranger(l.T, "stranger", "13512345678")
	c := who.Outside(ua.OPTIONS, l.x, "")
	who.Expect(200)
	start := time.Now()
	for i := range 10 * floodRate {
		text := c.Text(ua.INVITE, who.SDP(), fmt.Sprintf("Call-ID: flood-%d@stranger", i))
		if c.Try(text) != nil {
			break // the connection was closed: that is an answer too
		}
		time.Sleep(time.Second / (10 * floodRate))
	}
	most := 2*floodRate + int(float64(floodRate)*(time.Since(start).Seconds()+1)) // of what it may send, on a busy machine
	l.heard()
	l.ends()
	answered := make(map[string]bool) // repetitions over UDP are one
	for _, m := range station.Strays() {
		answered[m.Get("Call-ID")] = true
	}
	require.NotEmpty(l, answered)
	require.LessOrEqual(l, len(answered), most, "answers to a flood")
	l.Logf("%d INVITEs of a flood got %d answers", 10*floodRate, len(answered))
}
