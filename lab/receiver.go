package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Push is one event as the customer's server got it.
type Push struct {
	At      time.Time       `json:"at"`
	Type    string          `json:"type"`    // callin … disconnect, or fee; sms: the notice of a text, or the question about one
	Session string          `json:"session"` // of a text its smsIdentifier
	Body    json.RawMessage `json:"body"`    // statusInfo, smsEvent, or an element of feeLst
}

// Receiver is the lab's customer server: it takes the pushes of the lab's apps
// and shows them. Asked about a text, it says that it is for the visitor.
type Receiver struct {
	url    string
	server *http.Server
	done   chan error
	show   func(Push)

	mu     sync.Mutex
	pushes []Push
	came   chan struct{} // closed and made anew with each push
}

// mostPushes bounds what a long-lived lab remembers.
const mostPushes = 1000

// Receive opens the customer server on a free port of address.
func Receive(address string, show func(Push)) (*Receiver, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		return nil, fmt.Errorf("open the lab's event receiver: %w", err)
	}
	r := &Receiver{url: "http://" + l.Addr().String(), show: show, done: make(chan error, 1), came: make(chan struct{})}
	r.server = &http.Server{Handler: http.HandlerFunc(r.take), ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
	go func() { r.done <- r.server.Serve(l) }()
	return r, nil
}

// URL is where events and fee events go.
func (r *Receiver) URL() string { return r.url }

// Close ends the server.
func (r *Receiver) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := r.server.Shutdown(ctx)
	if ended := <-r.done; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	if err != nil {
		return fmt.Errorf("close the lab's event receiver: %w", err)
	}
	return nil
}

func (r *Receiver) take(w http.ResponseWriter, req *http.Request) {
	const most = 1 << 20
	var body struct {
		Type string            `json:"eventType"`
		Info json.RawMessage   `json:"statusInfo"`
		Fees []json.RawMessage `json:"feeLst"`
		SMS  json.RawMessage   `json:"smsEvent"`
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, req.Body, most))
	if err == nil {
		err = json.Unmarshal(text, &body)
	}
	if err != nil {
		http.Error(w, "this is no event", http.StatusBadRequest)
		return
	}
	if body.Info != nil {
		body.Fees = append(body.Fees, body.Info)
	}
	for _, b := range body.Fees {
		var of struct {
			Session string `json:"sessionId"`
		}
		_ = json.Unmarshal(b, &of) // an event without one belongs to no call
		r.add(Push{At: time.Now(), Type: body.Type, Session: of.Session, Body: b})
	}
	w.Header().Set("Content-Type", "application/json")
	if body.SMS != nil {
		r.add(Push{At: time.Now(), Type: smsPush, Session: field(body.SMS, "smsIdentifier"), Body: body.SMS})
		if field(body.SMS, "notificationMode") == "Block" {
			_ = json.NewEncoder(w).Encode(forVisitor(field(body.SMS, "calling")))
		}
		return
	}
	_, _ = io.WriteString(w, `{"resultcode":"0","resultdesc":"Success"}`)
}

// smsPush is the Type of what is told of texts.
const smsPush = "sms"

// forVisitor is the answer about a text that names no receiver.
func forVisitor(calling string) any {
	type message struct {
		Calling string `json:"calling"`
		Called  string `json:"called"`
	}
	type action struct {
		Operation string  `json:"operation"`
		Message   message `json:"message"`
	}
	return map[string][]action{"actions": {{"vNumberRoute", message{calling, Visitor.Number}}}}
}

// Notice waits for the notice of the first text of a sender to x since an
// instant.
func (r *Receiver) Notice(ctx context.Context, x, sender string, since time.Time) (json.RawMessage, error) {
	for {
		r.mu.Lock()
		came := r.came
		for _, p := range r.pushes {
			if p.Type == smsPush && !p.At.Before(since) && field(p.Body, "notificationMode") == "Notify" && field(p.Body, "virtualNumber") == x && field(p.Body, "calling") == sender {
				r.mu.Unlock()
				return p.Body, nil
			}
		}
		r.mu.Unlock()
		select {
		case <-came:
		case <-ctx.Done():
			return nil, fmt.Errorf("the notice of the text was not pushed: %w", ctx.Err())
		}
	}
}

func (r *Receiver) add(p Push) {
	r.mu.Lock()
	if len(r.pushes) >= mostPushes {
		r.pushes = r.pushes[mostPushes/2:]
	}
	r.pushes = append(r.pushes, p)
	close(r.came)
	r.came = make(chan struct{})
	r.mu.Unlock()
	r.show(p)
}

// Story waits until the first call to x since an instant is over, and gives all
// that was told of it, the fee event last.
func (r *Receiver) Story(ctx context.Context, x string, since time.Time) ([]Push, error) {
	for {
		r.mu.Lock()
		story, came := r.story(x, since), r.came
		r.mu.Unlock()
		if n := len(story); n > 1 && story[n-1].Type == "fee" && story[n-2].Type == "disconnect" {
			return story, nil
		}
		select {
		case <-came:
		case <-ctx.Done():
			return story, fmt.Errorf("disconnect and fee event were not both pushed: %w", ctx.Err())
		}
	}
}

func (r *Receiver) story(x string, since time.Time) []Push {
	session := ""
	var story, fee []Push
	for _, p := range r.pushes {
		if session == "" && p.Type == "callin" && !p.At.Before(since) && field(p.Body, "called") == x {
			session = p.Session
		}
		switch {
		case session == "" || p.Session != session:
		case p.Type == "fee":
			fee = append(fee, p)
		default:
			story = append(story, p)
		}
	}
	return append(story, fee...)
}

// field is a text field of a JSON object.
func field(object json.RawMessage, name string) string {
	var all map[string]any
	_ = json.Unmarshal(object, &all) // no object has no fields
	v, _ := all[name].(string)
	return v
}
