package wire

import (
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// serverKey names the transaction of a request (RFC 3261 section 17.2.3), or that
// of another method with the same Via: the INVITE that a CANCEL takes back. An
// ACK belongs to its INVITE.
func serverKey(req *sip.Request, method sip.RequestMethod) (string, error) {
	if method == sip.ACK {
		method = sip.INVITE
	}
	via := req.Via()
	branch, _ := via.Params.Get("branch")
	if !magic(branch) { // RFC 2543: what else names it is in other header fields
		probe := sip.NewRequest(method, sip.Uri{})
		probe.AppendHeader(via)
		probe.AppendHeader(req.From())
		probe.AppendHeader(req.CallID())
		probe.AppendHeader(&sip.CSeqHeader{SeqNo: req.CSeq().SeqNo, MethodName: method})
		return sip.ServerTxKeyMake(probe)
	}
	port := via.Port
	if port <= 0 {
		port = sip.DefaultPort(via.Transport)
	}
	return branch + "\x00" + via.Host + "\x00" + strconv.Itoa(port) + "\x00" + string(method), nil
}

// clientKey names the transaction of a request of ours, or of a response (RFC
// 3261 section 17.1.3).
func clientKey(msg sip.Message) (string, error) {
	branch, _ := msg.Via().Params.Get("branch")
	if !magic(branch) {
		return "", bad("Bad Branch")
	}
	method := msg.CSeq().MethodName
	if method == sip.ACK {
		method = sip.INVITE
	}
	return branch + "\x00" + string(method), nil
}

// magic tells whether a branch is one of RFC 3261, unique by itself.
func magic(branch string) bool {
	return len(branch) > len(sip.RFC3261BranchMagicCookie) && strings.HasPrefix(branch, sip.RFC3261BranchMagicCookie)
}
