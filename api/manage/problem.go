package manage

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"axgate/ledger"
	"axgate/provision"
)

// Problem is the form of every error (RFC 9457).
type Problem struct {
	Title  string  `json:"title" doc:"The status in words." example:"Unprocessable Entity"`
	Status int     `json:"status" doc:"The HTTP status." example:"422"`
	Detail string  `json:"detail" doc:"What is wrong, and what is right." example:"validation failed"`
	Code   string  `json:"code,omitempty" doc:"The result code, where the same refusal has one in the provisioning API." example:"1010002"`
	Errors []Wrong `json:"errors,omitempty" nullable:"false" doc:"Each field that is wrong."`
}

// Wrong is a field of a request that is not as it has to be.
type Wrong struct {
	Field   string `json:"field" doc:"The field, as a path where it is within another." example:"extDigits"`
	In      string `json:"in,omitempty" enum:"body,path,query,header,form" doc:"Where it is." example:"body"`
	Message string `json:"message" doc:"What is wrong with it." example:"expected number <= 4"`
}

var _ huma.StatusError = (*Problem)(nil)

func (p *Problem) Error() string { return p.Detail }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of RFC 9457.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

func problem(status int, detail string) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Detail: detail}
}

// Huma makes its own errors, such as those of its checks, by this variable.
func init() {
	huma.NewError = func(status int, detail string, errs ...error) huma.StatusError {
		p := problem(status, detail)
		for _, err := range errs {
			if err != nil {
				p.Errors = append(p.Errors, wrong(err))
			}
		}
		return p
	}
}

// wrong leaves out the value: it may be a secret, and its sender knows it.
func wrong(err error) Wrong {
	var d huma.ErrorDetailer
	if !errors.As(err, &d) {
		return Wrong{Message: err.Error()}
	}
	e := d.ErrorDetail()
	in, field, found := strings.Cut(e.Location, ".")
	if !found { // the body as a whole
		return Wrong{Field: in, In: in, Message: e.Message}
	}
	return Wrong{Field: field, In: in, Message: e.Message}
}

// wrongField refuses a request for one of its fields.
func wrongField(field, message string) *Problem {
	p := problem(http.StatusUnprocessableEntity, field+": "+message)
	p.Errors = []Wrong{{Field: field, Message: message}}
	return p
}

// missing refuses what is not there, or not for this token to see.
func missing(detail string) *Problem { return problem(http.StatusNotFound, detail) }

// refusal is the answer for an error of a handler, and its code in the audit
// log. What nobody but us can have caused is logged and not told.
func (s *service) refusal(ctx context.Context, o *op, err error) error {
	p := asProblem(err)
	if p.Status >= http.StatusInternalServerError {
		s.Log.Error().Err(err).Str("operation", o.id).Msg("answer an operator")
	}
	if e := entryOf(ctx); e != nil {
		e.Code = p.Code
	}
	return p
}

// statuses are those of result codes that are neither a wrong field nor a
// conflict with what is stored.
var statuses = map[string]int{
	"1010001": http.StatusInternalServerError,
	"1010002": http.StatusUnprocessableEntity,
	"1010003": http.StatusNotFound, // app
	"1012001": http.StatusNotFound, // X
	"1012007": http.StatusNotFound,
	"1016001": http.StatusNotFound,
	"1011001": http.StatusNotFound, // AX: X
	"1011004": http.StatusNotFound,
}

func asProblem(err error) *Problem {
	var own *Problem
	var refused *provision.Error
	var cursor *ledger.CursorError
	switch {
	case errors.As(err, &own):
		return own
	case ledger.NoText(err):
		return problem(http.StatusUnprocessableEntity, "a text of the request has a NUL, or is not UTF-8")
	case errors.As(err, &refused):
		return ofProvision(refused)
	case errors.As(err, &cursor):
		return wrongField("after", cursor.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return problem(http.StatusServiceUnavailable, "it took too long: try again, or ask for less")
	}
	p := problem(http.StatusInternalServerError, "it failed on our side: it may be tried again")
	p.Code = "1010001"
	return p
}

func ofProvision(e *provision.Error) *Problem {
	status, ok := statuses[e.Code]
	if !ok {
		status = http.StatusConflict
	}
	p := problem(status, strings.TrimSuffix(e.Text, "."))
	p.Code = e.Code
	if e.Detail != "" {
		p.Detail += ": " + e.Detail
	}
	if e.Field != "" {
		p.Errors = []Wrong{{Field: lowerCamel(e.Field), Message: e.Detail}}
	}
	return p
}

// lowerCamel spells a parameter of the provisioning API as this API does; what
// is within it has the customer's names.
func lowerCamel(field string) string {
	field, within, _ := strings.Cut(field, ".")
	parts := strings.Split(field, "_")
	for i, p := range parts[1:] {
		if p != "" {
			parts[i+1] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	if within != "" {
		within = "." + within
	}
	return strings.Join(parts, "") + within
}

// write answers outside of an operation.
func write(w http.ResponseWriter, p *Problem) {
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // a client that is gone does not hear that it is
}
