package rp_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"axgate/sms/parts"
	"axgate/sms/rp"
)

// submit is an SMS-SUBMIT with a header of TP-User Data.
func submit(pid, dcs, ud string) string { return "4100 0481 2143" + pid + dcs + ud }

// TestContent holds what the fields around a text mean.
func TestContent(t *testing.T) {
	for _, c := range []struct {
		name, dump string
		want       rp.Content
	}{
		{"empty", "0100 0481 2143 00 00 00", rp.Content{}},
		{"empty in UCS-2", "0100 0481 2143 00 08 00", rp.Content{UCS2: true}},
		{"a header alone", submit("00", "00", "07 06 050413881388"), rp.Content{Binary: true}},
		{"message class 0 in UCS-2", "0100 0481 2143 00 18 02 4e2d", rp.Content{Text: "中", UCS2: true}},
		{"message class 1", "0100 0481 2143 00 f1 01 41", rp.Content{Text: "A"}},
		{"class group, 8 bit", "0100 0481 2143 00 f5 01 41", rp.Content{Binary: true}},
		{"to be deleted after reading", "0100 0481 2143 00 48 02 4e2d", rp.Content{Text: "中", UCS2: true}},
		{"reserved coding group", "0100 0481 2143 00 80 01 41", rp.Content{Text: "A"}},
		{"reserved alphabet", "0100 0481 2143 00 0c 01 41", rp.Content{Text: "A"}},
		{"indicator without a text", "0100 0481 2143 00 c8 01 41", rp.Content{Binary: true}},
		{"indicator with a text", "0100 0481 2143 00 d8 01 41", rp.Content{Text: "A"}},
		{"indicator with a text in UCS-2", "0100 0481 2143 00 e0 02 4e2d", rp.Content{Text: "中", UCS2: true}},
		{"silent", "0100 0481 2143 40 00 01 41", rp.Content{Text: "A", Silent: true}},
		{"for the SIM", "0100 0481 2143 7f f6 01 41", rp.Content{Binary: true}},
		{"for the SIM, in GSM", "0100 0481 2143 7f 00 01 41", rp.Content{Binary: true}},
		{"replaces another", "0100 0481 2143 41 00 01 41", rp.Content{Text: "A"}},
		{"8 bit ports", submit("00", "08", "07 04 0402f0f0 4e2d"), rp.Content{UCS2: true, Binary: true}},
		{"16 bit ports", submit("00", "08", "09 06 05040b8423f0 4e2d"), rp.Content{UCS2: true, Binary: true}},
		{"SIM toolkit", submit("00", "08", "05 02 7000 4e2d"), rp.Content{UCS2: true, Binary: true}},
		{"formatting is passed over", submit("00", "08", "08 05 0a03000110 4e2d"), rp.Content{Text: "中", UCS2: true}},
		{"16 bit reference", submit("00", "08", "09 06 0804abcd0302 4e2d"),
			rp.Content{Text: "中", UCS2: true, Part: &rp.Part{Ref: 0xabcd, Seq: 2, Total: 3, Wide: true}}},
		{"the last of two references", submit("00", "08", "0d 0a 0003070301 0003080302 4e2d"),
			rp.Content{Text: "中", UCS2: true, Part: &rp.Part{Ref: 8, Seq: 2, Total: 3}}},
		{"part 0", submit("00", "08", "08 05 0003070300 4e2d"), rp.Content{Text: "中", UCS2: true}},
		{"part 4 of 3", submit("00", "08", "08 05 0003070304 4e2d"), rp.Content{Text: "中", UCS2: true}},
		{"part of none", submit("00", "08", "08 05 0003070000 4e2d"), rp.Content{Text: "中", UCS2: true}},
		{"part 1 of 1", submit("00", "08", "08 05 0003070101 4e2d"), rp.Content{Text: "中", UCS2: true, Part: &rp.Part{Ref: 7, Seq: 1, Total: 1}}},
		{"a reference of the wrong length", submit("00", "08", "07 04 00020703 4e2d"), rp.Content{Text: "中", UCS2: true}},
		{"an element longer than its header", submit("00", "08", "08 05 0009070301 4e2d"), rp.Content{Text: "中", UCS2: true}},
		{"an element cut off in its header", submit("00", "08", "04 01 00 4e2d"), rp.Content{Text: "中", UCS2: true}},
		{"an empty header", submit("00", "08", "03 00 4e2d"), rp.Content{Text: "中", UCS2: true}},
		{"an octet too many", "0100 0481 2143 00 08 03 4e2d 4e", rp.Content{Text: "中", UCS2: true}},
		{"NUL", "0100 0481 2143 00 08 04 0000 4e2d", rp.Content{Text: "中", UCS2: true}},
		{"an emoji", "0100 0481 2143 00 08 04 d83d de00", rp.Content{Text: "😀", UCS2: true}},
		{"half an emoji", "0100 0481 2143 00 08 04 4e2d d83d", rp.Content{Text: "中\ufffd", UCS2: true}},
		{"an escape at the end", "0100 0481 2143 00 00 01 1b", rp.Content{Text: " "}},
		{"two escapes", "0100 0481 2143 00 00 03 9b4d 10", rp.Content{Text: " A"}},
		{"escaped without a meaning", "0100 0481 2143 00 00 02 9b20", rp.Content{Text: "A"}},
		{"Euro", "0100 0481 2143 00 00 02 9b32", rp.Content{Text: "€"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := rp.ParseSubmit(octets(t, c.dump))
			require.NoError(t, err)
			assert.Equal(t, c.want, s.Content)
		})
	}
}

// TestCutCharacters holds that a phone may cut an emoji between two segments.
func TestCutCharacters(t *testing.T) {
	var segments []string
	for _, ud := range []string{"0a 05 0003070201 597d d83d", "0a 05 0003070202 de00 0021"} {
		s, err := rp.ParseSubmit(octets(t, submit("00", "08", ud)))
		require.NoError(t, err)
		segments = append(segments, s.Text)
	}
	assert.Equal(t, "好😀!", parts.Join(segments))
	s, err := rp.ParseSubmit(octets(t, submit("00", "08", "0a 05 0003070101 597d d83d")))
	require.NoError(t, err)
	assert.Equal(t, "好\ufffd", s.Text)
}

// TestBrokenTPDUs holds what is refused, and with which failure cause.
func TestBrokenTPDUs(t *testing.T) {
	for _, c := range []struct {
		name, dump string
		failure    rp.Failure
	}{
		{"nothing", "", 0},
		{"a first octet", "01", 0},
		{"no address", "0100", 0},
		{"an address cut off", "0100 0b91 4316", 0},
		{"an address too long", "0100 15 91 21436587092143658709f1 00 00 01 41", 0},
		{"no PID", "0100 0481 2143", 0},
		{"no DCS", "0100 0481 2143 00", 0},
		{"no user data", "0100 0481 2143 00 00", 0},
		{"no validity", "1100 0481 2143 00 00", 0},
		{"an absolute validity cut off", "1900 0481 2143 00 00 010203040506", 0},
		{"user data cut off", "0100 0481 2143 00 00 03 4141", 0},
		{"UCS-2 cut off", "0100 0481 2143 00 08 04 4e2d", 0},
		{"161 septets", "0100 0481 2143 00 00 a1" + strings.Repeat("00", 141), 0},
		{"141 octets", "0100 0481 2143 00 08 8d" + strings.Repeat("00", 141), 0},
		{"a header longer than the data", submit("00", "08", "03 05 4e2d"), 0},
		{"no header", submit("00", "08", "00"), 0},
		{"compressed", "0100 0481 2143 00 20 01 41", rp.AlphabetUnknown},
		{"compressed, to be deleted", "0100 0481 2143 00 60 01 41", rp.AlphabetUnknown},
		{"SMS-COMMAND", "0200 0481 2143 00 00 01 41", rp.TPDUUnsupported},
		{"SMS-DELIVER-REPORT", "0000", rp.TPDUUnsupported},
		{"a reserved type", "0300 0481 2143 00 00 01 41", rp.TPDUUnsupported},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := rp.ParseSubmit(octets(t, c.dump))
			var f *rp.Fault
			require.ErrorAs(t, err, &f)
			assert.Equal(t, c.failure, f.Failure)
			assert.NotZero(t, f.Cause)
			assert.NotEmpty(t, f.Error())
		})
	}
	for _, dump := range []string{"", "04", "04 04", "04 0491 21", "04 0491 2143 00 00 0123456789", "04 0491 2143 00 00 01234567891234",
		"06 070b91", "05 00"} {
		_, err := rp.ParseDeliver(octets(t, dump))
		var f *rp.Fault
		require.ErrorAs(t, err, &f, dump)
	}
}

// TestNationalTables reads texts in the tables of TS 23.038 A.2 and A.3.
func TestNationalTables(t *testing.T) {
	for _, c := range []struct {
		name, header string // elements
		septets      []byte
		want         string
	}{
		{"none", "", []byte{0x1b, 0x53, 0x04}, "Sè"},
		{"Turkish single shift", "240101", []byte{0x1b, 0x53, 0x1b, 0x69, 0x1b, 0x65, 0x04}, "Şı€è"},
		{"Turkish locking shift", "250101", []byte{0x04, 0x07, 0x0b, 0x0c, 0x1c, 0x1d, 0x40, 0x60, 'a'}, "€ıĞğŞşİça"},
		{"Spanish single shift", "240102", []byte{0x1b, 0x09, 0x1b, 0x61, 0x1b, 0x75}, "çáú"},
		{"Spanish has no locking shift", "250102", []byte{0x04}, "è"},
		{"Portuguese single shift", "240103", []byte{0x1b, 0x05, 0x1b, 0x7b, 0x1b, 0x7c}, "êãõ"},
		{"Portuguese locking shift", "250103", []byte{0x04, 0x09, 0x18, 0x7b, 0x7c, 0x60}, "êç€ãõ~"},
		{"Portuguese both", "240103250103", []byte{0x1b, 0x65, 0x7b, 0x1b, 0x13}, "€ãΓ"},
		{"Hindi", "250106", []byte{0x15, 0x00, 0x15, 0x01, 0x02}, "कँकंः"},
		{"Urdu", "25010d", []byte{0x00, 0x02, 0x07}, "ابت"},
		{"an unknown language", "24010e25010f", []byte{0x04}, "è"},
		{"the last is meant", "250101250103", []byte{0x04}, "ê"},
		{"what the library takes for one", "190101", []byte{0x04}, "è"},
	} {
		t.Run(c.name, func(t *testing.T) {
			header := octets(t, c.header)
			ud, first := packed(header, c.septets), "01"
			if len(header) > 0 {
				first = "41"
			}
			s, err := rp.ParseSubmit(append(octets(t, first+"00 0481 2143 00 00"), ud...))
			require.NoError(t, err)
			assert.Equal(t, c.want, s.Text)
		})
	}
}

// packed is TP-UDL and TP-UD of septets behind a header, bit by bit.
func packed(header, septets []byte) []byte {
	if len(header) > 0 {
		header = append([]byte{byte(len(header))}, header...)
	}
	start := (len(header)*8 + 6) / 7 * 7 // bits
	ud := make([]byte, (start+7*len(septets)+7)/8)
	copy(ud, header)
	for i, s := range septets {
		for bit := range 7 {
			at := start + 7*i + bit
			ud[at/8] |= s >> bit & 1 << (at % 8)
		}
	}
	return append([]byte{byte(start/7 + len(septets))}, ud...)
}

// TestManyAtOnce lets the race detector see that the library's tables, which
// it makes when first asked, stand before anybody reads a text.
func TestManyAtOnce(t *testing.T) {
	var wait sync.WaitGroup
	for language := range 14 {
		for range 4 {
			wait.Go(func() {
				header := []byte{0x25, 1, byte(language), 0x24, 1, byte(language)}
				b := append([]byte{0x41, 0, 4, 0x81, 0x21, 0x43, 0, 0}, packed(header, []byte{0x15, 0x1b, 0x65})...)
				_, err := rp.ParseSubmit(b)
				assert.NoError(t, err)
				_, err = rp.Submit{Destination: rp.Number("1234"), Content: rp.Content{Text: "€"}}.Marshal()
				assert.NoError(t, err)
			})
		}
	}
	wait.Wait()
}
