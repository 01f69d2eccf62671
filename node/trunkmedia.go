package node

import (
	"errors"
	"fmt"

	"axgate/config"
	"axgate/sip/sdp"
	"axgate/sip/trunk"
)

// trunkMedia translates how audio is exchanged with a trunk.
func trunkMedia(c *config.TrunkMedia) (trunk.Media, error) {
	mux, err := sdp.MuxNamed(c.RTCPMux)
	limit, ok, wrong := c.Silence()
	if wrong != nil {
		err = errors.Join(err, fmt.Errorf("rtp_timeout: %w", wrong))
	}
	return trunk.Media{Timeout: limit, Patient: !ok, Mux: mux}, err
}
