// Package receiver is a customer's server in tests: it takes call events, fee
// events and notices of texts over HTTP, checks that they are signed, and gives
// out the story of each call and text.
package receiver

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Push is one message of the platform.
type Push struct {
	At     time.Time
	Path   string
	Header http.Header
	Body   []byte
	Status int // what it was answered with
}

// Event is one call event: the fields of statusInfo, and when it came.
type Event struct {
	At   time.Time
	Type string
	Info map[string]any
}

// Call is what was told of one call.
type Call struct {
	Session string
	Events  []Event
	Fee     map[string]any
	Fees    int // how often the fee event came
}

// Types lists the event types in the order in which they came.
func (c Call) Types() []string {
	types := make([]string, len(c.Events))
	for i, e := range c.Events {
		types[i] = e.Type
	}
	return types
}

// Counts tells how often each event type came.
func (c Call) Counts() map[string]int {
	n := make(map[string]int)
	for _, e := range c.Events {
		n[e.Type]++
	}
	return n
}

// Event gives the fields of the first event of a type, nil if none came.
func (c Call) Event(kind string) map[string]any {
	for _, e := range c.Events {
		if e.Type == kind {
			return e.Info
		}
	}
	return nil
}

// Receiver is the server. Events go to /status, fee events to /fee, notices of
// texts to /sms, questions about them to /control.
type Receiver struct {
	secrets  map[string]string // by app_key
	listener net.Listener
	server   *http.Server
	done     chan struct{}

	mu                 sync.Mutex
	answer             func(Push) int
	reply              func(context.Context, Push) []byte
	pushes             []Push
	numbers            map[string][]string // statuses by number
	wrong              []string            // what is wrong with pushes
	calls              map[string]*Call
	order              []string      // sessions
	notices, questions []Text        // of texts
	changed            chan struct{} // closed and made anew by each push
}

// Start opens a receiver for apps with these secrets, by app_key.
func Start(secrets map[string]string) (*Receiver, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &Receiver{secrets: secrets, listener: l, done: make(chan struct{}), answer: func(Push) int { return http.StatusOK },
		reply: func(context.Context, Push) []byte { return nil }, calls: make(map[string]*Call), numbers: make(map[string][]string), changed: make(chan struct{})}
	r.server = &http.Server{Handler: http.HandlerFunc(r.serve), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		defer close(r.done)
		_ = r.server.Serve(l)
	}()
	return r, nil
}

// StatusURL is where call events go, FeeURL where fee events go.
func (r *Receiver) StatusURL() string { return "http://" + r.listener.Addr().String() + "/status" }

// FeeURL is where fee events go.
func (r *Receiver) FeeURL() string { return "http://" + r.listener.Addr().String() + "/fee" }

// Answer lets a function choose the HTTP status of each push; a push that is
// not answered with success does not count.
func (r *Receiver) Answer(f func(Push) int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = f
}

// Reply lets a function say more than the status of a push: what the platform
// is to do with a call. It may take its time, until its context ends.
func (r *Receiver) Reply(f func(context.Context, Push) []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reply = f
}

// Close ends the server.
func (r *Receiver) Close() error {
	err := r.server.Close()
	<-r.done
	return err
}

func (r *Receiver) serve(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(io.LimitReader(req.Body, 1<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p := Push{At: time.Now(), Path: req.URL.Path, Header: req.Header.Clone(), Body: body}
	r.mu.Lock()
	p.Status = r.answer(p)
	r.pushes = append(r.pushes, p)
	r.check(req, body)
	if p.Status < 300 {
		if err := r.take(p); err != nil {
			r.wrong = append(r.wrong, err.Error())
		}
	}
	close(r.changed)
	r.changed = make(chan struct{})
	reply := r.reply
	r.mu.Unlock()
	text := reply(req.Context(), p)
	w.WriteHeader(p.Status)
	_, _ = w.Write(text)
}

// fields reads the header of a signed push.
var fields = regexp.MustCompile(`^UsernameToken Username="([^"]*)", ?PasswordDigest="([^"]*)", ?Nonce="([^"]*)", ?Created="([^"]*)"$`)

// check notes what is wrong with the form and the signature of a push.
func (r *Receiver) check(req *http.Request, body []byte) {
	bad := func(format string, args ...any) {
		r.wrong = append(r.wrong, fmt.Sprintf(format, args...)+fmt.Sprintf(" in a push to %s: %s", req.URL.Path, body))
	}
	if req.Method != http.MethodPost {
		bad("method %s", req.Method)
	}
	if h := req.Header.Get("Content-Type"); h != "application/json;charset=UTF-8" {
		bad("Content-Type %q", h)
	}
	if h := req.Header.Get("Authorization"); h != `WSSE realm="SDP",profile="UsernameToken",type="Appkey"` {
		bad("Authorization %q", h)
	}
	m := fields.FindStringSubmatch(req.Header.Get("X-WSSE"))
	if m == nil {
		bad("X-WSSE %q", req.Header.Get("X-WSSE"))
		return
	}
	secret, ok := r.secrets[m[1]]
	sum := sha256.Sum256([]byte(m[3] + m[4] + secret))
	if !ok || base64.StdEncoding.EncodeToString(sum[:]) != m[2] {
		bad("digest of app %q", m[1])
	}
	if at, err := time.Parse("2006-01-02T15:04:05Z", m[4]); err != nil || time.Since(at).Abs() > time.Minute {
		bad("Created %q", m[4])
	}
}

func (r *Receiver) take(p Push) error {
	if p.Path == "/sms" || p.Path == "/control" {
		return r.takeText(p)
	}
	var m struct {
		Type string                                   `json:"eventType"`
		Info map[string]any                           `json:"statusInfo"`
		Fees []map[string]any                         `json:"feeLst"`
		Nums []struct{ Number, Status, Cause string } `json:"numInfo"`
	}
	if err := json.Unmarshal(p.Body, &m); err != nil {
		return fmt.Errorf("push to %s is no JSON: %w: %s", p.Path, err, p.Body)
	}
	if m.Type == "fee" {
		if p.Path != "/fee" || len(m.Fees) == 0 || len(m.Fees) > 50 {
			return fmt.Errorf("fee event of %d calls at %s", len(m.Fees), p.Path)
		}
		for _, f := range m.Fees {
			c := r.call(f["sessionId"])
			c.Fee = f
			c.Fees++
		}
		return nil
	}
	if m.Type == "numStatus" {
		if p.Path != "/status" || len(m.Nums) == 0 || len(m.Nums) > 100 {
			return fmt.Errorf("statuses of %d numbers at %s", len(m.Nums), p.Path)
		}
		for _, n := range m.Nums {
			r.numbers[n.Number] = append(r.numbers[n.Number], n.Status+"/"+n.Cause)
		}
		return nil
	}
	if p.Path != "/status" || m.Info == nil {
		return fmt.Errorf("%s event at %s: %s", m.Type, p.Path, p.Body)
	}
	c := r.call(m.Info["sessionId"])
	c.Events = append(c.Events, Event{At: p.At, Type: m.Type, Info: m.Info})
	return nil
}

func (r *Receiver) call(session any) *Call {
	id, _ := session.(string)
	c, ok := r.calls[id]
	if !ok {
		c = &Call{Session: id}
		r.calls[id] = c
		r.order = slices.Insert(r.order, r.place(id), id)
	}
	return c
}

// place is where a new session belongs among those known: the pushes of
// different calls may overtake each other, and a session id begins with a
// number of the node's run and the call's number in it.
func (r *Receiver) place(id string) int {
	run, n := numbered(id)
	for i, other := range r.order {
		if r, m := numbered(other); run != "" && r == run && m > n {
			return i
		}
	}
	return len(r.order)
}

func numbered(session string) (run string, n int) {
	parts := strings.SplitN(session, "_", 3)
	if len(parts) < 3 {
		return "", 0
	}
	n, err := strconv.Atoi(parts[1])
	if err != nil {
		return "", 0
	}
	return parts[0], n
}

// Wrong lists what was wrong with the form of pushes.
func (r *Receiver) Wrong() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.wrong)
}

// Pushes are all messages so far.
func (r *Receiver) Pushes() []Push {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.pushes)
}

// Statuses gives the statuses and causes that were told of an X so far, such
// as 10/2, in their order.
func (r *Receiver) Statuses(x string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.numbers[x])
}

// Of gives the calls to an X so far, in the order in which they came in.
func (r *Receiver) Of(x string) []Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.of(x)
}

// All gives every call so far, in the order in which they came in.
func (r *Receiver) All() []Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.which(func(*Call) bool { return true })
}

func (r *Receiver) of(x string) []Call {
	return r.which(func(c *Call) bool { return c.to(x) })
}

func (r *Receiver) which(wanted func(*Call) bool) []Call {
	var all []Call
	for _, id := range r.order {
		if c := *r.calls[id]; wanted(&c) {
			c.Events = slices.Clone(c.Events)
			all = append(all, c)
		}
	}
	return all
}

func (c Call) to(x string) bool {
	in := c.Event("callin")
	return in != nil && in["called"] == x || c.Fee != nil && c.Fee["bindNum"] == x
}

// Story waits until everything was told of the nth call (from 1) to an X: its
// disconnect event and its fee event.
func (r *Receiver) Story(ctx context.Context, x string, n int) (Call, error) {
	for {
		r.mu.Lock()
		calls, changed := r.of(x), r.changed
		r.mu.Unlock()
		if len(calls) >= n && calls[n-1].Fee != nil && calls[n-1].Event("disconnect") != nil {
			return calls[n-1], nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Call{}, fmt.Errorf("wait for the events of call %d to %s: %w; so far: %+v", n, x, ctx.Err(), calls)
		}
	}
}
