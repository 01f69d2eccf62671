package sip

import (
	"errors"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/dialog"
	"axgate/sip/sdp"
)

// branch is one dialog of a leg, and what was agreed in it. The caller's leg
// has one; that of a callee has one for each To tag under which its INVITE was
// answered (RFC 3261 section 12.1.2), each with its own route set, sequence
// numbers and SDP. The leg's own branch is the one that spoke last, and after
// the answer the one that answered.
type branch struct {
	dialog *dialog.Dialog
	sdp    *sdp.Session
	agreed sdp.Agreed
	ready  bool // the peer's SDP was taken

	firm   bool   // what was agreed came in messages that were acknowledged
	theirs string // the SDP that a callee's side sent last
	moved  bool   // an UPDATE has changed it since: SDP in the answer to our INVITE is of before
	rseq   uint32 // of its last reliable response; 0: there was none
	gate   string // what it says of its early media
}

// maxBranches bounds how many phones may ring for one INVITE, and how many
// further answers to it are hung up.
const maxBranches = 8

// turn finds the dialog of a request by its tags, and makes it the leg's own
// branch. The errors are those of dialog.Check.
func (l *leg) turn(req *sip.Request) error {
	if !l.up {
		for _, br := range l.branches {
			if err := br.dialog.Check(req); !errors.Is(err, dialog.ErrTags) {
				l.branch = br
				return err
			}
		}
	}
	return l.branch.dialog.Check(req)
}

// with is the dialog that a request of ours is in; nil: there is none, or nobody
// has answered in it.
func (l *leg) with(req *sip.Request) *dialog.Dialog {
	tag, _ := req.To().Params.Get("tag")
	for _, br := range append([]*branch{l.branch}, l.branches...) {
		if br.dialog.RemoteTag() == tag {
			return br.dialog
		}
	}
	return l.forks[tag]
}

// hear makes the dialog of a response to our INVITE the leg's own branch; the
// first response with a tag begins one. false: there are too many, and this is
// no answer.
func (b *calleeLeg) hear(res *sip.Response) bool {
	br := b.of(res)
	switch {
	case br == nil && len(b.branches) >= maxBranches && res.StatusCode < 200:
		return false
	case br == nil:
		br = b.fork(res)
		b.branches = append(b.branches, br)
	case res.StatusCode < 200 && br.dialog.RemoteTag() != "":
		br.dialog.Refresh(res)
	default: // the route set is that of the answer (RFC 3261 section 13.2.2.4)
		br.dialog.Confirm(res)
	}
	b.branch = br
	return true
}

// of is the branch that a response belongs to, nil if it begins one. What says
// nothing of its tag is of the branch that spoke last, and what began without
// one goes on under the first that comes.
func (b *calleeLeg) of(res *sip.Response) *branch {
	tag, _ := res.To().Params.Get("tag")
	if tag == "" && len(b.branches) > 0 {
		return b.branch
	}
	var nameless *branch
	for _, br := range b.branches {
		switch br.dialog.RemoteTag() {
		case tag:
			return br
		case "":
			nameless = br
		}
	}
	return nameless
}

// fork is the branch that a response begins: as the INVITE left it.
func (b *calleeLeg) fork(res *sip.Response) *branch {
	return &branch{dialog: b.root.dialog.Fork(res), sdp: b.root.sdp.Fork()}
}
