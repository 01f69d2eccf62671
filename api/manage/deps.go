package manage

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/rs/zerolog"

	"axgate/events"
	"axgate/ledger"
	"axgate/provision"
	"axgate/routing"
	"axgate/sms"
)

// Records is what is stored; *ledger.Ledger has it.
type Records interface {
	Nodes(ctx context.Context) ([]ledger.Node, error)
	Node(ctx context.Context, name string) (n ledger.Node, found bool, err error)
	OpenCalls(ctx context.Context) (byNode map[string]int, err error)
	DrainNode(ctx context.Context, name string, drain bool) (alive bool, err error)
	App(ctx context.Context, key string) (ledger.App, error)
	Apps(ctx context.Context) ([]ledger.App, error)
	Accounts(ctx context.Context) ([]ledger.Account, error)
	Number(ctx context.Context, x routing.X) (ledger.Number, error)
	ListNumbers(ctx context.Context, f ledger.NumberFilter) (ledger.NumberPage, error)
	CountNumbers(ctx context.Context, f ledger.NumberFilter) ([]ledger.NumberCount, error)
	Task(ctx context.Context, id string) (ledger.Task, error)
	Tasks(ctx context.Context, f ledger.TaskFilter) (ledger.TaskPage, error)
	TaskItems(ctx context.Context, id string, f ledger.ItemFilter) (ledger.ItemPage, error)
	Calls(ctx context.Context, f ledger.CallFilter) (ledger.CallPage, error)
	Messages(ctx context.Context, f ledger.MessageFilter) (ledger.MessagePage, error)
	Message(ctx context.Context, id string) (sms.Text, error)
	Events(ctx context.Context, f ledger.EventFilter) (ledger.EventPage, error)
	Replay(ctx context.Context, f ledger.ReplayFilter, now time.Time) (int, error)
	Blacklist(ctx context.Context, x routing.X) ([]routing.Number, error)
	Binding(ctx context.Context, id string, at time.Time) (routing.Binding, error)
	BindingsOfX(ctx context.Context, x routing.X, at time.Time, after string, limit int) ([]routing.Binding, error)
	RelationsOfY(ctx context.Context, y routing.X, at time.Time, after string, limit int) ([]routing.Binding, error)
	BeginAudit(ctx context.Context, e ledger.AuditEntry) (int64, error)
	FinishAudit(ctx context.Context, e ledger.AuditEntry) error
	Audit(ctx context.Context, f ledger.AuditFilter) (ledger.AuditPage, error)
	Operators(ctx context.Context, after string, limit int) ([]ledger.Operator, error)
}

// Changes is what can be changed; *provision.Service has it.
type Changes interface {
	EnsureAccount(ctx context.Context, acc ledger.Account) error
	ChangeAccount(ctx context.Context, sp string, change func(*ledger.Account)) error
	CreateApp(ctx context.Context, a ledger.App) (ledger.App, error)
	ChangeApp(ctx context.Context, key string, change func(*ledger.App) error) (ledger.App, error)
	Prompts(ctx context.Context, app string) ([]ledger.Prompt, error)
	UploadPrompt(ctx context.Context, u provision.PromptUpload) (ledger.Prompt, error)
	PromptFile(ctx context.Context, app, name string) ([]byte, error)
	ApprovePrompt(ctx context.Context, app, name string) (ledger.Prompt, error)
	RejectPrompt(ctx context.Context, app, name, reason string) (ledger.Prompt, error)
	DeletePrompt(ctx context.Context, app, name string) error
	AddNumber(ctx context.Context, n ledger.Number) (ledger.Number, error)
	ImportNumbers(ctx context.Context, app, by string, lines []provision.ImportLine) (ledger.Task, error)
	MoveNumbers(ctx context.Context, from, to, by string, numbers []string) (ledger.Task, error)
	ChangeNumbers(ctx context.Context, app, by string, numbers []string, status routing.NumberStatus, cause string) (ledger.Task, error)
	SwitchSMS(ctx context.Context, app, by string, numbers []string, on bool) (ledger.Task, error)
	ResubmitTask(ctx context.Context, id string) (ledger.Task, error)
	FinishTask(ctx context.Context, id string, tell func(ledger.Task)) (ledger.Task, error)
	RenewSecret(ctx context.Context, key string) (string, error)
	Block(ctx context.Context, app, number string, callers []string, blocked bool) error
	UnbindAX(ctx context.Context, app string, which provision.AX) error
	UnbindAXB(ctx context.Context, app, subscriptionID, relationNum string) error
	UnbindAXE(ctx context.Context, app string, which provision.AXE) error
	UnbindAXYB(ctx context.Context, app string, which provision.AXYB) error
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

	// Stop hangs up a call, whatever node carries it; false: it is not up.
	Stop func(ctx context.Context, session string) (bool, error)
	// Bans are the addresses of which this process reads no SIP, Unban ends one
	// (false: there was none), and Defence counts what was turned away.
	Bans    func() []Ban
	Unban   func(netip.Addr) bool
	Defence func() Defence
	// Explain decides about a call that nobody makes.
	Explain func(ctx context.Context, x routing.X, caller routing.Number, ext routing.Extension) (Explanation, error)
	// ExplainMessage decides about a text that nobody sends.
	ExplainMessage func(ctx context.Context, x routing.X, sender routing.Number, text string) (MessageExplanation, error)
	// Receiver tells where an app's events go, and Probe sends a test event there.
	Receiver func(ctx context.Context, app string) (events.Receiver, error)
	Probe    func(ctx context.Context, r events.Receiver, app string, at events.Probing) events.Probed

	// Trunks are those of this process; nil: it has none.
	Trunks func() []Trunk

	// Pages are shown, by their path, to whoever has a token that is not limited
	// to an account. They are no operations, and not in the document.
	Pages map[string]http.Handler

	// Local is a token of the role operator for commands on this host, which can
	// read and change all of it as well; empty: there is none.
	Local provision.Token

	Now func() time.Time // nil: time.Now
	Log zerolog.Logger
}
