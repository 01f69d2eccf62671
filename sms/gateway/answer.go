package gateway

import (
	"net/http"
	"strconv"
	"time"

	"axgate/routing"
	"axgate/sms"
)

// Problem is the form of every refusal (RFC 9457), as the management API has it.
type Problem struct {
	Title  string              `json:"title"`
	Status int                 `json:"status"`
	Detail string              `json:"detail"`
	ID     string              `json:"id,omitempty"`     // 403: smsIdentifier
	Result *routing.SendResult `json:"result,omitempty"` // 403: sendResult of the notice
	Errors []Wrong             `json:"errors,omitempty"`
}

// Wrong is a field of a request that is not as it has to be.
type Wrong struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Accepted is the answer to a text that was taken.
type Accepted struct {
	ID      string `json:"id"`      // smsIdentifier
	Outcome string `json:"outcome"` // taken, repeated
}

func problem(status int, detail string) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Detail: detail}
}

func (p *Problem) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_, _ = w.Write(encode(p)) // a gateway that is gone does not hear that it is
}

// reply tells a gateway what became of its text.
func reply(w http.ResponseWriter, r sms.Receipt) {
	outcome := "taken"
	switch r.Outcome {
	case sms.Refused:
		p := problem(http.StatusForbidden, "the text may not pass: "+reasons[r.Result])
		p.ID, p.Result = r.ID, &r.Result
		p.write(w)
		return
	case sms.Unknown:
		problem(http.StatusNotFound, "to is no number of ours").write(w)
		return
	case sms.Limited, sms.Busy:
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int((r.After+time.Second-1)/time.Second))))
		p := problem(http.StatusTooManyRequests, "there are too many texts from this sender or to this number: send it again later")
		if r.Outcome == sms.Busy {
			p = problem(http.StatusServiceUnavailable, "there are too many texts at this moment: send it again later")
		}
		p.write(w)
		return
	case sms.TooLong:
		problem(http.StatusRequestEntityTooLarge, "the text has too many parts").write(w)
		return
	case sms.Repeated:
		outcome = "repeated"
	}
	w.Header().Set("Content-Type", jsonType)
	w.WriteHeader(http.StatusAccepted)
	_, _ = w.Write(encode(Accepted{r.ID, outcome}))
}

// reasons tell in words why the rules do not let a text pass.
var reasons = map[routing.SendResult]string{
	routing.TextFrozen:        "the account is frozen",
	routing.TextNoBinding:     "no binding connects this sender with the number",
	routing.TextXSuspended:    "the number is suspended",
	routing.TextNotCommercial: "texts are not enabled",
	routing.TextBlacklisted:   "the sender or receiver is blocked",
	routing.TextNotSent:       "there is nobody whom it may be sent to, or its sender may not send it",
	routing.TextNoSMS:         "the number takes no texts",
	routing.TextNoKeyword:     "the text has none of the agreed words",
	routing.TextForbidden:     "the text has a forbidden word",
}
