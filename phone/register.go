package phone

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/google/uuid"
	"github.com/icholy/digest"
)

// Register makes the phone known to its registrar (RFC 3261 section 10.2) and
// keeps it known until Close.
func (p *Phone) Register(ctx context.Context) error {
	if err := p.register(ctx, p.cfg.Expires); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.registered && !p.closed {
		p.registered = true
		p.wait.Go(p.refresh) // under the lock: Close waits for it
	}
	return nil
}

// refresh registers again at half of the time.
func (p *Phone) refresh() {
	t := time.NewTicker(p.cfg.Expires / 2)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			_ = p.register(p.stop, p.cfg.Expires) // the next one may do better
		case <-p.stop.Done():
			return
		}
	}
}

// Unregister tells the registrar that the phone is not to be reached.
func (p *Phone) Unregister(ctx context.Context) error { return p.register(ctx, 0) }

func (p *Phone) register(ctx context.Context, expires time.Duration) error {
	host, port, _ := net.SplitHostPort(p.cfg.Server)
	n, _ := strconv.Atoi(port)
	me := sip.Uri{Scheme: "sip", User: p.cfg.Number, Host: p.cfg.Domain}
	tag := token()
	var proof sip.Header
	for range 2 {
		p.mu.Lock()
		p.regSeq++
		seq := p.regSeq
		p.mu.Unlock()
		req := sip.NewRequest(sip.REGISTER, sip.Uri{Scheme: "sip", Host: host, Port: n})
		from := &sip.FromHeader{Address: *me.Clone()}
		from.Params.Add("tag", tag)
		id, hops := sip.CallIDHeader(p.regID), sip.MaxForwardsHeader(70)
		appendAll(req, &hops, from, &sip.ToHeader{Address: *me.Clone()}, &id, &sip.CSeqHeader{SeqNo: seq, MethodName: sip.REGISTER},
			p.contact(), sip.NewHeader("Expires", strconv.Itoa(int(expires/time.Second))), sip.NewHeader("User-Agent", p.cfg.Agent))
		if proof != nil {
			req.AppendHeader(proof)
		}
		req.SetBody(nil)
		tx, err := p.send(ctx, req)
		if err != nil {
			return fmt.Errorf("register %s: %w", p.cfg.Number, err)
		}
		res, err := final(ctx, tx)
		if err != nil {
			return fmt.Errorf("register %s: %w", p.cfg.Number, err)
		}
		if res.IsSuccess() {
			return nil
		}
		if proof != nil || !challenge(res) {
			return fmt.Errorf("register %s: %d %s", p.cfg.Number, res.StatusCode, res.Reason)
		}
		if proof, err = p.prove(req, res); err != nil {
			return fmt.Errorf("register %s: %w", p.cfg.Number, err)
		}
	}
	return fmt.Errorf("register %s: challenged again", p.cfg.Number)
}

func challenge(res *sip.Response) bool {
	return res.StatusCode == sip.StatusUnauthorized || res.StatusCode == sip.StatusProxyAuthRequired
}

// prove answers a digest challenge (RFC 3261 section 22, RFC 8760).
func (p *Phone) prove(req *sip.Request, res *sip.Response) (sip.Header, error) {
	ask, answer := "WWW-Authenticate", "Authorization"
	if res.StatusCode == sip.StatusProxyAuthRequired {
		ask, answer = "Proxy-Authenticate", "Proxy-Authorization"
	}
	if p.cfg.Password == "" {
		return nil, fmt.Errorf("%d %s, and the phone has no password", res.StatusCode, res.Reason)
	}
	var last error
	for _, h := range res.GetHeaders(ask) {
		c, err := digest.ParseChallenge(h.Value())
		if err != nil {
			last = fmt.Errorf("challenge %q: %w", h.Value(), err)
			continue
		}
		c.Algorithm = strings.ToUpper(c.Algorithm)
		if !digest.CanDigest(c) {
			last = fmt.Errorf("challenge %q: algorithm or qop not known", h.Value())
			continue
		}
		cred, err := digest.Digest(c, digest.Options{Method: req.Method.String(), URI: req.Recipient.String(), Count: 1, Username: p.cfg.Number, Password: p.cfg.Password})
		if err != nil {
			last = fmt.Errorf("challenge %q: %w", h.Value(), err)
			continue
		}
		return sip.NewHeader(answer, cred.String()), nil
	}
	if last == nil {
		last = fmt.Errorf("%d without %s", res.StatusCode, ask)
	}
	return nil, last
}

// contact is where the phone can be reached.
func (p *Phone) contact() *sip.ContactHeader {
	c := &sip.ContactHeader{Address: sip.Uri{Scheme: "sip", User: p.cfg.Number, Host: p.local.Addr().String(), Port: int(p.local.Port())}}
	if p.cfg.Transport == "tcp" {
		c.Address.UriParams.Add("transport", "tcp")
	}
	return c
}

func appendAll(m interface{ AppendHeader(sip.Header) }, all ...sip.Header) {
	for _, h := range all {
		m.AppendHeader(h)
	}
}

// token is a random word for tags and Call-IDs.
func token() string { return uuid.NewString() }
