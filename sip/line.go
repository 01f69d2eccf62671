package sip

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"

	"axgate/sip/enrol"
	"axgate/sip/trunk"
	"axgate/sip/wire"
)

// errNotRegistered is why nothing goes out over a trunk that wants us to be
// registered.
var errNotRegistered = errors.New("we are not registered there")

// Of the servers of a trunk one takes the REGISTER: who says nothing for so
// long has it taken back while there are others.
const registerWait = 8 * time.Second

// line is our registration with a trunk, and the way that it was made by: what
// is registered at one server, over one connection, is reached and believed by
// that one.
type line struct {
	srv   *Server
	trunk *trunk.Trunk
	token string // user part of its Contact: it tells nobody a number
	reg   *enrol.Registration

	mu   sync.Mutex
	last wire.Peer // who answered last: a challenge is answered there
	flow wire.Peer // where the registration was taken; before that the zero value
}

var _ enrol.Sender = (*line)(nil)

// newLine makes the line of a trunk that wants a registration. The Contact is
// the same after a restart, so that it takes the place of the one before.
func (s *Server) newLine(t *trunk.Trunk, log zerolog.Logger) (*line, error) {
	l := &line{srv: s, trunk: t, token: "line-" + digestOf("line", s.cfg.Node, t.Name)[:16]}
	user, domain := t.Enrol.Line()
	cfg := enrol.Config{Domain: bracketed(t.Enrol.Domain), Public: sip.Uri{Scheme: "sip", User: user, Host: bracketed(domain)}, Route: viaProxy(t),
		Username: t.Enrol.User, Password: t.Password, Introduce: t.Enrol.Introduce, Agent: s.cfg.Agent, Expires: t.Enrol.Expires,
		RetryMin: s.cfg.enrolRetry, Contact: s.local(l.token, "UDP", t).Contact}
	if t.Headers.NoAgent {
		cfg.Agent = ""
	}
	var err error
	if l.reg, err = enrol.New(cfg, l, log.With().Str("trunk", t.Name).Logger()); err != nil {
		return nil, fmt.Errorf("trunk %q: registration: %w", t.Name, err)
	}
	return l, nil
}

// Send sends a REGISTER to the trunk: to the server that took the last one, if
// it is there, or else to the next that answers (RFC 3263 section 4.3).
func (l *line) Send(ctx context.Context, req *sip.Request) (*sip.Response, error) {
	servers, err := l.servers(ctx)
	if err != nil {
		return nil, err
	}
	var res *sip.Response
	for i, to := range servers {
		res, err = l.ask(ctx, req, to, i+1 < len(servers))
		switch {
		case ctx.Err() != nil:
			return res, err
		case err != nil, res.StatusCode == sip.StatusServiceUnavailable, res.StatusCode == sip.StatusRequestTimeout:
			continue
		}
		l.answered(to, res)
		break
	}
	return res, err
}

func (l *line) answered(by wire.Peer, res *sip.Response) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = by
	if res.StatusCode < 300 {
		l.flow = by
	}
}

// servers are those that a REGISTER may go to, the one that took the last first.
func (l *line) servers(ctx context.Context) ([]wire.Peer, error) {
	routes, err := l.srv.resolved(ctx, l.srv.trunkRoute(l.trunk, ""))
	if err != nil {
		return nil, fmt.Errorf("find the registrar: %w", err)
	}
	l.mu.Lock()
	last := l.last
	l.mu.Unlock()
	var all []wire.Peer
	for _, r := range routes {
		if r.to == last {
			all = append([]wire.Peer{r.to}, all...)
		} else {
			all = append(all, r.to)
		}
	}
	return all, nil
}

// ask sends one REGISTER to one server and waits for its final response.
func (l *line) ask(ctx context.Context, req *sip.Request, to wire.Peer, others bool) (*sip.Response, error) {
	if others {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, registerWait)
		defer cancel()
	}
	req.Contact().Address = l.srv.local(l.token, to.Transport, l.trunk).Contact
	one := req.Clone() // the transaction keeps it
	one.PrependHeader(l.srv.via(to.Transport, sip.GenerateBranch()))
	return l.srv.await(ctx, one, to)
}

// at is where the registration was taken.
func (l *line) at() wire.Peer {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.flow
}

// over is a route of the trunk by the way that the registration was made: to
// the same server, over the same connection, with its Service-Route (RFC 3608
// section 5).
func (l *line) over(r route) (route, error) {
	status := l.reg.Status()
	r.to, r.line = l.at(), l.token
	if status.State != enrol.Registered || !r.to.Addr.IsValid() {
		return r, errNotRegistered
	}
	via := r.via
	for _, text := range status.ServiceRoute {
		uri := sip.Uri{}
		if sip.ParseUri(text, &uri) != nil {
			continue
		}
		if len(via) == 1 && len(r.via) == 1 && via[0].Host == uri.Host && via[0].Port == uri.Port {
			via = nil // the proxy names itself
		}
		via = append(via[:len(via):len(via)], uri)
	}
	r.via = via
	return r, nil
}
