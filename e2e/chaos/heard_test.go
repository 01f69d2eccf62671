//go:build e2e

package chaos

import (
	"encoding/json"
	"fmt"
	"time"

	"axgate/e2e/receiver"
)

// heard is when the customer was told of the end of a call, each time.
type heard struct{ disconnects, fees []time.Time }

// all tells whether he was told all of it.
func (h heard) all() bool { return len(h.disconnects) > 0 && len(h.fees) > 0 }

// heardIn are the ends of calls, by session, in pushes that the customer took.
func heardIn(pushes []receiver.Push) (map[string]heard, error) {
	type session struct {
		ID string `json:"sessionId"`
	}
	told := map[string]heard{}
	for _, p := range pushes {
		if p.Status >= 300 {
			continue
		}
		var m struct {
			Type string    `json:"eventType"`
			Info session   `json:"statusInfo"`
			Fees []session `json:"feeLst"`
		}
		if err := json.Unmarshal(p.Body, &m); err != nil {
			return nil, fmt.Errorf("a push: %w: %s", err, p.Body)
		}
		switch m.Type {
		case "disconnect":
			h := told[m.Info.ID]
			h.disconnects = append(h.disconnects, p.At)
			told[m.Info.ID] = h
		case "fee":
			for _, f := range m.Fees {
				h := told[f.ID]
				h.fees = append(h.fees, p.At)
				told[f.ID] = h
			}
		}
	}
	return told, nil
}

// unstored is how long it takes at most until the ledger knows that a push was taken.
const unstored = 2 * time.Second

// mayRepeat tells whether an event that was first told at an instant may be told again. Who
// pushes it has it for a minute and stores the outcome until it can, so that no fault of the
// ledger or of Redis that is shorter than that excuses another push. These do: its node is
// killed or stands still before the outcome is stored, or between its last look whether it is
// itself and the push, when others have the event; and the answer of the customer is lost.
func (a *account) mayRepeat(first time.Time) bool {
	for _, p := range a.played {
		if p.repeats && first.After(p.from.Add(-unstored)) && first.Before(p.mended.Add(back)) {
			return true
		}
	}
	return false
}

// judgeRepeats demands that the customer hears of each end once.
func (a *account) judgeRepeats() {
	for session, h := range a.told {
		for kind, at := range map[string][]time.Time{"disconnect": h.disconnects, "fee": h.fees} {
			if len(at) > 1 && !a.mayRepeat(at[0]) {
				a.say(toldAgain, "%s of %s at %v", kind, session, at)
			}
		}
	}
}
