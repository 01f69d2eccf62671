package node

import (
	"axgate/config"
	"axgate/sip/sdp"
	"axgate/sip/trunk"
)

// trunkMedia translates how audio is exchanged with a trunk.
func trunkMedia(c *config.TrunkMedia) (trunk.Media, error) {
	mux, err := sdp.MuxNamed(c.RTCPMux)
	limit, ok := c.Silence()
	return trunk.Media{Timeout: limit, Patient: !ok, Mux: mux}, err
}
