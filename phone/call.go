package phone

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/phone/timeline"
)

// Call is one call of a phone, out or in. Its methods may be called from any
// goroutine.
type Call struct {
	phone *Phone
	out   bool
	id    string // Call-ID
	audio *audio

	ringing, answered, done chan struct{}
	settled                 chan struct{} // incoming: the INVITE has its final response

	mu       sync.Mutex
	invite   *sip.Request // the first one
	tx       sip.ServerTransaction
	localTag string
	local    sip.Uri // From of our requests
	peer     sip.Uri // To of our requests
	peerTag  string
	target   sip.Uri
	routes   []sip.Uri
	seq      uint32
	peerSeq  uint32
	acked    map[uint32]chan struct{} // by CSeq of the INVITE that we answered

	sdp          session
	offeredEvent uint8
	offerSent    bool // our 2xx holds an offer, the ACK its answer
	remote       remote

	statuses []Status
	rings    bool         // ringing is closed
	up       bool         // answered is closed
	giveUp   bool         // outgoing: Cancel was called
	gaveUp   *sip.Request // incoming: the caller's CANCEL
	cancel   chan struct{}
	end      End
	ended    bool
}

// Status is a response to the call's first INVITE, in the order of arrival or
// sending.
type Status struct {
	At     time.Time
	Code   int
	Phrase string
	Early  bool // provisional, with SDP
}

// Side tells who did something.
type Side string

// The sides.
const (
	Local  Side = "local"
	Remote Side = "remote"
)

// End is how a call ended.
type End struct {
	At     time.Time
	By     Side   // who ended it; of a failed call: who refused or gave up
	Status int    // final status of the INVITE if it was not answered, else 0
	Phrase string // of that status
	Reason string // the Reason header of the BYE, CANCEL or refusal (RFC 3326)
	Cause  int    // Q.850 cause in Reason, 0: none
	Err    error  // nothing was heard from the other side, or it sent nonsense
}

// Seen is what an incoming call tells about who calls.
type Seen struct {
	FromUser, FromName, FromHost string
	PAI                          []string // P-Asserted-Identity, as sent
	Contact                      string   // URI
	ToUser                       string
	RequestUser                  string
	Agent                        string
	Invite                       []byte // the whole INVITE
}

func newCall(p *Phone, out bool, id string) (*Call, error) {
	a, err := openAudio(p.cfg.ListenIP, p.cfg.Secure)
	if err != nil {
		return nil, err
	}
	at := a.local()
	return &Call{phone: p, out: out, id: id, audio: a, localTag: token(),
		ringing: make(chan struct{}), answered: make(chan struct{}), done: make(chan struct{}), settled: make(chan struct{}),
		acked: make(map[uint32]chan struct{}), cancel: make(chan struct{}),
		sdp: session{id: uint64(time.Now().UnixNano()), at: at}}, nil
}

// Ringing is closed when a provisional response above 100 came or was sent.
func (c *Call) Ringing() <-chan struct{} { return c.ringing }

// Answered is closed when the call was answered.
func (c *Call) Answered() <-chan struct{} { return c.answered }

// Done is closed when the call is over.
func (c *Call) Done() <-chan struct{} { return c.done }

// End tells how the call ended; the zero value while it is up.
func (c *Call) End() End {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end
}

// Statuses are the responses to the call's INVITE so far.
func (c *Call) Statuses() []Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Status(nil), c.statuses...)
}

// ID is the Call-ID.
func (c *Call) ID() string { return c.id }

// WaitAnswer waits until the call is answered. If it ends before that, the
// error says how.
func (c *Call) WaitAnswer(ctx context.Context) error {
	select {
	case <-c.answered:
		return nil
	case <-c.done:
		select {
		case <-c.answered:
			return nil
		default:
		}
		e := c.End()
		if e.Err != nil {
			return fmt.Errorf("call not answered: %w", e.Err)
		}
		return fmt.Errorf("call not answered: %d %s", e.Status, e.Phrase)
	case <-ctx.Done():
		return fmt.Errorf("wait for the answer: %w", ctx.Err())
	}
}

// WaitRinging waits until the other phone rings.
func (c *Call) WaitRinging(ctx context.Context) error {
	select {
	case <-c.ringing:
		return nil
	case <-c.done:
		e := c.End()
		return fmt.Errorf("call ended before ringing: %d %s", e.Status, e.Phrase)
	case <-ctx.Done():
		return fmt.Errorf("wait for ringing: %w", ctx.Err())
	}
}

// WaitEnd waits until the call is over.
func (c *Call) WaitEnd(ctx context.Context) (End, error) {
	select {
	case <-c.done:
		return c.End(), nil
	case <-ctx.Done():
		return End{}, fmt.Errorf("wait for the end of the call: %w", ctx.Err())
	}
}

// Heard is what this side heard so far.
func (c *Call) Heard() timeline.Heard {
	c.audio.mu.Lock()
	defer c.audio.mu.Unlock()
	return c.audio.line.Heard()
}

// Streams are the RTP sources heard so far.
func (c *Call) Streams() []timeline.Stream {
	c.audio.mu.Lock()
	defer c.audio.mu.Unlock()
	return c.audio.line.Streams()
}

// Pressed are the keys that the other side pressed, as events or by INFO.
func (c *Call) Pressed() []Digit {
	c.audio.mu.Lock()
	defer c.audio.mu.Unlock()
	return append([]Digit(nil), c.audio.pressed...)
}

// Mute stops (or resumes) sending RTP and RTCP altogether, as a phone that
// lost its network does.
func (c *Call) Mute(on bool) { c.audio.mute(on) }

// Seen tells what the INVITE of an incoming call says about the caller.
func (c *Call) Seen() Seen {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out {
		return Seen{}
	}
	req := c.invite
	s := Seen{RequestUser: req.Recipient.User, Invite: []byte(req.String())}
	if f := req.From(); f != nil {
		s.FromUser, s.FromName, s.FromHost = f.Address.User, f.DisplayName, f.Address.Host
	}
	if t := req.To(); t != nil {
		s.ToUser = t.Address.User
	}
	if h := req.Contact(); h != nil {
		s.Contact = h.Address.String()
	}
	if h := req.GetHeader("User-Agent"); h != nil {
		s.Agent = h.Value()
	}
	for _, h := range req.GetHeaders("P-Asserted-Identity") {
		s.PAI = append(s.PAI, h.Value())
	}
	return s
}

// Messages are the SIP messages of this call, in order.
func (c *Call) Messages() []Message {
	var own []Message
	for _, m := range c.phone.Messages() {
		if id := m.Header("Call-ID"); id == c.id || id == "" && m.Header("i") == c.id {
			own = append(own, m)
		}
	}
	return own
}

// status notes a response. The caller holds the lock.
func (c *Call) status(res *sip.Response) {
	c.statuses = append(c.statuses, Status{At: time.Now(), Code: res.StatusCode, Phrase: res.Reason, Early: res.IsProvisional() && len(res.Body()) > 0})
	if res.StatusCode > 100 && res.StatusCode < 200 && !c.rings {
		c.rings = true
		close(c.ringing)
	}
	if res.IsSuccess() && !c.up {
		c.up = true
		close(c.answered)
	}
}

// over ends the call, once.
func (c *Call) over(e End) {
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		return
	}
	c.ended = true
	e.At = time.Now()
	e.Cause = q850(e.Reason)
	c.end = e
	c.mu.Unlock()
	c.audio.close()
	c.phone.forget(c)
	close(c.done)
}

// reasonOf joins the Reason headers of a message.
func reasonOf(m interface{ GetHeaders(string) []sip.Header }) string {
	var all []string
	for _, h := range m.GetHeaders("Reason") {
		all = append(all, h.Value())
	}
	return strings.Join(all, ", ")
}

// q850 finds the Q.850 cause in Reason values.
func q850(reason string) int {
	for _, part := range strings.Split(reason, ",") {
		fields := strings.Split(part, ";")
		if !strings.EqualFold(strings.TrimSpace(fields[0]), "Q.850") {
			continue
		}
		for _, f := range fields[1:] {
			if v, ok := strings.CutPrefix(strings.TrimSpace(f), "cause="); ok {
				n, _ := strconv.Atoi(strings.TrimSpace(v))
				return n
			}
		}
	}
	return 0
}
