package ledger

import (
	"fmt"

	"axgate/events"
)

const replyColumns = `a.fallback, a.answer_in`

// storeReply is part of storing an app: what is done about the answers of its
// server (X mode).
func storeReply(s scope, a *App) error {
	_, err := s.exec(`UPDATE apps SET fallback = $2, answer_in = $3 WHERE key = $1`, a.Key, string(a.Fallback), a.AnswerIn.Microseconds())
	if err != nil {
		return fmt.Errorf("store what is done without an answer: %w", err)
	}
	return nil
}

// Receiver is where and how the app's events are pushed and its server is
// asked.
func (a *App) Receiver() events.Receiver {
	r := events.Receiver{
		CallIn: a.CallInURL, Status: a.StatusURL, Fee: a.FeeURL, Number: a.NumberURL,
		SMS: a.SMSURL, SMSControl: a.SMSControlURL, Secret: a.Secret, AKSK: a.Signing == SignAKSK,
		Duration: a.SendDuration, ReleasedBy: a.SendReleasedBy, AreaCode: a.SendAreaCode, RecordURL: a.SendRecordURL,
	}
	if r.CallIn == "" {
		r.CallIn = r.Status
	}
	if r.Number == "" {
		r.Number = r.Status
	}
	return r
}

func storeAsked(s scope, a *events.Inquiry) error {
	_, err := s.exec(`UPDATE events SET tries = 1, first_at = $1, done_at = $2, failure = $3 WHERE session = $4 AND seq = $5 AND target = 'asked'`,
		micros(a.At), micros(a.Done), a.Failure, a.Session, int64(a.Seq))
	if err != nil {
		return fmt.Errorf("note the answer to event %d of %s: %w", a.Seq, a.Session, err)
	}
	return nil
}
