package sip

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/sip/trunk"
)

func follows(t *trunk.Trunk) { t.Way.Follow3xx = true }

// TestRedirectionIsFollowed: to another server of the trunk, by its address or
// by the trunk's name, however the number is spelled.
func TestRedirectionIsFollowed(t *testing.T) {
	t.Parallel()
	for name, contact := range map[string]string{
		"address":    "<sip:" + numB + "@%s>",
		"spelling":   "<sip:+86" + numB + "@%s;transport=udp;user=phone>",
		"name":       "<sip:" + numB + "@carrier.test>",
		"the better": "<sip:17010000009@192.0.2.1>;q=0.9, <sip:" + numB + "@%s>;q=0.5",
	} {
		t.Run(name, func(t *testing.T) {
			var first *peer
			var z *zone
			w := open(t, byName(t, &first, &z, follows))
			first.to = w.srv.UDPAddr()
			a := w.a.dial(numX, numA, w.mouthA.sdp(1))
			one := first.ring()
			one.contact = contact
			if strings.Contains(contact, "%s") {
				one.contact = fmt.Sprintf(contact, w.b.addr)
			}
			one.says(302, "")
			b := w.b.ring()
			require.Equal(t, "INVITE sip:"+numB+"@carrier.test SIP/2.0", b.invite.start)
			require.NotEqual(t, one.callID, b.callID)
			w.mouthB.talksTo(b.invite)
			b.says(200, w.mouthB.sdp(1))
			b.acked()
			a.response(200, "INVITE")
			a.ack("")
			a.bye()
			b.hungUp()
			rec := w.ends(0, 0)
			require.Equal(t, []int{0, 0}, []int{rec.SIPStatus, rec.UnswReason})
		})
	}
}

// TestRedirectionIsNotFollowed: whatever leads elsewhere ends the call, and
// nobody else is called.
func TestRedirectionIsNotFollowed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		contact string
		off     bool
		ring    bool
	}{
		"it is off":           {contact: "<sip:" + numB + "@%s>", off: true},
		"another number":      {contact: "<sip:13700000003@%s>"},
		"X":                   {contact: "<sip:" + numX + "@%s>"},
		"no number":           {contact: "<sip:%s>"},
		"another host":        {contact: "<sip:" + numB + "@evil.example>"},
		"another address":     {contact: "<sip:" + numB + "@127.0.0.9:5060>"},
		"another port":        {contact: "<sip:" + numB + "@127.0.0.3:1>"},
		"maddr elsewhere":     {contact: "<sip:" + numB + "@%s;maddr=127.0.0.9>"},
		"another transport":   {contact: "<sip:" + numB + "@%s;transport=tcp>"},
		"sips over UDP":       {contact: "<sips:" + numB + "@%s>"},
		"telephone":           {contact: "<tel:+86" + numB + ">"},
		"after it has rung":   {contact: "<sip:" + numB + "@%s>", ring: true},
		"the server asked":    {contact: "<sip:" + numB + "@first>"},
		"the ninth is beyond": {contact: strings.Repeat("<sip:1@evil.example>, ", 8) + "<sip:" + numB + "@%s>"},
	} {
		t.Run(name, func(t *testing.T) {
			var first *peer
			var z *zone
			w := open(t, byName(t, &first, &z, func(tr *trunk.Trunk) { tr.Way.Follow3xx = !c.off }))
			first.to = w.srv.UDPAddr()
			a := w.a.dial(numX, numA, w.mouthA.sdp(1))
			one := first.ring()
			if c.ring {
				one.says(180, "")
				a.response(180, "INVITE")
			}
			one.contact = strings.Replace(c.contact, "@first", "@"+first.addr.String(), 1)
			one.contact = strings.Replace(one.contact, "%s", w.b.addr.String(), 1)
			one.says(302, "")
			m := a.fails(503)
			require.NotContains(t, m.raw, "evil")
			require.Empty(t, m.get("Contact"))
			rec := w.ends(8020, 7506)
			require.Equal(t, []int{302, 23}, []int{rec.SIPStatus, rec.UnswReason})
			w.b.never(0, "a call", func(m msg) bool { return m.method() == "INVITE" })
		})
	}
}

// TestRedirectionsEnd: servers that name each other are asked four times.
func TestRedirectionsEnd(t *testing.T) {
	var first *peer
	var z *zone
	w := open(t, byName(t, &first, &z, follows))
	first.to = w.srv.UDPAddr()
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	for i := range 1 + maxRedirects {
		one, other := first, w.b
		if i%2 == 1 {
			one, other = other, one
		}
		asked := one.ring()
		asked.contact = "<sip:" + numB + "@" + other.addr.String() + ">"
		asked.says(302, "")
	}
	a.fails(503)
	w.ends(8020, 7508)
	for _, p := range []*peer{first, w.b} {
		p.never(0, "another call", func(m msg) bool { return m.method() == "INVITE" })
	}
	require.Zero(t, w.srv.limits.count(w.srv.cfg.Trunks.Out()[0]), "places are given back")
}
