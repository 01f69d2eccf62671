package provision

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"axgate/ledger"
)

// Token is an operator's token as it is shown once: "axg_", the operator's id,
// "_", and a secret.
type Token string

const tokenMark = "axg_"

// NewOperator is who is to get a token.
type NewOperator struct {
	Name     string        // 1 to 64 visible characters
	Role     ledger.Role   // what the token allows
	SP       string        // the account that it is limited to: needed for a tenant, possible for read-only
	Unmasked bool          // read-only: real numbers are shown
	For      time.Duration // how long the token works; 0: until it is revoked
}

// AddOperator makes an operator and the token, of which only a hash is kept.
// Refusals: 1010002.
func (s *Service) AddOperator(ctx context.Context, n NewOperator) (ledger.Operator, Token, error) {
	const longest = 64
	c := s.check(ctx, nil)
	if !word(n.Name, longest) {
		c.wrong("name", "it needs 1 to %d characters, none of them a blank", longest)
	}
	switch n.Role {
	case ledger.RoleOperator:
		if n.SP != "" || n.Unmasked {
			c.wrong("role", "an operator may do everything: name neither spId nor unmasked")
		}
	case ledger.RoleTenant:
		if n.SP == "" || n.Unmasked {
			c.wrong("spId", "a tenant has an account, whose numbers it sees: name spId and not unmasked")
		}
	case ledger.RoleReadOnly:
	default:
		c.wrong("role", "%.40q is none of %s, %s and %s", n.Role, ledger.RoleOperator, ledger.RoleTenant, ledger.RoleReadOnly)
	}
	if n.For < 0 {
		c.wrong("expires", "it is in the past")
	}
	if c.err != nil {
		return ledger.Operator{}, "", c.err
	}
	secret := rand.Text()
	o := ledger.Operator{ID: rand.Text()[:12], Name: n.Name, Role: n.Role, SP: n.SP, Unmasked: n.Unmasked, Hash: tokenHash(secret), Created: s.now()}
	if n.For > 0 {
		o.Expires = o.Created.Add(n.For)
	}
	if err := s.ledger.AddOperator(ctx, o); err != nil {
		return ledger.Operator{}, "", refuseOperator("add the operator", err)
	}
	s.log.Info().Str("operator", o.Name).Str("role", string(o.Role)).Msg("an operator was added")
	return o, Token(tokenMark + o.ID + "_" + secret), nil
}

// RevokeOperator ends the token of an operator, named by id. Refusal: 1012007.
func (s *Service) RevokeOperator(ctx context.Context, id string) (ledger.Operator, error) {
	o, err := s.ledger.RevokeOperator(ctx, id, s.now())
	if err != nil {
		return o, refuseOperator("revoke the operator", err)
	}
	s.log.Info().Str("operator", o.Name).Msg("an operator was revoked")
	return o, nil
}

// Authenticate finds whose token it is. Not ok: it is nobody's, has expired or
// was revoked; which of these is not told. The time that it takes does not tell
// how much of a token was right.
func (s *Service) Authenticate(ctx context.Context, t Token) (o ledger.Operator, ok bool, err error) {
	const longest = 128
	rest, marked := strings.CutPrefix(string(t), tokenMark)
	id, secret, whole := strings.Cut(rest, "_")
	if !marked || !whole || !word(string(t), longest) {
		return ledger.Operator{}, false, nil
	}
	o, err = s.ledger.Operator(ctx, id)
	if err != nil && !errors.Is(err, ledger.ErrUnknownOperator) {
		return ledger.Operator{}, false, failed("read the operator", err)
	}
	same := subtle.ConstantTimeCompare([]byte(tokenHash(secret)), []byte(o.Hash)) == 1
	if err != nil || !same || !o.Works(s.now()) {
		return ledger.Operator{}, false, nil
	}
	return o, true, nil
}

// tokenHash is fast on purpose: the secret has 130 random bits, so that nobody
// guesses it from its hash.
func tokenHash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func refuseOperator(doing string, err error) error {
	switch {
	case errors.Is(err, ledger.ErrUnknownOperator):
		return resultNoRecord.refuse("operator", "%v", ledger.ErrUnknownOperator)
	case errors.Is(err, ledger.ErrOperatorExists):
		return resultInvalid.refuse("name", "%v", ledger.ErrOperatorExists)
	case errors.Is(err, ledger.ErrTooManyTokens):
		return resultInvalid.refuse("name", "%v", ledger.ErrTooManyTokens)
	case errors.Is(err, ledger.ErrUnknownAccount):
		return resultInvalid.refuse("spId", "%v", ledger.ErrUnknownAccount)
	}
	return failed(doing, err)
}
