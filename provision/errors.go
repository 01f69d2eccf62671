package provision

import (
	"errors"
	"fmt"
	"net/http"
)

// Error is a refusal, or a failure of ours, with its result code (codes
// section 1).
type Error struct {
	Code   string // resultcode
	HTTP   int    // status of the answer
	Text   string // resultdesc
	Field  string // the parameter that is wrong, as the API spells it; may be empty
	Detail string // what is wrong with it and what is right; no real numbers
	cause  error
}

func (e *Error) Error() string {
	s := e.Code + " " + e.Text
	if e.Field != "" {
		s += " " + e.Field + ":"
	}
	if e.Detail != "" {
		s += " " + e.Detail
	}
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.cause }

// Code is the result code of an error, empty if it is none of this package.
func Code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// result is a line of the table of result codes.
type result struct {
	code string
	http int
	text string
}

var (
	resultInternal      = result{"1010001", http.StatusInternalServerError, "Internal system error."}
	resultInvalid       = result{"1010002", http.StatusForbidden, "Invalid request."}
	resultUnknownApp    = result{"1010003", http.StatusForbidden, "Invalid app_key."}
	resultAppPaused     = result{"1010008", http.StatusForbidden, "The status of the app_key is unavailable."}
	resultFrozen        = result{"1010029", http.StatusForbidden, "The subscriber status is frozen."}
	resultWrongMode     = result{"1010040", http.StatusForbidden, "The app_key is not allowed to invoke the API."}
	resultAXUnknownX    = result{"1011001", http.StatusForbidden, "Account does not exist."}
	resultAXNoX         = result{"1011002", http.StatusForbidden, "Insufficient number resources."}
	resultAXTooMany     = result{"1011003", http.StatusForbidden, "Exceeded the upper limit of resources that can be applied for."}
	resultAXNotBound    = result{"1011004", http.StatusForbidden, "The number is not applied for binding application."}
	resultAXTaken       = result{"1011005", http.StatusForbidden, "Resources have been allocated."}
	resultNotApplied    = result{"1012001", http.StatusForbidden, "Resource of number is not to be applied."}
	resultNoRecord      = result{"1012007", http.StatusForbidden, "The record does not exist"}
	resultNoX           = result{"1012008", http.StatusForbidden, "Insufficient number of resources"}
	resultMostReached   = result{"1012009", http.StatusForbidden, "Maximum number of resources has been exceeded"}
	resultBound         = result{"1012010", http.StatusForbidden, "The relation number has been bound."}
	resultNoRecording   = result{"1012012", http.StatusForbidden, "Application does not open recording function"}
	resultAbnormalX     = result{"1012102", http.StatusForbidden, "The number status is abnormal."}
	resultAXNoRecord    = result{"1016001", http.StatusForbidden, "The record does not exist."}
	resultStopParameter = result{"1020001", http.StatusInternalServerError, "Parameter error."}
	resultStopFailed    = result{"1020002", http.StatusInternalServerError, "Internal error."}
	resultStopApp       = result{"1020150", http.StatusInternalServerError, "The app_key is invalid."}
	resultStopSession   = result{"1020152", http.StatusInternalServerError, "Invalid sessionId."}
	resultAXRecordThere = result{"1016002", http.StatusForbidden, "The record already exists."}
)

func (r result) refuse(field, detail string, args ...any) *Error {
	return &Error{Code: r.code, HTTP: r.http, Text: r.text, Field: field, Detail: fmt.Sprintf(detail, args...)}
}

// Invalid refuses a parameter, which is named as the API spells it, for what is
// wrong with it: 1010002. The detail may hold no real number.
func Invalid(field, detail string, args ...any) *Error {
	return resultInvalid.refuse(field, detail, args...)
}

// failed is an answer for what is not the client's fault. What was asked for
// may be repeated.
func failed(doing string, cause error) *Error {
	return &Error{Code: resultInternal.code, HTTP: resultInternal.http, Text: resultInternal.text, Detail: doing, cause: cause}
}
