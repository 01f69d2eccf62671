package sip

import (
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/wire"
)

// unacked is a 2xx of ours to an INVITE that the peer has not acknowledged: it
// is repeated from T1, doubling up to T2, for 64*T1 (RFC 3261 section 13.3.1.4).
type unacked struct {
	tx    *wire.ServerTx
	res   *sip.Response
	timer *time.Timer
	pause time.Duration
	limit time.Time
}

func (u *unacked) due() <-chan time.Time {
	if u.timer == nil {
		return nil
	}
	return u.timer.C
}

func (u *unacked) waiting() bool { return u.timer != nil }

func (u *unacked) start(tx *wire.ServerTx, res *sip.Response) {
	u.stop()
	*u = unacked{tx: tx, res: res, pause: sip.T1, limit: time.Now().Add(64 * sip.T1), timer: time.NewTimer(sip.T1)}
}

func (u *unacked) stop() {
	if u.timer != nil {
		u.timer.Stop()
		*u = unacked{}
	}
}

// repeatAnswer sends the 2xx again; false: the peer had its time.
func (l *leg) repeatAnswer() bool {
	u := &l.unacked
	if time.Now().After(u.limit) {
		u.stop()
		return false
	}
	_ = u.tx.Repeat(u.res) // if it fails, the next one is due soon
	u.pause = min(2*u.pause, sip.T2)
	u.timer.Reset(u.pause)
	return true
}

// acknowledged takes the ACK of the 2xx that waits for it; false: it is of
// another, or came again.
func (l *leg) acknowledged(ack *sip.Request) bool {
	if !l.unacked.waiting() || ack.CSeq().SeqNo != l.unacked.res.CSeq().SeqNo {
		return false
	}
	l.unacked.stop()
	return true
}
