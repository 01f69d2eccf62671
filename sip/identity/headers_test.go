package identity

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestAllowList is the allow list of the interoperability rules (section 1.1),
// word for word, with the two that others of these rules make us send.
func TestAllowList(t *testing.T) {
	const list = `Via, From, To, Call-ID, CSeq, Contact, Max-Forwards, Route, Record-Route, Content-Type, Content-Length, Allow,
		Supported, Require, Unsupported, RSeq, RAck, Session-Expires, Min-SE, Proxy-Authorization, Authorization,
		Proxy-Authenticate, WWW-Authenticate, Retry-After, P-Early-Media, Reason, P-Asserted-Identity, P-Preferred-Identity,
		Privacy, Diversion, History-Info`
	want := []string{
		"accept",     // RFC 3261 sections 11.2 and 21.4.13
		"user-agent", // section 1: one product string
	}
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		require.True(t, Allowed(name), name)
		require.True(t, Allowed(strings.ToUpper(name)), name)
		want = append(want, strings.ToLower(name))
	}
	var got []string
	for name := range standings {
		if name == strings.ToLower(name) {
			got = append(got, name)
		}
	}
	require.ElementsMatch(t, want, got)
}

// TestAlwaysDropped has the headers that name people, places or other nodes.
func TestAlwaysDropped(t *testing.T) {
	for _, name := range []string{
		"Remote-Party-ID", "P-Charging-Vector", "P-Charging-Function-Addresses", "P-Access-Network-Info", "P-Visited-Network-ID",
		"P-Called-Party-ID", "P-Associated-URI", "Geolocation", "Identity", "Identity-Info", "Referred-By", "Refer-To", "Replaces",
		"Call-Info", "Alert-Info", "Error-Info", "Organization", "Subject", "User-to-User", "Session-ID", "Server", "In-Reply-To",
		"Reply-To", "Warning", "Target-Dialog", "P-Served-User", "P-Profile-Key", "P-User-Database", "X-Real-Caller", "X-",
		"Date", "Timestamp", "Path", "Service-Route", "Content-Disposition", "MIME-Version",
		"f", "t", "s", "b", "r", "m", // short names: what we write has the long ones
		"", " ", "Via ", "Via:", "From\r\nX-Real-Caller", "Viа", // the last letter is Cyrillic
	} {
		require.False(t, Allowed(name), name)
	}
}

func TestCheckNamesTheHeader(t *testing.T) {
	check := func(name, value string) error { return Check(name, []byte(value), Header{"X-Own", "1"}) }
	require.NoError(t, check("Via", "SIP/2.0/UDP 192.0.2.1"))
	require.NoError(t, check("user-agent", "axgate"))
	require.NoError(t, check("X-OWN", "1"))
	require.NoError(t, check("From", "\"a\tb\xff\" <sip:a>"), "the peer's own words")
	require.EqualError(t, check("X-Own", "2"), `header "X-Own" is not on the allow list`)
	require.EqualError(t, check("Subject", "13800000001"), `header "Subject" is not on the allow list`)
	require.ErrorContains(t, check("Reason", "Q.850\r\nX: 1"), "header Reason: ")
	require.ErrorContains(t, check("Reason", "Q.850\x7f"), "header Reason: ")
	require.ErrorContains(t, check("Reason", "Q.850\xff"), "header Reason: ")
	require.NoError(t, check("Reason", "Q.850;text=\"茶\""))
	require.ErrorContains(t, check("From", "a\nb"), "header From: ")
	require.ErrorContains(t, check("From", "a\rb"), "header From: ")
	require.NotContains(t, check("X-Real-Caller", "13800000001").Error(), "13800000001")
}

func TestClean(t *testing.T) {
	for _, good := range []string{"", "sip:18012345678@192.0.2.1", `"Li \"Wei\"" <tel:+86>`, "茶 ½ é \u00a0", "\u200b\U0001F4DE", "~ ,;"} {
		got, err := Clean(good)
		require.NoError(t, err, good)
		require.Equal(t, good, got)
	}
	for _, bad := range []string{
		"a\r\nX: 1", "a\rb", "a\nb", "a\r\n b", "\x00", "a\x00", "a\tb", "\x1b[0m", "a\x7f", "\x01",
		"\u0080", "a\u0085b", "\u009f", "a\u2028b", "a\u2029b", "\xff", "a\xc2", "\xed\xa0\x80", "\xc0\x8a",
	} {
		got, err := Clean(bad)
		require.Error(t, err, "%q", bad)
		require.Empty(t, got)
	}
}

// TestCleanLetsNoControlCharacterThrough: a value that is let through is what
// came, and nobody who reads it finds the end of a line in it.
func TestCleanLetsNoControlCharacterThrough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
			rapid.StringOf(rapid.RuneFrom([]rune("aé\r\n\t\x00\x7f\u0080\u0085\u009f\u2028\u2029")))).Draw(t, "value")
		got, err := Clean(value)
		if err != nil {
			require.Empty(t, got)
			return
		}
		require.Equal(t, value, got)
		require.True(t, utf8.ValidString(got))
		require.Equal(t, -1, strings.IndexFunc(got, unicode.IsControl))
		require.False(t, strings.ContainsAny(got, "\r\n\u0085\u2028\u2029"))
	})
}
