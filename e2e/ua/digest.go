package ua

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Credentials answer a challenge of WWW-Authenticate or Proxy-Authenticate (RFC
// 7616 section 3.4, RFC 8760), the count-th time that its nonce is used: the
// value of Authorization or Proxy-Authorization.
func Credentials(challenge, user, password string, kind Kind, uri string, count int) string {
	c := pairs(challenge)
	algorithm := c["algorithm"]
	if algorithm == "" {
		algorithm = "MD5"
	}
	const cnonce = "0a4f113b"
	out := fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s", algorithm=%s`, user, c["realm"], c["nonce"], uri, algorithm)
	if c["opaque"] != "" {
		out += fmt.Sprintf(`, opaque="%s"`, c["opaque"])
	}
	if c["qop"] == "" {
		return out + fmt.Sprintf(`, response="%s"`, response(algorithm, user, c["realm"], password, kind.String(), uri, c["nonce"], "", "", ""))
	}
	nc := fmt.Sprintf("%08x", count)
	return out + fmt.Sprintf(`, qop=auth, nc=%s, cnonce="%s", response="%s"`, nc, cnonce,
		response(algorithm, user, c["realm"], password, kind.String(), uri, c["nonce"], nc, cnonce, "auth"))
}

// Proven checks credentials in a request of the gate: of this user, with this
// nonce, for this request, and the first time if count is 1.
func Proven(m *Msg, credentials, user, password, nonce string, count int) error {
	c := pairs(credentials)
	switch {
	case credentials == "":
		return errors.New("no credentials")
	case c["username"] != user:
		return fmt.Errorf("user name %q: want %q", c["username"], user)
	case c["nonce"] != nonce:
		return fmt.Errorf("nonce %q: want %q", c["nonce"], nonce)
	case c["uri"] != m.URI:
		return fmt.Errorf("uri %q: the Request-URI is %q", c["uri"], m.URI)
	case c["qop"] != "" && c["nc"] != fmt.Sprintf("%08x", count):
		return fmt.Errorf("nc %q: want %08x", c["nc"], count)
	}
	algorithm := c["algorithm"]
	if algorithm == "" {
		algorithm = "MD5"
	}
	want := response(algorithm, user, c["realm"], password, m.Kind.String(), m.URI, nonce, c["nc"], c["cnonce"], c["qop"])
	if c["response"] != want {
		return errors.New("the response does not prove the password")
	}
	return nil
}

func response(algorithm, user, realm, password, method, uri, nonce, nc, cnonce, qop string) string {
	hash := func(s string) string {
		if strings.EqualFold(algorithm, "SHA-256") {
			sum := sha256.Sum256([]byte(s))
			return hex.EncodeToString(sum[:])
		}
		sum := md5.Sum([]byte(s))
		return hex.EncodeToString(sum[:])
	}
	middle := nonce
	if qop != "" {
		middle += ":" + nc + ":" + cnonce + ":" + qop
	}
	return hash(hash(user+":"+realm+":"+password) + ":" + middle + ":" + hash(method+":"+uri))
}

// Challenged are the parameters of a challenge.
func Challenged(value string) map[string]string { return pairs(value) }

// pairs reads the parameters behind Digest.
func pairs(value string) map[string]string {
	out := make(map[string]string)
	_, rest, _ := strings.Cut(value, " ")
	for rest != "" {
		name, after, ok := strings.Cut(rest, "=")
		if !ok {
			break
		}
		name = strings.ToLower(strings.Trim(name, " ,"))
		if quoted, ok := strings.CutPrefix(after, `"`); ok {
			out[name], rest, _ = strings.Cut(quoted, `"`)
			continue
		}
		out[name], rest, _ = strings.Cut(after, ",")
		out[name] = strings.TrimSpace(out[name])
	}
	return out
}
