package events

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// AskConfig is what an Asker needs to know. Zero values mean their defaults.
type AskConfig struct {
	PerApp  int              // questions of one app under way at once; 200
	Refuse  []netip.Prefix   // networks that no question goes to
	RootCAs *x509.CertPool   // who vouches for https servers; nil: the system's
	Now     func() time.Time // time.Now
}

// Asker puts questions to customers' servers and waits for their answers: the
// callin event in X mode, and whatever else a call or message waits for. It
// holds connections to each server, and no more questions of an app at a time
// than it may, so that a dead server costs others nothing. It is safe for use
// by many goroutines.
type Asker struct {
	cfg    AskConfig
	client *http.Client

	mu    sync.Mutex
	asked map[string]int // questions under way by app
}

// ErrTooMany tells that so many questions of an app wait for an answer already
// that another one is not asked.
var ErrTooMany = errors.New("too many questions wait for the app's server")

// NewAsker makes an asker. Close ends it.
func NewAsker(cfg AskConfig) *Asker {
	if cfg.PerApp <= 0 {
		cfg.PerApp = 200
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	const dial = 5 * time.Second // the context of a question is mostly shorter
	client := NewClient(&Config{Timeout: dial, PerAddress: cfg.PerApp, RootCAs: cfg.RootCAs, Refuse: cfg.Refuse})
	return &Asker{cfg: cfg, client: client, asked: map[string]int{}}
}

// Close lets go of the connections that wait for questions.
func (a *Asker) Close() { a.client.CloseIdleConnections() }

// mostAnswer bounds what an answer may have to say.
const mostAnswer = 64 << 10

// ErrLongAnswer tells that there is an answer, and more of it than is read.
var ErrLongAnswer = fmt.Errorf("the answer is longer than %d bytes", mostAnswer)

// Ask posts a question, signed as the pushes of the app are, and gives the body
// of the answer, at most 64 KiB. ctx has the deadline: the whole answer has to
// be there by then. An error says why there is none, without the address: no
// 2xx, none in time, no connection, ErrLongAnswer, ErrTooMany.
func (a *Asker) Ask(ctx context.Context, address string, r *Receiver, app string, question []byte) ([]byte, error) {
	if address == "" {
		return nil, errors.New("the app has no address for it")
	}
	if !a.enter(app) {
		return nil, ErrTooMany
	}
	defer a.leave(app)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(question))
	if err != nil {
		return nil, errors.New("the address is malformed")
	}
	req.Header["Content-Type"] = []string{"application/json;charset=UTF-8"}
	req.Header["User-Agent"] = []string{"axgate"}
	// A connection that the server closes at this very moment is no reason to
	// refuse a call: net/http asks once more. The header is not sent.
	req.Header["Idempotency-Key"] = []string{}
	sign(req.Header, r, app, a.cfg.Now())
	res, err := a.client.Do(req)
	if err != nil {
		return nil, Plain(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, mostAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the answer: %w", Plain(err))
	case res.StatusCode < 200 || res.StatusCode >= 300:
		return nil, fmt.Errorf("HTTP status %d", res.StatusCode)
	case len(body) > mostAnswer:
		return nil, ErrLongAnswer
	}
	return body, nil
}

func (a *Asker) enter(app string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asked[app] >= a.cfg.PerApp {
		return false
	}
	a.asked[app]++
	return true
}

func (a *Asker) leave(app string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asked[app]--; a.asked[app] == 0 {
		delete(a.asked, app)
	}
}
