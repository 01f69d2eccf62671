package sip

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"axgate/sip/cpim"
	"axgate/sip/trunk"
	"axgate/sms"
	"axgate/sms/rp"
)

// leakBody draws a body in which A names itself wherever there is room for a
// name, but for the text, and how it is called.
func leakBody(g gossip, text string) (contentType, body string) {
	name := strings.NewReplacer("\r", "", "\n", "").Replace(g.name())
	switch rapid.IntRange(0, 3).Draw(g.t, "form") {
	case 0:
		m := cpim.Message{From: "\"" + name + "\" <sip:" + name + "@h>", To: "<sip:" + numX + "@h>", Type: "text/plain;x=" + g.token(), Body: []byte(text)}
		raw, err := m.Write()
		if err != nil {
			g.t.Fatal(err)
		}
		return typeCPIM, "Subject: " + name + "\r\n" + string(raw)
	case 1:
		tpdu, err := rp.Submit{MR: rapid.Byte().Draw(g.t, "mr"), Destination: rp.Number("+86" + numX), Content: rp.Content{Text: text}}.Marshal()
		if err != nil {
			g.t.Fatal(err)
		}
		return relayed(g, rp.Data{From: rp.Phone, MR: rapid.Byte().Draw(g.t, "ref"), Destination: rp.Number(numA), TPDU: tpdu})
	case 2:
		tpdu, err := rp.Deliver{Originator: rp.Number("+86" + numA), Content: rp.Content{Text: text}}.Marshal()
		if err != nil {
			g.t.Fatal(err)
		}
		return relayed(g, rp.Data{From: rp.Network, MR: rapid.Byte().Draw(g.t, "ref"), Originator: rp.Number(numA), TPDU: tpdu})
	}
	return typePlain + ";charset=utf-8;name=" + g.token(), text
}

func relayed(g gossip, d rp.Data) (string, string) {
	raw, err := d.Marshal()
	if err != nil {
		g.t.Fatal(err)
	}
	return type3GPP, string(raw)
}

// TestNothingLeaksWithATextIn: whatever A says of itself anywhere in a MESSAGE,
// nothing but the text comes to B, and nothing of B to A.
func TestNothingLeaksWithATextIn(t *testing.T) {
	o := newOffice()
	w := open(t, texting(o), func(s *settings) {
		s.trunkB.SendPPI = true
		s.more = append(s.more,
			trunk.Trunk{Name: "cpim", Address: s.trunkB.Address, Texts: trunk.Texts{Form: trunk.CPIM}},
			trunk.Trunk{Name: "ue", Address: s.trunkB.Address, Texts: trunk.Texts{Form: trunk.ThreeGPP, Center: "+8613800100500"}},
			trunk.Trunk{Name: "network", Address: s.trunkB.Address, Texts: trunk.Texts{Form: trunk.ThreeGPP, Role: trunk.Network, Center: "+8613800100500"}})
	})
	rapid.Check(t, func(rt *rapid.T) {
		ga, gb := gossip{rt, numA}, gossip{rt, numB}
		seenA, seenB := len(w.a.everything()), len(w.b.everything())
		text := "meet me at " + unique("gate ")
		contentType, body := leakBody(ga, text)
		a := &side{p: w.a, callID: ga.token(), me: "\"" + ga.name() + "\" <sip:" + numA + "@carrier.example>", other: "<sip:" + numX + "@axgate.example>", mine: ga.token(),
			target: "sip:" + numX + "@" + w.a.to.String(), contact: "\"" + ga.name() + "\" <sip:" + numA + "@" + w.a.addr.String() + ";x=" + numA + ">"}
		had := len(o.all())
		a.request("MESSAGE", body, append(ga.headers(), "Content-Type: "+contentType)...)
		w.a.await("an answer", func(m msg) bool { return m.get("Call-ID") == a.callID && m.status() == 202 })
		require.Equal(rt, had+1, len(o.all()))
		in := o.last(t)
		require.Equal(rt, text, in.Text)
		leakOn(rt, w, sms.Outgoing{ID: in.Key[:32], X: in.X, Receiver: "+86" + numB, Text: in.Text, Pieces: 1, At: time.Now()}, gb)
		for _, raw := range w.b.everything()[seenB:] {
			search(rt, "B", raw, numA, a.callID, a.mine, "127.0.0.2")
		}
		for _, raw := range w.a.everything()[seenA:] {
			search(rt, "A", raw, numB, "127.0.0.3")
		}
	})
	for _, n := range []string{numA, numB} {
		require.Empty(t, hidden(w.logged(), n), "the log names %s", n)
	}
}

// leakOn sends a text on over one of the carriers; B answers and reports, and
// names itself wherever it can.
func leakOn(rt *rapid.T, w *world, out sms.Outgoing, gb gossip) {
	by := rapid.SampledFrom([]string{"b", "cpim", "ue", "network"}).Draw(rt, "carrier")
	done := w.sends(w.srv, by, out)
	m := w.b.request("MESSAGE")
	status := rapid.SampledFrom([]int{200, 202, 202, 404, 480, 603}).Draw(rt, "status")
	w.b.answers(m, status, gb.headers()...)
	if status < 300 && m.get("Content-Type") == type3GPP {
		got, err := rp.Parse([]byte(m.body))
		require.NoError(rt, err)
		d := got.(rp.Data)
		body, err := d.Ack(out.At).Marshal()
		require.NoError(rt, err)
		report := w.b.texts(numX, numB, string(body), append(gb.headers(), "In-Reply-To: "+m.get("Call-ID"), "Content-Type: "+type3GPP)...)
		report.response(202, "MESSAGE")
	}
	err := wait(w.t, done)
	require.Equal(rt, status >= 300, err != nil)
	if err != nil {
		require.Empty(rt, hidden(err.Error(), numB))
	}
}
