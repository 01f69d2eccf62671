package manage

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"axgate/prompts"
	"axgate/provision"
)

// Prefix is what every operation's path begins with, and Document where the
// OpenAPI document is. The handler of New answers both.
const (
	Prefix   = "/manage/v1"
	Document = "/openapi.json"
)

// version is that of the API: the first part changes with the prefix alone.
const version = "1.0.0"

// maxPrompt is the most bytes that a request with a prompt may have, and
// MaxBody that any request may have.
const (
	maxPrompt = prompts.MaxSource + 64<<10
	MaxBody   = max(maxPrompt, provision.MostNumberFile) + formSpace
)

// formSpace is what a form needs besides its file.
const formSpace = 64 << 10

// service answers the operations.
type service struct {
	Deps
	api   huma.API
	guard *guard
}

// New makes the handler of the API.
func New(d Deps) (http.Handler, error) {
	if d.Now == nil {
		d.Now = time.Now
	}
	mux := http.NewServeMux()
	s := &service{Deps: d, guard: newGuard(d.Now)}
	s.api = humago.New(mux, document())
	for _, register := range s.subjects() {
		register()
	}
	delete(s.api.OpenAPI().Components.Schemas.Map(), "FormFile") // huma's own type, which nothing refers to
	text, err := json.Marshal(s.api.OpenAPI())
	if err != nil {
		return nil, fmt.Errorf("make the OpenAPI document: %w", err)
	}
	mux.HandleFunc("GET "+Document, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(text) // a client that is gone does not hear that it is
	})
	for path, page := range d.Pages {
		mux.HandleFunc("GET "+path, s.page(page))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		write(w, problem(http.StatusNotFound, "there is no such operation: see "+Document))
	})
	return mux, nil
}

// tokenScheme is the name of the way to show a token in the document.
const tokenScheme = "token"

const about = `What operators, consoles and scripts do with an axgate: apps, prompts, calls, events, blacklists, and why calls go as they do.

**Token.** Each request shows one: ` + "`Authorization: Bearer axg_…`" + `. The first is made at the command line (` + "`axgate operators add --role operator NAME`" + `), others here. Roles: *operator* may do everything; *tenant* what concerns the apps of its account (spId); *read-only* reads everything, or one account. An app or X of another account is answered like one that does not exist. After 10 wrong tokens within a minute an address is refused for 5 minutes (429).

**Errors** are problem details (RFC 9457, ` + "`application/problem+json`" + `). ` + "`code`" + ` is the result code where the same refusal has one in the provisioning API; ` + "`errors`" + ` names each wrong field. Unknown fields and query parameters are refused (422), never ignored.

**Lists** come in pages: repeat the request with ` + "`after`" + ` = the ` + "`next`" + ` of the page before, until there is none.

**Numbers** are written in global form, ` + "`+8613800000001`" + `; other spellings that people dial are understood. Read-only tokens see real numbers masked (` + "`+86138****0001`" + `) unless they were made otherwise; X numbers are never masked. Instants are RFC 3339, in UTC.

**Audit.** Every change is noted, who, when, from where, what, and how it ended, before it is made.`

func document() huma.Config {
	c := huma.DefaultConfig("axgate management", version)
	c.Info.Description = about
	c.OpenAPIPath, c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", "", nil
	c.Servers = []*huma.Server{{URL: "/", Description: "this axgate"}}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		tokenScheme: {Type: "http", Scheme: "bearer", BearerFormat: "axg_…", Description: "A token of an operator."},
	}
	return c
}
