package manage

import (
	"axgate/events"
	"axgate/ledger"
	"axgate/routing"
	"axgate/sms"
)

// The command line shows what the API shows, to somebody who may see all.

// ShowApp is an app as it is shown; the secret is not.
func ShowApp(a *ledger.App) App { return showApp(a) }

// ShowPrompt is an uploaded prompt as it is shown.
func ShowPrompt(p *ledger.Prompt) Prompt { return showPrompt(p) }

// ShowCall is a call's record as it is shown.
func ShowCall(c *events.Call) Call { return viewer{}.call(c) }

// CallHead are the columns of an export of calls.
var CallHead = callHead

// Row are the values of CallHead.
func (c *Call) Row() []string { return c.row() }

// ShowMessage is a text's record as it is shown.
func ShowMessage(t *sms.Text) Message { return viewer{}.message(t) }

// ShowMessageStory is what happened to a text, by its record and its events.
func ShowMessageStory(t *sms.Text, log []ledger.LoggedEvent) MessageStory {
	return viewer{}.messageStory(t, log)
}

// ShowMessageVerdict is what would become of a text to X.
func ShowMessageVerdict(x routing.X, e *MessageExplanation) MessageVerdict {
	return viewer{}.messageVerdict(x, e)
}

// ShowEvent is an event as it is shown.
func ShowEvent(e *ledger.LoggedEvent) Event { return viewer{}.event(e) }

// ShowVerdict is what would become of a call.
func ShowVerdict(e *Explanation) Verdict { return viewer{}.verdict(e) }

// ShowStory is what happened in a call, by its record and its events.
func ShowStory(c *events.Call, log []ledger.LoggedEvent) Story {
	out := Story{Call: ShowCall(c), Steps: tell(c, log), Log: []Event{}}
	for i := range log {
		out.Log = append(out.Log, ShowEvent(&log[i]))
	}
	return out
}
