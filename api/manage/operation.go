package manage

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"axgate/ledger"
)

// subjects register the operations, each those of its file.
func (s *service) subjects() []func() {
	return []func(){s.apps, s.accounts, s.prompts, s.calls, s.messages, s.eventLog, s.explain, s.explainMessages, s.blacklist, s.bindings, s.probes, s.numbers, s.trunkList, s.operators, s.bans, s.nodes, s.audit}
}

// who may use an operation.
type who int

// Each who includes the ones before it; what a token sees is limited besides.
const (
	anyone   who = iota // every role
	owner               // operator and tenant
	operator            // operator
)

var roles = map[who][]ledger.Role{
	anyone:   {ledger.RoleOperator, ledger.RoleTenant, ledger.RoleReadOnly},
	owner:    {ledger.RoleOperator, ledger.RoleTenant},
	operator: {ledger.RoleOperator},
}

func (w who) includes(r ledger.Role) bool { return slices.Contains(roles[w], r) }

// String is for the document.
func (w who) String() string {
	switch w {
	case anyone:
		return "every token"
	case owner:
		return "tokens of the roles operator and tenant"
	default:
		return "tokens of the role operator"
	}
}

// op is an operation as it is declared.
type op struct {
	id      string // operationId, lowerCamel: a verb and what it is done to
	method  string
	path    string // below Prefix; no real numbers in it, for paths are logged
	who     who
	asks    bool   // changes nothing although it is not GET: it is not audited
	subject string // tag
	summary string
	about   string // description
	status  int    // of success; 0: 200, or 204 without a body
	refuses []int  // statuses besides those that any operation can have
	maxBody int64  // bytes; 0: 64 KiB
	gives   string // content type of what a stream answers with
}

// audited tells whether it may change something.
func (o *op) audited() bool { return o.method != http.MethodGet && !o.asks }

// add registers an operation with its handler.
func add[I, O any](s *service, o op, handle func(context.Context, *I) (*O, error)) {
	const usualBody = 64 << 10
	if o.maxBody == 0 {
		o.maxBody = usualBody
	}
	errs := append([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusTooManyRequests}, o.refuses...)
	if o.method != http.MethodGet {
		errs = append(errs, http.StatusBadRequest, http.StatusRequestEntityTooLarge)
	}
	noted := ""
	if o.audited() {
		noted = " The change is audited."
	}
	huma.Register(s.api, huma.Operation{
		OperationID: o.id, Method: o.method, Path: Prefix + o.path, Tags: []string{o.subject}, Summary: o.summary,
		Description: o.about + "\n\nFor " + o.who.String() + "." + noted,
		Errors:      errs, DefaultStatus: o.status, MaxBodyBytes: o.maxBody,
		Responses:                    o.responses(),
		Security:                     []map[string][]string{{tokenScheme: {}}},
		Middlewares:                  huma.Middlewares{s.door(&o)},
		RejectUnknownQueryParameters: true,
		Extensions:                   map[string]any{"x-roles": roles[o.who], "x-audited": o.audited()},
	}, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, s.refusal(ctx, &o, err)
		}
		return out, nil
	})
}
