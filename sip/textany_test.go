package sip

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"axgate/sip/trunk"
	"axgate/sms/rp"
)

// TestAnyBodyOfAText: whatever is in a MESSAGE, it is answered, and the next one
// is taken.
func TestAnyBodyOfAText(t *testing.T) {
	o := newOffice()
	w := open(t, relaying(o, trunk.UE))
	tpdu, err := rp.Submit{Destination: rp.Number("+86" + numX), Content: rp.Content{Text: "hello"}}.Marshal()
	require.NoError(t, err)
	relayed, err := rp.Data{From: rp.Phone, MR: 3, Destination: rp.Number(center), TPDU: tpdu}.Marshal()
	require.NoError(t, err)
	const cpim = "From: <sip:a@b>\r\n\r\nContent-Type: text/plain;charset=gb18030\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8="
	rapid.Check(t, func(rt *rapid.T) {
		body := []byte(rapid.SampledFrom([]string{"", "hello", cpim, string(relayed)}).Draw(rt, "body"))
		for range rapid.IntRange(0, 4).Draw(rt, "changes") {
			if len(body) > 0 {
				body[rapid.IntRange(0, len(body)-1).Draw(rt, "at")] = rapid.Byte().Draw(rt, "octet")
			}
		}
		body = append(body[:rapid.IntRange(0, len(body)).Draw(rt, "length")], rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(rt, "behind")...)
		kind := rapid.SampledFrom([]string{"text/plain", "text/plain;charset=utf-16", "text/plain;charset", "message/cpim", type3GPP, "/", ";"}).Draw(rt, "type")
		d := w.a.texts(numX, numA, string(body), "Content-Type: "+kind)
		w.a.await("an answer", func(m msg) bool { return m.get("Call-ID") == d.callID && m.status() >= 200 })
	})
	w.a.texts(numX, numA, "and this").response(202, "MESSAGE")
	require.Equal(t, "and this", o.last(t).Text)
}

// TestTextsWithOneCallID: who counts up CSeq, or begins with another tag, has
// written another text.
func TestTextsWithOneCallID(t *testing.T) {
	o := newOffice()
	w := open(t, texting(o))
	d := w.a.texts(numX, numA, "hello")
	d.response(202, "MESSAGE")
	w.a.send(d.text("MESSAGE", d.cseq, unique("z9hG4bK"), "hello", "Content-Type: text/plain"))
	eventually(t, "it comes again", func() bool { return o.times() == 2 })
	require.Len(t, o.all(), 1)
	d.mine = unique("m")
	w.a.send(d.text("MESSAGE", d.cseq, unique("z9hG4bK"), "hello", "Content-Type: text/plain"))
	eventually(t, "it is another one", func() bool { return len(o.all()) == 2 })
	d.request("MESSAGE", "hello", "Content-Type: text/plain")
	eventually(t, "and so is the next", func() bool { return len(o.all()) == 3 })
}
