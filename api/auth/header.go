package auth

import (
	"net/http"
	"strings"

	"axgate/api/answer"
)

// The schemes (api section 2.2).
const (
	wsse = "WSSE"
	aksk = "AKSK"
)

// token is what a request says about who sent it.
type token struct {
	scheme                           string // how digest was made
	username, digest, nonce, created string
}

// faults are the answers for a token that lacks something, by generation
// (codes section 1.1).
var faults = map[string]struct{ header, username, nonce, created, digest *answer.Refusal }{
	wsse: {
		bad("1023026", "X-WSSE not contained in the HTTP header."), bad("1023027", "Username not contained in X-WSSE."),
		bad("1023028", "Nonce not contained in X-WSSE."), bad("1023029", "Created not contained in X-WSSE."),
		bad("1023030", "PasswordDigest not contained in X-WSSE."),
	},
	aksk: {
		bad("1023033", "HTTP header not found X-AKSK field."), bad("1023034", "UserName not contained in X-AKSK."),
		bad("1023035", "Nonce not contained in X-AKSK."), bad("1023036", "Created not contained in X-AKSK."),
		bad("1023037", "PasswordDigest not contained in X-AKSK."),
	},
}

// The answers for a wrong Authorization.
var (
	noAuthorization = bad("1023006", "Authorization not contained in the HTTP header.")
	noRealm         = bad("1023007", "realm not contained in Authorization.")
	noProfile       = bad("1023008", "profile not contained in Authorization.")
	wrongRealm      = bad("1023009", "The value of realm in Authorization must be SDP.")
	wrongProfile    = bad("1023010", "The value of profile in Authorization must be UsernameToken.")
	wrongType       = bad("1023011", "The value of type in Authorization must be app_key.")
	noType          = bad("1023012", "type not contained in Authorization.")
	noScheme        = bad("1023013", "WSSE not contained in Authorization.")
)

func bad(code, text string) *answer.Refusal {
	return &answer.Refusal{HTTP: http.StatusBadRequest, Code: code, Desc: text}
}

// read takes the token out of a request's headers. The header that carries the
// token says how its digest was made: clients that changed one header and not
// the other are understood.
func read(h http.Header) (token, *answer.Refusal) {
	scheme, refusal := authorization(h.Get("Authorization"))
	if refusal != nil {
		return token{}, refusal
	}
	text := h.Get("X-" + scheme)
	if text == "" {
		other := wsse
		if scheme == wsse {
			other = aksk
		}
		if text = h.Get("X-" + other); text == "" {
			return token{}, faults[scheme].header
		}
		scheme = other
	}
	_, list := attributes(text)
	t := token{scheme, list["username"], list["passworddigest"], list["nonce"], list["created"]}
	f := faults[scheme]
	switch {
	case t.username == "":
		return t, f.username
	case t.digest == "":
		return t, f.digest
	case t.nonce == "":
		return t, f.nonce
	case t.created == "":
		return t, f.created
	}
	return t, nil
}

// authorization reads the scheme out of Authorization, whose attributes say
// nothing but have to be there.
func authorization(text string) (scheme string, refusal *answer.Refusal) {
	if strings.TrimSpace(text) == "" {
		return "", noAuthorization
	}
	word, list := attributes(text)
	scheme = strings.ToUpper(word)
	realm, hasRealm := list["realm"]
	profile, hasProfile := list["profile"]
	kind, hasType := list["type"]
	switch {
	case scheme != wsse && scheme != aksk:
		return "", noScheme
	case !hasRealm:
		return "", noRealm
	case !hasProfile:
		return "", noProfile
	case !hasType:
		return "", noType
	case realm != "SDP":
		return "", wrongRealm
	case profile != "UsernameToken":
		return "", wrongProfile
	case !strings.EqualFold(kind, "Appkey"):
		return "", wrongType
	}
	return scheme, nil
}

// attributes reads a word and name="value" pairs behind it, in any order, with
// commas, blanks or both between them, and with or without quotes. Names are
// in lower case; of two of one name the first counts.
func attributes(text string) (word string, list map[string]string) {
	const between = ", \t"
	list = map[string]string{}
	for text = strings.TrimLeft(text, between); text != ""; text = strings.TrimLeft(text, between) {
		end := strings.IndexAny(text, "="+between)
		if end < 0 {
			end = len(text)
		}
		name := text[:end]
		rest, is := strings.CutPrefix(strings.TrimLeft(text[end:], " \t"), "=")
		if !is { // no value: the word before the pairs
			if word == "" && len(list) == 0 {
				word = name
			}
			text = text[end:]
			continue
		}
		var value string
		value, text = attribute(strings.TrimLeft(rest, " \t"))
		if name = strings.ToLower(name); name == "" {
			continue
		}
		if _, twice := list[name]; !twice {
			list[name] = value
		}
	}
	return word, list
}

// attribute reads one value and gives what stands behind it.
func attribute(text string) (value, rest string) {
	if quoted, is := strings.CutPrefix(text, `"`); is {
		value, rest, _ = strings.Cut(quoted, `"`)
		return value, rest
	}
	end := strings.IndexAny(text, ", \t")
	if end < 0 {
		end = len(text)
	}
	return text[:end], text[end:]
}
