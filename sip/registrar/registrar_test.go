package registrar

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
	"github.com/stretchr/testify/require"

	"axgate/routing"
	digests "axgate/sip/digest"
)

const (
	alice  = "+8613800000001"
	secret = "correct horse"
)

var (
	home = netip.MustParseAddrPort("198.51.100.7:40000")
	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

func open(t testing.TB, change func(*Config)) *Registrar {
	t.Helper()
	cfg := Config{Plan: routing.ChinaPlan(), Accounts: []Account{{alice, secret}, {"+8613800000002", "battery staple"}}}
	if change != nil {
		change(&cfg)
	}
	r, err := New(cfg)
	require.NoError(t, err)
	return r
}

// request is a REGISTER or an INVITE as it comes from the wire.
func request(t testing.TB, method sip.RequestMethod, user string, headers ...string) *sip.Request {
	t.Helper()
	uri := "sip:axgate"
	if method == sip.INVITE {
		uri = "sip:17010000001@axgate"
	}
	text := strings.Join(append([]string{
		fmt.Sprintf("%s %s SIP/2.0", method, uri), "Via: SIP/2.0/UDP 192.168.1.5:5060;branch=z9hG4bKx;rport",
		"From: <sip:" + user + "@axgate>;tag=f", "To: <sip:" + user + "@axgate>", "Max-Forwards: 70",
	}, headers...), "\r\n") + "\r\nContent-Length: 0\r\n\r\n"
	msg, err := sip.ParseMessage([]byte(text))
	require.NoError(t, err)
	return msg.(*sip.Request)
}

func register(t testing.TB, user string, cseq int, headers ...string) *sip.Request {
	return request(t, sip.REGISTER, user, append([]string{"Call-ID: c1", fmt.Sprintf("CSeq: %d REGISTER", cseq)}, headers...)...)
}

func header(a Answer, name string) string {
	for _, h := range a.Headers {
		if strings.EqualFold(h.Name(), name) {
			return h.Value()
		}
	}
	return ""
}

// proved answers a challenge.
func proved(t testing.TB, challenge, method, uri, user, password string, count int) string {
	t.Helper()
	c, err := digest.ParseChallenge(challenge)
	require.NoError(t, err)
	cred, err := digest.Digest(c, digest.Options{Method: method, URI: uri, Username: user, Password: password, Count: count})
	require.NoError(t, err)
	return cred.String()
}

// signed registers with a fresh proof.
func signed(t testing.TB, r *Registrar, now time.Time, cseq int, headers ...string) Answer {
	t.Helper()
	asked := r.Register(register(t, "13800000001", cseq), home, "UDP", now)
	require.Equal(t, 401, asked.Status)
	auth := "Authorization: " + proved(t, header(asked, "WWW-Authenticate"), "REGISTER", "sip:axgate", "13800000001", secret, 1)
	return r.Register(register(t, "13800000001", cseq, append([]string{auth}, headers...)...), home, "UDP", now)
}

func contacts(a Answer) []string {
	var all []string
	for _, h := range a.Headers {
		if h.Name() == "Contact" {
			all = append(all, h.Value())
		}
	}
	return all
}

// TestEscapes: a + of a number may be escaped, in either case (RFC 3986 section 2.1).
func TestEscapes(t *testing.T) {
	r := open(t, nil)
	for i, user := range []string{"%2B8613800000001", "%2b8613800000001", "%2B86%31%33800000001@axgate", "+8613800000001"} {
		n, a := r.Account(user)
		require.Equal(t, alice, string(n), user)
		require.NotNil(t, a, user)
		asked := r.Register(register(t, user, i+1), home, "UDP", noon)
		auth := "Authorization: " + proved(t, header(asked, "WWW-Authenticate"), "REGISTER", "sip:axgate", user, secret, 1)
		require.Equal(t, 200, r.Register(register(t, user, i+1, auth), home, "UDP", noon).Status, user)
	}
	for _, user := range []string{"%2", "%zz13800000001", "%252B8613800000001", "%2B8613800000009"} {
		_, a := r.Account(user)
		require.Nil(t, a, user)
	}
}

func TestRegister(t *testing.T) {
	r := open(t, nil)
	_, ok := r.Lookup(alice, noon)
	require.False(t, ok)
	a := signed(t, r, noon, 1, "Contact: <sip:13800000001@192.168.1.5:5062;transport=udp>;expires=600")
	require.Equal(t, 200, a.Status)
	require.Equal(t, []string{"<sip:13800000001@192.168.1.5:5062;transport=udp>;expires=600"}, contacts(a))
	at, ok := r.Lookup(alice, noon.Add(599*time.Second))
	require.True(t, ok)
	require.Equal(t, home, at.Source, "not the private address of its contact")
	require.Equal(t, "UDP", at.Transport)
	require.Equal(t, "sip:13800000001@192.168.1.5:5062;transport=udp", at.URI.String())
	_, ok = r.Lookup(alice, noon.Add(600*time.Second))
	require.False(t, ok, "it has run out")
	_, ok = r.Lookup("+8613800000002", noon)
	require.False(t, ok, "another number")
}

func TestUserNamesInEverySpelling(t *testing.T) {
	r := open(t, nil)
	for _, user := range []string{"13800000001", "+8613800000001", "8613800000001", "008613800000001", "013800000001", "13800000001@axgate"} {
		asked := r.Register(register(t, "13800000001", 1), home, "UDP", noon)
		auth := proved(t, header(asked, "WWW-Authenticate"), "REGISTER", "sip:axgate", user, secret, 1)
		a := r.Register(register(t, "+8613800000001", 1, "Authorization: "+auth), home, "UDP", noon)
		require.Equal(t, 200, a.Status, user)
	}
}

func TestExpiry(t *testing.T) {
	r := open(t, nil)
	for _, c := range []struct {
		headers []string
		status  int
		left    string
	}{
		{[]string{"Contact: <sip:a@10.0.0.1>"}, 200, ";expires=3600"},
		{[]string{"Contact: <sip:a@10.0.0.1>", "Expires: 120"}, 200, ";expires=120"},
		{[]string{"Contact: <sip:a@10.0.0.1>;expires=300", "Expires: 120"}, 200, ";expires=300"},
		{[]string{"Contact: <sip:a@10.0.0.1>;expires=99999999"}, 200, ";expires=3600"},
		{[]string{"Contact: <sip:a@10.0.0.1>;expires=soon"}, 200, ";expires=3600"},
		{[]string{"Contact: <sip:a@10.0.0.1>;expires=30"}, 423, ""},
		{[]string{"Contact: <sip:a@10.0.0.1>", "Expires: 1"}, 423, ""},
		{[]string{"Contact: <sip:a@10.0.0.1>", "Expires: 0"}, 200, ""},
	} {
		r.accounts[alice].contacts = nil
		a := signed(t, r, noon, 1, c.headers...)
		require.Equal(t, c.status, a.Status, "%q", c.headers)
		if c.status == 423 {
			require.Equal(t, "60", header(a, "Min-Expires"))
		}
		if c.left == "" {
			require.Empty(t, contacts(a), "%q", c.headers)
		} else {
			require.True(t, strings.HasSuffix(contacts(a)[0], c.left), "%q: %v", c.headers, contacts(a))
		}
	}
}

func TestTakingBack(t *testing.T) {
	r := open(t, nil)
	both := "Contact: <sip:a@10.0.0.1>, <sip:a@10.0.0.2>;q=0.5"
	require.Len(t, contacts(signed(t, r, noon, 1, both)), 2)
	at, _ := r.Lookup(alice, noon)
	require.Equal(t, "10.0.0.1", at.URI.Host, "q decides")
	require.Equal(t, 500, signed(t, r, noon, 1, "Contact: <sip:a@10.0.0.1>;expires=0").Status, "CSeq did not rise")
	require.Equal(t, 500, signed(t, r, noon, 1, "Contact: *", "Expires: 0").Status, "CSeq did not rise")
	require.Equal(t, 400, signed(t, r, noon, 2, "Contact: *").Status, "* needs Expires: 0")
	require.Equal(t, 400, signed(t, r, noon, 2, "Contact: *", "Expires: 10").Status)
	require.Equal(t, 400, signed(t, r, noon, 2, "Contact: *, <sip:a@10.0.0.1>", "Expires: 0").Status)
	require.Len(t, contacts(signed(t, r, noon, 2)), 2, "a query changes nothing")
	require.Len(t, contacts(signed(t, r, noon, 2, "Contact: <sip:a@10.0.0.1>;expires=0")), 1)
	require.Empty(t, contacts(signed(t, r, noon, 3, "Contact: *", "Expires: 0")))
	_, ok := r.Lookup(alice, noon)
	require.False(t, ok)
}

func TestContactsAreBounded(t *testing.T) {
	r := open(t, nil)
	for i := range 20 {
		a := signed(t, r, noon.Add(time.Duration(i)*time.Second), i+1, fmt.Sprintf("Contact: <sip:a@10.0.0.%d>", i+1))
		require.Len(t, contacts(a), min(i+1, maxContacts))
	}
	at, _ := r.Lookup(alice, noon)
	require.Equal(t, "10.0.0.20", at.URI.Host, "the newest")
	later := noon.Add(time.Minute)
	require.Equal(t, 400, signed(t, r, later, 99, "Contact: "+strings.TrimSuffix(strings.Repeat("<sip:a@10.0.0.1>,", 9), ",")).Status)
	for _, bad := range []string{"<sips:a@10.0.0.1>", "<tel:13800000001>", "<sip:" + strings.Repeat("a", 600) + "@10.0.0.1>"} {
		require.Equal(t, 400, signed(t, r, later, 99, "Contact: "+bad).Status, bad)
	}
}

func TestWhoIsNotLetIn(t *testing.T) {
	r := open(t, nil)
	ask := func() string {
		return header(r.Register(register(t, "13800000001", 1), home, "UDP", noon), "WWW-Authenticate")
	}
	require.NotEqual(t, ask(), ask(), "each challenge has a nonce of its own")
	refusedAs := func(auth string) Answer {
		return r.Register(register(t, "13800000001", 1, "Authorization: "+auth, "Contact: <sip:a@10.0.0.1>"), home, "UDP", noon)
	}
	good := proved(t, ask(), "REGISTER", "sip:axgate", "13800000001", secret, 1)
	for name, auth := range map[string]string{
		"wrong password": proved(t, ask(), "REGISTER", "sip:axgate", "13800000001", "guess", 1),
		"unknown user":   proved(t, ask(), "REGISTER", "sip:axgate", "13900000009", "guess", 1),
		"no number":      proved(t, ask(), "REGISTER", "sip:axgate", "admin", "\x00", 1),
		"other method":   proved(t, ask(), "INVITE", "sip:axgate", "13800000001", secret, 1),
		"other uri":      proved(t, ask(), "REGISTER", "sip:17010000001@axgate", "13800000001", secret, 1),
		"other realm":    strings.Replace(good, `realm="axgate"`, `realm="other"`, 1),
		"no qop":         strings.Replace(good, "qop=auth, ", "", 1),
		"no count":       strings.Replace(good, "nc=00000001", "nc=00000000", 1),
		"algorithm":      strings.Replace(good, "algorithm=MD5", "algorithm=SHA-256", 1),
		"garbage":        "Digest ,,,=\"",
		"basic":          "Basic YTpi",
		"long":           "Digest username=\"" + strings.Repeat("a", 5000) + "\"",
		"empty":          "",
	} {
		a := refusedAs(auth)
		require.Equal(t, 401, a.Status, name)
		require.NotContains(t, header(a, "WWW-Authenticate"), "stale", name)
		require.Len(t, a.Headers, 1, name)
	}
	_, ok := r.Lookup(alice, noon)
	require.False(t, ok)
	require.Equal(t, 200, refusedAs(good).Status, "the nonce of all these was good")
	other := proved(t, ask(), "REGISTER", "sip:axgate", "13800000002", "battery staple", 1)
	require.Equal(t, 403, refusedAs(other).Status, "it is not the number of that account")
	require.Equal(t, 420, r.Register(register(t, "13800000001", 1, "Require: path"), home, "UDP", noon).Status)
}

func TestNoProofServesTwice(t *testing.T) {
	r := open(t, nil)
	ask := header(r.Register(register(t, "13800000001", 1), home, "UDP", noon), "WWW-Authenticate")
	try := func(count int, now time.Time) Answer {
		auth := proved(t, ask, "REGISTER", "sip:axgate", "13800000001", secret, count)
		return r.Register(register(t, "13800000001", 1, "Authorization: "+auth), home, "UDP", now)
	}
	require.Equal(t, 200, try(1, noon).Status)
	again := try(1, noon)
	require.Equal(t, 401, again.Status)
	require.Contains(t, header(again, "WWW-Authenticate"), "stale=true")
	require.Equal(t, 200, try(3, noon).Status)
	require.Equal(t, 401, try(2, noon).Status)
	old := try(4, noon.Add(6*time.Minute))
	require.Contains(t, header(old, "WWW-Authenticate"), "stale=true", "the password is right, the nonce too old")
	other := open(t, nil) // a restart
	auth := proved(t, ask, "REGISTER", "sip:axgate", "13800000001", secret, 9)
	require.Contains(t, header(other.Register(register(t, "13800000001", 1, "Authorization: "+auth), home, "UDP", noon), "WWW-Authenticate"), "stale=true")
}

func TestSHA256BesideMD5(t *testing.T) {
	r := open(t, func(c *Config) { c.Algorithms = []string{"SHA-256", "MD5"} })
	asked := r.Register(register(t, "13800000001", 1), home, "UDP", noon)
	require.Len(t, asked.Headers, 2)
	for i, h := range asked.Headers {
		require.Contains(t, h.Value(), []string{"algorithm=SHA-256", "algorithm=MD5"}[i])
		auth := proved(t, h.Value(), "REGISTER", "sip:axgate", "13800000001", secret, i+1)
		require.Equal(t, 200, r.Register(register(t, "13800000001", 1, "Authorization: "+auth), home, "UDP", noon).Status)
	}
}

func TestCallsAreProvedToo(t *testing.T) {
	r := open(t, nil)
	call := func(headers ...string) *sip.Request {
		return request(t, sip.INVITE, "anybody", append([]string{"Call-ID: c2", "CSeq: 1 INVITE"}, headers...)...)
	}
	authenticate := func(req *sip.Request) (number routing.Number, refusal *Answer) {
		_, refusal = r.Digest().Prove(req, digests.Proxy, func(user string) (a *digests.Account) {
			number, a = r.Account(user)
			return a
		}, noon)
		return number, refusal
	}
	_, asked := authenticate(call())
	require.Equal(t, 407, asked.Status)
	auth := proved(t, header(*asked, "Proxy-Authenticate"), "INVITE", "sip:17010000001@axgate", "13800000001", secret, 1)
	_, refused := authenticate(call("Authorization: " + auth))
	require.Equal(t, 407, refused.Status, "that is for registrars")
	number, refused := authenticate(call("Proxy-Authorization: " + auth))
	require.Nil(t, refused)
	require.EqualValues(t, alice, number)
	_, refused = authenticate(call("Proxy-Authorization: " + auth))
	require.Equal(t, 407, refused.Status)
}

func TestNewNamesWhatIsWrong(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"no password":  func(c *Config) { c.Accounts[0].Password = "" },
		"is malformed": func(c *Config) { c.Accounts[0].Number = "13800000001" },
		"twice":        func(c *Config) { c.Accounts[1].Number = alice },
		"realm":        func(c *Config) { c.Realm = "a\"b" },
		"algorithm":    func(c *Config) { c.Algorithms = []string{"SHA-1"} },
		"shortest":     func(c *Config) { c.MinExpires = 2 * time.Hour },
	} {
		cfg := Config{Plan: routing.ChinaPlan(), Accounts: []Account{{alice, secret}, {"+8613800000002", "battery staple"}}}
		change(&cfg)
		_, err := New(cfg)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), secret)
	}
}
