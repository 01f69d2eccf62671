package sip

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"

	"axgate/sip/wire"
)

// The hysteresis of a server.
const (
	missesDown = 3 // in a row: it is down
	hitsUp     = 2 // in a row: it is up again
	// blindRest is how long a server without OPTIONS stays down: nobody asks it,
	// so a call has to find out.
	blindRest = 30 * time.Second
	maxPlaces = 4096 // of which anything is known; of more nothing is
)

// health is which servers answer, by their OPTIONS and INVITEs.
type health struct {
	log zerolog.Logger

	mu    sync.Mutex
	known map[place]*condition
}

// condition is what is known of a server.
type condition struct {
	misses, hits int // in a row
	down         bool
	since        time.Time // of down or up
	heard        time.Time // when it answered last
	status       int       // of its last final answer; 0: none yet
	failure      string    // why it did not answer last; empty: it did
	asked        time.Time // when something was last known of it
}

// see takes in what a server did with an INVITE. rang tells that it has said
// something before.
func (h *health) see(r route, what happening, rang bool) {
	if r.trunk == nil {
		return
	}
	now := time.Now()
	switch {
	case what.kind == ringing, what.kind == answered:
		h.answered(r, status(what.res), now, true)
	case what.kind != refused, errors.Is(what.err, wire.ErrRefused): // by ourselves
	case what.res == nil && !rang, what.res != nil && what.res.StatusCode == sip.StatusRequestTimeout && !rang:
		h.missed(r, now, missedBy(what.res, what.err))
	case what.res != nil && what.res.StatusCode != sip.StatusServiceUnavailable: // of that its Retry-After says more
		h.answered(r, what.res.StatusCode, now, true)
	}
}

// seeText takes in what a server did with a text.
func (h *health) seeText(r route, res *sip.Response, err error) {
	switch {
	case r.trunk == nil:
	case errors.Is(err, wire.ErrNoAnswer), errors.Is(err, wire.ErrUnreachable):
		h.missed(r, time.Now(), missedBy(nil, err))
	case err == nil && res.StatusCode != sip.StatusRequestTimeout && res.StatusCode != sip.StatusServiceUnavailable:
		h.answered(r, res.StatusCode, time.Now(), true)
	}
}

func status(res *sip.Response) int {
	if res == nil || res.StatusCode < 200 {
		return 0
	}
	return res.StatusCode
}

// answered notes that a server lives. A call that it takes says more than
// OPTIONS: it is up at once.
func (h *health) answered(r route, status int, now time.Time, call bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.of(placeOf(r), now)
	if c == nil {
		return
	}
	c.misses, c.heard, c.failure = 0, now, ""
	if status > 0 {
		c.status = status
	}
	if c.hits++; c.down && (call || c.hits >= hitsUp) {
		c.down, c.since = false, now
		h.log.Info().Str("trunk", r.trunk.Name).Stringer("server", r.to).Msg("a server of a trunk is up again")
	}
}

// missedBy says why a server did not answer, in few words. What it wrote itself
// is not in them, but for the names in its certificate.
func missedBy(res *sip.Response, err error) string {
	switch {
	case res != nil:
		return fmt.Sprintf("it answers %d", res.StatusCode)
	case err == nil:
		return "it does not answer"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, fmt.Sprintf("%.300s", err.Error()))
}

// missed notes that a server did not answer, or that it cannot, and why.
func (h *health) missed(r route, now time.Time, why string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.of(placeOf(r), now)
	if c == nil {
		return
	}
	c.hits, c.failure = 0, why
	c.misses++
	switch {
	case c.down:
		if r.trunk.Way.PingInterval == 0 {
			c.since = now
		}
	case c.misses >= missesDown:
		c.down, c.since = true, now
		h.log.Warn().Str("trunk", r.trunk.Name).Stringer("server", r.to).Int("misses", c.misses).Msg("a server of a trunk is down")
	}
}

// of finds or begins what is known of a server; nil if too many are known.
func (h *health) of(p place, now time.Time) *condition {
	c := h.known[p]
	if c == nil {
		if h.known == nil {
			h.known = make(map[place]*condition)
		}
		if len(h.known) >= maxPlaces {
			h.forget(now.Add(-time.Hour))
		}
		if len(h.known) >= maxPlaces {
			return nil
		}
		c = &condition{since: now}
		h.known[p] = c
	}
	c.asked = now
	return c
}

// forget drops servers of which nothing was heard for long: DNS has others now.
func (h *health) forget(before time.Time) {
	for p, c := range h.known {
		if c.asked.Before(before) {
			delete(h.known, p)
		}
	}
}

// down tells whether calls had better go elsewhere.
func (h *health) down(r route, now time.Time) bool {
	if r.trunk == nil {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.known[placeOf(r)]
	return c != nil && c.down && (r.trunk.Way.PingInterval > 0 || now.Sub(c.since) < blindRest)
}

// look is what is known of a server.
func (h *health) look(r route) condition {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c := h.known[placeOf(r)]; c != nil {
		return *c
	}
	return condition{}
}
