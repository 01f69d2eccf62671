package manage

import (
	"context"
	"net/http"
	"time"

	"axgate/ledger"
)

// AuditEntry is a change that somebody tried to make.
type AuditEntry struct {
	Seq        int64     `json:"seq" doc:"Its number, without gaps." example:"17"`
	At         time.Time `json:"at" doc:"When it was begun." example:"2026-01-02T03:04:05Z"`
	Done       time.Time `json:"done,omitzero" doc:"When it was over; absent: nobody knows how it went." example:"2026-01-02T03:04:05Z"`
	OperatorID string    `json:"operatorId,omitempty" doc:"Whose token it was; absent: it was the command line." example:"K7Q2M4XW5ABC"`
	Name       string    `json:"name" doc:"Who it was." example:"carol"`
	Role       string    `json:"role" doc:"What the token allowed." example:"operator"`
	Source     string    `json:"source" doc:"Where the request came from." example:"192.0.2.7"`
	Operation  string    `json:"operation" doc:"The operationId." example:"changeApp"`
	SPID       string    `json:"spId,omitempty" doc:"The account of what was changed." example:"demo"`
	Target     string    `json:"target,omitempty" doc:"What was changed." example:"appKey demo-ax"`
	Detail     string    `json:"detail,omitempty" doc:"How it was changed; no secrets, and real numbers only masked." example:"paused=true"`
	Status     int       `json:"status,omitempty" doc:"The HTTP status of the answer." example:"200"`
	Code       string    `json:"code,omitempty" doc:"The result code of a refusal." example:"1010003"`
}

func (s *service) audit() {
	add(s, op{id: "listAudit", method: http.MethodGet, path: "/audit", who: anyone, subject: "audit",
		summary: "List the audit log",
		about:   "Every change that was tried through this API or with `axgate operators`, refused ones too, the newest first. A token that is limited to an account sees the changes to that account.",
	}, s.listAudit)
}

func (s *service) listAudit(ctx context.Context, in *struct {
	Page
	Span
	OperatorID string `query:"operatorId" maxLength:"64" doc:"Only by this operator." example:"K7Q2M4XW5ABC"`
	Operation  string `query:"operation" maxLength:"64" doc:"Only this operationId." example:"changeApp"`
	SPID       string `query:"spId" maxLength:"64" doc:"Only changes to this account." example:"demo"`
}) (*listed[AuditEntry], error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	f := ledger.AuditFilter{Operator: in.OperatorID, Operation: in.Operation, SP: in.SPID, From: in.From, To: in.To, After: in.After, Limit: in.Limit}
	out := &listed[AuditEntry]{List[AuditEntry]{Items: []AuditEntry{}}}
	if sp := accountOf(ctx); sp != "" {
		if f.SP != "" && f.SP != sp {
			return out, nil
		}
		f.SP = sp
	}
	page, err := s.Records.Audit(ctx, f)
	if err != nil {
		return nil, err
	}
	out.Body.Next = page.Next
	for _, e := range page.Entries {
		out.Body.Items = append(out.Body.Items, AuditEntry{Seq: e.Seq, At: e.At, Done: e.Done, OperatorID: e.Operator, Name: e.Name, Role: string(e.Role), Source: e.Source,
			Operation: e.Operation, SPID: e.SP, Target: e.Target, Detail: e.Detail, Status: e.Status, Code: e.Code})
	}
	return out, nil
}
