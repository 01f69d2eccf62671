package sdp

import "slices"

// firstDynamic and lastDynamic are the payload types that mean what a
// description says (RFC 3551 section 6).
const (
	firstDynamic = 96
	lastDynamic  = 127
)

// wanted is the payload type that a codec has in our offers if nothing else
// has it.
func wanted(c Codec) uint8 {
	if k := kindNamed(c.Name); k != nil && k.pt != dynamic {
		return k.pt
	}
	return firstDynamic
}

// number is our payload type for a codec: the one that is wanted if it means
// nothing else yet, else one that means it already, else a free one. A number
// keeps its meaning for the session (RFC 3264 section 8.3.2). It is false if
// all are taken.
func (s *Session) number(c Codec, wanted uint8) (uint8, bool) {
	if m, taken := s.means(wanted); !taken || m.fits(c) {
		s.mean(wanted, c)
		return wanted, true
	}
	free := uint8(0)
	for pt := uint8(lastDynamic); pt >= firstDynamic; pt-- {
		switch m, taken := s.means(pt); {
		case taken && m.fits(c):
			return pt, true
		case !taken && pt != defaultEvent:
			free = pt
		}
	}
	if k := kindNamed(c.Name); k != nil && k.talks() {
		return k.pt, true
	}
	if free != 0 {
		s.mean(free, c)
	}
	return free, free != 0
}

// means is what a payload type of ours stands for.
func (s *Session) means(pt uint8) (Codec, bool) {
	for i := range s.meaning {
		if s.meaning[i].pt == pt {
			return s.meaning[i].codec, true
		}
	}
	return Codec{}, false
}

// mean has a payload type stand for a codec from now on.
func (s *Session) mean(pt uint8, c Codec) {
	i := slices.IndexFunc(s.meaning, func(f format) bool { return f.pt == pt })
	switch {
	case i < 0:
		s.meaning = append(s.meaning, format{pt, c})
	case s.meaning[i].codec != c:
		s.meaning = slices.Clone(s.meaning) // those that are fixed are shared
		s.meaning[i].codec = c
	}
}
