package dtmf

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestPayload(t *testing.T) {
	require.Equal(t, []byte{11, 0x80 | 10, 0x03, 0x20}, Payload(nil, 11, true, 10, 800))
	require.Equal(t, []byte{9, 63, 0xFF, 0xFF}, Payload(nil, 9, false, 200, 0xFFFF), "the volume is bounded")
	code, end, volume, duration, ok := Parse([]byte{11, 0xC0 | 10, 0x03, 0x20, 1, 2, 3, 4})
	require.Equal(t, []any{uint8(11), true, uint8(10), uint16(800), true}, []any{code, end, volume, duration, ok})
	_, _, _, _, ok = Parse([]byte{1, 2, 3})
	require.False(t, ok)
	for i := range 256 {
		digit, ok := Digit(uint8(i))
		require.Equal(t, i < 16, ok)
		if ok {
			code, is := Event(digit)
			require.True(t, is)
			require.EqualValues(t, i, code)
		}
	}
	for _, c := range []byte("abcd") {
		code, ok := Event(c)
		require.True(t, ok)
		require.Equal(t, 12+c-'a', code)
	}
	_, ok = Event('E')
	require.False(t, ok)
}

// arrival is a packet as it reaches a receiver: an event packet, or audio.
type arrival struct {
	audio    bool
	ssrc, ts uint32
	digit    byte
	end      bool
	duration uint16
}

// press is a key that goes down at ts: a packet each 160 units and the end
// three times.
func press(digit byte, ts uint32, packets int) (all []arrival) {
	for i := 1; i <= packets; i++ {
		all = append(all, arrival{ssrc: 1, ts: ts, digit: digit, duration: uint16(160 * i)})
	}
	for range 3 {
		all = append(all, arrival{ssrc: 1, ts: ts, digit: digit, end: true, duration: uint16(160 * (packets + 1))})
	}
	return all
}

// longPress is a key held for 9 s: one segment of 0xFFFF units, the next one
// where it ended.
func longPress(digit byte, ts uint32) (all []arrival) {
	for at := 160; at <= 0xFFFF; at += 160 {
		all = append(all, arrival{ssrc: 1, ts: ts, digit: digit, duration: uint16(at)})
	}
	return append(append(all, arrival{ssrc: 1, ts: ts, digit: digit, duration: 0xFFFF}), press(digit, ts+0xFFFF, 40)...)
}

func talk(packets int) []arrival { return slices.Repeat([]arrival{{audio: true}}, packets) }

func without(all []arrival, drop ...int) (left []arrival) {
	for i, a := range all {
		if !slices.Contains(drop, i) {
			left = append(left, a)
		}
	}
	return left
}

func (r *Receiver) digits(all []arrival) (s string) {
	for _, a := range all {
		if a.audio {
			r.Audio()
			continue
		}
		code, _ := Event(a.digit)
		if digit, ok := r.Packet(a.ssrc, a.ts, Payload(nil, code, a.end, 10, a.duration)); ok {
			s += string(digit)
		}
	}
	return s
}

func TestReceiver(t *testing.T) {
	five, six := press('5', 1000, 4), press('6', 3000, 4)
	again := press('5', 3000, 4)
	source := func(all []arrival, ssrc uint32) []arrival {
		all = slices.Clone(all)
		for i := range all {
			all[i].ssrc = ssrc
		}
		return all
	}
	shift := func(all []arrival) []arrival { // one packet overtakes another
		all = slices.Clone(all)
		all[1], all[2] = all[2], all[1]
		all[5], all[0] = all[0], all[5]
		return all
	}
	for name, c := range map[string]struct {
		packets []arrival
		want    string
	}{
		"whole":                         {five, "5"},
		"first lost":                    {without(five, 0), "5"},
		"middle lost":                   {without(five, 1, 2), "5"},
		"ends lost":                     {without(five, 4, 5, 6), "5"},
		"only the first":                {five[:1], "5"},
		"only the last end":             {five[6:], "5"},
		"all lost":                      {nil, ""},
		"out of order":                  {shift(five), "5"},
		"each packet twice":             {slices.Concat(five, five), "5"},
		"an end much later":             {slices.Concat(five, talk(5), five[6:]), "5"},
		"two keys":                      {slices.Concat(five, six), "56"},
		"two keys, their ends lost":     {slices.Concat(five[:4], six[:4]), "56"},
		"the same key again":            {slices.Concat(five, again), "55"},
		"again, the end lost":           {slices.Concat(five[:4], again), "55"},
		"again, the end lost, audio":    {slices.Concat(five[:4], talk(1), again[3:]), "55"},
		"again where the first ended":   {slices.Concat(five, press('5', 1000+800, 4)), "55"},
		"an end after the next began":   {slices.Concat(five[:5], six[:2], five[5:], six[2:]), "56"},
		"another source, same time":     {slices.Concat(five, source(five, 2)), "55"},
		"same timestamp, another key":   {slices.Concat(five, press('7', 1000, 4)), "57"},
		"timestamps that never move":    {slices.Concat(five, talk(15), press('5', 1000, 4)), "55"},
		"a burst of eleven":             {slices.Concat(five, press('1', 5000, 1), press('2', 6000, 1), press('3', 7000, 1), press('4', 8000, 1), press('5', 9000, 1), press('6', 10000, 1), press('7', 11000, 1), press('8', 12000, 1), press('9', 13000, 1), press('0', 14000, 1)), "51234567890"},
		"held long: segments":           {longPress('8', 77), "8"},
		"held long, the cut lost":       {without(longPress('8', 77), 407, 408, 409, 410, 411), "8"},
		"held long, timestamp wraps":    {longPress('8', 0xFFFFFF00), "8"},
		"held long, then the same key":  {slices.Concat(longPress('8', 77), press('8', 300_000, 3)), "88"},
		"a segment after audio is new":  {slices.Concat(longPress('8', 77)[:409], talk(4), press('8', 77+0xFFFF, 4)), "88"},
		"wrap between first and second": {slices.Concat(press('5', 0xFFFFFFF0, 4), press('5', 2000, 4)), "55"},
	} {
		t.Run(name, func(t *testing.T) {
			var r Receiver
			require.Equal(t, c.want, r.digits(c.packets))
		})
	}
	var r Receiver
	for _, payload := range [][]byte{nil, {1, 2, 3}, {16, 10, 0, 160}, {255, 255, 255, 255}} {
		_, ok := r.Packet(1, 1, payload)
		require.False(t, ok)
	}
}

// Whatever is lost, doubled or swapped, a key of which anything arrived counts once.
func TestReceiverProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []arrival
		want := ""
		ts := rapid.Uint32().Draw(t, "ts")
		for range rapid.IntRange(1, 6).Draw(t, "keys") {
			digit := rapid.SampledFrom([]byte("0123456789*#ABCD")).Draw(t, "digit")
			ts += 4000
			key := press(digit, ts, rapid.IntRange(0, 8).Draw(t, "packets"))
			var arrived []arrival
			for _, p := range key {
				copies := rapid.SampledFrom([]int{0, 1, 1, 1, 2}).Draw(t, "copies")
				arrived = append(arrived, slices.Repeat([]arrival{p}, copies)...)
			}
			if len(arrived) == 0 {
				continue
			}
			if rapid.Bool().Draw(t, "shuffled") {
				rand.Shuffle(len(arrived), func(i, j int) { arrived[i], arrived[j] = arrived[j], arrived[i] })
			}
			all = append(all, arrived...)
			all = append(all, talk(rapid.IntRange(0, 9).Draw(t, "audio"))...)
			want += string(digit)
		}
		var r Receiver
		if got := r.digits(all); got != want {
			t.Fatalf("%q became %q", want, got)
		}
	})
}

func FuzzReceiver(f *testing.F) {
	f.Add([]byte{5, 10, 0, 160}, uint32(1), uint32(1000), []byte{5, 0x8A, 3, 32}, uint32(1000))
	f.Add([]byte{5, 10, 0xFF, 0xFF}, uint32(1), uint32(0xFFFFFFF0), []byte{5, 10, 0, 160}, uint32(0xFFEF))
	f.Add([]byte{16}, uint32(0), uint32(0), []byte{}, uint32(0))
	f.Fuzz(func(t *testing.T, first []byte, ssrc, ts uint32, second []byte, secondTS uint32) {
		var r Receiver
		digit, ok := r.Packet(ssrc, ts, first)
		if _, is := Event(digit); ok && !is {
			t.Fatalf("%q is no digit", digit)
		}
		if _, twice := r.Packet(ssrc, ts, first); twice {
			t.Fatal("a repetition counts")
		}
		r.Packet(ssrc, secondTS, second)
		if _, twice := r.Packet(ssrc, ts, first); twice {
			t.Fatal("a late repetition counts")
		}
	})
}

func BenchmarkReceiver(b *testing.B) {
	var r Receiver
	payload := Payload(nil, 5, false, 10, 160)
	b.ReportAllocs()
	ts := uint32(0)
	for b.Loop() {
		r.Packet(1, ts/8, payload)
		ts++
	}
}
