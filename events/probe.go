package events

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Probed is what a receiver answered to a test event.
type Probed struct {
	Status  int           // HTTP status; 0: there was no answer
	Took    time.Duration // until the answer, or until it was given up
	Answer  string        // how the answer begins
	Failure string        // why no push would be taken so; empty: it would be
}

// Probing says which of an app's addresses a test event goes to.
type Probing string

// The addresses.
const (
	ProbeStatus     Probing = "status"
	ProbeSMS        Probing = "sms"
	ProbeSMSControl Probing = "smsControl"
)

// Probe sends a test event, signed like any push of the app, to one of its
// addresses, once. Its eventType, or the event of its smsEvent, is "test", which
// receivers do not know; what counts is that they answer 2xx.
func Probe(ctx context.Context, cfg Config, r Receiver, app string, at Probing) Probed {
	cfg.defaults()
	id, began := "test_"+uuid.NewString(), cfg.Now()
	var address string
	var body []byte
	switch at {
	case ProbeSMS:
		address, body = r.SMS, smsProbe(id, app, notify, began)
	case ProbeSMSControl:
		address, body = r.SMSControl, smsProbe(id, app, block, began)
	default:
		address, body = r.Status, encode(struct {
			EventType  string     `json:"eventType"`
			StatusInfo statusInfo `json:"statusInfo"`
		}{"test", statusInfo{SessionID: id, Timestamp: text(began)}})
	}
	if address == "" {
		return Probed{Failure: fmt.Sprintf("the app has no %s address", map[Probing]string{ProbeStatus: "status", ProbeSMS: "SMS", ProbeSMSControl: "SMS control"}[at])}
	}
	client := NewClient(&cfg)
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	out := probe(ctx, client, cfg, r, app, address, body)
	out.Took = cfg.Now().Sub(began)
	return out
}

func smsProbe(id, app, mode string, at time.Time) []byte {
	s := SMS{ID: id, At: at, Direction: 2}
	info := s.event(mode)
	info.Event = "test"
	return smsBody(app, info)
}

func probe(ctx context.Context, client *http.Client, cfg Config, r Receiver, app, address string, body []byte) Probed {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return Probed{Failure: "the address is malformed"}
	}
	req.Header["Content-Type"] = []string{"application/json;charset=UTF-8"}
	req.Header["User-Agent"] = []string{"axgate"}
	sign(req.Header, &r, app, cfg.Now())
	res, err := client.Do(req)
	if err != nil {
		return Probed{Failure: Plain(err).Error()}
	}
	const most = 500
	answer, err := io.ReadAll(io.LimitReader(res.Body, most))
	err = errors.Join(err, res.Body.Close())
	out := Probed{Status: res.StatusCode, Answer: strings.ToValidUTF8(string(answer), "?")}
	switch {
	case res.StatusCode >= 300 && res.StatusCode < 400:
		out.Failure = fmt.Sprintf("HTTP status %d: redirects are not followed", res.StatusCode)
	case res.StatusCode < 200 || res.StatusCode > 299:
		out.Failure = fmt.Sprintf("HTTP status %d", res.StatusCode)
	case err != nil:
		out.Failure = "the answer was cut"
	}
	return out
}
