// Package phone is a softphone as a library: it registers, calls and is
// called, talks and listens over RTP, sends and takes texts, and remembers
// everything it saw and heard. Demonstrations and tests use it as the parties of a masked call. It
// has a SIP stack of its own kind, so that it does not share the misreadings
// of the product's.
package phone

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

// Config says who the phone is. Number and Server are needed, the rest has
// defaults.
type Config struct {
	Number   string // user part of its address, and its name in digest authentication
	Display  string // display name in From; empty: none
	Password string // for digest challenges; empty: they are final refusals
	Server   string // host:port of the registrar, to which all its calls go
	Domain   string // host part of its address; empty: the server's

	Transport  string // "udp" or "tcp"; empty: udp
	ListenIP   string // address for SIP and RTP; empty: 127.0.0.1
	ListenPort int    // SIP port; 0: a free one

	Codecs    []string      // offered and accepted, the best first: PCMA, PCMU; empty: both
	NoEvents  bool          // telephone-event (RFC 4733) is neither offered nor accepted
	EventType uint8         // its payload type in offers, 96 to 127; 0: 101
	Secure    bool          // audio is SRTP with keys in SDP, and nothing else
	Expires   time.Duration // of a registration; 0: 10 minutes
	Agent     string        // User-Agent; empty: axgate-phone
}

func (c *Config) check() error {
	if c.Number == "" {
		return errors.New("phone: a number is needed")
	}
	if _, err := netip.ParseAddrPort(c.Server); err != nil {
		return fmt.Errorf("phone %s: server %q: want an address and port such as 127.0.0.1:5060: %w", c.Number, c.Server, err)
	}
	if c.Transport == "" {
		c.Transport = "udp"
	}
	if c.Transport != "udp" && c.Transport != "tcp" {
		return fmt.Errorf("phone %s: transport %q: want udp or tcp", c.Number, c.Transport)
	}
	if c.ListenIP == "" {
		c.ListenIP = "127.0.0.1"
	}
	if _, err := netip.ParseAddr(c.ListenIP); err != nil {
		return fmt.Errorf("phone %s: listen IP: %w", c.Number, err)
	}
	if len(c.Codecs) == 0 {
		c.Codecs = []string{"PCMA", "PCMU"}
	}
	for _, name := range c.Codecs {
		if _, ok := payloadTypes[name]; !ok {
			return fmt.Errorf("phone %s: codec %q: want PCMA or PCMU", c.Number, name)
		}
	}
	if c.EventType == 0 {
		c.EventType = 101
	}
	if c.EventType < 96 || c.EventType > 127 {
		return fmt.Errorf("phone %s: telephone-event payload type %d: want 96 to 127", c.Number, c.EventType)
	}
	if c.Expires == 0 {
		c.Expires = 10 * time.Minute
	}
	if c.Agent == "" {
		c.Agent = "axgate-phone"
	}
	if c.Domain == "" {
		c.Domain, _, _ = net.SplitHostPort(c.Server)
	}
	return nil
}

// Phone is one softphone. Its methods may be called from any goroutine.
type Phone struct {
	cfg   Config
	local netip.AddrPort // of SIP
	ua    *sipgo.UserAgent
	cli   *sipgo.Client
	udp   net.PacketConn // nil with TCP
	tcp   *hub           // nil with UDP
	trace trace

	incoming chan *Call
	texts    chan Text
	stop     context.Context // done once Close begins
	halt     context.CancelFunc
	wait     sync.WaitGroup

	mu         sync.Mutex
	closed     bool
	calls      map[string]*Call // by Call-ID
	seen       map[string]bool  // texts that were handed on, by Call-ID and CSeq
	registered bool
	regID      string // Call-ID of its registrations
	regSeq     uint32
}

// New opens the phone's sockets and lets it take calls.
func New(cfg Config) (*Phone, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	p := &Phone{cfg: cfg, incoming: make(chan *Call, 64), texts: make(chan Text, mostTexts), calls: make(map[string]*Call), seen: make(map[string]bool), regID: token()}
	p.stop, p.halt = context.WithCancel(context.Background())
	if err := p.open(); err != nil {
		return nil, fmt.Errorf("phone %s: %w", cfg.Number, err)
	}
	return p, nil
}

func (p *Phone) open() error {
	silent := slog.New(slog.DiscardHandler)
	ua, err := sipgo.NewUA(sipgo.WithUserAgent(p.cfg.Agent),
		sipgo.WithUserAgentTransportLayerOptions(sip.WithTransportLayerLogger(silent)),
		sipgo.WithUserAgentTransactionLayerOptions(sip.WithTransactionLayerLogger(silent), sip.WithTransactionLayerUnhandledResponseHandler(func(*sip.Response) {})))
	if err != nil {
		return err
	}
	srv, err := sipgo.NewServer(ua, sipgo.WithServerLogger(silent))
	if err != nil {
		return err
	}
	p.ua = ua
	p.serve(srv)
	at := net.JoinHostPort(p.cfg.ListenIP, strconv.Itoa(p.cfg.ListenPort))
	if p.cfg.Transport == "udp" {
		c, err := net.ListenPacket("udp", at)
		if err != nil {
			return err
		}
		p.udp, p.local = c, addrPort(c.LocalAddr())
		traced := &packets{PacketConn: c, trace: &p.trace, served: make(chan struct{})}
		p.wait.Go(func() { _ = srv.ServeUDP(traced) })
		<-traced.served
	} else {
		l, err := net.Listen("tcp", at)
		if err != nil {
			return err
		}
		p.tcp, p.local = newHub(l, &p.trace), addrPort(l.Addr())
		p.wait.Go(func() { _ = srv.ServeTCP(p.tcp) })
	}
	p.cli, err = sipgo.NewClient(ua, sipgo.WithClientLogger(silent),
		sipgo.WithClientHostname(p.local.Addr().String()), sipgo.WithClientPort(int(p.local.Port())), sipgo.WithClientNAT())
	return err
}

func (p *Phone) serve(srv *sipgo.Server) {
	srv.OnInvite(p.onInvite)
	srv.OnAck(p.onAck)
	srv.OnBye(p.onBye)
	srv.OnInfo(p.onInfo)
	srv.OnMessage(p.onMessage)
	srv.OnCancel(func(req *sip.Request, tx sip.ServerTransaction) { // of no INVITE that we know
		_ = tx.Respond(sip.NewResponseFromRequest(req, sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist", nil))
	})
	srv.OnOptions(func(req *sip.Request, tx sip.ServerTransaction) {
		res := sip.NewResponseFromRequest(req, sip.StatusOK, "OK", nil)
		res.AppendHeader(sip.NewHeader("Allow", allow))
		_ = tx.Respond(res)
	})
}

// allow is the Allow header.
const allow = "INVITE, ACK, CANCEL, BYE, INFO, MESSAGE, OPTIONS"

// Number is the phone's own number.
func (p *Phone) Number() string { return p.cfg.Number }

// Addr is where the phone takes SIP messages.
func (p *Phone) Addr() netip.AddrPort { return p.local }

// Incoming yields the calls that come in. Each waits for Ring, Answer or
// Reject; one that nobody takes rings out at its caller.
func (p *Phone) Incoming() <-chan *Call { return p.incoming }

// Messages are all SIP messages sent and received so far, in order.
func (p *Phone) Messages() []Message { return p.trace.all() }

// Close hangs up every call, unregisters and ends all that the phone started.
// It takes a few seconds at most.
func (p *Phone) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	calls := make([]*Call, 0, len(p.calls))
	for _, c := range p.calls {
		calls = append(calls, c)
	}
	registered := p.registered
	p.mu.Unlock()

	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	var group sync.WaitGroup
	for _, c := range calls {
		group.Go(func() { c.close(ctx) })
	}
	group.Wait()
	var err error
	if registered {
		err = p.register(ctx, 0)
	}
	p.halt()
	if p.udp != nil {
		err = errors.Join(err, p.udp.Close())
	} else {
		err = errors.Join(err, p.tcp.Close())
	}
	if broken := p.ua.Close(); !errors.Is(broken, net.ErrClosed) { // the server closes connections too
		err = errors.Join(err, broken)
	}
	p.wait.Wait()
	return err
}

// send puts a request on its way in a transaction of its own.
func (p *Phone) send(ctx context.Context, req *sip.Request) (sip.ClientTransaction, error) {
	if err := p.aim(ctx, req); err != nil {
		return nil, err
	}
	if req.Method == sip.CANCEL { // it has the Via of its INVITE
		return p.cli.TransactionRequest(ctx, req, func(*sipgo.Client, *sip.Request) error { return nil })
	}
	return p.cli.TransactionRequest(ctx, req, sipgo.ClientRequestAddVia)
}

// aim sends a request through the phone's own socket or connection.
func (p *Phone) aim(ctx context.Context, req *sip.Request) error {
	req.SetTransport(sip.NetworkToUpper(p.cfg.Transport))
	if p.udp != nil {
		req.Laddr = sip.Addr{IP: net.IP(p.local.Addr().AsSlice()), Port: int(p.local.Port())}
		return nil
	}
	return p.tcp.connect(ctx, req.Destination(), p.cfg.ListenIP)
}

// final waits for the final response of a request other than INVITE.
func final(ctx context.Context, tx sip.ClientTransaction) (*sip.Response, error) {
	defer tx.Terminate()
	for {
		select {
		case res := <-tx.Responses():
			if !res.IsProvisional() {
				return res, nil
			}
		case <-tx.Done():
			return nil, tx.Err()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// begin starts a goroutine that Close waits for, unless the phone is closed.
func (p *Phone) begin(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.wait.Go(f)
	return true
}

func (p *Phone) add(c *Call) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.calls[c.id] = c
	return true
}

func (p *Phone) find(callID string) *Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[callID]
}

func (p *Phone) forget(c *Call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.calls, c.id)
}
