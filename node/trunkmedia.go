package node

import (
	"axgate/config"
	"axgate/sip/sdp"
	"axgate/sip/trunk"
)

// trunkMedia translates how audio is exchanged with a trunk.
func trunkMedia(c *config.TrunkMedia) (trunk.Media, error) {
	mux, err := sdp.MuxNamed(c.RTCPMux)
	return trunk.Media{Timeout: c.RTPTimeout, Mux: mux}, err
}
