package sip

import (
	"context"
	"net/netip"
	"time"

	"axgate/events"
	"axgate/media/record"
	"axgate/routing"
	"axgate/sip/registrar"
	"axgate/sip/sdp"
	"axgate/sip/trunk"
	"axgate/sip/wire"
	"axgate/sms"
)

// Router answers who a call is for.
type Router interface {
	// Decide applies the rules to a call to X, and reserves X where the mode
	// allows one call at a time.
	Decide(ctx context.Context, q routing.Question) (routing.Decision, error)
	// DecideExtension applies them to a typed extension.
	DecideExtension(ctx context.Context, q routing.Question, ext routing.Extension) (routing.Decision, error)
	// Ask has the app's server say what becomes of a call (routing.Ask, X mode)
	// and applies the rules to that. question is the callin event, which is in
	// the journal. It takes as long as the app's server may, unless ctx ends.
	Ask(ctx context.Context, q routing.Question, d routing.Decision, question events.Event) (routing.Decision, error)
	// Rang tells that A's phone rang for the caller: a callback is possible now.
	Rang(ctx context.Context, q routing.Question, d routing.Decision) error
	// Answered tells that the call was answered: a temporary callee is used up.
	// Without one in the decision it does not block.
	Answered(ctx context.Context, q routing.Question, d routing.Decision) error
	// Carry takes over what another node reserved for an answered call, of which ext
	// is the extension that was dialled, and what it uses of its account's limits.
	// It does not block.
	Carry(q routing.Question, ext routing.Extension, d routing.Decision)
	// Release frees what the session reserved. It does not block.
	Release(session string)
	// Forget is Release of a call that another node has taken over: what it reserved
	// is that node's. It does not block.
	Forget(session string)
}

// Journal makes a call's state and events durable. The channel yields one
// error, nil once they are. It takes its time, unless it is told by Hurry that
// somebody waits for what was written.
type Journal interface {
	Write(call events.Call, evs ...events.Event) <-chan error
	Hurry()
}

// Prompts finds what to play: the file that the binding names, or else the
// scene's according to the app's settings. Not ok means silence.
type Prompts interface {
	Clip(app *routing.App, file string, scene routing.Scene) (name string, alaw []byte, ok bool)
}

// Recorder opens the recording of a call.
type Recorder interface {
	Create(o record.Options) (*record.Recording, error)
}

// Texts takes the texts that come for an X (RFC 3428 MESSAGE).
type Texts interface {
	// Receive keeps a text, or one part of a long one, and tells what became of
	// it. It may be asked for many at once, and takes as long as the ledger
	// does, unless ctx ends. An error means that nothing was kept, or that
	// nobody knows.
	Receive(ctx context.Context, in sms.Incoming) (sms.Receipt, error)
}

// Config is what the B2BUA needs to know. Zero durations mean their defaults.
type Config struct {
	Node string // in sessionId and hostName
	// Incarnation tells which life of the node calls that begin are of; nil: 0.
	Incarnation func() int64
	Host        string // right part of the sessionId
	UDP, TCP    string // listen addresses, host:port; empty: off
	TLS         TLS    // SIP over TLS; see secure.go
	Advertise   string // host:port in Via and Contact; empty: the UDP address
	// TCPAdvertise is that over TCP; empty: Advertise, with the port of TCP if
	// that is another one than UDP's.
	TCPAdvertise string
	Domain       string // host part of identities; empty: the advertised host
	Agent        string // User-Agent; empty: none

	MediaIP netip.Addr // in SDP
	Codecs  []string   // our preference, for example PCMA, PCMU

	MaxCalls    int           // 0: no limit
	MaxCPS      int           // new calls a second, all together; 0: no limit
	RingTimeout time.Duration // 90 s by section 3
	T1          time.Duration // of RFC 3261, for the whole process; 0: as it is, 500 ms at first
	RingbackIn  time.Duration // early media without RTP: our ring-back after so long
	PromptCap   time.Duration // the longest prompt to a caller who is refused
	FirstDigit  time.Duration
	InterDigit  time.Duration
	Digits      time.Duration // all digits of one try
	WrongDelay  time.Duration // after the second wrong extension of a caller, doubled with each further one; 0: none
	RecordDir   string
	MinTalk     time.Duration // shorter talks leave no recording; 0: all do leave one
	RetryAfter  time.Duration
	Flood       wire.Flood     // what strangers may cost; Known is ours to say
	Watchers    []netip.Prefix // strangers whose OPTIONS are answered

	Plan      routing.Plan
	Trunks    *trunk.Table
	DNS       []string             // servers that know the trunks' names, address:port; none: those of the system
	Registrar *registrar.Registrar // nil: none
	Texts     Texts                // nil: MESSAGE is not served
	Watch     Watch                // nil: nobody
	Talks     Talks                // nil: calls do not survive this node
	// Holds tells whether this node is known to be alive by others, so that it may
	// act on behalf of its calls, which wait for it if they are to survive or the process stood
	// still, and take new ones after LetGo. It is asked for each message. nil: always, but never after LetGo.
	Holds func() bool
	// Others tells of the other nodes as they were seen last. nil: there are none.
	Others func() Others

	PhoneSecurity sdp.Security // of the media of registered phones over TLS; without TLS there is none

	patience   time.Duration // with router and journal; tests have less
	second     time.Duration // of the times that peers are told in seconds; tests have shorter ones
	minute     time.Duration // of the limits of a talk; tests have shorter ones
	dnsTime    time.Duration // that DNS answers count; 0: as they say
	enrolRetry time.Duration // how long after a failure we try to register again; 0: the usual
	repeat     time.Duration // between two provisional responses to a caller who waits; 0: a minute (RFC 3261 section 13.3.1.1)
	reportTime time.Duration // how long the report on a 3GPP text is waited for; likewise
}

func (c *Config) defaults() {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	if c.Incarnation == nil {
		c.Incarnation = func() int64 { return 0 }
	}
	set(&c.RingTimeout, 90*time.Second)
	set(&c.RingbackIn, 2*time.Second)
	set(&c.PromptCap, 15*time.Second)
	set(&c.FirstDigit, 10*time.Second)
	set(&c.InterDigit, 5*time.Second)
	set(&c.Digits, 30*time.Second)
	set(&c.RetryAfter, 5*time.Second)
	set(&c.patience, waitTime)
	set(&c.second, time.Second)
	set(&c.minute, time.Minute)
	set(&c.repeat, time.Minute)
	set(&c.reportTime, reportTime)
	if c.Watch == nil {
		c.Watch = unwatched{}
	}
	if len(c.Codecs) == 0 {
		c.Codecs = []string{"PCMA", "PCMU"}
	}
}
