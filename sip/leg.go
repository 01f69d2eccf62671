package sip

import (
	"net"
	"net/netip"
	"strconv"
	"sync/atomic"
	"time"

	"axgate/media"
	"axgate/routing"
	"axgate/sip/dialog"
	"axgate/sip/sdp"
	"axgate/sip/trunk"
)

// allow is the Allow header: the methods served inside a call.
const allow = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK"

// leg is what both halves of a call have. All but its inbox belongs to the
// call's goroutine.
type leg struct {
	*branch            // the dialog that is spoken in
	branches []*branch // of a callee's leg: all that its INVITE has made
	// forks are likewise other phones that answered too late, by their tag.
	forks map[string]*dialog.Dialog

	side  media.Side
	host  netip.Addr   // where its peer is; it does not change, so others may read it
	trunk *trunk.Trunk // the peer's trunk, nil for a phone; likewise
	// security is what the leg's audio may be.
	security sdp.Security
	pointed  *branch // whose SDP its audio follows
	media    bool    // a port is reserved
	up       bool    // answered
	gone     bool    // BYE was sent or received, or the leg never came to be
	inbox    *inbox
	hidden   atomic.Pointer[string] // digits that no message of it may hold; nil: nobody is to be hidden

	unacked unacked
	byeDue  bool // BYE waits for the ACK
	byeFor  routing.End
	offered bool // our 2xx to a re-INVITE has an offer
	keys    keyMethod
	keysAt  time.Time // of the last digit that counted
	infos   infos

	session  session // how long it lasts without a refresh; see timer.go
	refresh  alarm   // of ours
	expiry   alarm
	ours     ours // what we want of the peer; see glare.go
	updates  bool // the peer takes UPDATE
	informs  bool // likewise INFO
	soothing soothing
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
