package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/bench/load/message"
	"axgate/bench/load/wire"
)

func readResult(t *testing.T, text []byte) (r result) {
	t.Helper()
	require.NoError(t, json.Unmarshal(text, &r))
	return r
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	var n numbers
	require.Error(t, n.UnmarshalText([]byte("+86x")))
	require.NoError(t, n.UnmarshalText([]byte("+8613999999998")))
	require.Equal(t, "+8613999999998", string(n.append(nil, 0)))
	for _, spelt := range []string{"+8614000000000", "014000000000", "008614000000000"} {
		i, ok := n.index([]byte(spelt))
		require.True(t, ok)
		require.Equal(t, 2, i, "the last digits begin anew: %s", spelt)
	}
	_, ok := n.index([]byte("1234"))
	require.False(t, ok)
	_, ok = n.index([]byte("anonymous1234567x"))
	require.False(t, ok)
}

func TestPlanIsJudged(t *testing.T) {
	t.Parallel()
	for _, p := range []plan{{Stride: 1}, {Pairs: 1, Stride: 1, PerX: 10, Digits: 1}, {Pairs: 1, Stride: 1, Scenario: "axe", PerX: 10_000}, {Pairs: 1, Stride: -1}} {
		require.Error(t, p.complete(), "%+v", p)
	}
	p := plan{Pairs: 5000, Stride: 1, Scenario: "axe"}
	require.NoError(t, p.complete())
	require.Equal(t, "0001", string(p.typed(nil, 0)))
	require.Equal(t, "1000", string(p.typed(nil, 999)))
	require.Equal(t, "0001", string(p.typed(nil, 1000)))
}

// TestWheel: what is due comes in time and once, also what is due beyond one
// turn and what is added while it turns.
func TestWheel(t *testing.T) {
	t.Parallel()
	var w wheel
	w.turned = 1000
	const long = 3 << 16 // ms: three turns
	for _, at := range []int64{500, 1001, 1500, 1500, long} {
		w.add(entry{id: message.ID{Place: uint32(at)}, at: at * int64(time.Millisecond)})
	}
	var got []uint32
	for ms := int64(1000); ms < long+10; ms += 3 {
		w.turn(ms*int64(time.Millisecond), func(e entry) {
			require.LessOrEqual(t, e.at, ms*int64(time.Millisecond))
			got = append(got, e.id.Place)
			if e.id.Place == 1001 {
				w.add(entry{id: message.ID{Place: 7}, at: e.at})
			}
		})
	}
	require.Equal(t, []uint32{500, 1001, 7, 1500, 1500, long}, got)
}

// TestDigits: a digit is an event of 100 ms whose last packet comes three
// times, and all packets are numbered in a row (RFC 4733).
func TestDigits(t *testing.T) {
	t.Parallel()
	s := new(stream)
	s.begin(message.ID{Place: 1, Turn: 65535}, callers, wire.Address{}, endless)
	s.digits.event = 101
	s.digits.n = copy(s.digits.digits[:], "50")
	before := s.audio()
	clock := s.clock
	require.Len(t, before, 172)
	var events []byte
	var ended, last int
	for s.digits.typing() {
		packet, again, begins := s.press()
		if packet == nil {
			continue
		}
		events = append(events, packet[12])
		if packet[13]&0x80 != 0 {
			ended += again
			require.Equal(t, 800, int(packet[14])<<8|int(packet[15]), "100 ms")
		}
		if begins {
			last++
			require.Equal(t, byte(0), packet[12])
		}
	}
	require.Equal(t, []byte{5, 5, 5, 5, 5, 0, 0, 0, 0, 0}, events)
	require.Equal(t, []int{6, 1}, []int{ended, last})
	require.Equal(t, clock+2*(held+gap)*samples, s.clock, "the clock goes on meanwhile")
	id, side, number, ok := readMark(s.audio())
	require.True(t, ok)
	require.Equal(t, []any{message.ID{Place: 1, Turn: 65535}, callers, uint32(0)}, []any{id, side, number})
}

// TestDoubtsAboutTheProcessors: a run on a machine that was not quiet says so.
func TestDoubtsAboutTheProcessors(t *testing.T) {
	t.Parallel()
	quiet := spent{Seconds: 10, Machine: 20, Generator: 8, Stolen: 0.5, Others: 1.9}
	require.Empty(t, quiet.doubts())
	require.Empty(t, new(spent).doubts())
	full, stolen, others := quiet, quiet, quiet
	full.Generator, stolen.Stolen, others.Others = 9.5, 0.8, 3
	require.Equal(t, []string{"the generator's one thread was busy for 95 % of the time"}, full.doubts())
	require.Equal(t, []string{"the host of this machine gave to others 4 % of the time"}, stolen.doubts())
	require.Equal(t, []string{"other programs used 15 % of the time"}, others.doubts())
	require.Equal(t, []bool{false, false, true, true}, []bool{quiet.disturbed(), full.disturbed(), stolen.disturbed(), others.disturbed()})
}
