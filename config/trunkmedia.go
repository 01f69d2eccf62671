package config

import "time"

// TrunkMedia is how audio is exchanged with a trunk.
type TrunkMedia struct {
	RTPTimeout time.Duration `key:"rtp_timeout" help:"without RTP from its side for so long a call ends, unless it is on hold, 5s to 24h; 0: silence ends no call; -1s: media.inactive"`
	RTCPMux    string        `key:"rtcp_mux" help:"RTCP on the port of RTP (RFC 5761): accept it when offered, offer it too, or off"`
}

// asMedia is the RTPTimeout of a trunk that has none of its own.
const asMedia = -time.Second

func (m *TrunkMedia) fresh() { m.RTPTimeout, m.RTCPMux = asMedia, "accept" }

// Silence is the longest silence of the trunk's side in a call: its own limit,
// or 0 if media.inactive is; ok tells whether there is any.
func (m *TrunkMedia) Silence() (limit time.Duration, ok bool) {
	if m.RTPTimeout == asMedia {
		return 0, true
	}
	return m.RTPTimeout, m.RTPTimeout != 0
}

func (k *checker) trunkMedia(key string, m *TrunkMedia) {
	if limit, ok := m.Silence(); ok && limit != 0 {
		k.span(key+".rtp_timeout", m.RTPTimeout, 5*time.Second, 24*time.Hour)
	}
	k.oneOf(key+".rtcp_mux", m.RTCPMux, "accept", "offer", "off")
}
