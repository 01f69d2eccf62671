package digest

import (
	"crypto/md5"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/emiago/sipgo/sip"
	lib "github.com/icholy/digest"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func client(t testing.TB) *Client {
	t.Helper()
	c, err := New("Mufasa", "Circle of Life")
	require.NoError(t, err)
	return c
}

func register() *sip.Request {
	return sip.NewRequest(sip.REGISTER, sip.Uri{Scheme: "sip", Host: "ims.example"})
}

func challenged(status int, challenges ...string) *sip.Response {
	res := sip.NewResponse(status, "")
	name := "WWW-Authenticate"
	if status == 407 {
		name = "Proxy-Authenticate"
	}
	for _, c := range challenges {
		res.AppendHeader(sip.NewHeader(name, c))
	}
	return res
}

// signed are the proofs in a request that is signed now.
func signed(t testing.TB, e *Exchange, header string) []*lib.Credentials {
	t.Helper()
	req := register()
	require.NoError(t, e.Sign(req))
	var all []*lib.Credentials
	for _, h := range req.GetHeaders(header) {
		c, err := lib.ParseCredentials(h.Value())
		require.NoError(t, err)
		all = append(all, c)
	}
	return all
}

func one(t testing.TB, e *Exchange) *lib.Credentials {
	t.Helper()
	all := signed(t, e, "Authorization")
	require.Len(t, all, 1)
	return all[0]
}

func sum(parts ...string) string { return fmt.Sprintf("%x", md5.Sum([]byte(strings.Join(parts, ":")))) }

// TestExamples: the examples of RFC 2617 section 3.5 and RFC 7616 section
// 3.9.1, and the formulas for what they have no example of.
func TestExamples(t *testing.T) {
	const nonce7616, cnonce7616 = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
	a2 := sum("GET", "/dir/index.html")
	for _, c := range []struct{ challenge, password, cnonce, want, algorithm, qop string }{
		{`Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"`,
			"Circle Of Life", "0a4f113b", "6629fae49393a05397450978507c4ef1", "", "auth"},
		{`Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, nonce="` + nonce7616 + `"`,
			"Circle of Life", cnonce7616, "8ca523f5e9506fed4657c9700eebdbec", "MD5", "auth"},
		{`Digest realm="http-auth@example.org", qop="auth-int, auth", algorithm=SHA-256, nonce="` + nonce7616 + `"`,
			"Circle of Life", cnonce7616, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", "SHA-256", "auth"},
		{`Digest realm="r", qop=auth, algorithm=MD5-sess, nonce="n"`,
			"p", "c", sum(sum(sum("Mufasa", "r", "p"), "n", "c"), "n", "00000001", "c", "auth", a2), "MD5-sess", "auth"},
		{`Digest realm="r", nonce="n"`, "p", "c", sum(sum("Mufasa", "r", "p"), "n", a2), "", ""},
		{`Digest realm="r", nonce="n", qop=""`, "p", "c", sum(sum("Mufasa", "r", "p"), "n", a2), "", ""},
		{`Digest realm="r", nonce="n", algorithm="md5"`, "p", "c", sum(sum("Mufasa", "r", "p"), "n", a2), "md5", ""},
	} {
		s, ok := read(c.challenge, asks[401])
		require.True(t, ok, c.challenge)
		s.cnonce = c.cnonce
		h, err := s.proof(&Client{username: "Mufasa", password: c.password}, "GET", "/dir/index.html")
		require.NoError(t, err)
		cred, err := lib.ParseCredentials(h.Value())
		require.NoError(t, err)
		require.Equal(t, c.want, cred.Response, c.challenge)
		require.Equal(t, c.algorithm, cred.Algorithm)
		require.Equal(t, c.qop, cred.QOP)
		require.Equal(t, c.qop != "", strings.Contains(h.Value(), "cnonce="), "without qop there is none")
		require.Equal(t, c.qop != "", strings.Contains(h.Value(), "nc=00000001"))
	}
}

func TestTheStrongestIsAnswered(t *testing.T) {
	const md5Ask, shaAsk = `Digest realm="r", nonce="a", qop="auth"`, `Digest realm="r", nonce="b", algorithm=SHA-256, qop="auth"`
	for _, order := range [][]string{{md5Ask, shaAsk}, {shaAsk, md5Ask}, {`Basic realm="r"`, shaAsk}, {`Digest realm="r", nonce="c", algorithm=SHA-3, qop="auth"`, shaAsk, md5Ask}} {
		e := client(t).Begin()
		require.NoError(t, e.Challenged(challenged(401, order...)))
		require.Equal(t, "b", one(t, e).Nonce, "%v", order)
	}
	e := client(t).Begin()
	require.NoError(t, e.Challenged(challenged(401, `Digest realm="r", nonce="a"`, `Digest realm="r", nonce="b", qop="auth"`)))
	require.Equal(t, "b", one(t, e).Nonce, "of two of a kind the one that cannot be replayed")
}

// TestNonceCount: a nonce serves further requests, each with its own count, and
// the key of MD5-sess stays.
func TestNonceCount(t *testing.T) {
	c := client(t)
	first := c.Begin()
	require.Empty(t, signed(t, first, "Authorization"), "nobody has asked")
	require.NoError(t, first.Challenged(challenged(401, `Digest realm="r", nonce="a", algorithm=MD5-sess, qop="auth"`)))
	was := one(t, first)
	require.Equal(t, 1, was.Nc)
	for i := 2; i <= 5; i++ {
		now := one(t, c.Begin())
		require.Equal(t, i, now.Nc)
		require.Equal(t, was.Cnonce, now.Cnonce)
		require.NotEqual(t, was.Response, now.Response)
	}
	again := c.Begin()
	require.Equal(t, 6, one(t, again).Nc)
	require.NoError(t, again.Challenged(challenged(401, `Digest realm="r", nonce="a", algorithm=MD5-sess, qop="auth"`)))
	require.Equal(t, 7, one(t, again).Nc, "the same nonce goes on")
	require.NoError(t, again.Challenged(challenged(401, `Digest realm="r", nonce="b", stale=TRUE, algorithm=MD5-sess, qop="auth"`)))
	fresh := one(t, again)
	require.Equal(t, 1, fresh.Nc)
	require.NotEqual(t, was.Cnonce, fresh.Cnonce)
}

// TestTries: a wrong password is tried once, a forgotten nonce is no wrong
// password, and who goes on asking is left.
func TestTries(t *testing.T) {
	ask := func(nonce string, stale bool) *sip.Response {
		return challenged(401, fmt.Sprintf(`Digest realm="r", nonce="%s", qop="auth", stale=%v`, nonce, stale))
	}
	c := client(t)
	e := c.Begin()
	one := func() { t.Helper(); require.Len(t, signed(t, e, "Authorization"), 1) }
	require.NoError(t, e.Challenged(ask("a", false)))
	one()
	require.ErrorIs(t, e.Challenged(ask("b", false)), ErrRejected)
	require.Empty(t, signed(t, c.Begin(), "Authorization"), "what was refused is not remembered")

	e = c.Begin()
	require.NoError(t, e.Challenged(ask("a", false)))
	one()
	require.NoError(t, e.Challenged(ask("b", true)), "only stale")
	one()
	require.ErrorIs(t, e.Challenged(ask("c", true)), ErrTooOften)

	e = c.Begin()
	one()
	require.NoError(t, e.Challenged(ask("d", false)), "it has forgotten the nonce that we remember")
	one()
	require.ErrorIs(t, e.Challenged(ask("e", false)), ErrRejected)

	for _, none := range []*sip.Response{sip.NewResponse(200, "OK"), sip.NewResponse(403, "Forbidden")} {
		require.ErrorIs(t, c.Begin().Challenged(none), ErrNotAsked)
	}
}

// TestRegistrarAndProxy each get their own proof.
func TestRegistrarAndProxy(t *testing.T) {
	c := client(t)
	e := c.Begin()
	require.NoError(t, e.Challenged(challenged(407, `Digest realm="proxy", nonce="p", qop="auth"`, `Digest realm="inner", nonce="i", qop="auth"`)))
	require.Empty(t, signed(t, e, "Authorization"))
	require.Len(t, signed(t, e, "Proxy-Authorization"), 2)
	require.NoError(t, e.Challenged(challenged(401, `Digest realm="proxy", nonce="r", qop="auth"`)), "the same name of another one is no refusal")
	require.Len(t, signed(t, e, "Proxy-Authorization"), 2)
	require.Equal(t, "r", signed(t, e, "Authorization")[0].Nonce)
}

// TestWhatCannotBeAnswered is refused and remembers nothing.
func TestWhatCannotBeAnswered(t *testing.T) {
	for _, text := range []string{
		"", "Digest", `Basic realm="r"`, `Digest realm="r"`, `Digest realm="r", nonce="n", algorithm=SHA-1`, `Digest realm="r", nonce="n", qop="auth-int"`,
		`Digest realm="r", nonce="n", algorithm=MD5-sess`, "Digest realm=\"r\", nonce=\"a\r\nX: 1\"", "Digest realm=\"r\x00\", nonce=\"n\"",
		"Digest realm=\"r\", nonce=\"n\xff\"", "Digest realm=\"\u00ad\", nonce=\"n\"", `Digest realm="r", nonce="` + strings.Repeat("n", 3000) + `"`,
		`Digest realm="r, nonce=n`,
	} {
		c := client(t)
		require.ErrorIs(t, c.Begin().Challenged(challenged(401, text)), ErrUnknown, "%.80q", text)
		require.Empty(t, c.sessions)
	}
	require.ErrorIs(t, client(t).Begin().Challenged(challenged(401)), ErrUnknown)
	for _, c := range [][2]string{{"", "p"}, {"u", ""}, {"a\nb", "p"}, {strings.Repeat("u", 300), "p"}} {
		_, err := New(c[0], c[1])
		require.Error(t, err)
	}
}

// TestSpellings: whatever characters a name has, the peer reads what was meant.
func TestSpellings(t *testing.T) {
	for _, name := range []string{"460001234567890@ims.mnc000.mcc460.3gppnetwork.org", `a"b\c`, "王", "+8613800000001"} {
		c, err := New(name, "p")
		require.NoError(t, err)
		e := c.Begin()
		require.NoError(t, e.Challenged(challenged(401, `Digest realm="a\"b", nonce="n", qop="auth"`)))
		cred := one(t, e)
		require.Equal(t, name, cred.Username)
		require.Equal(t, `a"b`, cred.Realm)
	}
}

// TestBounded: however many realms a peer names, few are remembered.
func TestBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, err := New("u", "p")
		require.NoError(t, err)
		for range rapid.IntRange(1, 30).Draw(t, "requests") {
			e := c.Begin()
			for range rapid.IntRange(0, 5).Draw(t, "challenges") {
				var asked []string
				for range rapid.IntRange(0, 20).Draw(t, "headers") {
					asked = append(asked, fmt.Sprintf(`Digest realm="r%d", nonce="n%d", qop="auth"`, rapid.IntRange(0, 9).Draw(t, "realm"), rapid.IntRange(0, 9).Draw(t, "nonce")))
				}
				_ = e.Challenged(challenged(rapid.SampledFrom([]int{200, 401, 407}).Draw(t, "status"), asked...))
				req := register()
				require.NoError(t, e.Sign(req))
				require.LessOrEqual(t, len(req.Headers()), maxRealms)
			}
			require.LessOrEqual(t, e.tries, MaxTries+3)
			require.LessOrEqual(t, len(c.sessions), maxRealms)
		}
	})
}

// TestTogether: requests of several goroutines never draw the same count.
func TestTogether(t *testing.T) {
	c := client(t)
	require.NoError(t, c.Begin().Challenged(challenged(401, `Digest realm="r", nonce="a", qop="auth"`)))
	var wait sync.WaitGroup
	counts := make(chan int, 400)
	for range 8 {
		wait.Go(func() {
			for range 50 {
				counts <- one(t, c.Begin()).Nc
			}
		})
	}
	wait.Wait()
	close(counts)
	seen := map[int]bool{}
	for n := range counts {
		require.False(t, seen[n], "%d twice", n)
		seen[n] = true
	}
	require.Len(t, seen, 400)
}

func TestIntroduce(t *testing.T) {
	c, err := New("4600012345@ims.example", "p")
	require.NoError(t, err)
	req := register()
	c.Introduce(req, "ims.example")
	require.Equal(t, `Digest username="4600012345@ims.example", realm="ims.example", nonce="", uri="sip:ims.example", response=""`, req.GetHeader("Authorization").Value())
	require.NoError(t, c.Begin().Challenged(challenged(401, `Digest realm="r", nonce="a"`)))
	req = register()
	c.Introduce(req, "ims.example")
	require.Nil(t, req.GetHeader("Authorization"), "it has asked")
}
