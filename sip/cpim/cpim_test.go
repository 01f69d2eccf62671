package cpim

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const about = "From: MR SANDERS <im:piglet@100akerwood.com>\r\nTo: Depressed Donkey <im:eeyore@100akerwood.com>\r\n"

// TestRead has the example of RFC 3862 section 5 and what phones send.
func TestRead(t *testing.T) {
	at := time.Date(2000, 12, 13, 21, 40, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		raw  string
		want Message
	}{
		"the standard's": {about + "DateTime: 2000-12-13T13:40:00-08:00\r\nSubject: the weather will be fine today\r\nSubject:;lang=fr beau temps prevu pour aujourd'hui\r\n" +
			"NS: MyFeatures <mid:MessageFeatures@id.foo.com>\r\nMyFeatures.VitalMessageOption: Confirmation-requested\r\n\r\n" +
			"Content-type: text/xml; charset=utf-8\r\nContent-ID: <1234567890@foo.com>\r\n\r\n<body>\r\nHere is the text of my message.\r\n</body>\r\n",
			Message{"MR SANDERS <im:piglet@100akerwood.com>", "Depressed Donkey <im:eeyore@100akerwood.com>", at, "text/xml; charset=utf-8", []byte("<body>\r\nHere is the text of my message.\r\n</body>\r\n")}},
		"no headers but the end of them": {"\r\n\r\nbare", Message{Type: "text/plain", Body: []byte("bare")}},
		"nothing behind":                 {about + "\r\n", Message{"MR SANDERS <im:piglet@100akerwood.com>", "Depressed Donkey <im:eeyore@100akerwood.com>", time.Time{}, "text/plain", nil}},
		"line feeds alone":               {"from: <sip:a@b>\n\ncontent-type: text/plain;charset=UTF-8\n\na\nb", Message{"<sip:a@b>", "", time.Time{}, "text/plain;charset=UTF-8", []byte("a\nb")}},
		"a header in two lines":          {"\r\nContent-Type: text/plain;\r\n charset=UTF-8\r\n\r\nx", Message{Type: "text/plain; charset=UTF-8", Body: []byte("x")}},
		"escapes":                        {"To: \\\"a\\u\\\\b\\tc\\\r\n\r\n\r\nx", Message{To: "\"au\\b\tc\\", Type: "text/plain", Body: []byte("x")}},
		"base64":                         {"\r\nContent-Transfer-Encoding: BASE64\r\n\r\n5L2g\r\n5aW9\r\n", Message{Type: "text/plain", Body: []byte("你好")}},
		"quoted printable":               {"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=E4=BD=A0=\r\n=E5=A5=BD", Message{Type: "text/plain", Body: []byte("你好")}},
		"a bad date":                     {"DateTime: yesterday\r\n\r\n\r\nx", Message{Type: "text/plain", Body: []byte("x")}},
	} {
		got, err := Read([]byte(c.raw))
		require.NoError(t, err, name)
		require.True(t, c.want.At.Equal(got.At), name)
		got.At, c.want.At = time.Time{}, time.Time{}
		require.Equal(t, string(c.want.Body), string(got.Body), name)
		got.Body, c.want.Body = nil, nil
		require.Equal(t, c.want, *got, name)
	}
}

func TestReadRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		raw  string
		want error
	}{
		"nothing":               {"", ErrMalformed},
		"no end of the headers": {about, ErrMalformed},
		"no colon":              {"From\r\n\r\n\r\nx", ErrMalformed},
		"no name":               {": x\r\n\r\n\r\nx", ErrMalformed},
		"a space in a name":     {"From : x\r\n\r\n\r\nx", ErrMalformed},
		"a header without UTF8": {"From: \xff\r\n\r\n\r\nx", ErrMalformed},
		"many headers":          {strings.Repeat("X: y\r\n", maxHeaders) + "\r\n\r\nx", ErrMalformed},
		"bad content headers":   {"\r\nnonsense\r\n\r\nx", ErrMalformed},
		"bad base64":            {"\r\nContent-Transfer-Encoding: base64\r\n\r\n$", ErrMalformed},
		"too long":              {"\r\n\r\n" + strings.Repeat("x", maxSize), ErrMalformed},
		"Require":               {"Require: MyFeatures.VitalMessageOption\r\n\r\n\r\nx", ErrRequired},
		"an encoding":           {"\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nx", ErrEncoding},
	} {
		_, err := Read([]byte(c.raw))
		require.ErrorIs(t, err, c.want, name)
	}
}

func TestWrite(t *testing.T) {
	m := Message{"<sip:+8617010000001@axgate>", "<sip:13900000002@192.0.2.7>", time.Date(2026, 11, 25, 18, 0, 0, 5, time.FixedZone("", 8*3600)), "text/plain;charset=UTF-8", []byte("你好")}
	raw, err := m.Write()
	require.NoError(t, err)
	require.Equal(t, "From: <sip:+8617010000001@axgate>\r\nTo: <sip:13900000002@192.0.2.7>\r\nDateTime: 2026-11-25T10:00:00Z\r\n\r\nContent-Type: text/plain;charset=UTF-8\r\n\r\n你好", string(raw))
	for _, bad := range []string{"a\r\nTo: b", "a\x00", "\x7f", "\xff"} {
		for _, m := range []Message{{From: bad}, {To: bad}, {Type: bad}} {
			_, err := m.Write()
			require.Error(t, err, "%q", bad)
		}
	}
}

// TestReadsWhatItWrites: no text is lost or changed, whatever it looks like.
func TestReadsWhatItWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := Message{From: "<sip:" + rapid.StringMatching(`[a-z0-9+]{1,20}`).Draw(t, "from") + "@h>", Type: "text/plain",
			Body: []byte(rapid.String().Draw(t, "text"))}
		raw, err := m.Write()
		require.NoError(t, err)
		got, err := Read(raw)
		require.NoError(t, err)
		require.Equal(t, m.From, got.From)
		require.Equal(t, string(m.Body), string(got.Body))
	})
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"", "\n", "\r\n\r\n", about + "\r\nContent-Type: text/plain\r\n\r\nhello", "From: \\\r\n\r\n\r\n",
		about + "DateTime: 2000-12-13T13:40:00-08:00\r\nNS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: 34jk324j\r\n\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n5L2g",
		"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=E4=", "Require: x\r\n\r\n\r\n", "a:b\n\n:c\n\n", "\n Content-Type: x\n\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := Read(raw)
		if err != nil {
			return
		}
		if len(m.Body) > len(raw) {
			t.Fatalf("%d bytes of %d", len(m.Body), len(raw))
		}
		if !utf8.ValidString(m.From) || !utf8.ValidString(m.To) {
			t.Fatal("an address that is not UTF-8")
		}
		again, err := (&Message{From: m.From, To: m.To, At: m.At, Type: m.Type, Body: m.Body}).Write()
		if err != nil {
			return // an escaped control character
		}
		n, err := Read(again)
		if err != nil || string(n.Body) != string(m.Body) {
			t.Fatalf("what was written is not read: %v", err)
		}
	})
}
