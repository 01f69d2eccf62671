package trunk

import (
	"fmt"
	"time"

	"axgate/sip/sdp"
)

// Media is how audio is exchanged with a trunk, beside its codecs.
type Media struct {
	Timeout time.Duration // without its RTP for so long a call ends, unless it is on hold; 0: that of the node
	Patient bool          // no silence of it ends a call, whatever Timeout says
	Mux     sdp.Mux       // RTCP on the port of RTP
}

// The bounds of Media.Timeout: shorter ones end calls for the silence between
// two words, longer ones leave lines open that nobody is on.
const (
	minTimeout = 5 * time.Second
	maxTimeout = 24 * time.Hour
)

func (m *Media) complete() error {
	if m.Timeout != 0 && (m.Timeout < minTimeout || m.Timeout > maxTimeout) {
		return fmt.Errorf("rtp timeout %v: use %v to %v, or 0 for that of the node", m.Timeout, minTimeout, maxTimeout)
	}
	return nil
}
