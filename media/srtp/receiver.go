package srtp

import (
	"encoding/binary"
	"errors"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	pion "github.com/pion/srtp/v3"
	"github.com/pion/transport/v5/replaydetector"
)

const (
	// maxSources is how many SSRCs a peer may use under one key, each for RTP and RTCP.
	maxSources = 64
	// maxPacket is the longest packet that is tried with two roll-over counters, in octets.
	maxPacket = 2048
)

// Why a packet is not the peer's. The errors are these values, so that refusing costs little.
var (
	ErrMalformed = errors.New("not an SRTP packet")
	ErrForged    = errors.New("SRTP packet does not authenticate")
	ErrReplayed  = errors.New("SRTP packet came before, or too late to tell")
	ErrSources   = errors.New("SRTP peer has used more SSRCs than are followed")
)

// Counts are packets that were refused, RTP and RTCP.
type Counts struct {
	Malformed uint64
	Forged    uint64 // not protected with the peer's key
	Replayed  uint64 // authentic perhaps, and seen before or older than the window
	Sources   uint64 // of an SSRC beyond those followed
}

// Receiver takes the protection off what a peer sends. Sources that were heard stay known with their roll-over counter and
// replay window until there is a new key, so that a peer may change its SSRC and go back.
type Receiver struct {
	key     Key
	context *pion.Context // of RTP
	control *pion.Context // of RTCP
	// other has another roll-over counter and is tried too until the first packet under a key authenticates. The counter
	// may have gone on or begun anew with the key: RFC 3711 section 3.3.1 says the one, RFC 4568 section 7.1.4 sometimes
	// the other, and peers do either. Or the sequence began high and rolled over before anything of it came. nil: it is
	// clear.
	other   *pion.Context
	guesses int    // how often other may yet take a source for rolled over
	saved   []byte // the packet that is tried, since a failed try may spoil it

	ssrc     uint32 // the newest source of RTP
	heard    bool   // there is one under this key
	sources  int    // of RTP
	controls int    // sources of RTCP
	replayed bool   // what a replay window said last

	counts        Counts
	header        rtp.Header // kept, so that reading one allocates nothing
	controlHeader rtcp.Header
}

// NewReceiver makes the receiver for the peer's key.
func NewReceiver(k Key) (*Receiver, error) {
	r := &Receiver{}
	if err := r.take(k); err != nil {
		return nil, err
	}
	return r, nil
}

// take makes a key the peer's, whose sources are all unknown.
func (r *Receiver) take(k Key) error {
	c, err := r.newContext(k)
	if err != nil {
		return err
	}
	other, err := r.newContext(k)
	if err != nil {
		return err
	}
	r.key, r.context, r.control, r.other, r.guesses = k, c, c, other, maxSources
	r.heard, r.sources, r.controls = false, 0, 0
	r.saved = make([]byte, maxPacket)
	return nil
}

func (r *Receiver) newContext(k Key) (*pion.Context, error) {
	return k.context(pion.SRTPReplayDetectorFactory(r.windows(1<<48-1)), pion.SRTCPReplayDetectorFactory(r.windows(1<<31-1)))
}

// windows makes replay windows for indexes up to last that leave their verdict with the receiver.
func (r *Receiver) windows(last uint64) func() replaydetector.ReplayDetector {
	return func() replaydetector.ReplayDetector {
		d := replaydetector.New(window, last)
		a, ok := d.(replaydetector.CheckAccepter)
		if !ok { // it is, as its documentation says
			return d
		}
		return &observed{d, a, &r.replayed}
	}
}

// observed is a replay window whose verdict can be told from other errors.
type observed struct {
	replaydetector.ReplayDetector
	window   replaydetector.CheckAccepter
	replayed *bool
}

// CheckSeq tells whether a packet with this index may be new.
func (o *observed) CheckSeq(index uint64) replaydetector.Token {
	t := o.window.CheckSeq(index)
	*o.replayed = !t.Passed()
	return t
}

// Accept notes that the packet was authentic.
func (o *observed) Accept(t replaydetector.Token) bool { return o.window.Accept(t) }

// Rekey takes the peer's new key; the same one changes nothing. Packets under the old one are forged from now on. After an
// error the old one stays.
func (r *Receiver) Rekey(k Key) error {
	if k == r.key {
		return nil
	}
	roc, known := r.context.ROC(r.ssrc)
	if err := r.take(k); err != nil {
		return err
	}
	if known && roc > 0 {
		r.context.SetROC(r.ssrc, roc)
		r.guesses = 0
	}
	return nil
}

// Counts are the packets refused since the leg began.
func (r *Receiver) Counts() Counts { return r.counts }

// RTP checks a packet and takes its protection off in place: what it returns is the plain packet at the beginning of b. An
// error is one of this package's, and b is of no use then.
func (r *Receiver) RTP(b []byte) ([]byte, error) {
	if len(b) < 12 || b[0]>>6 != 2 {
		r.counts.Malformed++
		return nil, ErrMalformed
	}
	ssrc := binary.BigEndian.Uint32(b[8:])
	known := r.heard && ssrc == r.ssrc
	if !known {
		if _, known = r.context.ROC(ssrc); !known && r.sources >= maxSources {
			r.counts.Sources++
			return nil, ErrSources
		}
	}
	plain, err := r.open(b)
	if err != nil {
		return nil, r.refused(err)
	}
	if !known || !r.heard {
		r.sources++
	}
	r.ssrc, r.heard = ssrc, true
	return plain, nil
}

// RTCP is RTP for a compound RTCP packet.
func (r *Receiver) RTCP(b []byte) ([]byte, error) {
	if len(b) < 8 || b[0]>>6 != 2 {
		r.counts.Malformed++
		return nil, ErrMalformed
	}
	_, known := r.control.Index(binary.BigEndian.Uint32(b[4:]))
	if !known && r.controls >= maxSources {
		r.counts.Sources++
		return nil, ErrSources
	}
	r.replayed = false
	plain, err := r.control.DecryptRTCP(b[:0], b, &r.controlHeader)
	if err != nil {
		return nil, r.refused(err)
	}
	if !known {
		r.controls++
	}
	return plain, nil
}

// open decrypts an RTP packet, the first under a key with either roll-over counter.
func (r *Receiver) open(b []byte) ([]byte, error) {
	r.replayed = false
	if r.other == nil || len(b) > len(r.saved) {
		return r.context.DecryptRTP(b[:0], b, &r.header)
	}
	n := copy(r.saved, b)
	plain, err := r.context.DecryptRTP(b[:0], b, &r.header)
	if err != nil {
		copy(b, r.saved[:n])
		if plain, err = r.openOther(b); err != nil {
			return nil, err
		}
		r.context = r.other
	}
	r.other, r.saved = nil, nil
	return plain, nil
}

func (r *Receiver) openOther(b []byte) ([]byte, error) {
	if b[2] < 0x80 && r.guesses > 0 { // as low as a sequence number is after a roll-over
		r.guesses--
		r.other.SetROC(binary.BigEndian.Uint32(b[8:]), 1)
	}
	return r.other.DecryptRTP(b[:0], b, &r.header)
}

// refused counts a packet and tells why it is refused.
func (r *Receiver) refused(err error) error {
	switch {
	case r.replayed:
		r.counts.Replayed++
		return ErrReplayed
	case errors.Is(err, pion.ErrFailedToVerifyAuthTag), errors.Is(err, pion.ErrMKINotFound):
		r.counts.Forged++
		return ErrForged
	}
	r.counts.Malformed++
	return ErrMalformed
}
