package sip

import (
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/wire"
)

const (
	// parkTime is how long a request waits for a call that this node may be about to
	// go on with: until a dead node is found dead, and its calls are read. Peers
	// wait longer for an answer.
	parkTime = 6 * time.Second
	// mostParked bounds how many wait.
	mostParked = 4096
	// strangersParked bounds those of them that come from no trunk: a phone whose
	// registration the dead node had, or somebody who makes Call-IDs up.
	strangersParked = 128
)

// parked are requests in dialogs that are nobody's here, and may be in a moment. The
// zero one holds none.
type parked struct {
	mu        sync.Mutex
	waits     map[*wire.ServerTx]stay
	strangers int       // of them
	until     time.Time // in which also those wait that name this node itself
}

// stay is that of one request.
type stay struct {
	limit    *time.Timer
	stranger bool // it came from no trunk
}

// ExpectOrphans says for how long from now requests may come for calls that this node
// is about to go on with, by the address that it has itself.
func (s *Server) ExpectOrphans(d time.Duration) {
	s.parked.mu.Lock()
	defer s.parked.mu.Unlock()
	if until := time.Now().Add(d); until.After(s.parked.until) {
		s.parked.until = until
	}
}

// park has a request in a dialog that is not here wait for a call that another node
// had; false: there is no such call. Who names the Contact of another node has a dialog
// with that one, and was led here because it does not answer.
func (s *Server) park(tx *wire.ServerTx) bool {
	if s.cfg.Talks == nil || s.stack.Closed() {
		return false
	}
	here, stranger := s.names(tx), !s.known(tx.From)
	p := &s.parked
	p.mu.Lock()
	nobodys := here && time.Now().After(p.until)
	full := len(p.waits) >= mostParked || stranger && p.strangers >= strangersParked
	if !nobodys && !full {
		p.add(tx, stay{time.AfterFunc(parkTime, func() { s.unpark(tx) }), stranger})
	}
	p.mu.Unlock()
	switch {
	case nobodys:
		return false
	case full: // whether there is such a call is not known
		s.reply(tx, sip.StatusInternalServerError, "Server Internal Error", s.retryAfter())
		return true
	}
	tag, _ := tx.Request.To().Params.Get("tag")
	if l := s.leg(tx.Request.CallID().Value(), tag); l != nil { // it came meanwhile
		s.unparked(legKey{tx.Request.CallID().Value(), tag})
	}
	return true
}

// unparked serves what waits for a leg that is here now.
func (s *Server) unparked(key legKey) {
	for _, tx := range s.parked.fetch(key) {
		s.Request(tx)
	}
}

// names tells whether a request is for this node by its Request-URI.
func (s *Server) names(tx *wire.ServerTx) bool {
	to := &tx.Request.Recipient
	for _, at := range []string{s.cfg.Advertise, s.cfg.TCPAdvertise, s.cfg.TLS.Advertise} {
		if at != "" && to.Host == hostOf(at) && (to.Port == portOf(at) || to.Port == 0) {
			return true
		}
	}
	return false
}

// unpark gives up a request that waited in vain: it may be repeated.
func (s *Server) unpark(tx *wire.ServerTx) {
	if s.parked.take(tx) && !s.hushes(tx) {
		s.reply(tx, sip.StatusInternalServerError, "Server Internal Error", s.retryAfter())
	}
}

// fetch takes the requests for a leg that wait.
func (p *parked) fetch(key legKey) (all []*wire.ServerTx) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for tx, w := range p.waits {
		tag, _ := tx.Request.To().Params.Get("tag")
		if tx.Request.CallID().Value() == key.callID && tag == key.localTag && w.limit.Stop() {
			p.remove(tx)
			all = append(all, tx)
		}
	}
	return all
}

// take takes one out; false: it waits no more.
func (p *parked) take(tx *wire.ServerTx) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.remove(tx)
}

// add has a request wait; with the lock held.
func (p *parked) add(tx *wire.ServerTx, w stay) {
	if p.waits == nil {
		p.waits = map[*wire.ServerTx]stay{}
	}
	p.waits[tx] = w
	if w.stranger {
		p.strangers++
	}
}

// remove undoes add; with the lock held.
func (p *parked) remove(tx *wire.ServerTx) bool {
	w, waits := p.waits[tx]
	delete(p.waits, tx)
	if w.stranger {
		p.strangers--
	}
	return waits
}

// close gives all up: nobody comes any more.
func (p *parked) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for tx, w := range p.waits {
		w.limit.Stop()
		p.remove(tx)
	}
}
