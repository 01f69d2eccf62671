package trunk

import (
	"errors"
	"fmt"
	"strings"
)

// Hold is what becomes of it when a trunk's side puts the other on hold (RFC
// 3264 section 8.4). The zero value is what phones have, too.
type Hold struct {
	Relay bool // the other side is told by an offer of ours; else it is not disturbed
	// Tone is what the other side hears while it is not told: TonesOff (also if
	// empty), TonesOn, or the file name of a prompt of the app. What the holding
	// side sends itself is heard in place of a tone.
	Tone string
}

// What one on hold hears, but for the name of a prompt.
const (
	TonesOff = "off"
	TonesOn  = "tone"
)

func (h *Hold) complete() error {
	switch {
	case h.Tone == "":
		h.Tone = TonesOff
	case h.Relay && h.Tone != TonesOff:
		return errors.New("hold_tone: with hold: relay the other side has its own")
	case len(h.Tone) > 128 || strings.ContainsAny(h.Tone, "/\\\x00"):
		return fmt.Errorf("hold_tone %.40q: use off, tone or the file name of a prompt", h.Tone)
	}
	return nil
}
