package manage

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"

	"axgate/ledger"
	"axgate/logging"
	"axgate/routing"
)

// accountOf is the account that a request is limited to; empty: all.
func accountOf(ctx context.Context) string { return operatorOf(ctx).SP }

// noApp is the answer for an app that is not there, or not for this token.
func noApp() *Problem {
	p := missing("there is no app of that key")
	p.Code = "1010003"
	p.Errors = []Wrong{{Field: "appKey", Message: p.Detail}}
	return p
}

// ownApp is an app that the token may see. Refusal: noApp.
func (s *service) ownApp(ctx context.Context, key string) (ledger.App, error) {
	a, err := s.Records.App(ctx, key)
	if errors.Is(err, ledger.ErrUnknownApp) {
		return a, noApp()
	}
	if err != nil {
		return a, err
	}
	if sp := accountOf(ctx); sp != "" && sp != a.SP {
		return ledger.App{}, noApp()
	}
	noteAccount(ctx, a.SP)
	return a, nil
}

// ownNumber is an X, in any spelling, of an app that the token may see.
func (s *service) ownNumber(ctx context.Context, text string) (ledger.Number, error) {
	x, err := s.x("x", text)
	if err != nil {
		return ledger.Number{}, err
	}
	n, err := s.Records.Number(ctx, x)
	if err == nil {
		_, err = s.ownApp(ctx, n.App)
	}
	var p *Problem
	if errors.Is(err, ledger.ErrUnknownX) || errors.As(err, &p) {
		p = missing("the X is not a number of ours")
		p.Code = "1012001"
		p.Errors = []Wrong{{Field: "x", Message: p.Detail}}
		return ledger.Number{}, p
	}
	return n, err
}

// x reads an X in any spelling.
func (s *service) x(field, text string) (routing.X, error) {
	x, ok := s.Plan.ParseX(text)
	if !ok {
		return "", wrongField(field, "it is no X number of the plan: write it like +8617010000001")
	}
	return x, nil
}

// number reads a real number in any spelling; empty stays empty.
func (s *service) number(field, text string) (routing.Number, error) {
	if text == "" {
		return "", nil
	}
	n, ok := s.Plan.ReadNumber(text)
	if !ok {
		return "", wrongField(field, "it is no telephone number: write it like +8613800000001")
	}
	return n, nil
}

// anyNumber reads an X or a real number to seek by; empty stays empty. A real
// number can look like an X.
func (s *service) anyNumber(ctx context.Context, field, text string) (string, error) {
	if x, ok := s.Plan.ParseX(text); ok {
		if !viewerOf(ctx).masked {
			return string(x), nil
		}
		if _, err := s.Records.Number(ctx, x); !errors.Is(err, ledger.ErrUnknownX) {
			return string(x), err
		}
	}
	n, err := s.soughtNumber(ctx, field, text)
	return string(n), err
}

// soughtNumber reads a real number that a request seeks by; empty stays empty. A
// token that sees numbers masked may not: it would learn the rest by trying.
func (s *service) soughtNumber(ctx context.Context, field, text string) (routing.Number, error) {
	if text != "" && viewerOf(ctx).masked {
		p := problem(http.StatusForbidden, field+": the token does not see real numbers, and cannot seek by them; an X it can")
		p.Errors = []Wrong{{Field: field, Message: p.Detail}}
		return "", p
	}
	return s.number(field, text)
}

// viewer shows what a token may see of real numbers.
type viewer struct {
	masked   bool
	customer bool // what networks told of a call is not for it
}

func viewerOf(ctx context.Context) viewer {
	o := operatorOf(ctx)
	return viewer{masked: o.Role != ledger.RoleOperator && o.Role != ledger.RoleTenant && !o.Unmasked, customer: o.Role != ledger.RoleOperator}
}

// number is a real number, masked if it must be.
func (v viewer) number(n string) string {
	if !v.masked {
		return n
	}
	return logging.Mask(n)
}

// text is a customer's own text, which may hold real numbers as people write
// them: where these are masked, every run of five digits or more is.
func (v viewer) text(t string) string {
	if !v.masked {
		return t
	}
	return manyDigits.ReplaceAllString(t, "****")
}

var manyDigits = regexp.MustCompile(`\p{Nd}([-–./ ()]{0,3}\p{Nd}){4,}`)

// app is an app as the token may see it: whoever reads alone sees no password
// that an address has, nor its query, which may be one.
func (s *service) app(ctx context.Context, a *ledger.App) App {
	out := showApp(a)
	out.Fallback = new(viewerOf(ctx).number(*out.Fallback))
	if operatorOf(ctx).Role != ledger.RoleReadOnly {
		return out
	}
	for _, address := range []*string{out.StatusURL, out.CallinURL, out.FeeURL, out.SMSURL, out.SMSControlURL, out.NumberURL} {
		u, err := url.Parse(*address)
		switch {
		case err != nil:
			*address = ""
		case u.User != nil || u.RawQuery != "":
			if u.RawQuery != "" {
				u.RawQuery = "xxxxx"
			}
			*address = u.Redacted()
		}
	}
	return out
}
