//go:build e2e

package e2e

import (
	"os"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/receiver"
	"axgate/e2e/wave"
	"axgate/phone"
	"axgate/phone/hear"
)

func recordingScenarios() []scenario {
	return []scenario{
		{"recording stereo", recordingStereo},
		{"recording of a short talk", recordingShort},
		{"recording in an app that informs people itself", recordingInforms},
		{"recording with a hint of its own", recordingOwnHint},
	}
}

// taped reads the recording that a fee event names. Its length may differ from
// the times in the fee event by slack seconds.
func (s *scene) taped(c receiver.Call, slack float64) wave.File {
	s.Helper()
	path, err := s.gate.Recording(c.Fee["recordObjectName"].(string))
	require.NoError(s, err)
	info, err := os.Stat(path)
	require.NoError(s, err)
	require.Equal(s, os.FileMode(0o600), info.Mode().Perm(), "nobody else may listen")
	text, err := os.ReadFile(path)
	require.NoError(s, err)
	f, err := wave.Parse(text)
	require.NoError(s, err)
	require.Equal(s, []int{wave.ALaw, 8000, 8}, []int{f.Format, f.Rate, f.Bits})
	began, ended := s.instant(c.Fee, "recordStartTime"), s.instant(c.Fee, "callEndTime")
	seconds := len(f.Data) / f.Channels / 8000
	require.InDelta(s, ended.Sub(began).Seconds(), seconds, slack, "seconds of the recording")
	return f
}

// recording checks a mono recording: both voices at the time at which they
// were said, not the hint.
func (s *scene) recording(c receiver.Call) {
	s.Helper()
	s.voices(s.taped(c, 1.5))
}

func (s *scene) voices(f wave.File) {
	s.Helper()
	require.Equal(s, 1, f.Channels)
	first := s.mixed(f.Data, firstSpeech, "the caller")
	second := s.mixed(f.Data, secondSpeech, "the callee")
	require.InDelta(s, first, second, float64(250*time.Millisecond), "both began to talk at once")
	require.Empty(s, hear.Recognise(f.Data, map[string][]byte{"hint": s.clip("record_hint")}), "the hint is not of the talk")
}

// mixed finds a voice in a mix of two and gives its beginning: both halves of it
// are there, and one well. A busy machine has packets come late at first, and then
// the recording moves a side once, within either half.
func (s *scene) mixed(mix, said []byte, who string) time.Duration {
	s.Helper()
	half := len(said) / 2
	one, first := hear.Correlate(mix, said[:half])
	two, second := hear.Correlate(mix, said[half:])
	require.Greater(s, max(one, two), mixedFrom, who)
	require.Greater(s, min(one, two), silentUpTo, who)
	if two > one {
		return second - duration(said[:half])
	}
	return first
}

func recordingStereo(s *scene) {
	a, b, x, id := s.pair(appStereo, "--record")
	start := time.Now()
	out, in := s.connect(a, b, x)
	s.hint(out, start)
	s.hint(in, start)
	s.talk(out, in)
	require.NoError(s, in.Hangup(s.within(step)))
	s.clearedWith(out, 16)
	c := s.story(x, 1, billed{direction: 1, binding: id, caller: a.Number(), callee: b.Number(), service: "004", events: evAnswered, talk: true, recorded: true})
	f := s.taped(c, 1.5)
	require.Equal(s, 2, f.Channels)
	for i, own := range [][]byte{firstSpeech, secondSpeech} {
		peak, _ := hear.Correlate(f.Channel(i), own)
		require.Greater(s, peak, heardFrom, "channel %d", i)
		peak, _ = hear.Correlate(f.Channel(1-i), own)
		require.Less(s, peak, silentUpTo, "channel %d has its own party only", 1-i)
	}
}

// recordingShort: a talk of less than 3 s leaves no file.
func recordingShort(s *scene) {
	a, b, x, id := s.pair(appInforms, "--record")
	out, in := s.connect(a, b, x)
	require.NoError(s, out.Say(s.within(step), firstSpeech[:1600]))
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	c := s.story(x, 1, billed{direction: 1, binding: id, caller: a.Number(), callee: b.Number(), service: "004", events: evAnswered, talk: true})
	require.Empty(s, c.Fee["recordStartTime"])
}

// recordingInforms: without a hint in the binding, an app that informs people
// otherwise plays none; the talk begins at once.
func recordingInforms(s *scene) {
	a, b, x, id := s.pair(appInforms, "--record")
	out, in := s.connect(a, b, x)
	s.talk(out, in)
	for _, c := range []*phone.Call{out, in} {
		s.prompted(c)
	}
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.recording(s.story(x, 1, billed{direction: 1, binding: id, caller: a.Number(), callee: b.Number(), service: "004", events: evAnswered, talk: true, recorded: true}))
}

// recordingOwnHint: the file that the binding names is played to both.
func recordingOwnHint(s *scene) {
	a, b, x, _ := s.pair(appInforms, "--record", "--record-hint", "no_callback.wav")
	start := time.Now()
	out, in := s.connect(a, b, x)
	s.hearsPrompt(out, start, "no_callback")
	s.hearsPrompt(in, start, "no_callback")
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
}
