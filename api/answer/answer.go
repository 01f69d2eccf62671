// Package answer has the wire form of the API's answers (api section 2.6).
package answer

import (
	"net/http"
	"strconv"
)

// Result is what every answer begins with. Answers with more fields embed it.
type Result struct {
	Code string `json:"resultcode"`
	Desc string `json:"resultdesc"`
}

// Success begins every answer to a request that was carried out.
var Success = Result{"0", "Success"}

// Refusal is an answer to a request that was not carried out: an HTTP status
// and a line of the table of result codes (codes section 1).
type Refusal struct {
	HTTP int
	Code string // resultcode
	Desc string // resultdesc
}

// Internal is the answer to what failed on our side.
var Internal = Refusal{http.StatusInternalServerError, "1010001", "Internal system error."}

func (r *Refusal) Error() string { return r.Code + " " + r.Desc }

// Write answers with the refusal.
func (r *Refusal) Write(w http.ResponseWriter) {
	const longest = 256 // resultdesc is String(1-256)
	desc := r.Desc
	if len(desc) > longest {
		desc = desc[:longest]
	}
	JSON(w, r.HTTP, Result{r.Code, desc})
}

// JSON answers with a value that json can encode, in plain ASCII.
func JSON(w http.ResponseWriter, status int, v any) {
	body, err := ascii(v)
	if err != nil {
		panic("answer: " + err.Error()) // a value that no answer consists of
	}
	h := w.Header()
	h.Set("Content-Type", "application/json;charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that is gone does not hear that it is
}
