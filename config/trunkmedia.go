package config

import (
	"reflect"
	"time"
)

// TrunkMedia is how audio is exchanged with a trunk.
type TrunkMedia struct {
	RTPTimeout string `key:"rtp_timeout" help:"without RTP from its side for so long a call ends, unless it is on hold, 5s to 24h; 0: silence ends no call; empty: media.inactive"`
	RTCPMux    string `key:"rtcp_mux" help:"RTCP on the port of RTP (RFC 5761): accept it when offered, offer it too, or off"`
}

func (m *TrunkMedia) fresh() { m.RTCPMux = "accept" }

// Silence is the longest silence of the trunk's side in a call: its own limit,
// or 0 if media.inactive is; ok tells whether there is any. An error says what
// rtp_timeout has to be.
func (m *TrunkMedia) Silence() (limit time.Duration, ok bool, err error) {
	if m.RTPTimeout == "" {
		return 0, true, nil
	}
	err = setText(reflect.ValueOf(&limit).Elem(), m.RTPTimeout)
	return limit, limit != 0, err
}

func (k *checker) trunkMedia(key string, m *TrunkMedia) {
	switch limit, ok, err := m.Silence(); {
	case err != nil:
		k.wrong(key+".rtp_timeout", "%v", err)
	case ok && m.RTPTimeout != "":
		k.span(key+".rtp_timeout", limit, 5*time.Second, 24*time.Hour)
	}
	k.oneOf(key+".rtcp_mux", m.RTCPMux, "accept", "offer", "off")
}
