package wire

import (
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"
)

// TestTextIsWhatSipgoWrites: a text has the bytes of String, and its fields are
// the header's, of messages of every spelling.
func TestTextIsWhatSipgoWrites(t *testing.T) {
	msgs := map[string]sip.Message{}
	for name, raw := range tortures(t) {
		if msg, _, err := parser().parse(raw, false, Peer{}); err == nil {
			msgs[name] = msg
		}
	}
	require.Greater(t, len(msgs), 30)
	for _, uri := range []sip.Uri{
		{Host: "a"}, {Scheme: "sips", User: "u", Password: "p", Host: "2001:db8::1", Port: 5061}, {Scheme: "sip", Host: "[2001:db8::1]"}, {Scheme: "sip", Host: "::1"},
		{Scheme: "sip", HierarhicalSlashes: true, Host: "h"}, {Scheme: "sip", Host: "a:b"},
		{Scheme: "sip", Host: "h", UriParams: sip.HeaderParams{{K: "lr"}, {K: "a", V: "b c"}, {K: "d", V: "e"}}, Headers: sip.HeaderParams{{K: "x", V: "y"}, {K: "z"}}},
	} {
		req := sip.NewRequest(sip.INVITE, uri)
		req.AppendHeader(&sip.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: "UDP", Host: uri.Host, Port: uri.Port, Params: uri.UriParams})
		req.AppendHeader(&sip.FromHeader{DisplayName: "x\r\nSubject: y", Address: uri, Params: uri.UriParams})
		req.AppendHeader(&sip.ToHeader{Address: uri})
		req.AppendHeader(&sip.ContactHeader{Address: uri, Params: uri.UriParams})
		req.AppendHeader(&sip.ContactHeader{Address: sip.Uri{Wildcard: true}})
		req.AppendHeader(&sip.RouteHeader{Address: uri})
		req.AppendHeader(&sip.CSeqHeader{SeqNo: 1<<31 - 1, MethodName: "x"})
		hops := sip.MaxForwardsHeader(70)
		req.AppendHeader(&hops)
		req.AppendHeader(sip.NewHeader("Empty", ""))
		req.SetBody([]byte("body"))
		msgs[uri.String()] = req
	}
	for name, msg := range msgs {
		text := TextOf(msg)
		require.Equal(t, msg.String(), string(text.Bytes()), name)
		require.Equal(t, string(msg.Body()), string(text.Body()), name)
		headers := msg.(interface{ Headers() []sip.Header }).Headers()
		for field, value := range text.Fields {
			require.Equal(t, headers[0].Name(), field, name)
			require.Equal(t, headers[0].Value(), string(value), name)
			headers = headers[1:]
		}
		require.Empty(t, headers, name)
	}
}
