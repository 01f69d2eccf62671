package parts_test

import (
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"axgate/sms/parts"
)

// TestSplit holds where texts are cut.
func TestSplit(t *testing.T) {
	a := func(n int) string { return strings.Repeat("a", n) }
	z := func(n int) string { return strings.Repeat("中", n) }
	for _, c := range []struct {
		name, text string
		wide       bool
		want       []string
	}{
		{"empty", "", false, []string{""}},
		{"160", a(160), false, []string{a(160)}},
		{"160, wide", a(160), true, []string{a(160)}},
		{"161", a(161), false, []string{a(153), a(8)}},
		{"161, wide", a(161), true, []string{a(152), a(9)}},
		{"306", a(306), false, []string{a(153), a(153)}},
		{"306, wide", a(306), true, []string{a(152), a(152), a(2)}},
		{"307", a(307), false, []string{a(153), a(153), a(1)}},
		{"70", z(70), false, []string{z(70)}},
		{"71", z(71), false, []string{z(67), z(4)}},
		{"71, wide", z(71), true, []string{z(66), z(5)}},
		{"134", z(134), false, []string{z(67), z(67)}},
		{"135", z(135), false, []string{z(67), z(67), z(1)}},
		{"one Chinese decides for all", a(100) + "中", false, []string{a(67), a(33) + "中"}},
		{"an escape pair", a(152) + "€" + a(10), false, []string{a(152), "€" + a(10)}},
		{"an escape pair that fits", a(151) + "€" + a(10), false, []string{a(151) + "€", a(10)}},
		{"a surrogate pair", z(66) + "😀" + z(4), false, []string{z(66), "😀" + z(4)}},
		{"a surrogate pair that fits", z(65) + "😀" + z(4), false, []string{z(65) + "😀", z(4)}},
		{"a letter and its mark", z(66) + "e\u0301" + z(4), false, []string{z(66), "e\u0301" + z(4)}},
		{"a letter and its mark that have no room", z(66) + "e\u0301" + z(66), false, []string{z(66) + "e", "\u0301" + z(66)}},
		{"a family", z(60) + "👨‍👩‍👧‍👦" + z(4), false, []string{z(60), "👨‍👩‍👧‍👦" + z(4)}},
		{"a family that has no room", z(60) + "👨‍👩‍👧‍👦" + z(60), false, []string{z(60) + "👨‍👩‍👧"[:len("👨‍👩‍")], "👧‍👦" + z(60)}},
		{"a flag", z(64) + "🇨🇳" + z(9), false, []string{z(64), "🇨🇳" + z(9)}},
		{"CR LF", a(152) + "\r\n" + a(10), false, []string{a(152), "\r\n" + a(10)}},
		{"more marks than a segment holds", "e" + strings.Repeat("\u0301", 80), false, []string{"e" + strings.Repeat("\u0301", 66), strings.Repeat("\u0301", 14)}},
		{"no UTF-8", strings.Repeat("\xff", 71), false, []string{strings.Repeat("\ufffd", 67), strings.Repeat("\ufffd", 4)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, parts.Split(c.text, c.wide))
		})
	}
}

// texts are of all that makes splitting hard.
func texts() *rapid.Generator[string] {
	piece := rapid.OneOf(
		rapid.SampledFrom([]string{"a", "é", "€", "[", "\r\n", "\n", "中", "😀", "👨‍👩‍👧‍👦", "🇨🇳", "👍🏽", "e\u0301", "\u0301", "ç", "क्षि", "\xff", "\ufffd"}),
		rapid.StringN(0, 5, -1),
	)
	gsm := rapid.SampledFrom([]string{"a", "é", "€", "[", "\r\n", "\n", "Ω", "~~~~~~~", strings.Repeat("b", 40)})
	return rapid.Custom(func(t *rapid.T) string {
		from := rapid.SampledFrom([]*rapid.Generator[string]{piece, gsm}).Draw(t, "alphabet")
		run := rapid.SampledFrom([]string{"", "x", "中"}).Draw(t, "run")
		return unmarked(strings.Repeat(run, rapid.IntRange(0, 200).Draw(t, "length")) + strings.Join(rapid.SliceOfN(from, 0, 200).Draw(t, "pieces"), ""))
	})
}

// unmarked is the text without the private characters that halves are kept as.
func unmarked(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 0x10F000 {
			return 'z'
		}
		return r
	}, text)
}

// TestSplitLosesNothing holds that segments fit, are as few as there can be,
// and are the text again.
func TestSplitLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, wide := texts().Draw(t, "text"), rapid.Bool().Draw(t, "wide")
		valid := string([]rune(text))
		segments := parts.Split(text, wide)
		require.Equal(t, valid, strings.Join(segments, ""))
		require.Equal(t, valid, parts.Join(segments))
		require.Equal(t, parts.Units(text), parts.Units(valid))

		alone, each := 70, 67
		if parts.GSM(text) {
			alone, each = 160, 153
		}
		if wide {
			each--
		}
		if len(segments) == 1 {
			require.LessOrEqual(t, parts.Units(text), alone)
			return
		}
		for _, s := range segments {
			require.NotEmpty(t, s)
			require.True(t, utf8.ValidString(s))
			require.LessOrEqual(t, units(s, parts.GSM(text)), each)
		}
		require.Len(t, segments, least(valid, parts.GSM(text), each))
	})
}

// TestSplitKeepsClusters holds that a cluster is cut only for want of room.
func TestSplitKeepsClusters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := string([]rune(texts().Draw(t, "text")))
		segments := parts.Split(text, false)
		gsm, each := parts.GSM(text), 67
		if gsm {
			each = 153
		}
		ends := map[int]bool{}
		at, state := 0, -1
		for rest := text; rest != ""; {
			var cluster string
			cluster, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
			at += len(cluster)
			ends[at] = true
		}
		at = 0
		for i, s := range segments {
			start := at
			at += len(s)
			if ends[at] {
				continue
			}
			end := at
			for end > start && !ends[end] {
				end--
			}
			if end > start {
				require.Greater(t, i+1+least(text[end:], gsm, each), len(segments), "segment %d is cut in a cluster and need not be", i)
			}
		}
	})
}

// TestJoin holds that characters which a sender cut in two become whole.
func TestJoin(t *testing.T) {
	cut := func(text string, at ...int) (out []string) {
		u, from := utf16.Encode([]rune(text)), 0
		for _, to := range append(at, len(u)) {
			s := parts.FromUTF16(u[from:to])
			assert.True(t, utf8.ValidString(s))
			out, from = append(out, s), to
		}
		return out
	}
	assert.Equal(t, "你好😀!", parts.Join(cut("你好😀!", 3)))
	assert.Equal(t, "😀😁😂", parts.Join(cut("😀😁😂", 1, 3, 5)))
	assert.Equal(t, "你好😀!", parts.Join(cut("你好😀!", 2)))
	assert.Equal(t, "你好\ufffd", parts.Join(cut("你好😀!", 3)[:1]))
	assert.Equal(t, "\ufffd!", parts.Join(cut("你好😀!", 3)[1:]))
	assert.Equal(t, "\ufffda\ufffd!", parts.Join([]string{cut("😀", 1)[0], "a", cut("你好😀!", 3)[1]}))
	assert.Equal(t, "", parts.Join(nil))
	assert.Equal(t, "a\ufffdb", parts.FromUTF16([]uint16{'a', 0xD83D, 'b'}))
	assert.Equal(t, "\ufffd\ufffd", parts.Join([]string{parts.FromUTF16([]uint16{0xDE00, 0xD83D})}))
	assert.Equal(t, "", parts.FromUTF16(nil))
	rapid.Check(t, func(t *rapid.T) {
		text := unmarked(string([]rune(rapid.String().Draw(t, "text"))))
		n := len(utf16.Encode([]rune(text)))
		at := rapid.IntRange(0, n).Draw(t, "cut")
		u := utf16.Encode([]rune(text))
		got := parts.Join([]string{parts.FromUTF16(u[:at]), parts.FromUTF16(u[at:])})
		require.Equal(t, text, got)
	})
}

func units(s string, gsm bool) int {
	if gsm {
		return parts.Units(s)
	}
	return len(utf16.Encode([]rune(s)))
}

// least is the fewest segments, counted one character at a time.
func least(text string, gsm bool, each int) int {
	n, room := 0, 0
	for _, r := range text {
		u := units(string(r), gsm)
		if u > room {
			n, room = n+1, each
		}
		room -= u
	}
	return n
}
