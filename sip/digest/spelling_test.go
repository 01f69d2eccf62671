package digest

import (
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
	lib "github.com/icholy/digest"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestChallengesAsTheyCome: what registrars and proxies send is answered with
// the realm and the nonce that they mean.
func TestChallengesAsTheyCome(t *testing.T) {
	for text, want := range map[string]lib.Challenge{
		`Digest Realm="r", NONCE="n", Algorithm=MD5, Qop="auth"`:                   {Realm: "r", Nonce: "n", Algorithm: "MD5", QOP: []string{"auth"}},
		"DIGEST\trealm=\"r\",\tnonce\t=\t\"n\"\t,\tqop=\"auth\"\t":                 {Realm: "r", Nonce: "n", QOP: []string{"auth"}},
		`Digest realm="r", qop=auth,auth-int, nonce="n", opaque="o,p=q"`:           {Realm: "r", Nonce: "n", QOP: []string{"auth"}, Opaque: "o,p=q"},
		`Digest realm="r", nonce="n", qop=auth-int , auth`:                         {Realm: "r", Nonce: "n", QOP: []string{"auth"}},
		`Digest realm=sip.example.com, nonce=ab/+==, qop="auth", stale=TRUE`:       {Realm: "sip.example.com", Nonce: "ab/+==", QOP: []string{"auth"}, Stale: true},
		`Digest realm="r", nonce="n", qop=auth,`:                                   {Realm: "r", Nonce: "n", QOP: []string{"auth"}},
		`Digest , realm="r",, nonce="n" ,`:                                         {Realm: "r", Nonce: "n", QOP: []string{}},
		`Digest realm="a\"b\\, nonce=\"x\"", nonce="n"`:                            {Realm: `a"b\, nonce="x"`, Nonce: "n", QOP: []string{}},
		`Digest realm="r", nonce="n", x_y=1, auth*=UTF-8''a, domain="sip:a  b"`:    {Realm: "r", Nonce: "n", QOP: []string{}, Domain: []string{"sip:a", "b"}},
		`Digest realm="r", nonce="A B,c=", algorithm = sha-256 , qop = "auth"`:     {Realm: "r", Nonce: "A B,c=", Algorithm: "sha-256", QOP: []string{"auth"}},
		`Digest realm="王", nonce="` + strings.Repeat("n", 500) + `",charset=utf-8`: {Realm: "王", Nonce: strings.Repeat("n", 500), QOP: []string{}, Charset: "utf-8"},
	} {
		s, ok := read(text, asks[401])
		require.True(t, ok, "%q", text)
		if s.ask.QOP == nil {
			s.ask.QOP = []string{}
		}
		require.Equal(t, want, *s.ask, "%q", text)
	}
	for _, text := range []string{
		`Digest realm="r", nonce="n", nonce="m"`, `Digest realm="r", nonce="n", Nonce="n"`, `Digest realm="r", nonce="n", x_y=1, X_Y=1`,
		`Digest realm="r", nonce=a b`, `Digest realm="r", nonce="a"b`, `Digest realm="r", nonce=a"b"`, `Digest realm="r", nonce=a\b`, `Digest realm="r" nonce="n"`,
		`Digest realm="r", nonce="n", auth-int`, `Digest realm="r", nonce="n", ="x"`, `Digest realm="r", nonce="n", qop="auth", auth-int`, `Digest realm="r", nonce="n\"`,
		"Digest realm=\"r\ts\", nonce=\"n\"", `Digestrealm="r", nonce="n"`, `Digest realm="a", nonce="n", Digest realm="b", nonce="m"`,
		`Digest realm="r", nonce="n"` + strings.Repeat(`,`, 5) + params(maxParams),
	} {
		_, ok := read(text, asks[401])
		require.False(t, ok, "%q", text)
	}
}

func params(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(",x" + strings.Repeat("y", i%8) + string(rune('a'+i/8)) + "=1")
	}
	return b.String()
}

// TestProofsAsTheyCome: a good proof is one however its sender spells it, and
// one that could be read in two ways is none.
func TestProofsAsTheyCome(t *testing.T) {
	for name, c := range map[string]struct {
		spell func(proof string) string
		good  bool
	}{
		"as it is":        {func(p string) string { return p }, true},
		"capitals":        {strings.NewReplacer("username=", "Username=", "realm=", "REALM=", "response=", "Response=", "nc=", "NC=").Replace, true},
		"tabs":            {strings.NewReplacer(", ", "\t,\t", "Digest ", "Digest\t").Replace, true},
		"a comma behind":  {func(p string) string { return p + "," }, true},
		"without quotes":  {strings.NewReplacer(`"`, "").Replace, true},
		"quotes for all":  {strings.NewReplacer("qop=auth", `qop="auth"`, "nc=00000001", `nc="00000001"`, "algorithm=MD5", `algorithm="MD5"`).Replace, true},
		"two users":       {func(p string) string { return p + `, username="other"` }, false},
		"two users again": {func(p string) string { return strings.Replace(p, "Digest ", `Digest Username="other", `, 1) }, false},
		"another user":    {strings.NewReplacer(`"Mufasa"`, `"mufasa"`).Replace, false},
	} {
		s, err := NewServer(ServerConfig{})
		require.NoError(t, err)
		account := NewAccount("Circle of Life")
		find := func(user string) *Account {
			if user == "Mufasa" {
				return account
			}
			return nil
		}
		req := sip.NewRequest(sip.INVITE, sip.Uri{Scheme: "sip", User: "170", Host: "axgate.example"})
		_, refusal := s.Prove(req, Proxy, find, time0)
		e := client(t).Begin()
		require.NoError(t, e.Challenged(challenged(refusal.Status, refusal.Headers[0].Value())))
		require.NoError(t, e.Sign(req))
		proof := req.GetHeader("Proxy-Authorization").Value()
		req.RemoveHeader("Proxy-Authorization")
		req.AppendHeader(sip.NewHeader("Proxy-Authorization", c.spell(proof)))
		got, _ := s.Prove(req, Proxy, find, time0)
		require.Equal(t, c.good, got == account, "%s: %s", name, c.spell(proof))
	}
}

// TestStrict: what is strict stays as it is, whatever is in the quotes.
func TestStrict(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := lib.Challenge{Realm: rapid.StringMatching(`[ -~王é]{0,40}`).Draw(t, "realm"), Nonce: rapid.StringMatching(`[ -~]{1,40}`).Draw(t, "nonce"),
			Opaque: rapid.StringMatching(`[ -~]{0,40}`).Draw(t, "opaque"), QOP: []string{"auth", "auth-int"}}
		text, ok := strict(c.String())
		require.True(t, ok)
		require.Equal(t, c.String(), text)
		again, err := lib.ParseChallenge(text)
		require.NoError(t, err)
		require.Equal(t, c, *again)
	})
}
