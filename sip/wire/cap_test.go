package wire

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// TestFloodOfKnown: a source that is known and acknowledges nothing fills the
// room for transactions, and no more. Dialogs, ACKs and CANCELs get through.
func TestFloodOfKnown(t *testing.T) {
	const room = 20
	h := newCollector()
	h.onReq = func(tx *ServerTx) {
		if !tx.Request.To().Params.Has("tag") {
			_ = tx.Respond(Reply(tx.Request, 503, "Full"))
			return
		}
		if tx.Request.Method == "BYE" {
			_ = tx.Respond(Reply(tx.Request, 200, "OK"))
		}
	}
	s, err := Open(Config{UDP: "127.0.0.1:0", TCP: "127.0.0.1:0", Transactions: room, RetryAfter: 7 * time.Second}, zerolog.Nop())
	require.NoError(t, err)
	s.Serve(h)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	r := newRaw(t)
	answer := func(cseq, wanted string) string { // repetitions of others come between
		for {
			got := r.read(15 * time.Second)
			require.NotEmpty(t, got)
			if strings.Contains(got, "CSeq: "+cseq+"\r\n") && strings.HasPrefix(got, "SIP/2.0 "+wanted) {
				return got
			}
		}
	}
	for i := range 10 * room {
		r.send(s.UDPAddr(), r.request("INVITE", fmt.Sprint("f", i), i+1, ""))
		want := "503 Full"
		if i >= room {
			want = "503 Service Unavailable"
		}
		answer(fmt.Sprint(i+1, " INVITE"), want)
		require.LessOrEqual(t, s.Transactions(), room)
	}
	require.EqualValues(t, 9*room, s.Overflow())
	require.Len(t, h.txs, room, "of the others nobody hears")

	// Its answer is the same each time.
	tag := regexp.MustCompile(`To: .*;tag=(\w+)`)
	var last string
	for range 2 {
		r.send(s.UDPAddr(), r.request("INVITE", "again", 1000, ""))
		got := answer("1000 INVITE", "503 Service Unavailable")
		require.Contains(t, got, "Retry-After: 7\r\n")
		m := tag.FindStringSubmatch(got)
		require.NotNil(t, m, got)
		require.True(t, last == "" || last == m[1])
		last = m[1]
	}
	r.send(s.UDPAddr(), r.request("ACK", "again", 1000, last))
	require.Eventually(t, func() bool { return len(h.acks) == 1 }, 15*time.Second, time.Millisecond)

	r.send(s.UDPAddr(), r.request("BYE", "bye", 1001, "b1"))
	answer("1001 BYE", "200 OK")
	r.send(s.UDPAddr(), r.request("INVITE", "re", 1002, "b1"))
	require.Eventually(t, func() bool { return len(h.txs) == room+2 }, 15*time.Second, time.Millisecond)
	r.send(s.UDPAddr(), r.request("CANCEL", "re", 1002, "b1"))
	answer("1002 CANCEL", "200 OK")
	require.Len(t, h.cancels, 1)

	// A flood that claims to be in dialogs is bounded as well.
	for i := range 3 * room {
		r.send(s.UDPAddr(), r.request("INVITE", fmt.Sprint("d", i), 2000+i, "b1"))
	}
	answer(fmt.Sprint(2000+3*room-1, " INVITE"), "503 Service Unavailable")
	require.LessOrEqual(t, s.Transactions(), 2*room)

	// Each ACK makes room.
	for i := range room {
		r.send(s.UDPAddr(), r.request("ACK", fmt.Sprint("f", i), i+1, "x"))
	}
	require.Eventually(t, func() bool { return s.Transactions() <= room }, 15*time.Second, time.Millisecond)
}

// TestLateIsBounded: what is kept of finished transactions is bounded by number
// and bytes, and the newest are kept.
func TestLateIsBounded(t *testing.T) {
	var l lateAnswers
	l.init(time.Hour)
	l.most, l.mostBytes = 100, 1000
	for i := range 310 {
		l.put(fmt.Sprint(i), answer{})
	}
	require.LessOrEqual(t, len(l.new)+len(l.old), 200)
	for key, want := range map[string]bool{"309": true, "201": true, "1": false} {
		_, ok := l.get(key)
		require.Equal(t, want, ok, key)
	}
	for i := range 90 {
		l.put(fmt.Sprint("b", i), answer{raw: make([]byte, 100)})
	}
	require.LessOrEqual(t, len(l.new)+len(l.old), 20)
}
