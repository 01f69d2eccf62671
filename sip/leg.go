package sip

import (
	"net"
	"net/netip"
	"strconv"

	"github.com/emiago/sipgo/sip"

	"axgate/media"
	"axgate/routing"
	"axgate/sip/dialog"
	"axgate/sip/sdp"
	"axgate/sip/trunk"
	"axgate/sip/wire"
)

// allow is the Allow header: the methods served inside a call.
const allow = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO"

// inboxSize bounds what waits for one call; a peer that fills it gets 503.
const inboxSize = 64

// what names an input of a call.
type what int

const (
	inRequest  what = iota // a request inside the dialog
	inCancel               // the caller gave up, or took a re-INVITE back
	inAck                  // the ACK of our 2xx
	inResponse             // a response to the callee leg's INVITE
	inFailed               // that INVITE had no answer or could not be sent
	inStray                // a 2xx outside its transaction
)

// input is one message for a call. The readers of the sockets post it; the
// call's goroutine takes it.
type input struct {
	what what
	leg  *leg
	tx   *wire.ServerTx
	req  *sip.Request
	res  *sip.Response
	err  error
}

// leg is what both halves of a call have. All but its inbox belongs to the
// call's goroutine.
type leg struct {
	side   media.Side
	dialog *dialog.Dialog
	host   netip.Addr   // where its peer is; it does not change, so others may read it
	trunk  *trunk.Trunk // the peer's trunk, nil for a phone; likewise
	sdp    *sdp.Session
	agreed sdp.Agreed
	sdpTag string // the peer's tag with which its SDP came
	media  bool   // a port is reserved
	ready  bool   // the peer's SDP was applied
	up     bool   // answered
	gone   bool   // BYE was sent or received, or the leg never came to be
	inbox  chan<- input

	unacked unacked
	byeDue  bool // BYE waits for the ACK
	byeFor  routing.End
	offered bool // our 2xx to a re-INVITE has an offer
	keys    keyMethod
}

// post hands an input to the call; false: its inbox is full.
func (l *leg) post(in input) bool {
	in.leg = l
	select {
	case l.inbox <- in:
		return true
	default:
		return false
	}
}

func hostOf(hostport string) string {
	h, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return hostport
	}
	return h
}

func portOf(hostport string) int {
	_, p, err := net.SplitHostPort(hostport)
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(p)
	return n
}
