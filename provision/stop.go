package provision

import (
	"context"
	"errors"
	"unicode/utf8"

	"axgate/events"
	"axgate/ledger"
)

// StopCall is the request to hang a call up (API 7).
type StopCall struct {
	SessionID string // of the call's events
	Signal    string // "call_stop"
}

// CallToStop finds the call that is to be hung up: one of the app, of any mode,
// that is up. Whoever cannot pay may still end calls. Refusals: 1020001, 1020150
// the app is unknown, 1020152 the app has no such call or it is over; 1020002 is
// a failure of ours.
func (s *Service) CallToStop(ctx context.Context, app string, r StopCall) (events.Call, error) {
	const longest = 256
	switch n := utf8.RuneCountInString(r.SessionID); {
	case n == 0:
		return events.Call{}, resultStopParameter.refuse("sessionid", "it is missing")
	case n > longest:
		return events.Call{}, resultStopParameter.refuse("sessionid", "it has %d characters: at most %d are possible", n, longest)
	case r.Signal != "call_stop":
		return events.Call{}, resultStopParameter.refuse("signal", "it has to be call_stop")
	}
	_, err := s.ledger.App(ctx, app)
	switch {
	case errors.Is(err, ledger.ErrUnknownApp):
		return events.Call{}, resultStopApp.refuse("", "there is no app of that key")
	case err != nil:
		return events.Call{}, stopFailed("read the app", err)
	}
	page, err := s.ledger.Calls(ctx, ledger.CallFilter{App: app, Session: r.SessionID, Open: true, Limit: 1})
	if err != nil {
		return events.Call{}, stopFailed("find the call", err)
	}
	if len(page.Calls) == 0 {
		return events.Call{}, CallOver()
	}
	return page.Calls[0], nil
}

// CallOver is the answer to the order to stop a call that is not up: 1020152.
func CallOver() *Error {
	return resultStopSession.refuse("sessionid", "the app has no such call, or it is over")
}

// StopFailed is the answer if it cannot be told whether a call was stopped: 1020002.
func StopFailed(cause error) *Error { return stopFailed("stop the call", cause) }

// stopFailed is failed in the words of stop call.
func stopFailed(doing string, cause error) *Error {
	e := failed(doing, cause)
	e.Code, e.HTTP, e.Text = resultStopFailed.code, resultStopFailed.http, resultStopFailed.text
	return e
}
