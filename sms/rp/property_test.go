package rp_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"axgate/sms/parts"
	"axgate/sms/rp"
)

func addresses() *rapid.Generator[rp.Address] {
	return rapid.Custom(func(t *rapid.T) rp.Address {
		if rapid.Bool().Draw(t, "name") {
			name := rapid.StringMatching(`[A-Za-z0-9 .@ñÄ-]{1,11}`).Draw(t, "characters")
			return rp.Address{Type: rp.Alphanumeric, Value: name}
		}
		n := rapid.StringMatching(`\+?[0-9*#]{1,20}`).Draw(t, "digits")
		a := rp.Number(n)
		if a.Type == rp.Unknown {
			a.Type = rapid.SampledFrom([]rp.TypeOfNumber{rp.Unknown, rp.National, rp.NetworkSpecific, rp.Subscriber, rp.Abbreviated}).Draw(t, "type")
		}
		return a
	})
}

func texts() *rapid.Generator[string] {
	gsm := rapid.SampledFrom([]string{"a", "é", "€", "[", "\r\n", "Ω", "@", "@@@@@@@@", strings.Repeat("b", 30)})
	other := rapid.OneOf(gsm, rapid.SampledFrom([]string{"中", "😀", "👨‍👩‍👧‍👦", "e\u0301", "ç"}), rapid.StringN(0, 4, -1))
	return rapid.Custom(func(t *rapid.T) string {
		from := rapid.SampledFrom([]*rapid.Generator[string]{gsm, other}).Draw(t, "alphabet")
		text := strings.Join(rapid.SliceOfN(from, 0, 120).Draw(t, "pieces"), "")
		return strings.Map(func(r rune) rune {
			if r == 0 || r >= 0x10F000 {
				return 'z'
			}
			return r
		}, text)
	})
}

// TestTextsArriveWhole holds that what one side writes the other reads, in
// both directions, and that a repetition has the same octets.
func TestTextsArriveWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, party := texts().Draw(t, "text"), addresses().Draw(t, "party")
		ref, mr := rapid.IntRange(0, 0xFFFF).Draw(t, "ref"), rapid.Byte().Draw(t, "mr")
		wide, repeated := rapid.Bool().Draw(t, "wide"), rapid.Bool().Draw(t, "repeated")
		at := time.Unix(rapid.Int64Range(1e6, 3e9).Draw(t, "at"), 0).In(time.FixedZone("", 900*rapid.IntRange(-48, 56).Draw(t, "zone")))
		contents, err := rp.Split(text, ref, wide)
		require.NoError(t, err)
		again, err := rp.Split(text, ref, wide)
		require.NoError(t, err)
		require.Equal(t, contents, again)
		require.Equal(t, len(parts.Split(text, wide)), len(contents))
		var up, down []string
		for _, c := range contents {
			s := rp.Submit{MR: mr, Destination: party, RejectDuplicates: repeated, Validity: 10 * time.Minute, Content: c}
			b, err := s.Marshal()
			require.NoError(t, err)
			got, err := rp.ParseSubmit(carried(t, rp.Data{From: rp.Phone, MR: mr, Destination: rp.Number("+8613800100500"), TPDU: b}))
			require.NoError(t, err)
			require.Equal(t, s, got)
			up = append(up, got.Text)

			d := rp.Deliver{Originator: party, At: at, More: repeated, Content: c}
			b, err = d.Marshal()
			require.NoError(t, err)
			delivered, err := rp.ParseDeliver(carried(t, rp.Data{From: rp.Network, MR: mr, Originator: rp.Number("+8613800100500"), TPDU: b}))
			require.NoError(t, err)
			require.True(t, d.At.Equal(delivered.At))
			d.At = delivered.At
			require.Equal(t, d, delivered)
			down = append(down, delivered.Text)
		}
		require.Equal(t, text, parts.Join(up))
		require.Equal(t, text, parts.Join(down))
	})
}

// carried is the TPDU of a Data on the other side.
func carried(t require.TestingT, d rp.Data) []byte {
	b, err := d.Marshal()
	require.NoError(t, err)
	require.LessOrEqual(t, len(b), 2+1+12+1+232)
	m, err := rp.Parse(b)
	require.NoError(t, err)
	require.Equal(t, rp.Message(d), m)
	return m.(rp.Data).TPDU
}

// FuzzParse holds that no octets panic, that what is read is bounded and valid,
// that a written answer is read again, and that what was read as a text can be
// written again and says the same.
func FuzzParse(f *testing.F) {
	for _, dump := range []string{
		"01000b814316565811f9000004e8373b0c",
		"19000b914316565811f900000170520251930004e8373b0c",
		"4107 0b91683108109200f1 0008 0c 050003070201 4f60 597d d83d",
		"4107 0b91683108109200f1 0008 0c 050003070202 de00 4f60 597d",
		"4107 0b91683108109200f1 0000 0d 07 08041234ff01 240101 9b53",
		"4107 0481 2143 0004 09 06 05040b8423f0 0102",
		"040b911346610089f60000208062917314080cc8f71d14969741f977fd07",
		"040b914316709807f2000880604290224080084e2d5174901a8baf",
		"0412d0f7fbdd454fb75d693a0000903002801153402bcd301e9f0605d9e971191483c140412a35690d52832063d2f9040599a058ee05a3bd6430580e",
		"0404 91 2143 00 20 62115222013023 01 00",
		"06 07 0b913426565711f7 01208111134540 01208111740540 43",
	} {
		for _, from := range []rp.Side{rp.Phone, rp.Network} {
			b, err := rp.Data{From: from, MR: 1, Originator: rp.Number("+8613800100500"), Destination: rp.Number("10086"), TPDU: octets(f, dump)}.Marshal()
			require.NoError(f, err)
			f.Add(b)
		}
	}
	for _, dump := range []string{
		"03 01 41 09 01 00 01 80 01 32 42 00 69",
		"05 09 01 6f 41 0a 01 c5 00 62 11 52 22 01 03 23",
		"04 09 02 16 03 41 03 00 d3 00",
		"02 01 a1 42 01 00 41 02 00 00",
		"06 07",
		"07 07",
	} {
		f.Add(octets(f, dump))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := rp.Parse(body)
		if err != nil {
			var fault *rp.Fault
			require.ErrorAs(t, err, &fault)
			if e, ok := fault.Answer(); ok {
				rereads(t, e)
			}
			return
		}
		switch m := m.(type) {
		case rp.Data:
			rereads(t, m.Ack(time.Unix(0, 0)))
			if s, err := rp.ParseSubmit(m.TPDU); err != nil {
				rereads(t, m.Refuse(err, time.Unix(0, 0)))
			} else {
				rereadsText(t, s.Destination, s.Content)
			}
			if d, err := rp.ParseDeliver(m.TPDU); err != nil {
				rereads(t, m.Refuse(err, time.Unix(0, 0)))
			} else {
				rereadsText(t, d.Originator, d.Content)
			}
		case rp.Error:
			_, _, _ = m.Failure(), m.Arrived(), m.Temporary()
			_ = m.Cause.String()
		case rp.Memory:
			rereads(t, m.Refuse())
		}
	})
}

// rereads holds that a message we write is read as it was.
func rereads(t *testing.T, m rp.Message) {
	b, err := m.Marshal()
	require.NoError(t, err)
	got, err := rp.Parse(b)
	require.NoError(t, err)
	require.Equal(t, m, got)
}

func rereadsText(t *testing.T, a rp.Address, c rp.Content) {
	require.True(t, utf8.ValidString(c.Text) && utf8.ValidString(a.Value))
	require.LessOrEqual(t, utf8.RuneCountInString(c.Text), 160)
	require.NotContains(t, c.Text, "\x00")
	if c.Part != nil {
		require.True(t, c.Part.Seq >= 1 && c.Part.Seq <= c.Part.Total && c.Part.Total <= 255)
	}
	if c.Binary {
		require.Empty(t, c.Text)
		return
	}
	if c.Silent || !c.UCS2 && !parts.GSM(c.Text) {
		return // not to be written, or in a national table
	}
	d := rp.Deliver{Originator: a, Content: c}
	b, err := d.Marshal()
	if err != nil {
		return // an address without digits, or halves of characters that are now longer than a segment
	}
	got, err := rp.ParseDeliver(b)
	require.NoError(t, err)
	assert.Equal(t, a, got.Originator)
	assert.Equal(t, c, got.Content)
}
