package sip

import (
	"errors"
	"fmt"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"

	"axgate/sip/trunk"
)

// errNoProof is why a challenge is not answered: the response is none, or the
// trunk has no password.
var errNoProof = errors.New("nothing to prove, or nothing to prove it with")

// proofOf answers the digest challenge of a trunk (RFC 3261 section 22.2) with
// the header for the repeated request.
func proofOf(t *trunk.Trunk, req *sip.Request, res *sip.Response) (sip.Header, error) {
	ask, answer := "WWW-Authenticate", "Authorization"
	if res.StatusCode == sip.StatusProxyAuthRequired {
		ask, answer = "Proxy-Authenticate", "Proxy-Authorization"
	} else if res.StatusCode != sip.StatusUnauthorized {
		return nil, errNoProof
	}
	if t == nil || t.Username == "" {
		return nil, errNoProof
	}
	challenge := strongest(res.GetHeaders(ask))
	if challenge == nil {
		return nil, errors.New("the trunk asks for a proof of a kind that we cannot give")
	}
	credentials, err := digest.Digest(challenge, digest.Options{Method: string(req.Method), URI: req.Recipient.String(), Count: 1, Username: t.Username, Password: t.Password})
	if err != nil {
		return nil, fmt.Errorf("answer the trunk's challenge: %w", err)
	}
	return sip.NewHeader(answer, credentials.String()), nil
}

// strongest is the best of the challenges that can be answered (RFC 8760).
func strongest(headers []sip.Header) *digest.Challenge {
	var best *digest.Challenge
	for _, h := range headers[:min(len(headers), 8)] {
		ch, err := digest.ParseChallenge(h.Value())
		if err != nil || !digest.CanDigest(ch) || len(ch.QOP) > 0 && !ch.SupportsQOP("auth") {
			continue
		}
		if best == nil || len(ch.Algorithm) > len(best.Algorithm) { // MD5 or nothing is the weak one
			best = ch
		}
	}
	return best
}
