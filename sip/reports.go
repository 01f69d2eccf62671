package sip

import (
	"slices"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/digest"
	"axgate/sip/identity"
	"axgate/sip/trunk"
	"axgate/sip/wire"
	"axgate/sms/rp"
)

// reports are those that texts of ours wait for, by trunk and reference.
type reports struct {
	mu      sync.Mutex
	waiting map[reportKey]waiter
}

type reportKey struct {
	trunk *trunk.Trunk
	mr    byte
}

type waiter struct {
	callID string // of the MESSAGE that the report is on
	from   rp.Side
	report chan rp.Message // has room for one
}

// enter finds a reference that is free on the trunk, the wished one if it is,
// and waits under it for the report of a side; false: all are in use.
func (r *reports) enter(t *trunk.Trunk, wish byte, callID string, from rp.Side) (byte, <-chan rp.Message, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting == nil {
		r.waiting = make(map[reportKey]waiter)
	}
	for i := range 256 {
		key := reportKey{t, wish + byte(i)}
		if _, used := r.waiting[key]; !used {
			w := waiter{callID, from, make(chan rp.Message, 1)}
			r.waiting[key] = w
			return key.mr, w.report, true
		}
	}
	return 0, nil, false
}

func (r *reports) leave(t *trunk.Trunk, mr byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.waiting, reportKey{t, mr})
}

// take gives a report to whom it is for: who waits for one on the MESSAGE that
// it says it is on (TS 24.341), whatever trunk it came by; or if it does not
// say, who waits on the trunk. One that nobody waits for is dropped.
func (r *reports) take(t *trunk.Trunk, m rp.Message, inReplyTo []string) {
	var from rp.Side
	switch m := m.(type) {
	case rp.Ack:
		from = m.From
	case rp.Error:
		from = m.From
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, w := range r.waiting {
		said := slices.Contains(inReplyTo, w.callID)
		if key.mr != m.Reference() || w.from != from || !said && (len(inReplyTo) > 0 || key.trunk != t) {
			continue
		}
		select {
		case w.report <- m:
		default: // it is there already
		}
		return
	}
}

// report tells the sender of a MESSAGE what became of what was in it, in a
// MESSAGE of its own. It is not waited for: a sender who misses it asks again.
func (s *Server) report(tx *wire.ServerTx, who origin, m rp.Message) {
	body, err := m.Marshal()
	if err != nil {
		s.log.Error().Err(err).Msg("report on a text")
		return
	}
	k := inviteKeyOf(tx.Request)
	r := s.returnRoute(tx, who)
	user, ok := identity.Dialled(tx.Request)
	if !ok {
		user = "sms" // a service centre without a number
	}
	l := letter{id: digestOf("report", r.name, k.callID, k.fromTag, k.cseq), route: r, from: s.from(r, user), contentType: type3GPP, body: body,
		headers: s.asserted(r, user)}
	s.post(l, k.callID, s.provers[r.trunk].Begin(), 1)
}

// post sends a report on the MESSAGE with a Call-ID, and again with proofs if
// the trunk wants them.
func (s *Server) post(l letter, inReplyTo string, proof *digest.Exchange, cseq uint32) {
	req := s.message(l, cseq)
	if err := proof.Sign(req); err != nil || s.stack.Closed() {
		s.log.Debug().Err(err).Msg("no report on a text")
		return
	}
	req.AppendHeader(sip.NewHeader("In-Reply-To", inReplyTo)) // not on the allow list: here it is the peer's own
	s.stack.Send(req, l.route.to, func(res *sip.Response, err error) {
		switch {
		case err != nil:
			s.log.Info().Err(err).Str("route", l.route.name).Msg("the report on a text")
		case res.StatusCode < 300:
		case s.challenged(l, proof, res):
			s.post(l, inReplyTo, proof, cseq+1)
		default:
			s.log.Info().Int("status", res.StatusCode).Str("route", l.route.name).Msg("the report on a text")
		}
	})
}

// returnRoute is the way back to the sender of a MESSAGE: its registered phone,
// its trunk's address, or else where it came from.
func (s *Server) returnRoute(tx *wire.ServerTx, who origin) route {
	r := route{name: "phone", to: tx.From, behind: true}
	if t := who.trunk; t != nil {
		r = s.trunkRoute(t, "")
		r = s.oneServer(r, tx.From)
	}
	uri, ok := identity.Return(tx.Request)
	if !ok {
		uri = sip.Uri{Scheme: "sip", Host: r.to.Addr.Addr().String(), Port: int(r.to.Addr.Port())}
	}
	r.uri = uri
	if who.trunk == nil && s.cfg.Registrar != nil {
		if at, ok := s.cfg.Registrar.Lookup(who.phone, time.Now()); ok {
			r.uri, r.to = at.URI, wire.Peer{Addr: at.Source, Transport: at.Transport}
		}
	}
	return r
}
