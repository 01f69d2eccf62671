package quality

import "time"

// Values of ITU-T G.107 and G.113 for G.711 with packet loss concealment.
const (
	bestR          = 93.2 // a G.711 connection with default values, without delay and loss
	lossRobustness = 25.1 // Bpl, G.113 appendix I
	// packetAndPlayout is what a packet of 20 ms and the phone's play-out buffer add to the way, apart from jitter.
	packetAndPlayout = 40 * time.Millisecond
)

// MOS estimates the listening quality of G.711 (1 bad to 4.4 best) from the share of lost packets (0 to 1, lost at random),
// the interarrival jitter and the round trip to the peer, by the E-model (ITU-T G.107, simplified: its delay term is the
// usual two-line fit).
func MOS(loss float64, jitter, roundTrip time.Duration) float64 {
	percent := 100 * min(max(loss, 0), 1)
	delay := float64((roundTrip/2 + 2*jitter + packetAndPlayout).Microseconds()) / 1000
	r := bestR - 0.024*delay - 95*percent/(percent+lossRobustness)
	if delay > 177.3 {
		r -= 0.11 * (delay - 177.3)
	}
	switch {
	case r <= 0:
		return 1
	case r >= 100:
		return 4.5
	}
	return max(1, 1+0.035*r+r*(r-60)*(100-r)*7e-6)
}
