package manage

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"axgate/ledger"
	"axgate/provision"
	"axgate/routing"
)

// Records is what is stored; *ledger.Ledger has it.
type Records interface {
	App(ctx context.Context, key string) (ledger.App, error)
	Apps(ctx context.Context) ([]ledger.App, error)
	Accounts(ctx context.Context) ([]ledger.Account, error)
	Number(ctx context.Context, x routing.X) (ledger.Number, error)
	Calls(ctx context.Context, f ledger.CallFilter) (ledger.CallPage, error)
	Events(ctx context.Context, f ledger.EventFilter) (ledger.EventPage, error)
	Replay(ctx context.Context, f ledger.ReplayFilter, now time.Time) (int, error)
	BeginAudit(ctx context.Context, e ledger.AuditEntry) (int64, error)
	FinishAudit(ctx context.Context, e ledger.AuditEntry) error
	Audit(ctx context.Context, f ledger.AuditFilter) (ledger.AuditPage, error)
	Operators(ctx context.Context, after string, limit int) ([]ledger.Operator, error)
}

// Changes is what can be changed; *provision.Service has it.
type Changes interface {
	EnsureAccount(ctx context.Context, acc ledger.Account) error
	ChangeAccount(ctx context.Context, acc ledger.Account) error
	CreateApp(ctx context.Context, a ledger.App) (ledger.App, error)
	ChangeApp(ctx context.Context, key string, change func(*ledger.App) error) (ledger.App, error)
	Prompts(ctx context.Context, app string) ([]ledger.Prompt, error)
	UploadPrompt(ctx context.Context, u provision.PromptUpload) (ledger.Prompt, error)
	PromptFile(ctx context.Context, app, name string) ([]byte, error)
	ApprovePrompt(ctx context.Context, app, name string) (ledger.Prompt, error)
	RejectPrompt(ctx context.Context, app, name, reason string) (ledger.Prompt, error)
	DeletePrompt(ctx context.Context, app, name string) error
	RenewSecret(ctx context.Context, key string) (string, error)
	Authenticate(ctx context.Context, t provision.Token) (ledger.Operator, bool, error)
	AddOperator(ctx context.Context, n provision.NewOperator) (ledger.Operator, provision.Token, error)
	RevokeOperator(ctx context.Context, id string) (ledger.Operator, error)
}

var (
	_ Records = (*ledger.Ledger)(nil)
	_ Changes = (*provision.Service)(nil)
)

// Deps is what the API works with.
type Deps struct {
	Records Records
	Changes Changes
	Plan    routing.Plan
	Stop    func(session string) bool // hangs up a call; false: it is not up in this process
	Now     func() time.Time          // nil: time.Now
	Log     zerolog.Logger
}
