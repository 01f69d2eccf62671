package events

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"
)

// sign puts the headers of section 1.1 on a push. Header names are spelt as in
// the contract, for receivers that compare them letter by letter.
func sign(h http.Header, r *Receiver, app string, now time.Time) {
	scheme, digest := "WSSE", wsse
	if r.AKSK {
		scheme, digest = "AKSK", aksk
	}
	nonce, created := rand.Text(), now.UTC().Format("2006-01-02T15:04:05Z")
	h["Authorization"] = []string{scheme + ` realm="SDP",profile="UsernameToken",type="Appkey"`}
	h["X-"+scheme] = []string{fmt.Sprintf(`UsernameToken Username="%s", PasswordDigest="%s", Nonce="%s", Created="%s"`, app, digest(nonce, created, r.Secret), nonce, created)}
}

// wsse is Base64(SHA256(nonce + created + secret)).
func wsse(nonce, created, secret string) string {
	sum := sha256.Sum256([]byte(nonce + created + secret))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// aksk is Base64(HMAC-SHA256(secret, nonce + created)).
func aksk(nonce, created, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(nonce + created))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
