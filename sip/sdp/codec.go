package sdp

import (
	"fmt"
	"slices"
	"strings"
)

// Codec is a codec as one side lists it, in our own spelling. Codecs that say
// the same are equal.
type Codec struct {
	Name     string // as it is registered
	Clock    int    // of its RTP timestamps and of the telephone-events beside it, in Hz
	Channels int
	Params   string // its fmtp; empty: none
}

// The names of what a session may list, in the spelling of their registration.
const (
	nameA          = "PCMA"
	nameMu         = "PCMU"
	nameG729       = "G729"
	nameG723       = "G723"
	telephoneEvent = "telephone-event"
	comfortNoise   = "CN"
)

const (
	clock        = 8000 // Hz: of G.711 and of all that does not say
	defaultEvent = 101  // the payload type of telephone-event/8000 in our offers
	noiseType    = 13   // RFC 3551 section 6
)

var (
	pcma  = Codec{Name: nameA, Clock: clock, Channels: 1}
	pcmu  = Codec{Name: nameMu, Clock: clock, Channels: 1}
	noise = Codec{Name: comfortNoise, Clock: clock, Channels: 1}
)

// eventAt is the telephone-event beside a codec (RFC 4733 section 2.4.1).
func eventAt(clock int) Codec {
	return Codec{Name: telephoneEvent, Clock: clock, Channels: 1, Params: "0-15"}
}

// kind is a codec that there is.
type kind struct {
	Codec
	pt uint8 // its static payload type (RFC 3551 section 6); dynamic: has none
	// params are what its fmtp may say; form are those on which the form of the
	// payload depends, so that both sides must say the same.
	params, form []string
}

const dynamic = 255

var amr = []string{"octet-align", "mode-set", "mode-change-period", "mode-change-capability", "mode-change-neighbor", "max-red", "crc", "robust-sorting", "interleaving"}
var amrForm = []string{"octet-align", "crc", "robust-sorting", "interleaving"}

// kinds are G.711, which the media engine speaks, and what is only passed
// through: RFC 3551, RFC 3952 (iLBC), RFC 4867 (AMR), RFC 7587 (Opus) and 3GPP
// TS 26.445 annex A (EVS).
var kinds = []kind{
	{Codec: pcma, pt: 8},
	{Codec: pcmu, pt: 0},
	{Codec: Codec{Name: "GSM", Clock: 8000, Channels: 1}, pt: 3},
	{Codec: Codec{Name: nameG723, Clock: 8000, Channels: 1}, pt: 4, params: []string{"annexa", "bitrate"}},
	{Codec: Codec{Name: "G722", Clock: 8000, Channels: 1}, pt: 9}, // its clock is a mistake of RFC 1890 that stays
	{Codec: Codec{Name: nameG729, Clock: 8000, Channels: 1}, pt: 18, params: []string{"annexb"}},
	{Codec: Codec{Name: "G726-32", Clock: 8000, Channels: 1}, pt: dynamic},
	{Codec: Codec{Name: "iLBC", Clock: 8000, Channels: 1}, pt: dynamic, params: []string{"mode"}},
	{Codec: Codec{Name: "AMR", Clock: 8000, Channels: 1}, pt: dynamic, params: amr, form: amrForm},
	{Codec: Codec{Name: "AMR-WB", Clock: 16000, Channels: 1}, pt: dynamic, params: amr, form: amrForm},
	{Codec: Codec{Name: "EVS", Clock: 16000, Channels: 1}, pt: dynamic, form: []string{"hf-only"}, params: []string{"br", "br-send", "br-recv", "bw", "bw-send",
		"bw-recv", "ch-aw-recv", "cmr", "dtx", "dtx-recv", "hf-only", "evs-mode-switch", "max-red", "mode-set", "mode-change-period", "mode-change-capability", "mode-change-neighbor"}},
	{Codec: Codec{Name: "opus", Clock: 48000, Channels: 2}, pt: dynamic, params: []string{"maxplaybackrate", "sprop-maxcapturerate", "maxaveragebitrate", "stereo",
		"sprop-stereo", "cbr", "useinbandfec", "usedtx", "minptime"}},
}

// kindNamed finds a codec by its name; the case of letters does not matter.
func kindNamed(name string) *kind {
	i := slices.IndexFunc(kinds, func(k kind) bool { return strings.EqualFold(k.Name, name) })
	if i < 0 {
		return nil
	}
	return &kinds[i]
}

// static is what a payload type stands for that needs no rtpmap (RFC 3551
// section 6), as far as we can use it.
func static(pt uint8) Codec {
	if pt == noiseType {
		return noise
	}
	for i := range kinds {
		if kinds[i].pt == pt {
			return kinds[i].Codec
		}
	}
	return Codec{}
}

// ValidCodec names the codecs there are if name is none of them; the case of
// letters does not matter.
func ValidCodec(name string) error {
	if kindNamed(name) != nil {
		return nil
	}
	var all []string
	for _, k := range kinds {
		all = append(all, k.Name)
	}
	return fmt.Errorf("codec %.20q: use %s or %s", name, strings.Join(all[:len(all)-1], ", "), all[len(all)-1])
}

// talks tells whether the media engine speaks a codec, which then needs not be
// passed through.
func (c Codec) talks() bool { return c == pcma || c == pcmu }

// known are the codecs of a list in their own spelling, each once, in order.
// What is not known is left out. G.711 stands behind if none of it is in the
// list, so that prompts and tones are always possible.
func known(names []string) []string {
	var all []string
	spoken := false
	for _, n := range names {
		if k := kindNamed(n); k != nil && !slices.Contains(all, k.Name) {
			all = append(all, k.Name)
			spoken = spoken || k.talks()
		}
	}
	if !spoken {
		all = append(all, nameA, nameMu)
	}
	return all
}

// spoken are the codecs of a list that the media engine speaks.
func spoken(names []string) []Codec {
	var all []Codec
	for _, n := range known(names) {
		if k := kindNamed(n); k.talks() {
			all = append(all, k.Codec)
		}
	}
	return all
}
