package identity

import (
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"
)

const (
	inFrom = "From: <sip:13800000001@192.0.2.9>;tag=1"
	inPAI  = "P-Asserted-Identity: <tel:+8613800000002>"
	inRPID = "Remote-Party-ID: <sip:13800000003@192.0.2.9>;party=calling;privacy=off;screen=yes"
)

var (
	trusted   = Rule{Trusted: true}
	untrusted = Rule{}
)

func order(sources ...Source) Rule { return Rule{Sources: sources, Trusted: true} }

// TestCaller finds the caller by the rule of the trunk. No want: anonymous.
func TestCaller(t *testing.T) {
	for _, c := range []struct {
		name  string
		rule  Rule
		lines []string
		want  string
	}{
		// The order of the sources.
		{"PAI before RPID before From", trusted, []string{inFrom, inRPID, inPAI}, "+8613800000002"},
		{"RPID before From", trusted, []string{inFrom, inRPID}, "13800000003"},
		{"From if there is no other", trusted, []string{inFrom}, "13800000001"},
		{"the trunk says From first", order(From, PAI), []string{inFrom, inPAI}, "13800000001"},
		{"the trunk says RPID first", order(RPID, PAI, From), []string{inFrom, inPAI, inRPID}, "13800000003"},
		{"the trunk says PAI only", order(PAI), []string{inFrom, inRPID}, ""},
		{"PAI without a number is passed over", trusted, []string{inFrom, "P-Asserted-Identity: <sip:alice@example.com>"}, "13800000001"},
		{"PAI that cannot be read is passed over", trusted, []string{inFrom, "P-Asserted-Identity: <<<"}, "13800000001"},
		{"nobody has a number", trusted, []string{"From: <sip:alice@example.com>;tag=1"}, ""},
		{"no From", trusted, nil, ""},

		// RFC 3325 section 5: an assertion counts for what who makes it is trusted.
		{"PAI of a stranger", untrusted, []string{inFrom, inPAI}, "13800000001"},
		{"RPID of a stranger", untrusted, []string{inFrom, inRPID}, "13800000001"},
		{"a stranger's order names PAI", Rule{Sources: []Source{PAI}}, []string{inFrom, inPAI}, ""},
		{"P-Preferred-Identity is no identity", trusted, []string{inFrom, "P-Preferred-Identity: <tel:+8613800000009>"}, "13800000001"},

		// RFC 3325 section 9.1: one sip and one tel value for the same caller.
		{"sip and tel in a list", trusted, []string{inFrom, "P-Asserted-Identity: <sip:+8613800000002@a.b>, <tel:+8613800000002>"}, "+8613800000002"},
		{"sip and tel repeated", trusted, []string{"P-Asserted-Identity: <sip:+8613800000002@a.b>", "P-Asserted-Identity: <tel:+8613800000007>"}, "+8613800000002"},
		{"the first has no number", trusted, []string{"P-Asserted-Identity: <sip:alice@a.b>, <tel:+8613800000002>"}, "+8613800000002"},
		{"the first cannot be read", trusted, []string{"P-Asserted-Identity: <sip:13, <tel:+8613800000007>", "P-Asserted-Identity: <tel:+8613800000002>"}, "+8613800000002"},
		{"without brackets", trusted, []string{"P-Asserted-Identity: tel:+8613800000002"}, "+8613800000002"},
		{"any case of the name", trusted, []string{"p-asserted-identity: <tel:+8613800000002>"}, "+8613800000002"},
		{"empty values", trusted, []string{"P-Asserted-Identity: , ,<tel:+8613800000002>"}, "+8613800000002"},
		{"beyond what is read", trusted, []string{inFrom, "P-Asserted-Identity: " + strings.Repeat("<sip:a@b>,", 16) + "<tel:+8613800000002>"}, "13800000001"},

		// RFC 3261 section 20: commas and brackets in quotes separate nothing.
		{"comma in a name", trusted, []string{`P-Asserted-Identity: "Li, <tel:1>, Wei" <tel:+8613800000002>`}, "+8613800000002"},
		{"quote in a name", trusted, []string{`P-Asserted-Identity: "Li \", <tel:1>, Wei" <tel:+8613800000002>`}, "+8613800000002"},
		{"comma in a URI", trusted, []string{`P-Asserted-Identity: <sip:a,b@c>, <tel:+8613800000002>`}, "+8613800000002"},
		{"a number in a name", trusted, []string{`From: "13800000009" <sip:alice@example.com>;tag=1`}, ""},

		// RFC 3323 section 4.1.1.3: the anonymous URI.
		{"anonymous From", untrusted, []string{"From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=1"}, ""},
		{"anonymous From with a number", untrusted, []string{"From: <sip:13800000001@Anonymous.Invalid>;tag=1"}, ""},
		{"anonymous From, PAI", trusted, []string{"From: <sip:anonymous@anonymous.invalid>;tag=1", inPAI}, "+8613800000002"},
		{"anonymous PAI, From", trusted, []string{inFrom, "P-Asserted-Identity: <sip:13800000002@anonymous.invalid>"}, "13800000001"},

		// RFC 3323 section 4.2: what a caller asks to be kept from others.
		{"Privacy: id", untrusted, []string{inFrom, "Privacy: id"}, ""},
		{"Privacy: user", untrusted, []string{inFrom, "Privacy: user"}, ""},
		{"Privacy: header", untrusted, []string{inFrom, "Privacy: header"}, ""},
		{"Privacy: none", untrusted, []string{inFrom, "Privacy: none"}, "13800000001"},
		{"Privacy: off, an old none", untrusted, []string{inFrom, "Privacy: off"}, "13800000001"},
		{"Privacy: session", untrusted, []string{inFrom, "Privacy: session"}, "13800000001"},
		{"Privacy, nothing in it", untrusted, []string{inFrom, "Privacy: "}, "13800000001"},
		{"Privacy in a list", untrusted, []string{inFrom, "Privacy: session;ID;critical"}, ""},
		{"Privacy in a list with commas", untrusted, []string{inFrom, "Privacy: session, user"}, ""},
		{"Privacy repeated", untrusted, []string{inFrom, "Privacy: none", "privacy:  Header ; critical"}, ""},
		{"Privacy and a stranger's PAI", untrusted, []string{inFrom, inPAI, "Privacy: id"}, ""},
		{"Privacy and a trusted PAI", trusted, []string{inFrom, inPAI, "Privacy: id"}, "+8613800000002"},
		{"Privacy and a trusted RPID", trusted, []string{inFrom, inRPID, "Privacy: user;id"}, "13800000003"},
		{"Privacy, trusted, From first", order(From, PAI), []string{inFrom, inPAI, "Privacy: id"}, "+8613800000002"},
		{"Privacy, trusted, From only", order(From), []string{inFrom, inPAI, "Privacy: id"}, ""},
		{"Privacy, trusted, no assertion", trusted, []string{inFrom, "Privacy: id"}, ""},

		// The Remote-Party-ID draft: another party may be named too.
		{"RPID of the called party", trusted, []string{inFrom, "Remote-Party-ID: <sip:18012345678@h>;party=called"}, "13800000001"},
		{"RPID of both parties", trusted, []string{inFrom, "Remote-Party-ID: <sip:18012345678@h>;party=called, <sip:13800000003@h>;Party=Calling"}, "13800000003"},
		{"RPID of no named party", trusted, []string{inFrom, `Remote-Party-ID: "party=called" <sip:13800000003@h>`}, "13800000003"},
		{"RPID party of the URI", trusted, []string{inFrom, "Remote-Party-ID: <sip:13800000003@h;party=called>;screen=yes"}, "13800000003"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.NoError(t, c.rule.Validate())
			got, anonymous := Caller(invite(t, "sip:18012345678@192.0.2.1", c.lines...), c.rule)
			require.Equal(t, c.want, got)
			require.Equal(t, c.want == "", anonymous)
		})
	}
}

func TestRuleNamesTheSourcesThereAre(t *testing.T) {
	require.NoError(t, Rule{}.Validate())
	require.NoError(t, order(PAI, RPID, From).Validate())
	require.EqualError(t, order(PAI, "ppi").Validate(), `identity source "ppi": use pai, rpid or from`)
	require.EqualError(t, order("").Validate(), `identity source "": use pai, rpid or from`)
	require.EqualError(t, order(From, PAI, From).Validate(), "identity source from stands twice")
}

// FuzzCaller reads numbers from what anybody may send: all that comes out is a
// number that the number plan can be asked for.
func FuzzCaller(f *testing.F) {
	f.Add("sip:+8618012345678@h;user=phone", "<sip:18012345678@h>", `"Li, Wei" <sip:13800000001@h>;tag=1`, "<sip:a@b>, <tel:+86-138>", "session;id")
	f.Add("tel:18012345678;phone-context=+86;npdi;rn=1", "<tel:%2B86>", "sip:anonymous@anonymous.invalid", `"\"" <sip:1@h>, *`, "none, off")
	f.Add("sip:%", "<sip:[", "<<>>\"", `"\`, ";;,,")
	f.Add("*", "*", "*", "<sip:1;phone-context=+@h;phone-context=+>", "critical")
	f.Fuzz(func(t *testing.T, target, to, from, assertion, privacy string) {
		req := sip.NewRequest(sip.INVITE, sip.Uri{})
		if sip.ParseUri(target, &req.Recipient) != nil {
			return
		}
		for name, value := range map[string]string{"To": to, "From": from, "P-Asserted-Identity": assertion, "Remote-Party-ID": assertion, "Privacy": privacy} {
			req.AppendHeader(sip.NewHeader(name, value))
		}
		if n, ok := Dialled(req); ok {
			isNumber(t, n)
		}
		for _, rule := range []Rule{trusted, untrusted, order(From, RPID)} {
			n, anonymous := Caller(req, rule)
			require.Equal(t, n == "", anonymous)
			if !anonymous {
				isNumber(t, n)
			}
		}
	})
}

func isNumber(t *testing.T, n string) {
	plain := strings.TrimPrefix(n, "+")
	require.NotEmpty(t, plain)
	require.LessOrEqual(t, len(plain), 40)
	require.Empty(t, strings.Trim(plain, "0123456789"))
}
