package sip

import (
	"math"

	"axgate/events"
	"axgate/media"
)

// quality is the audio of a leg as the call's record keeps it.
func quality(s media.Stats) events.Quality {
	return events.Quality{Received: s.Received, Lost: s.Lost, JitterMS: s.JitterMS, MOS: s.MOS}
}

// logAudio tells how the audio of an answered call was, each leg for itself.
func (c *call) logAudio(stats [2]media.Stats) {
	if c.rec.Answered.IsZero() {
		return
	}
	for side, s := range stats {
		line := c.log.Info().Stringer("leg", media.Side(side)).Uint64("received", s.Received).Uint64("lost", s.Lost).Uint64("sent", s.Sent).
			Float64("jitter_ms", hundredths(s.JitterMS)).Float64("mos", hundredths(s.MOS)).Uint64("foreign", s.Foreign).Uint64("dropped", s.Dropped)
		if r := s.Refused; s.Secure || r.Malformed+r.Forged+r.Replayed+r.Sources > 0 {
			line = line.Bool("srtp", s.Secure).Uint64("malformed", r.Malformed).Uint64("forged", r.Forged).Uint64("replayed", r.Replayed).Uint64("sources", r.Sources)
		}
		line.Msg("audio")
	}
}

// hundredths rounds a figure to what a reader of a log needs of it.
func hundredths(x float64) float64 { return math.Round(x*100) / 100 }
