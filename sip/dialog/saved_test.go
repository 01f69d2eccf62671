package dialog

import (
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"

	"axgate/sip/wire"
)

// elsewhere is another node.
var elsewhere = Local{Contact: sip.Uri{Scheme: "sip", User: "18012345678", Host: "192.0.2.9", Port: 5060}, SentBy: "192.0.2.9:5060", Agent: "axgate", Allow: me.Allow}

func restored(t *testing.T, d *Dialog, home wire.Peer) *Dialog {
	t.Helper()
	text, err := json.Marshal(d.Save())
	require.NoError(t, err)
	var saved Saved
	require.NoError(t, json.Unmarshal(text, &saved))
	return Restored(saved, home, elsewhere)
}

// TestRestored: requests of another node are in the same dialog, by the same way and
// with a higher CSeq; its Contact is its own.
func TestRestored(t *testing.T) {
	d := Answering(incoming(t, "Record-Route: <sip:192.0.2.40;lr;ftag=x>, <sip:192.0.2.41:5070;lr>", "Contact: <sip:13800000001@198.51.100.8:5062;user=phone;ob>"), caller, me)
	require.NoError(t, d.Check(inside(t, "INFO", 320, ";tag="+d.LocalTag(), ";tag=theirs")))
	was, to := d.Request(sip.INVITE, "application/sdp", []byte("v=0\r\n"))
	other := restored(t, d, wire.Peer{})
	is, next := other.Request(sip.INVITE, "application/sdp", []byte("v=0\r\n"))
	require.Equal(t, to, next)
	require.Equal(t, routes(was), routes(is))
	require.Equal(t, was.Recipient.String(), is.Recipient.String())
	for _, name := range []string{"From", "To", "Call-ID"} {
		require.Equal(t, was.GetHeader(name).Value(), is.GetHeader(name).Value())
	}
	require.Greater(t, is.CSeq().SeqNo, was.CSeq().SeqNo+1000)
	require.Equal(t, "sip:18012345678@192.0.2.9:5060", is.Contact().Address.String())
	require.True(t, other.Named(is.Recipient.String()), "it is still the peer's own word")
	require.ErrorIs(t, other.Check(inside(t, "BYE", 319, ";tag="+d.LocalTag(), ";tag=theirs")), ErrOldCSeq)
	require.NoError(t, other.Check(inside(t, "BYE", 321, ";tag="+d.LocalTag(), ";tag=theirs")))
}

// TestRestoredOverConnections: those that the peer had made are gone: it is connected
// to where it can be.
func TestRestoredOverConnections(t *testing.T) {
	at := func(addr, transport string) wire.Peer {
		return wire.Peer{Addr: netip.MustParseAddrPort(addr), Transport: transport}
	}
	home := at("198.51.100.7:5061", "TLS")
	for name, c := range map[string]struct {
		peer   wire.Peer
		behind bool
		line   string
		want   string
	}{
		"to the Contact":                        {at("198.51.100.7:40000", "TCP"), false, "X: y", "TCP 198.51.100.7:5062"},
		"to the proxy":                          {at("192.0.2.40:40000", "TCP"), true, "Record-Route: <sip:192.0.2.40:5070;transport=tcp;lr>", "TCP 192.0.2.40:5070"},
		"to the trunk's server":                 {at("198.51.100.7:40000", "TLS"), false, "X: y", "TLS 198.51.100.7:5061"},
		"nowhere, behind a NAT":                 {at("198.51.100.7:40000", "TCP"), true, "X: y", "TCP 198.51.100.7:40000"},
		"UDP: where its messages had come from": {at("198.51.100.7:40000", "UDP"), true, "X: y", "UDP 198.51.100.7:40000"},
	} {
		t.Run(name, func(t *testing.T) {
			d := Answering(incoming(t, c.line, "Contact: <sip:13800000001@198.51.100.7:5062>"), c.peer, me)
			d.Behind = c.behind
			_, to := restored(t, d, home).Request(sip.BYE, "", nil)
			require.Equal(t, c.want, to.String())
		})
	}
}

// TestRestoredURIs: addresses come back word for word.
func TestRestoredURIs(t *testing.T) {
	for _, text := range []string{"sip:a@b.example", "sips:a:pw@[2001:db8::1]:5071;transport=tls;x=%20?h=v", "tel:+8613800000001;phone-context=+86", "sip:192.0.2.1;lr"} {
		var u sip.Uri
		require.NoError(t, sip.ParseUri(text, &u))
		saved := saveURI(&u)
		back := saved.uri()
		require.Equal(t, u.String(), back.String())
	}
}
