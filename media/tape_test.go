package media

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/media/record"
	"axgate/media/wav"
)

// A recording has what both parties said to each other, each in its channel: nothing of what is said before they are
// connected, on hold or under a key, no comfort noise, and goes on through a new SSRC.
func TestRecordHearsBoth(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a, b := newPhone(t, PCMU), newPhone(t, PCMA)
	join(t, c, Caller, a)
	join(t, c, Callee, b)
	writer := record.Open(record.WriterOptions{})
	tape, err := writer.Create(record.Options{Dir: t.TempDir(), Name: "a.wav", Stereo: true})
	require.NoError(t, err)
	c.Record(tape)
	c.Connect(true, false) // early media
	settle(t, c)
	sent := [2]uint64{}
	say := func(side Side, n int, sample byte) {
		t.Helper()
		p := []*phone{a, b}[side]
		if p.codec == PCMU {
			sample = convert(PCMU, []byte{sample})[0]
		}
		p.talk(n, sample)
		sent[side] += uint64(n)
		received(t, c, side, sent[side])
	}
	say(Callee, 5, 0x70)
	c.Connect(true, true)
	settle(t, c)
	say(Caller, 5, 0x21)
	say(Callee, 5, 0x22)
	b.ssrc, b.seq, b.ts = b.ssrc+1, 7, 1<<31
	say(Callee, 5, 0x23)
	noise := a.packet([]byte{0x40})
	noise.PayloadType = noisePT
	a.send(noise)
	a.send(a.key(5, true, true, 800))
	sent[Caller] += 2
	received(t, c, Caller, sent[Caller])
	say(Caller, 5, 0x24)
	join(t, c, Caller, a, func(s *Stream) { s.Receive = false }) // on hold
	settle(t, c)
	dropped := func() uint64 { return ask(t, c, func() uint64 { return c.legs[Caller].count.dropped }) }
	before := dropped()
	a.talk(5, convert(PCMU, []byte{0x71})[0])
	eventually(t, "it is not listened to", func() bool { return dropped() == before+5 })
	join(t, c, Caller, a)
	settle(t, c)
	say(Caller, 5, 0x25)
	c.Record(nil)
	say(Callee, 5, 0x72)
	end := time.Now()
	r, err := tape.Close(end)
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	require.InDelta(t, end.Sub(r.Start).Seconds(), r.Duration.Seconds(), 0.001)

	raw, err := os.ReadFile(r.Path)
	require.NoError(t, err)
	f, err := wav.Parse(raw)
	require.NoError(t, err)
	var channels [2][]byte
	for i, s := range f.Data {
		channels[i%2] = append(channels[i%2], s)
	}
	for side, samples := range [2][]byte{{0x21, 0x24, 0x25}, {0x22, 0x23}} {
		rest := channels[side]
		for _, s := range samples {
			_, after, found := bytes.Cut(rest, frameOf(s, 5*160))
			require.True(t, found, "%#x is whole and in its place", s)
			rest = after
		}
		for _, s := range channels[side] {
			require.Contains(t, append(samples, 0xD5), s, "side %d", side)
		}
	}
}

// A recording that is not taken away ends with its call.
func TestRecordEndsWithTheCall(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a, b := bridge(t, c, PCMA)
	writer := record.Open(record.WriterOptions{})
	tape, err := writer.Create(record.Options{Dir: t.TempDir(), Name: "a.wav"})
	require.NoError(t, err)
	c.Record(tape)
	settle(t, c)
	a.talk(5, 0x11)
	b.hears("the caller", has(0x11))
	c.Close()
	c.Record(nil)
	c.Record(tape)
	r, err := tape.Close(time.Now())
	require.NoError(t, err)
	require.NotEmpty(t, r.Path)
	require.NoError(t, writer.Close())
}
