package config

import "time"

// TrunkMedia is how audio is exchanged with a trunk.
type TrunkMedia struct {
	RTPTimeout time.Duration `key:"rtp_timeout" help:"without RTP from its side for so long a call ends, unless it is on hold, 5s to 24h; 0: media.inactive"`
	RTCPMux    string        `key:"rtcp_mux" help:"RTCP on the port of RTP (RFC 5761): accept it when offered, offer it too, or off"`
}

func (m *TrunkMedia) fresh() { m.RTCPMux = "accept" }

func (k *checker) trunkMedia(key string, m *TrunkMedia) {
	if m.RTPTimeout != 0 {
		k.span(key+".rtp_timeout", m.RTPTimeout, 5*time.Second, 24*time.Hour)
	}
	k.oneOf(key+".rtcp_mux", m.RTCPMux, "accept", "offer", "off")
}
