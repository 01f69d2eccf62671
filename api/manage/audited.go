package manage

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"axgate/ledger"
)

// longestNote bounds the texts of an entry, in bytes.
const longestNote = 1000

// audited notes a change before it is tried, and how it ended after it. What
// cannot be noted is not done.
func (s *service) audited(ctx huma.Context, o *op, who ledger.Operator, next func(huma.Context)) {
	e := &ledger.AuditEntry{At: s.Now(), Operator: who.ID, Name: who.Name, Role: who.Role, Source: sourceOf(ctx), Operation: o.id, SP: who.SP}
	for _, p := range ctx.Operation().Parameters {
		if p.In == "path" {
			e.Target = join(e.Target, p.Name+" "+printable(ctx.Param(p.Name)))
		}
	}
	var err error
	if e.Seq, err = s.Records.BeginAudit(ctx.Context(), *e); err != nil {
		s.Log.Error().Err(err).Str("operation", o.id).Msg("a change is refused")
		s.turnAway(ctx, problem(http.StatusServiceUnavailable, "the audit log cannot be written, so nothing is changed: try again"))
		return
	}
	ctx = huma.WithValue(ctx, entryKey, e)
	next(ctx)
	e.Done, e.Status = s.Now(), ctx.Status()
	if e.Status == 0 {
		e.Status = http.StatusOK
	}
	// The change stands, whether or not its client still waits.
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx.Context()), 5*time.Second)
	defer cancel()
	if err := s.Records.FinishAudit(after, *e); err != nil {
		s.Log.Error().Err(err).Int64("entry", e.Seq).Int("status", e.Status).Msg("how a change ended is not in the audit log")
	}
}

func sourceOf(ctx huma.Context) string {
	if h := host(ctx.RemoteAddr()); h.IsValid() {
		return h.String()
	}
	return "unknown"
}

func entryOf(ctx context.Context) *ledger.AuditEntry {
	e, _ := ctx.Value(entryKey).(*ledger.AuditEntry)
	return e
}

// note adds to the audit log what is changed. No secrets; real numbers masked.
func note(ctx context.Context, format string, args ...any) {
	if e := entryOf(ctx); e != nil {
		e.Detail = join(e.Detail, printable(fmt.Sprintf(format, args...)))
	}
}

// noteTarget adds what a change is about, where the path does not tell it.
func noteTarget(ctx context.Context, what, id string) {
	if e := entryOf(ctx); e != nil {
		e.Target = join(e.Target, what+" "+printable(id))
	}
}

// noteAccount tells whose a change is.
func noteAccount(ctx context.Context, sp string) {
	if e := entryOf(ctx); e != nil {
		e.SP = sp
	}
}

func join(list, more string) string {
	if list != "" {
		list += ", "
	}
	list += more
	if len(list) > longestNote {
		list = strings.ToValidUTF8(list[:longestNote-len("…")], "") + "…"
	}
	return list
}

// printable keeps control characters, which databases and terminals mind, out.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			return '?'
		}
		return r
	}, text)
}
