package manage

import (
	"context"
	"crypto/subtle"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"axgate/ledger"
	"axgate/provision"
)

type contextKey int

const (
	operatorKey contextKey = iota
	entryKey
)

// operatorOf is whose token a request has.
func operatorOf(ctx context.Context) ledger.Operator {
	o, _ := ctx.Value(operatorKey).(ledger.Operator)
	return o
}

// door lets in who may use the operation, and notes what is changed.
func (s *service) door(o *op) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		// Forms go to the disk without a bound of their own.
		r, w := humago.Unwrap(ctx)
		r.Body = http.MaxBytesReader(w, r.Body, o.maxBody+formSpace)
		who, p := s.identify(ctx)
		if p == nil && !o.who.includes(who.Role) {
			p = problem(http.StatusForbidden, "this operation is for "+o.who.String())
		}
		if p != nil && (who.ID == "" || !o.audited()) {
			s.turnAway(ctx, p)
			return
		}
		ctx = huma.WithValue(ctx, operatorKey, who)
		if !o.audited() {
			next(ctx)
			return
		}
		s.audited(ctx, o, who, func(ctx huma.Context) {
			if p != nil {
				s.turnAway(ctx, p)
				return
			}
			next(ctx)
		})
	}
}

// identify finds whose token the request has, or the answer if it is none.
func (s *service) identify(ctx huma.Context) (ledger.Operator, *Problem) {
	from := host(ctx.RemoteAddr())
	if wait := s.guard.locked(from); wait > 0 {
		ctx.SetHeader("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		return ledger.Operator{}, problem(http.StatusTooManyRequests, "too many wrong tokens came from this address: try again later")
	}
	scheme, token, _ := strings.Cut(strings.TrimSpace(ctx.Header("Authorization")), " ")
	token = strings.TrimSpace(token)
	if token == "" || !strings.EqualFold(scheme, "Bearer") {
		ctx.SetHeader("WWW-Authenticate", `Bearer realm="axgate"`)
		return ledger.Operator{}, problem(http.StatusUnauthorized, "there is no token: send the header Authorization: Bearer axg_…")
	}
	if s.local(token) {
		return ledger.Operator{ID: "local", Name: "command line", Role: ledger.RoleOperator}, nil
	}
	who, ok, err := s.Changes.Authenticate(ctx.Context(), provision.Token(token))
	if err != nil {
		s.Log.Error().Err(err).Msg("look up a token")
		return ledger.Operator{}, asProblem(err)
	}
	if !ok {
		s.guard.wrong(from)
		s.Log.Warn().Str("from", from.String()).Msg("a wrong token of the management API")
		ctx.SetHeader("WWW-Authenticate", `Bearer realm="axgate", error="invalid_token"`)
		return ledger.Operator{}, problem(http.StatusUnauthorized, "the token is not known, has expired or was revoked")
	}
	return who, nil
}

// page lets in who may see what concerns no account.
func (s *service) page(h http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx := humago.NewContext(&huma.Operation{}, r, w)
		who, p := s.identify(ctx)
		if p == nil && who.SP != "" {
			p = problem(http.StatusForbidden, "this page tells of the whole system: use a token that is not limited to an account")
		}
		if p != nil {
			s.turnAway(ctx, p)
			return
		}
		h.ServeHTTP(w, r)
	}
}

// local tells whether a token is that of commands on this host.
func (s *service) local(token string) bool {
	return s.Local != "" && subtle.ConstantTimeCompare([]byte(token), []byte(s.Local)) == 1
}

// turnAway answers before the operation is reached.
func (s *service) turnAway(ctx huma.Context, p *Problem) {
	ctx.SetHeader("Content-Type", p.ContentType(""))
	ctx.SetStatus(p.Status)
	if err := s.api.Marshal(ctx.BodyWriter(), "application/json", p); err != nil {
		s.Log.Debug().Err(err).Msg("could not answer")
	}
}
