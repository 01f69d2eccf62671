package sdp

import (
	"fmt"
	"slices"
	"strings"
)

// The names of what a session may list, in the spelling of their registration.
const (
	pcma           = "PCMA"
	pcmu           = "PCMU"
	telephoneEvent = "telephone-event"
	comfortNoise   = "CN"
)

const (
	clock        = 8000 // Hz: of G.711, so of the telephone-event and the noise beside it
	defaultEvent = 101  // the payload type of telephone-event in our offers
	noiseType    = 13   // RFC 3551 section 6
)

// static are the payload types that need no rtpmap (RFC 3551 section 6), as
// far as we can use them.
func static(pt uint8) mapping {
	switch pt {
	case 0:
		return mapping{pt: pt, name: pcmu, clock: clock}
	case 8:
		return mapping{pt: pt, name: pcma, clock: clock}
	case noiseType:
		return mapping{pt: pt, name: comfortNoise, clock: clock}
	}
	return mapping{}
}

// staticType is the payload type that a codec has without an rtpmap.
func staticType(name string) uint8 {
	if name == pcmu {
		return 0
	}
	return 8
}

// ValidCodec names the codecs there are if name is none of them; the case of
// letters does not matter.
func ValidCodec(name string) error {
	if _, ok := codecNamed(name); !ok {
		return fmt.Errorf("codec %q: use PCMA or PCMU", name)
	}
	return nil
}

func codecNamed(name string) (string, bool) {
	switch strings.ToUpper(name) {
	case pcma:
		return pcma, true
	case pcmu:
		return pcmu, true
	}
	return "", false
}

// known are the codecs of a list in their own spelling, each once, in order.
// What is not known is left out; if nothing is left, it is both.
func known(names []string) []string {
	var all []string
	for _, n := range names {
		if c, ok := codecNamed(n); ok && !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		return []string{pcma, pcmu}
	}
	return all
}
