package config_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/config"
)

func TestSMSGateways(t *testing.T) {
	c, err := load(t, `
trunks: [{name: ims, address: "192.0.2.7:5060"}]
sms:
  gateways:
    - {name: both, token: 0123456789abcdef, url: "https://gateway.example/send?a=b", secret: s3cret, numbers: [+86138, +852], timeout: 3s}
    - {name: in-only, token: fedcba9876543210}
    - {name: out.only, url: http://192.0.2.8:8080}
`, "AXGATE_SMS_GATEWAYS_2_SECRET=from-the-environment")
	require.NoError(t, err)
	require.Equal(t, []config.SMSGateway{
		{Name: "both", Token: "0123456789abcdef", URL: "https://gateway.example/send?a=b", Secret: "s3cret", Numbers: []string{"+86138", "+852"}, Timeout: 3 * time.Second},
		{Name: "in-only", Token: "fedcba9876543210", Timeout: 10 * time.Second},
		{Name: "out.only", URL: "http://192.0.2.8:8080", Secret: "from-the-environment", Timeout: 10 * time.Second},
	}, c.SMS.Gateways)
	var out bytes.Buffer
	require.NoError(t, c.Print(&out))
	for _, secret := range []string{"0123456789abcdef", "s3cret", "fedcba9876543210", "from-the-environment"} {
		require.NotContains(t, out.String(), secret)
	}

	const good = "token: 0123456789abcdef"
	for name, row := range map[string]struct{ text, want string }{
		"nothing":            {"", "[0].name: it is missing\n[0]: it has neither a token (texts in) nor a url (texts out)"},
		"neither":            {"name: g", "[0]: it has neither a token (texts in) nor a url (texts out)"},
		"name":               {"name: a/b, " + good, `[0].name: "a/b": use 1 to 64 letters, digits, . _ and -`},
		"two":                {"name: g, " + good + "}, {name: g, " + good, `[1].name: there are two of "g"`},
		"a trunk":            {"name: ims, " + good, `[0].name: "ims" is the name of other carriers of texts: a trunk, or the phones`},
		"the phones":         {"name: phone, " + good, `[0].name: "phone" is the name of other carriers of texts: a trunk, or the phones`},
		"a short token":      {"name: g, token: 0123456789abcde", "[0].token: use 16 to 256 characters"},
		"a long token":       {"name: g, token: " + strings.Repeat("x", 257), "[0].token: use 16 to 256 characters"},
		"a token with blank": {`name: g, token: "0123456789 abcdef"`, "[0].token: it has blanks, or characters that are not ASCII"},
		"a secret with more": {`name: g, url: http://h, secret: "se\u00e9"`, "[0].secret: it has blanks, or characters that are not ASCII"},
		"url":                {"name: g, url: gateway.example", "[0].url: this is no address: use one such as https://customer.example/events"},
		"another scheme":     {"name: g, url: ftp://gateway.example", "[0].url: this is no address: use one such as https://customer.example/events"},
		"numbers":            {"name: g, url: http://h, numbers: [138, +, +86138X, +1234567890123456]", numbersWrong},
		"timeout":            {"name: g, url: http://h, timeout: 31s", "[0].timeout: 31s: use 100ms to 30s"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, "trunks: [{name: ims, address: \"192.0.2.7:5060\"}]\nsms: {gateways: [{"+row.text+"}]}\n")
			require.Error(t, err)
			want := "sms.gateways" + strings.ReplaceAll(row.want, "\n", " (axgate.yaml:2)\nsms.gateways") + " (axgate.yaml:2)"
			require.Equal(t, want, err.Error())
		})
	}
	_, err = load(t, "http: {listen: off}\nsms: {gateways: [{name: g, "+good+"}]}\n")
	require.EqualError(t, err, "sms.gateways[0].token: texts come in by HTTP, and http.listen is off (axgate.yaml:2)")
	_, err = load(t, "http: {listen: off}\nsms: {gateways: [{name: g, url: http://h}]}\n")
	require.NoError(t, err)
}

const numbersWrong = `[0].numbers[0]: "138": use the beginning of numbers in global form, such as +86138
[0].numbers[1]: "+": use the beginning of numbers in global form, such as +86138
[0].numbers[2]: "+86138X": use the beginning of numbers in global form, such as +86138
[0].numbers[3]: "+1234567890123456": use the beginning of numbers in global form, such as +86138`
