package dialog

import (
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"

	"axgate/sip/wire"
)

// TestInviteIsMadeFromNothing: a request has the headers of RFC 3261 section
// 8.1.1 and no others; nothing of a dialog that was there before is in it.
func TestInviteIsMadeFromNothing(t *testing.T) {
	a := Answering(incoming(t, "Contact: <sip:real@198.51.100.7>", "Record-Route: <sip:198.51.100.1;lr>", "Subject: real", "X-Real: 13800000001"), caller, me)
	b, invite := calling()
	require.Equal(t, []string{"Via", "Max-Forwards", "From", "To", "Call-ID", "CSeq", "User-Agent", "Contact", "Allow", "Content-Type", "Content-Length"}, names(invite.Headers()))
	require.Equal(t, "sip:13900000009@203.0.113.9", invite.Recipient.String())
	require.Equal(t, "<sip:18012345678@192.0.2.1>;tag="+b.LocalTag(), invite.From().Value())
	require.Equal(t, "<sip:13900000009@203.0.113.9>", invite.To().Value())
	require.Equal(t, "<sip:18012345678@192.0.2.1:5060>", invite.Contact().Value())
	require.Equal(t, "69", invite.MaxForwards().Value())
	require.Equal(t, "INVITE, ACK, BYE, CANCEL", invite.GetHeader("Allow").Value())
	require.Equal(t, "axgate", invite.GetHeader("User-Agent").Value())
	require.Equal(t, "application/sdp", invite.GetHeader("Content-Type").Value())
	require.Equal(t, "v=0\r\n", string(invite.Body()))
	for _, theirs := range []string{"13800000001", "198.51.100", "real", "theirs", a.CallID, a.LocalTag(), "z9hG4bKa", "314", "Li Wei"} {
		require.NotContains(t, invite.String(), theirs)
	}
	via := invite.Via()
	require.Equal(t, []any{"SIP", "2.0", "UDP", "192.0.2.1", 5060}, []any{via.ProtocolName, via.ProtocolVersion, via.Transport, via.Host, via.Port})
	require.True(t, strings.HasPrefix(via.Params.GetOr("branch", ""), sip.RFC3261BranchMagicCookie))
	require.True(t, via.Params.Has("rport"), "RFC 3581")

	quiet := me
	quiet.Agent = ""
	req, _ := Calling(sip.Uri{}, "", sip.Uri{Host: "h"}, callee, quiet).Invite(70, nil)
	require.Nil(t, req.GetHeader("User-Agent"))
	require.Nil(t, req.GetHeader("Content-Type"), "an INVITE without an offer has no body")
}

// TestRequestsInside the dialog have its names the right way round.
func TestRequestsInside(t *testing.T) {
	d := Answering(incoming(t, "Subject: real"), caller, me)
	bye, to := d.Request(sip.BYE, "", nil)
	require.Equal(t, caller, to)
	require.Equal(t, []string{"Via", "Max-Forwards", "From", "To", "Call-ID", "CSeq", "User-Agent", "Content-Length"}, names(bye.Headers()))
	require.Equal(t, "<sip:18012345678@192.0.2.1>;tag="+d.LocalTag(), bye.From().Value())
	require.Equal(t, "<sip:13800000001@198.51.100.7>;tag=theirs", bye.To().Value())
	require.Equal(t, "a1@198.51.100.7", bye.CallID().Value())
	require.Equal(t, "sip:13800000001@198.51.100.7", bye.Recipient.String(), "there was no Contact")
	require.Equal(t, "70", bye.MaxForwards().Value())

	again, _ := d.Request(sip.BYE, "", nil)
	require.NotEqual(t, bye.Via().Params.GetOr("branch", ""), again.Via().Params.GetOr("branch", ""))
	for _, method := range []sip.RequestMethod{sip.INVITE, sip.UPDATE} { // target refresh requests have a Contact
		req, _ := d.Request(method, "application/sdp", []byte("v=0\r\n"))
		require.Equal(t, "<sip:18012345678@192.0.2.1:5060>", req.Contact().Value())
		require.Equal(t, "application/sdp", req.GetHeader("Content-Type").Value())
	}
}

// TestAck (RFC 3261 section 13.2.2.4): the number of its INVITE, a branch of
// its own, and the same ACK for each repetition of the 2xx.
func TestAck(t *testing.T) {
	d, invite := calling()
	ok := response(t, invite, "200 OK", ";tag=1", "Contact: <sip:phone@203.0.113.9:5070>", "Record-Route: <sip:203.0.113.1;lr>")
	_, _, was := d.AckAgain(ok)
	require.False(t, was, "none was sent")
	d.Confirm(ok)
	ack, to := d.Ack(ok.CSeq().SeqNo)
	require.Equal(t, "UDP 203.0.113.1:5060", to.String())
	require.Equal(t, "sip:phone@203.0.113.9:5070", ack.Recipient.String())
	require.Equal(t, []string{"<sip:203.0.113.1;lr>"}, routes(ack))
	require.Equal(t, []string{"1 ACK", "<sip:13900000009@203.0.113.9>;tag=1", invite.From().Value(), invite.CallID().Value()},
		[]string{ack.CSeq().Value(), ack.To().Value(), ack.From().Value(), ack.CallID().Value()})
	require.NotEqual(t, invite.Via().Params.GetOr("branch", ""), ack.Via().Params.GetOr("branch", ""))
	require.Nil(t, ack.GetHeader("Contact"))

	again, toAgain, was := d.AckAgain(ok)
	require.True(t, was)
	require.Equal(t, ack.String(), again.String())
	require.Equal(t, to, toAgain)
	re, _ := d.Request(sip.INVITE, "application/sdp", []byte("v=0\r\n"))
	_, _, was = d.AckAgain(response(t, re, "200 OK", ""))
	require.False(t, was, "another INVITE's 2xx has another ACK")
}

// TestFork: a further 2xx is a dialog of its own (RFC 3261 section 13.2.2.4).
func TestFork(t *testing.T) {
	d, invite := calling()
	d.Confirm(response(t, invite, "200 OK", ";tag=1", "Contact: <sip:one@203.0.113.1>", "Record-Route: <sip:203.0.113.5;lr>"))
	first, _ := d.Ack(1)
	require.NoError(t, d.Check(message[*sip.Request](t, "BYE sip:x@h SIP/2.0", "From: <sip:13900000009@203.0.113.9>;tag=1", "To: <sip:18012345678@192.0.2.1>;tag="+d.LocalTag(),
		"Call-ID: "+d.CallID, "CSeq: 900 BYE")))

	late := response(t, invite, "200 OK", ";tag=2", "Contact: <sip:two@203.0.113.2>")
	f := d.Fork(late)
	_, _, was := f.AckAgain(late)
	require.False(t, was, "the ACK of the first phone is not for the second")
	ack, _ := f.Ack(1)
	bye, to := f.Request(sip.BYE, "", nil)
	for _, req := range []*sip.Request{ack, bye} {
		require.Equal(t, "sip:two@203.0.113.2", req.Recipient.String())
		require.Equal(t, "2", req.To().Params.GetOr("tag", ""))
		require.Equal(t, d.LocalTag(), req.From().Params.GetOr("tag", ""))
		require.Empty(t, routes(req))
	}
	require.Equal(t, "UDP 203.0.113.2:5060", to.String())
	require.Equal(t, "2 BYE", bye.CSeq().Value())
	require.NoError(t, f.Check(message[*sip.Request](t, "BYE sip:x@h SIP/2.0", "From: <sip:13900000009@203.0.113.9>;tag=2", "To: <sip:18012345678@192.0.2.1>;tag="+d.LocalTag(),
		"Call-ID: "+d.CallID, "CSeq: 1 BYE")), "each phone counts for itself")

	again, _, was := d.AckAgain(late)
	require.True(t, was)
	require.Equal(t, first.String(), again.String(), "the first dialog is as it was")
	require.Equal(t, "1", d.RemoteTag())

	nowhere := d.Fork(response(t, invite, "200 OK", ";tag=3"))
	bye, _ = nowhere.Request(sip.BYE, "", nil)
	require.Equal(t, "sip:13900000009@203.0.113.9", bye.Recipient.String(), "not the Contact of the first phone")
}

// TestConfirmMovesTheDialog: caller-tune servers answer 183 and 200 under
// different tags.
func TestConfirmMovesTheDialog(t *testing.T) {
	d, invite := calling()
	d.Confirm(response(t, invite, "183 Session Progress", ";tag=tune", "Contact: <sip:tune@203.0.113.1>", "Record-Route: <sip:203.0.113.5;lr>"))
	d.Confirm(response(t, invite, "200 OK", ";tag=phone", "Contact: <sip:phone@203.0.113.2>"))
	bye, _ := d.Request(sip.BYE, "", nil)
	require.Equal(t, []string{"phone", "sip:phone@203.0.113.2"}, []string{bye.To().Params.GetOr("tag", ""), bye.Recipient.String()})
	require.Empty(t, routes(bye))
}

// TestCancel copies what RFC 3261 section 9.1 says, and nothing else.
func TestCancel(t *testing.T) {
	d, invite := calling()
	d.Confirm(response(t, invite, "180 Ringing", ";tag=1", "Contact: <sip:phone@203.0.113.9:5070>"))
	invite.AppendHeader(sip.NewHeader("Proxy-Authorization", "Digest x"))
	invite.AppendHeader(&sip.RouteHeader{Address: sip.Uri{Scheme: "sip", Host: "203.0.113.1"}})
	cancel := Cancel(invite, "Q.850;cause=16")
	require.Equal(t, []string{"Via", "Route", "Max-Forwards", "From", "To", "Call-ID", "CSeq", "Reason", "Content-Length"}, names(cancel.Headers()))
	require.Equal(t, invite.Recipient.String(), cancel.Recipient.String())
	for _, name := range []string{"Via", "Route", "From", "To", "Call-ID"} {
		require.Equal(t, invite.GetHeader(name).Value(), cancel.GetHeader(name).Value(), name)
	}
	require.False(t, cancel.To().Params.Has("tag"))
	require.Equal(t, "1 CANCEL", cancel.CSeq().Value())
	require.Equal(t, "Q.850;cause=16", cancel.GetHeader("Reason").Value())
	require.Empty(t, cancel.Body())
	require.Nil(t, Cancel(invite, "").GetHeader("Reason"))
}

// TestReply: a response has the dialog's tag, and Contact only where it makes
// or keeps a dialog; nothing else of the request comes back (RFC 3261 sections
// 8.2.6.2 and 12.1.1).
func TestReply(t *testing.T) {
	invite := incoming(t, "Contact: <sip:real@198.51.100.7>", "Record-Route: <sip:198.51.100.1;lr>", "Record-Route: <sip:198.51.100.2;lr>",
		"Subject: real", "X-Real: 1", "P-Asserted-Identity: <tel:+8613800000001>", "Supported: timer")
	d := Answering(invite, caller, me)
	ours := "<sip:18012345678@192.0.2.1>;tag=" + d.LocalTag()
	head := []string{"Via", "From", "To", "Call-ID", "CSeq", "Content-Length"}
	full := []string{"Via", "Record-Route", "Record-Route", "From", "To", "Call-ID", "CSeq", "Content-Length", "Contact", "Allow"}
	for _, c := range []struct {
		status int
		to     string
		names  []string
	}{
		{100, "<sip:18012345678@192.0.2.1>", head}, {180, ours, full}, {183, ours, full}, {200, ours, full}, {302, ours, head}, {486, ours, head}, {603, ours, head},
	} {
		res := d.Reply(invite, c.status, "Phrase")
		require.Equal(t, c.to, res.To().Value(), c.status)
		require.ElementsMatch(t, c.names, names(res.Headers()), c.status)
		for _, name := range []string{"From", "Call-ID", "CSeq"} {
			require.Equal(t, invite.GetHeader(name).Value(), res.GetHeader(name).Value())
		}
	}
	res := d.Reply(invite, 200, "OK")
	require.Equal(t, "<sip:18012345678@192.0.2.1:5060>", res.Contact().Value())
	require.Equal(t, []string{"<sip:198.51.100.1;lr>", "<sip:198.51.100.2;lr>"}, []string{res.GetHeaders("Record-Route")[0].Value(), res.GetHeaders("Record-Route")[1].Value()})

	bye := inside(t, "BYE", 315, ";tag="+d.LocalTag(), ";tag=theirs")
	res = d.Reply(bye, 200, "OK")
	require.Equal(t, ours, res.To().Value(), "one tag, not two")
	require.ElementsMatch(t, head, names(res.Headers()))
	require.Equal(t, wire.Reply(bye, 200, "OK").To().Value(), res.To().Value())
}

// TestAckHasTheProofs of its INVITE (RFC 3261 section 13.2.2.4), also that of
// another fork; an INVITE that came later without any takes them away.
func TestAckHasTheProofs(t *testing.T) {
	d, invite := calling()
	invite.AppendHeader(sip.NewHeader("Proxy-Authorization", "Digest a"))
	invite.AppendHeader(sip.NewHeader("Proxy-Authorization", "Digest b"))
	invite.AppendHeader(sip.NewHeader("Authorization", "Digest c"))
	d.Proved(invite)
	ok := response(t, invite, "200 OK", ";tag=1")
	for _, one := range []*Dialog{d, d.Fork(ok)} {
		ack, _ := one.Ack(1)
		require.Len(t, ack.GetHeaders("Proxy-Authorization"), 2)
		require.Equal(t, "Digest c", ack.GetHeader("Authorization").Value())
	}
	require.Nil(t, Cancel(invite, "").GetHeader("Authorization"), "nobody may ask a CANCEL for a proof")
	bye, _ := d.Request(sip.BYE, "", nil)
	require.Nil(t, bye.GetHeader("Authorization"))
	again, _ := d.Invite(70, nil)
	d.Proved(again)
	ack, _ := d.Ack(again.CSeq().SeqNo)
	require.Nil(t, ack.GetHeader("Authorization"))
}
