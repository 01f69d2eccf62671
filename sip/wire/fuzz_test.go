package wire

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"
)

// FuzzDatagram has no bytes of a datagram make us panic, or answer more than
// they are worth: a stranger's address may be forged.
func FuzzDatagram(f *testing.F) {
	for _, raw := range tortures(f) {
		f.Add(raw)
	}
	from := Peer{Addr: netip.MustParseAddrPort("192.0.2.9:5060"), Transport: "UDP"}
	s := &Stack{log: zerolog.Nop()}
	f.Fuzz(func(t *testing.T, data []byte) {
		msg, h, err := s.parse(data, false, Peer{})
		if err != nil {
			raw := refusal(h, err, from)
			if raw == nil {
				return
			}
			if len(raw) > len(data)+400 {
				t.Fatalf("%d bytes are answered with %d", len(data), len(raw))
			}
			if _, _, err := readHead(raw); err != nil {
				t.Fatalf("the refusal is malformed: %v\n%q", err, raw)
			}
			return
		}
		switch m := msg.(type) {
		case *sip.Request:
			m.SetSource(from.Addr.String())
			if _, err := sip.ServerTxKeyMake(m); err != nil {
				return
			}
			replyAddr(m, from)
			answer := []byte(Reply(m, 486, "Busy Here").String())
			if len(answer) > 2*len(data)+1000 {
				t.Fatalf("%d bytes are answered with %d", len(data), len(answer))
			}
			again, _, err := s.parse(answer, false, Peer{})
			if err != nil {
				t.Fatalf("our answer is malformed: %v\n%q", err, answer)
			}
			want, _ := m.From().Params.Get("tag")
			if got, _ := again.From().Params.Get("tag"); got != want {
				t.Fatalf("tag %q came back as %q", want, got)
			}
			if again.CSeq().Value() != m.CSeq().Value() || again.CallID().Value() != m.CallID().Value() {
				t.Fatalf("the answer is for another request:\n%q", answer)
			}
		case *sip.Response:
			_, _ = sip.ClientTxKeyMake(m)
		}
	})
}

// FuzzStream has a stream cut anywhere give the same messages, and the same
// end.
func FuzzStream(f *testing.F) {
	for _, raw := range tortures(f) {
		f.Add(raw, []byte{1, 7, 40})
		f.Add(append(append([]byte("\r\n\r\n"), raw...), raw...), []byte{200})
	}
	f.Fuzz(func(t *testing.T, data, cuts []byte) {
		whole, wholeEnd := frames(data, nil)
		parts, partsEnd := frames(data, cuts)
		if len(whole) != len(parts) || wholeEnd != partsEnd {
			t.Fatalf("%d messages and %q, in parts %d and %q", len(whole), wholeEnd, len(parts), partsEnd)
		}
		for i := range whole {
			if !bytes.Equal(whole[i], parts[i]) {
				t.Fatalf("message %d differs:\n%q\n%q", i, whole[i], parts[i])
			}
		}
	})
}

// frames is what comes out of a stream, and why it ended; keep-alives count as
// messages.
func frames(data, cuts []byte) (all [][]byte, end string) {
	var f framer
	for i := 0; len(data) > 0; i++ {
		n := len(data)
		if len(cuts) > 0 {
			n = min(n, 1+int(cuts[i%len(cuts)]))
		}
		f.feed(data[:n])
		data = data[n:]
		for {
			msg, err := f.next()
			if errors.Is(err, errPing) {
				all = append(all, crlf)
				continue
			}
			if err != nil {
				return all, err.Error()
			}
			if msg == nil {
				break
			}
			all = append(all, bytes.Clone(msg))
		}
		if len(f.buf) > maxHead+maxDatagram+4 {
			return all, "too much held"
		}
	}
	return all, ""
}
