package digest

import (
	"testing"

	"github.com/emiago/sipgo/sip"
	lib "github.com/icholy/digest"

	"axgate/sip/identity"
)

// FuzzChallenge: whatever a peer asks, the answer is none or one that can stand
// in a header and is read back with the very name and nonce.
func FuzzChallenge(f *testing.F) {
	for _, text := range []string{
		`Digest realm="r", nonce="n", qop="auth,auth-int", algorithm=SHA-256, opaque="o", stale=true, userhash=true`, `Digest realm="a\"b", nonce="\\", algorithm=MD5-sess, qop=auth`,
		`digest nonce="n"`, `Digest realm="r", nonce="n", domain="a b", charset=UTF-8`, `Basic realm="r"`, "Digest realm=\"é\u00ad\", nonce=\"\x00\r\n\"", `Digest realm="r",, nonce=`,
		"DIGEST\tRealm = \"a, b=\\\"c\\\\\" ,\tNonce=ab/+==,QOP=auth, auth-int , x_y=1,", `Digest realm=r, nonce=n, nonce="m"`, `Digest realm="r, nonce="n"`, `Digest nonce=a b`, `Digest nonce="a"b`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := New("user", "secret")
		if err != nil {
			t.Fatal(err)
		}
		e := c.Begin()
		res := sip.NewResponse(401, "")
		res.AppendHeader(sip.NewHeader("WWW-Authenticate", text))
		if e.Challenged(res) != nil {
			return
		}
		req := sip.NewRequest(sip.REGISTER, sip.Uri{Scheme: "sip", Host: "ims.example"})
		if err := e.Sign(req); err != nil {
			t.Fatal(err)
		}
		h := req.GetHeader("Authorization")
		if _, err := identity.Clean(h.Value()); err != nil {
			t.Fatal(err)
		}
		cred, err := lib.ParseCredentials(h.Value())
		if err != nil {
			t.Fatalf("%q: %v", h.Value(), err)
		}
		ask := c.sessions[0].ask
		if cred.Nonce != ask.Nonce || cred.Realm != ask.Realm || !cred.Userhash && cred.Username != "user" {
			t.Fatalf("%q for %q", h.Value(), text)
		}
	})
}
