package manage

import (
	"context"
	"net/http"
	"time"

	"axgate/ledger"
	"axgate/provision"
)

const operatorsTag = "operators"

// Operator is who has a token.
type Operator struct {
	ID       string    `json:"id" doc:"Names it in other requests; the first part of the token." example:"K7Q2M4XW5ABC"`
	Name     string    `json:"name" doc:"Who it is." example:"carol"`
	Role     string    `json:"role" enum:"operator,tenant,read-only" doc:"What the token allows." example:"read-only"`
	SPID     string    `json:"spId,omitempty" doc:"The account that it is limited to." example:"demo"`
	Unmasked bool      `json:"unmasked" doc:"read-only: real numbers are shown." example:"false"`
	Created  time.Time `json:"created" doc:"When it was made." example:"2026-01-02T03:04:05Z"`
	Expires  time.Time `json:"expires,omitzero" doc:"When it ends by itself; absent: never." example:"2026-04-02T03:04:05Z"`
	Revoked  time.Time `json:"revoked,omitzero" doc:"When it was revoked; absent: it was not." example:"2026-02-02T03:04:05Z"`
	Works    bool      `json:"works" doc:"It is neither expired nor revoked." example:"true"`
}

// OperatorToken is an operator with the token, which is shown this once.
type OperatorToken struct {
	Operator
	Token string `json:"token" doc:"The token, shown this once." example:"axg_K7Q2M4XW5ABC_ABCDEFGHIJKLMNOPQRSTUVWXYZ"`
}

// NewOperator is an operator to be added.
type NewOperator struct {
	Name     string    `json:"name" minLength:"1" maxLength:"64" pattern:"^[!-~]+$" doc:"Who it is; no two have the same name." example:"carol"`
	Role     string    `json:"role" enum:"operator,tenant,read-only" doc:"What the token allows." example:"read-only"`
	SPID     string    `json:"spId,omitempty" maxLength:"64" doc:"The account that it is limited to: needed for a tenant, possible for read-only." example:"demo"`
	Unmasked bool      `json:"unmasked,omitempty" doc:"read-only: real numbers are shown." example:"false"`
	Expires  time.Time `json:"expires,omitzero" doc:"When it ends by itself; absent: never." example:"2026-04-02T03:04:05Z"`
}

// ShowOperator is an operator as it is shown at an instant.
func ShowOperator(o *ledger.Operator, now time.Time) Operator {
	return Operator{ID: o.ID, Name: o.Name, Role: string(o.Role), SPID: o.SP, Unmasked: o.Unmasked, Created: o.Created, Expires: o.Expires, Revoked: o.Revoked, Works: o.Works(now)}
}

func (s *service) showOperator(o *ledger.Operator) Operator { return ShowOperator(o, s.Now()) }

func (s *service) operators() {
	add(s, op{id: "whoAmI", method: http.MethodGet, path: "/whoami", who: anyone, subject: operatorsTag,
		summary: "Whose token this is",
		about:   "The operator of the token of this request.",
	}, func(ctx context.Context, _ *struct{}) (*struct{ Body Operator }, error) {
		o := operatorOf(ctx)
		return &struct{ Body Operator }{s.showOperator(&o)}, nil
	})
	add(s, op{id: "listOperators", method: http.MethodGet, path: "/operators", who: operator, subject: operatorsTag,
		summary: "List operators",
		about:   "All operators by their names, those whose token has ended too. Tokens are not kept and cannot be shown.",
	}, func(ctx context.Context, in *Page) (*listed[Operator], error) {
		list, err := s.Records.Operators(ctx, in.After, in.Limit+1)
		return paged(list, in.Limit, s.showOperator, func(o *ledger.Operator) string { return o.Name }), err
	})
	add(s, op{id: "addOperator", method: http.MethodPost, path: "/operators", who: operator, subject: operatorsTag, status: http.StatusCreated,
		summary: "Add an operator",
		about:   "**The token is in this answer and nowhere else**: what is kept is its hash.",
	}, s.addOperator)
	add(s, op{id: "revokeOperator", method: http.MethodPost, path: "/operators/{id}/revoke", who: operator, subject: operatorsTag, refuses: []int{http.StatusNotFound},
		summary: "Revoke an operator's token",
		about:   "From then on no request with it is answered. It may be repeated.",
	}, func(ctx context.Context, in *struct {
		ID string `path:"id" minLength:"1" maxLength:"64" doc:"The operator's id." example:"K7Q2M4XW5ABC"`
	}) (*struct{ Body Operator }, error) {
		o, err := s.Changes.RevokeOperator(ctx, in.ID)
		note(ctx, "%s", o.Name)
		return &struct{ Body Operator }{s.showOperator(&o)}, err
	})
}

func (s *service) addOperator(ctx context.Context, in *struct{ Body NewOperator }) (*struct{ Body OperatorToken }, error) {
	n := &in.Body
	ask := provision.NewOperator{Name: n.Name, Role: ledger.Role(n.Role), SP: n.SPID, Unmasked: n.Unmasked}
	if !n.Expires.IsZero() {
		if ask.For = n.Expires.Sub(s.Now()); ask.For <= 0 {
			return nil, wrongField("expires", "it is in the past")
		}
	}
	noteAccount(ctx, n.SPID)
	note(ctx, "%s, %s, spId=%s, unmasked=%v", n.Name, n.Role, n.SPID, n.Unmasked)
	o, token, err := s.Changes.AddOperator(ctx, ask)
	if err != nil {
		return nil, err
	}
	noteTarget(ctx, "id", o.ID)
	return &struct{ Body OperatorToken }{OperatorToken{s.showOperator(&o), string(token)}}, nil
}
