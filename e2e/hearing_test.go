//go:build e2e

package e2e

import (
	"time"

	"github.com/stretchr/testify/require"

	"axgate/phone"
	"axgate/phone/hear"
	"axgate/phone/speech"
)

// What the two say: three and a half seconds each.
var (
	firstSpeech  = speech.First()[:28000]
	secondSpeech = speech.Second()[:28000]
)

// Correlations from which speech counts as heard, and up to which it counts as
// not heard. A mix of two voices holds each by about 0.7.
const (
	heardFrom  = 0.85
	mixedFrom  = 0.5
	silentUpTo = 0.25
)

// talk lets both speak at once; each must hear the other soon, and not itself.
func (s *scene) talk(caller, callee *phone.Call) {
	s.Helper()
	s.talkIn(soon, caller, callee)
}

// talkIn is talk where each may hear the other so late.
func (s *scene) talkIn(late time.Duration, caller, callee *phone.Call) {
	s.Helper()
	said := make(chan error, 2)
	ctx := s.within(step)
	start := time.Now()
	go func() { said <- caller.Say(ctx, firstSpeech) }()
	go func() { said <- callee.Say(ctx, secondSpeech) }()
	require.NoError(s, <-said)
	require.NoError(s, <-said)
	s.hearsIn(late, callee, start, firstSpeech, "the caller")
	s.hearsIn(late, caller, start, secondSpeech, "the callee")
	s.hearsNot(callee, start, secondSpeech, "the callee itself")
	s.hearsNot(caller, start, firstSpeech, "the caller itself")
}

// soon is how late what is said may be heard, on a machine that is busy.
const soon = 2 * time.Second

func (s *scene) hears(c *phone.Call, since time.Time, said []byte, who string) {
	s.Helper()
	s.hearsIn(soon, c, since, said, who)
}

func (s *scene) hearsIn(late time.Duration, c *phone.Call, since time.Time, said []byte, who string) {
	s.Helper()
	var peak float64
	var lag time.Duration
	require.Eventually(s, func() bool {
		peak, lag = hear.Correlate(c.Heard().Since(since), said)
		return peak >= heardFrom
	}, 3*time.Second, 100*time.Millisecond, "%s is not heard", who)
	require.Less(s, lag, late, "%s is heard late", who)
}

func (s *scene) hearsNot(c *phone.Call, since time.Time, said []byte, who string) {
	s.Helper()
	peak, _ := hear.Correlate(c.Heard().Since(since), said)
	require.Less(s, peak, silentUpTo, "%s is heard", who)
}

// steady checks that all that came to a phone is one unbroken stream.
func (s *scene) steady(c *phone.Call) {
	s.Helper()
	streams := c.Streams()
	require.Len(s, streams, 1, "one source")
	require.Zero(s, streams[0].Lost, "lost packets")
	require.Zero(s, streams[0].Breaks, "jumps of the RTP clock")
}
