package manage

import (
	"context"
	"net/http"

	"axgate/events"
	"axgate/ledger"
)

// PushTest is what a receiver answered to a test event.
type PushTest struct {
	OK      bool    `json:"ok" doc:"Pushes to this address would be taken." example:"true"`
	Status  int     `json:"status,omitempty" doc:"The HTTP status of the answer; absent: there was none." example:"200"`
	Seconds float64 `json:"seconds" doc:"How long it took." example:"0.032"`
	Failure string  `json:"failure,omitempty" doc:"Why a push would not be taken." example:"no answer in time"`
	Answer  string  `json:"answer,omitempty" doc:"How the answer begins; for operators alone." example:"ok"`
}

func (s *service) probes() {
	add(s, op{id: "testPush", method: http.MethodPost, path: "/apps/{appKey}/test-push", who: owner, subject: appsTag, refuses: []int{http.StatusNotFound},
		summary: "Send a test event",
		about:   "Sends one event of the type `test` to an address of the app, signed as all pushes are, and tells what it answered. At the SMS addresses it is a notice of no text, whose `event` is `test`. It is not repeated, and is in no log of events.",
	}, s.testPush)
}

func (s *service) testPush(ctx context.Context, in *struct {
	AppPath
	Address string `query:"address" enum:"status,sms,smsControl" default:"status" doc:"Which of the app's addresses."`
}) (*struct{ Body PushTest }, error) {
	a, err := s.ownApp(ctx, in.AppKey)
	if err != nil {
		return nil, err
	}
	r, err := s.Receiver(ctx, a.Key)
	if err != nil {
		return nil, err
	}
	p := s.Probe(ctx, r, a.Key, events.Probing(in.Address))
	note(ctx, "%s address: HTTP status %d %s", in.Address, p.Status, p.Failure)
	out := PushTest{OK: p.Failure == "", Status: p.Status, Seconds: p.Took.Seconds(), Failure: p.Failure}
	if operatorOf(ctx).Role == ledger.RoleOperator { // whoever sets the address must not read through us what is behind it
		out.Answer = p.Answer
	}
	return &struct{ Body PushTest }{out}, nil
}
