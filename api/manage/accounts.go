package manage

import (
	"context"
	"net/http"
	"time"

	"axgate/ledger"
)

const accountsTag = "accounts"

// Account is a tenant.
type Account struct {
	SPID    string    `json:"spId" doc:"Its spId." example:"demo"`
	Name    string    `json:"name" doc:"A name for people." example:"Demo Rides Ltd"`
	Frozen  bool      `json:"frozen" doc:"In arrears: its apps take no calls, bindings or recordings." example:"false"`
	SMS     bool      `json:"sms" doc:"Its apps may have messages through X." example:"true"`
	MaxApps int       `json:"maxApps" doc:"How many apps it may have." example:"5"`
	Created time.Time `json:"created" doc:"When it was made." example:"2026-01-02T03:04:05Z"`
}

// AccountSettings are what can be changed of an account.
type AccountSettings struct {
	Name    *string `json:"name,omitempty" maxLength:"256" doc:"A name for people." example:"Demo Rides Ltd"`
	Frozen  *bool   `json:"frozen,omitempty" doc:"In arrears: its apps take no calls, bindings or recordings." example:"false"`
	SMS     *bool   `json:"sms,omitempty" doc:"Its apps may have messages through X; so if nothing else is said." example:"true"`
	MaxApps *int    `json:"maxApps,omitempty" minimum:"1" maximum:"10000" doc:"How many apps it may have." example:"5"`
}

// NewAccount is an account to be made.
type NewAccount struct {
	SPID string `json:"spId" minLength:"1" maxLength:"64" pattern:"^[!-~]+$" doc:"Its spId, which never changes." example:"demo"`
	AccountSettings
}

type accountOutput struct{ Body Account }

func showAccount(a *ledger.Account) Account {
	return Account{SPID: a.SP, Name: a.Name, Frozen: a.Frozen, SMS: !a.NoSMS, MaxApps: a.MaxApps, Created: a.Created}
}

func (n *AccountSettings) apply(a *ledger.Account) {
	set(&a.Name, n.Name)
	set(&a.Frozen, n.Frozen)
	if n.SMS != nil {
		a.NoSMS = !*n.SMS
	}
	set(&a.MaxApps, n.MaxApps)
}

func (s *service) accounts() {
	add(s, op{id: "listAccounts", method: http.MethodGet, path: "/accounts", who: anyone, subject: accountsTag,
		summary: "List accounts",
		about:   "The accounts that the token may see, by their spId.",
	}, s.listAccounts)
	add(s, op{id: "createAccount", method: http.MethodPost, path: "/accounts", who: operator, subject: accountsTag, status: http.StatusCreated, refuses: []int{http.StatusConflict},
		summary: "Make an account",
		about:   "An account may have 5 apps unless it says otherwise.",
	}, s.createAccount)
	add(s, op{id: "changeAccount", method: http.MethodPatch, path: "/accounts/{spId}", who: operator, subject: accountsTag, refuses: []int{http.StatusNotFound},
		summary: "Change or freeze an account",
		about:   "Fields that are absent stay as they are. Calls and requests go by the change within a second or two.",
	}, s.changeAccount)
}

func (s *service) listAccounts(ctx context.Context, in *Page) (*listed[Account], error) {
	all, err := s.Records.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	var seen []ledger.Account
	for _, a := range all {
		own := accountOf(ctx) == "" || accountOf(ctx) == a.SP
		if own && a.SP > in.After {
			seen = append(seen, a)
		}
	}
	inOrder(seen, func(a ledger.Account) string { return a.SP })
	return paged(seen, in.Limit, showAccount, func(a *ledger.Account) string { return a.SP }), nil
}

// account finds an account; nil: there is none.
func (s *service) account(ctx context.Context, sp string) (*ledger.Account, error) {
	all, err := s.Records.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].SP == sp {
			return &all[i], nil
		}
	}
	return nil, nil
}

func (s *service) createAccount(ctx context.Context, in *struct{ Body NewAccount }) (*accountOutput, error) {
	noteAccount(ctx, in.Body.SPID)
	noteTarget(ctx, "spId", in.Body.SPID)
	there, err := s.account(ctx, in.Body.SPID)
	if err != nil {
		return nil, err
	}
	if there != nil {
		return nil, problem(http.StatusConflict, "there is an account of that spId already")
	}
	a := ledger.Account{SP: in.Body.SPID}
	in.Body.apply(&a)
	if err := s.Changes.EnsureAccount(ctx, a); err != nil {
		return nil, err
	}
	return s.shownAccount(ctx, a.SP)
}

func (s *service) changeAccount(ctx context.Context, in *struct {
	SPID string `path:"spId" minLength:"1" maxLength:"64" doc:"The account." example:"demo"`
	Body AccountSettings
}) (*accountOutput, error) {
	noteAccount(ctx, in.SPID)
	a, err := s.account(ctx, in.SPID)
	if err != nil {
		return nil, err
	}
	if a == nil {
		return nil, missing("there is no account of that spId")
	}
	err = s.Changes.ChangeAccount(ctx, in.SPID, func(now *ledger.Account) {
		in.Body.apply(now)
		*a = *now
	})
	note(ctx, "frozen=%v sms=%v maxApps=%d", a.Frozen, !a.NoSMS, a.MaxApps)
	if err != nil {
		return nil, err
	}
	return s.shownAccount(ctx, in.SPID)
}

func (s *service) shownAccount(ctx context.Context, sp string) (*accountOutput, error) {
	a, err := s.account(ctx, sp)
	if err != nil {
		return nil, err
	}
	if a == nil {
		return nil, missing("there is no account of that spId")
	}
	return &accountOutput{showAccount(a)}, nil
}
