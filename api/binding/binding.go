// Package binding is the binding API that customers call (api.md sections 3 to
// 5 and 7, appendix A): it tells by the package auth who asks, reads what is
// asked for, has provision do it, and writes the answer.
package binding

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/rs/zerolog"

	"axgate/api/answer"
	"axgate/api/auth"
	"axgate/events"
	"axgate/provision"
	"axgate/routing"
)

// Provision carries out what is asked for; *provision.Service does. What it
// refuses are *provision.Error.
type Provision interface {
	BindAX(ctx context.Context, app string, r provision.BindAX) (routing.Binding, error)
	UnbindAX(ctx context.Context, app string, which provision.AX) error
	ModifyAX(ctx context.Context, app string, r provision.ModifyAX) (routing.Binding, error)
	QueryAX(ctx context.Context, app string, which provision.AX) ([]routing.Binding, error)
	SetTemporary(ctx context.Context, app string, r provision.TemporaryCallee) (routing.TemporaryCallee, error)

	BindAXB(ctx context.Context, app string, r provision.BindAXB) (routing.Binding, error)
	UnbindAXB(ctx context.Context, app, subscriptionID, relationNum string) error
	ModifyAXB(ctx context.Context, app string, r provision.ModifyAXB) (routing.Binding, error)
	QueryAXB(ctx context.Context, app string, r provision.QueryAXB) (provision.Page, error)

	BindAXE(ctx context.Context, app string, r provision.BindAXE) (routing.Binding, error)
	UnbindAXE(ctx context.Context, app string, which provision.AXE) error
	ModifyAXE(ctx context.Context, app string, r provision.ModifyAXE) (routing.Binding, error)
	QueryAXE(ctx context.Context, app string, which provision.AXE) (routing.Binding, error)
	ListAXE(ctx context.Context, app, virtualNum, after string, limit int) (list []routing.Binding, next string, err error)
	CountAXE(ctx context.Context, app, number string, after routing.X, limit int) (list []provision.Count, next routing.X, err error)

	BindAXYB(ctx context.Context, app string, r provision.BindAXYB) (routing.Binding, error)
	BindYB(ctx context.Context, app string, r provision.BindYB) (routing.Binding, error)
	UnbindAXYB(ctx context.Context, app string, which provision.AXYB) error
	QueryAXYB(ctx context.Context, app string, r provision.QueryAXYB) ([]provision.Relation, error)

	CallToStop(ctx context.Context, app string, r provision.StopCall) (events.Call, error)
}

// Auth tells which app sent a request, or the answer if it is to be refused.
// *auth.Verifier does.
type Auth interface {
	App(r *http.Request) (auth.App, *answer.Refusal)
}

// Calls are the calls that are up, on all nodes.
type Calls interface {
	// Stop hangs up the call of a session. It tells whether there was one.
	Stop(ctx context.Context, session string) (bool, error)
}

// Config is what a Handler works with.
type Config struct {
	Auth      Auth
	Provision Provision
	Calls     Calls
	Log       zerolog.Logger
}

// Handler answers requests to the paths of the binding API.
type Handler struct {
	cfg   Config
	paths map[string]map[string]operation // by path and method
}

// operation is one interface of the API, for the app of a key. What it answers
// begins with an answer.Result.
type operation func(ctx context.Context, app string, p *params) (any, error)

// New makes a handler.
func New(cfg Config) (*Handler, error) {
	if cfg.Auth == nil || cfg.Provision == nil || cfg.Calls == nil {
		return nil, errors.New("the binding API needs authentication, provisioning and calls")
	}
	h := &Handler{cfg: cfg}
	h.paths = map[string]map[string]operation{
		"/rest/caas/relationnumber/partners/v1.0": {
			http.MethodPost: h.bindAXB, http.MethodDelete: h.unbindAXB, http.MethodPut: h.modifyAXB, http.MethodGet: h.queryAXB},
		"/rest/provision/caas/privatenumber/v1.0": {
			http.MethodPost: h.bindAX, http.MethodDelete: h.unbindAX, http.MethodPut: h.modifyAX, http.MethodGet: h.queryAX},
		"/rest/caas/privatenumber/calleenumber/v1.0": {http.MethodPut: h.setTemporary},
		"/rest/caas/extendnumber/v1.0": {
			http.MethodPost: h.bindAXE, http.MethodDelete: h.unbindAXE, http.MethodPut: h.modifyAXE, http.MethodGet: h.queryAXE},
		"/rest/caas/extendnumber/v2.0":  {http.MethodGet: h.listAXE},
		"/rest/caas/virtualnumber/v1.0": {http.MethodGet: h.countAXE},
		"/rest/omp/xyrelationnumber/v1.0": {
			http.MethodPost: named(h.bindAXYB), http.MethodDelete: named(h.unbindAXYB), http.MethodGet: named(h.queryAXYB)},
		stopPath: {http.MethodPost: h.stop},
	}
	return h, nil
}

// Paths lists the paths that the handler is for, whatever the method.
func (h *Handler) Paths() []string {
	var list []string
	for path := range h.paths {
		list = append(list, path)
	}
	slices.Sort(list)
	return list
}

// ServeHTTP answers a request of one of the Paths.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	methods, ok := h.paths[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	app, refusal := h.cfg.Auth.App(r)
	if refusal != nil {
		refusal.Write(w)
		return
	}
	do, ok := methods[r.Method]
	if !ok {
		wrongMethod.Write(w)
		return
	}
	p, err := read(w, r)
	if err == nil {
		var out any
		if out, err = do(provision.WithRequestID(r.Context(), requestID(r.Header)), app.Key, p); err == nil {
			answer.JSON(w, http.StatusOK, out)
			return
		}
	}
	if r.URL.Path == stopPath {
		err = stopWords(err)
	}
	refusal = refuse(err)
	gone := r.Context().Err() != nil // the client: what it no longer waits for fails, and is no fault of ours
	if refusal.HTTP >= http.StatusInternalServerError && errors.Unwrap(err) != nil && !gone {
		h.cfg.Log.Error().Err(err).Str("app", app.Key).Str("method", r.Method).Str("path", r.URL.Path).Msg("a request of the binding API failed")
	}
	refusal.Write(w)
}

var wrongMethod = &answer.Refusal{HTTP: http.StatusForbidden, Code: "1010006", Desc: "Invalid Rest API."}

// refuse is the answer for an error: the result code, and for a parameter that
// is wrong its name and what is wrong with it.
func refuse(err error) *answer.Refusal {
	var e *provision.Error
	if !errors.As(err, &e) {
		internal := answer.Internal
		return &internal
	}
	out := &answer.Refusal{HTTP: e.HTTP, Code: e.Code, Desc: e.Text}
	if e.Field != "" && (e.Code == invalidRequest || e.Code == stopParameter) {
		out.Desc += " " + e.Field + ": " + e.Detail
	}
	return out
}

// The codes whose text names the parameter.
const (
	invalidRequest = "1010002"
	stopParameter  = "1020001"
)

// requestID is the name that the client gave the request, so that it may be
// repeated; the vendor's clients send none.
func requestID(h http.Header) string {
	if id := h.Get("X-Client-Request-Id"); id != "" {
		return id
	}
	return h.Get("Idempotency-Key")
}
