package identity

import (
	"fmt"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"
)

// TestNumberOf has the spellings of section 1.2 of the interoperability rules:
// whatever stands around a number, only the number counts.
func TestNumberOf(t *testing.T) {
	for text, want := range map[string]string{
		// RFC 3261 section 19.1.1: a sip URI with a telephone number as its user.
		"sip:18012345678@192.0.2.1":                                          "18012345678",
		"sip:+8618012345678@example.com;user=phone":                          "+8618012345678",
		"sips:+8618012345678@example.com:5061":                               "+8618012345678",
		"SIP:+8618012345678@example.com":                                     "+8618012345678",
		"sip:18012345678:secret@192.0.2.1":                                   "18012345678",
		"sip:18012345678@[2001:db8::1]:5060;transport=udp":                   "18012345678",
		"sip:18012345678@192.0.2.1?Subject=13800000001":                      "18012345678",
		"sip:700123456789012@192.0.2.1":                                      "700123456789012",
		"sip:+8618012345678@anonymous.invalid":                               "+8618012345678",
		"sip:18012345678;phone-context=ims.example.com@192.0.2.1;user=phone": "18012345678",

		// RFC 3966 section 3: tel, with visual separators.
		"tel:+8618012345678":       "+8618012345678",
		"TEL:+8618012345678":       "+8618012345678",
		"tel:+86-180-1234-5678":    "+8618012345678",
		"tel:+86.180.1234.5678":    "+8618012345678",
		"tel:(0755)2800-0001":      "075528000001",
		"tel:(+86)18012345678":     "+8618012345678",
		"sip:+86-180-1234-5678@h":  "+8618012345678",
		"tel:+86 180 1234 5678":    "+8618012345678",
		"sip:(0755)28000001@h.com": "075528000001",

		// RFC 3261 section 19.1.4: an escaped character is the character.
		"sip:%2B8618012345678@192.0.2.1":        "+8618012345678",
		"sip:%2b8618012345678@192.0.2.1":        "+8618012345678",
		"tel:%31%38%30%31%32%33%34%35%36%37%38": "18012345678",
		"sip:+86%20180%201234%205678@h":         "+8618012345678",
		"sip:180%2D1234%2d5678@h":               "18012345678",

		// RFC 3966 section 5.1.5: a local number is valid in its context.
		"tel:18012345678;phone-context=+86":                             "+8618012345678",
		"tel:18012345678;Phone-Context=+86":                             "+8618012345678",
		"tel:28000001;phone-context=+86755":                             "+8675528000001",
		"tel:28000001;phone-context=+86-755":                            "+8675528000001",
		"tel:28000001;phone-context=%2B86755":                           "+8675528000001",
		"tel:18012345678;phone-context=example.com":                     "18012345678",
		"tel:18012345678;phone-context=":                                "18012345678",
		"tel:18012345678;phone-context=86":                              "18012345678",
		"tel:18012345678;phone-context=+":                               "18012345678",
		"sip:18012345678;phone-context=+86@192.0.2.1;user=phone":        "+8618012345678",
		"sip:18012345678@192.0.2.1;user=phone;phone-context=+86":        "+8618012345678",
		"sip:18012345678;phone-context=+86@192.0.2.1;phone-context=+44": "+8618012345678",
		"tel:8618012345678;phone-context=+86":                           "+8618012345678", // said twice
		"tel:008618012345678;phone-context=+86":                         "008618012345678",
		"tel:+8618012345678;phone-context=+44":                          "+8618012345678", // global already

		// RFC 4694 number portability, RFC 3966 isub and ext, and what is not known.
		"tel:+8618012345678;npdi":                                 "+8618012345678",
		"tel:+8618012345678;npdi;rn=+8613900000000":               "+8618012345678",
		"tel:+8618012345678;rn=+8613900000000;npdi":               "+8618012345678",
		"sip:+8618012345678;npdi;rn=+8613900000000@h;user=phone":  "+8618012345678",
		"tel:+8618012345678;isub=1234":                            "+8618012345678",
		"tel:+8618012345678;isub=1234;isub-encoding=nsap":         "+8618012345678",
		"tel:+8618012345678;ext=99":                               "+8618012345678",
		"tel:+8618012345678;tgrp=a;trunk-context=example.com;x=y": "+8618012345678",
		"tel:28000001;isub=1;phone-context=+86755;npdi":           "+8675528000001",

		// A number may be longer than E.164 allows.
		"tel:" + strings.Repeat("7", 32):  strings.Repeat("7", 32),
		"tel:" + strings.Repeat("7", 40):  strings.Repeat("7", 40),
		"tel:+" + strings.Repeat("7", 40): "+" + strings.Repeat("7", 40),
	} {
		t.Run(text, func(t *testing.T) {
			got, ok := numberOf(uri(t, text))
			require.True(t, ok)
			require.Equal(t, want, got)
		})
	}
}

// TestNoNumber has URIs that name no number: no guess is made at them.
func TestNoNumber(t *testing.T) {
	for _, text := range []string{
		"*", "sip:192.0.2.1", "sip:@192.0.2.1", "sip:18012345678", "sip:alice@example.com", "sip:anonymous@anonymous.invalid",
		"sip:18012345678x@h", "sip:x18012345678@h", "sip:1801234567a@h", "sip:*21#@h", "tel:*21%23", "tel:12#",
		"sip:++8618012345678@h", "sip:86+18012345678@h", "tel:+", "tel:-.()", "tel:;phone-context=+86", "sip:+@h", "sip:%2B@h",
		"sip:1801234567%@h", "sip:180123456%3@h", "sip:180%zz1234@h", "sip:180%001234@h", "sip:180%0d%0a1234@h", "sip:180%09123@h",
		"tel:１８０１２３４５６７８", "sip:%EF%BC%91801@h", "tel:18012345678?x", "tel:18012345678,13800000001", "tel:180/1234",
		"urn:service:sos", "mailto:18012345678@example.com", "http://18012345678", "im:18012345678@h",
		"tel:" + strings.Repeat("7", 41), "tel:+" + strings.Repeat("7", 41), "sip:" + strings.Repeat("%37", 41) + "@h",
		"tel:" + strings.Repeat("7", 30) + ";phone-context=+" + strings.Repeat("8", 11),
		"tel:1" + strings.Repeat("-", 300), "sip:" + strings.Repeat("1", 10000) + "@h",
	} {
		t.Run(fmt.Sprintf("%.40s", text), func(t *testing.T) {
			got, ok := numberOf(uri(t, text))
			require.False(t, ok, got)
		})
	}
}

// TestDialled: the Request-URI says who is called (RFC 3261 section 8.1.1.1);
// To only counts where the Request-URI is that of a registered line.
func TestDialled(t *testing.T) {
	for _, c := range []struct{ uri, to, want string }{
		{"sip:18012345678@192.0.2.1", "<sip:18012345678@192.0.2.1>", "18012345678"},
		{"sip:18012345678@192.0.2.1", "<sip:13900000009@192.0.2.1>", "18012345678"},
		{"tel:+8618012345678", "<tel:+8613900000009>", "+8618012345678"},
		{"sip:line-7@192.0.2.1", "<sip:18012345678@example.com>", "18012345678"},
		{"sip:192.0.2.1", `"X" <tel:+8618012345678;npdi>`, "+8618012345678"},
		{"sip:line-7@192.0.2.1", "sip:18012345678@example.com", "18012345678"},
		{"sip:line-7@192.0.2.1", "<sip:alice@example.com>", ""},
		{"sip:line-7@192.0.2.1", `"18012345678" <sip:alice@example.com>`, ""}, // names are not read
	} {
		got, ok := Dialled(invite(t, c.uri, "To: "+c.to))
		require.Equal(t, c.want != "", ok, c)
		require.Equal(t, c.want, got, c)
	}
	got, ok := Dialled(sip.NewRequest(sip.INVITE, sip.Uri{Scheme: "sip", User: "line-7", Host: "192.0.2.1"}))
	require.False(t, ok, got)
}

func uri(t testing.TB, text string) *sip.Uri {
	var u sip.Uri
	require.NoError(t, sip.ParseUri(text, &u))
	return &u
}

// invite is an INVITE as it comes from the wire, with these lines among its
// headers.
func invite(t testing.TB, uri string, lines ...string) *sip.Request {
	text := "INVITE " + uri + " SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n"
	for _, l := range lines {
		text += l + "\r\n"
	}
	msg, err := sip.ParseMessage([]byte(text + "Content-Length: 0\r\n\r\n"))
	require.NoError(t, err)
	return msg.(*sip.Request)
}

func TestCalled(t *testing.T) {
	for name, c := range map[string]struct {
		uri, to string
		headers []string
		want    []string
	}{
		"the usual":         {"sip:17010000001@h", "<sip:17010000001@h>", nil, []string{"17010000001", "17010000001"}},
		"a phone's address": {"sip:instance-7@192.0.2.7:5060;ob", "<sip:ims@h>", []string{"<sip:+8617010000001@ims.example>"}, []string{"+8617010000001"}},
		"with tel":          {"sip:ue@192.0.2.7", "<tel:+8617010000002>", []string{"<tel:+86-170-1000-0001>;x=y", "nonsense"}, []string{"+8617010000001", "+8617010000002"}},
		"nobody":            {"sip:a@h", "<sip:b@h>", []string{"<sip:c@h>"}, nil},
	} {
		req := invite(t, c.uri, "To: "+c.to)
		for _, h := range c.headers {
			req.AppendHeader(sip.NewHeader("P-Called-Party-ID", h))
		}
		require.Equal(t, c.want, Called(req), name)
	}
}

func TestReturn(t *testing.T) {
	for name, c := range map[string]struct {
		from     string
		asserted []string
		want     string
	}{
		"From":                   {"<sip:13800000001@ims.example:5070;user=phone>", nil, "sip:13800000001@ims.example:5070"},
		"who is asserted":        {"<sip:a@h>", []string{"<sip:smsc@ims.example>", "<tel:+861>"}, "sip:smsc@ims.example"},
		"tel is no address":      {"<sip:a@h>", []string{"<tel:+8613800000001>"}, "sip:a@h"},
		"anonymous":              {"<sip:anonymous@anonymous.invalid>", nil, ""},
		"anonymous and asserted": {"<sip:anonymous@anonymous.invalid>", []string{"<sip:smsc@h>"}, "sip:smsc@h"},
		"nothing but tel":        {"<tel:+8613800000001>", nil, ""},
	} {
		req := invite(t, "sip:17010000001@h", "From: "+c.from)
		for _, h := range c.asserted {
			req.AppendHeader(sip.NewHeader("P-Asserted-Identity", h))
		}
		uri, ok := Return(req)
		require.Equal(t, c.want != "", ok, name)
		if ok {
			require.Equal(t, c.want, uri.String(), name)
		}
	}
}
