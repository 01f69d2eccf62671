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

// Probe sends a test event, signed like any push of the app, to its status
// address, once. eventType is "test", which receivers do not know; what counts
// is that they answer 2xx.
func Probe(ctx context.Context, cfg Config, r Receiver, app string) Probed {
	cfg.defaults()
	if r.Status == "" {
		return Probed{Failure: "the app has no status address"}
	}
	client := newClient(&cfg)
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	began := cfg.Now()
	body := encode(struct {
		EventType  string     `json:"eventType"`
		StatusInfo statusInfo `json:"statusInfo"`
	}{"test", statusInfo{SessionID: "test_" + uuid.NewString(), Timestamp: text(began)}})
	out := probe(ctx, client, cfg, r, app, body)
	out.Took = cfg.Now().Sub(began)
	return out
}

func probe(ctx context.Context, client *http.Client, cfg Config, r Receiver, app string, body []byte) Probed {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.Status, bytes.NewReader(body))
	if err != nil {
		return Probed{Failure: "the address is malformed"}
	}
	req.Header["Content-Type"] = []string{"application/json;charset=UTF-8"}
	req.Header["User-Agent"] = []string{"axgate"}
	sign(req.Header, &r, app, cfg.Now())
	res, err := client.Do(req)
	if err != nil {
		return Probed{Failure: plain(err).Error()}
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
