package manage

import (
	"context"
	"net/http"

	"axgate/ledger"
	"axgate/routing"
)

const appsTag = "apps"

// mostSettings bounds the settings of an app, in bytes: its words may be many.
const mostSettings = 1 << 20

// AppSecret is an app with its secret, which is shown this once.
type AppSecret struct {
	App
	AppSecret string `json:"appSecret" doc:"Its app_secret, shown this once." example:"AXGATEDEMOSECRET0123456789"`
}

// NewApp is an app to be made.
type NewApp struct {
	SPID   string `json:"spId,omitempty" maxLength:"64" pattern:"^[!-~]*$" doc:"The account; a tenant's own if it is absent." example:"demo"`
	Mode   string `json:"mode" enum:"AX,AXB,AXE,AXYB,X" doc:"What it is for, which never changes." example:"AX"`
	AppKey string `json:"appKey,omitempty" maxLength:"128" pattern:"^[!-~]*$" doc:"The app_key, of one that moves here from elsewhere; made if it is absent. For operators alone." example:"demo-ax"`
	Secret string `json:"appSecret,omitempty" maxLength:"128" pattern:"^[!-~]*$" doc:"The app_secret, likewise." example:"AXGATEDEMOSECRET0123456789"`
	AppSettings
}

// AppPath names an app.
type AppPath struct {
	AppKey string `path:"appKey" minLength:"1" maxLength:"128" pattern:"^[!-~]+$" doc:"The app_key." example:"demo-ax"`
}

type appOutput struct{ Body App }

type secretOutput struct{ Body AppSecret }

func (s *service) apps() {
	add(s, op{id: "listApps", method: http.MethodGet, path: "/apps", who: anyone, subject: appsTag,
		summary: "List apps",
		about:   "The apps that the token may see, by their keys.",
	}, s.listApps)
	add(s, op{id: "getApp", method: http.MethodGet, path: "/apps/{appKey}", who: anyone, subject: appsTag, refuses: []int{http.StatusNotFound},
		summary: "Show an app",
		about:   "An app with all its settings but the secret.",
	}, func(ctx context.Context, in *AppPath) (*appOutput, error) {
		a, err := s.ownApp(ctx, in.AppKey)
		return &appOutput{s.app(ctx, &a)}, err
	})
	add(s, op{id: "createApp", method: http.MethodPost, path: "/apps", who: owner, subject: appsTag, status: http.StatusCreated, maxBody: mostSettings,
		summary: "Make an app",
		about:   "Key and secret are made unless an operator gives them. **The secret is in this answer and nowhere else.** An account may have as many apps as it says (maxApps); an app cannot be deleted, only paused.",
	}, s.createApp)
	add(s, op{id: "changeApp", method: http.MethodPatch, path: "/apps/{appKey}", who: owner, subject: appsTag, maxBody: mostSettings, refuses: []int{http.StatusNotFound},
		summary: "Change or pause an app",
		about:   "Fields that are absent stay as they are. `paused: true` pauses it: no calls, no API requests. Calls go by the change within a second or two.",
	}, s.changeApp)
	add(s, op{id: "renewSecret", method: http.MethodPost, path: "/apps/{appKey}/secret", who: owner, subject: appsTag, refuses: []int{http.StatusNotFound},
		summary: "Renew an app's secret",
		about:   "The old secret ends at once, for requests as for the signatures of pushes. **The new one is in this answer and nowhere else.**",
	}, s.renewSecret)
}

func (s *service) listApps(ctx context.Context, in *struct {
	Page
	SPID string `query:"spId" maxLength:"64" doc:"Only of this account." example:"demo"`
}) (*listed[App], error) {
	all, err := s.Records.Apps(ctx)
	if err != nil {
		return nil, err
	}
	var seen []ledger.App
	for _, a := range all {
		own := accountOf(ctx) == "" || accountOf(ctx) == a.SP
		if own && (in.SPID == "" || in.SPID == a.SP) && a.Key > in.After {
			seen = append(seen, a)
		}
	}
	inOrder(seen, func(a ledger.App) string { return a.Key })
	return paged(seen, in.Limit, func(a *ledger.App) App { return s.app(ctx, a) }, func(a *ledger.App) string { return a.Key }), nil
}

// granted refuses a tenant the settings that are the platform's to give.
func granted(ctx context.Context, n *AppSettings) error {
	if operatorOf(ctx).Role == ledger.RoleOperator {
		return nil
	}
	for field, given := range map[string]bool{"noCalls": n.NoCalls != nil, "rate": n.Rate != nil, "smsKeywords": n.SMSKeywords != nil, "smsForbidden": n.SMSForbidden != nil,
		"recordingsDays": n.RecordingsDays != nil, "listsDays": n.ListsDays != nil} {
		if given {
			p := problem(http.StatusForbidden, field+" is set by operators alone")
			p.Errors = []Wrong{{Field: field, In: "body", Message: p.Detail}}
			return p
		}
	}
	return nil
}

func (s *service) createApp(ctx context.Context, in *struct{ Body NewApp }) (*secretOutput, error) {
	n := &in.Body
	if err := granted(ctx, &n.AppSettings); err != nil {
		return nil, err
	}
	if sp := accountOf(ctx); sp != "" {
		if n.SPID == "" {
			n.SPID = sp
		}
		switch {
		case n.SPID != sp:
			return nil, problem(http.StatusForbidden, "the token is for apps of the account "+sp)
		case n.AppKey != "" || n.Secret != "":
			return nil, problem(http.StatusForbidden, "key and secret are made: only operators give them")
		}
	}
	a := ledger.App{App: routing.App{Key: n.AppKey, SP: n.SPID, Mode: routing.Mode(n.Mode)}, Secret: n.Secret}
	n.apply(&a)
	noteAccount(ctx, n.SPID)
	note(ctx, "mode %s, %s", n.Mode, n.told())
	made, err := s.Changes.CreateApp(ctx, a)
	if err != nil {
		return nil, err
	}
	noteTarget(ctx, "appKey", made.Key)
	return &secretOutput{AppSecret{showApp(&made), made.Secret}}, nil
}

func (s *service) changeApp(ctx context.Context, in *struct {
	AppPath
	Body AppSettings
}) (*appOutput, error) {
	if _, err := s.ownApp(ctx, in.AppKey); err != nil {
		return nil, err
	}
	if err := granted(ctx, &in.Body); err != nil {
		return nil, err
	}
	note(ctx, "%s", in.Body.told())
	a, err := s.Changes.ChangeApp(ctx, in.AppKey, func(a *ledger.App) error { in.Body.apply(a); return nil })
	return &appOutput{showApp(&a)}, err
}

func (s *service) renewSecret(ctx context.Context, in *AppPath) (*secretOutput, error) {
	a, err := s.ownApp(ctx, in.AppKey)
	if err != nil {
		return nil, err
	}
	secret, err := s.Changes.RenewSecret(ctx, in.AppKey)
	return &secretOutput{AppSecret{showApp(&a), secret}}, err
}
