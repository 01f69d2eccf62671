package sip

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/media"
	"axgate/sip/trunk"
	"axgate/sip/wire"
)

// session is the session timer of a leg (RFC 4028) as it was agreed last. Legs
// have their own, which know nothing of each other.
type session struct {
	expires int  // s; 0: nothing was agreed yet
	least   int  // s, the longest Min-SE that the peer has named
	ours    bool // we refresh
	theirs  bool // the peer understands it
}

// wish is what a message says of the session timer.
type wish struct {
	expires   int    // s; 0: nothing
	refresher string // uac, uas or nothing
	least     int    // s, its Min-SE
	known     bool   // its sender understands the extension
}

// maxSeconds bounds what a peer may ask for: a day, as trunks may.
const maxSeconds = 24 * 60 * 60

func wishOf(m headed) wish {
	w := wish{known: slices.ContainsFunc(tags(m, "Supported"), isTimer) || slices.ContainsFunc(tags(m, "Require"), isTimer)}
	if all := m.GetHeaders("Session-Expires"); len(all) > 0 {
		value, params, _ := strings.Cut(all[0].Value(), ";")
		w.expires = seconds(value)
		for _, p := range strings.Split(params, ";") {
			if name, v, _ := strings.Cut(p, "="); strings.EqualFold(strings.TrimSpace(name), "refresher") {
				w.refresher = strings.ToLower(strings.TrimSpace(v))
			}
		}
	}
	if all := m.GetHeaders("Min-SE"); len(all) > 0 {
		value, _, _ := strings.Cut(all[0].Value(), ";")
		w.least = seconds(value)
	}
	return w
}

// timerTag is the option tag of session timers.
const timerTag = "timer"

func isTimer(tag string) bool { return strings.EqualFold(tag, timerTag) }

// seconds reads delta-seconds; what is none is 0.
func seconds(s string) int {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 32)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0
	}
	return int(min(n, maxSeconds))
}

// timer is how the leg's sessions are kept alive.
func (l *leg) timer() trunk.Timer {
	if l.trunk == nil {
		return trunk.Timer{}
	}
	return l.trunk.Timer
}

// supports are the option tags that the leg's peer may count on.
func (l *leg) supports() []sip.Header {
	var all []string
	if !l.timer().Off {
		all = append(all, timerTag)
	}
	if l.beginnings().Reliable != trunk.ReliableOff {
		all = append(all, reliableTag)
	}
	if len(all) == 0 {
		return nil
	}
	return []sip.Header{sip.NewHeader("Supported", strings.Join(all, ", "))}
}

// asks are the headers of our INVITE or UPDATE that say how long the session
// shall last (RFC 4028 section 7.1); in a dialog the roles stay as they are.
func (l *leg) asks() []sip.Header {
	t, s := l.timer(), l.session
	if t.Off {
		return nil
	}
	expires, least := t.Seconds()
	refresher := ""
	switch {
	case s.expires > 0 && s.ours, s.expires == 0 && t.Refresher == trunk.WeRefresh:
		refresher = ";refresher=uac"
	case s.expires > 0, t.Refresher == trunk.PeerRefresh:
		refresher = ";refresher=uas"
	}
	if s.expires > 0 {
		expires = s.expires
	}
	return []sip.Header{sip.NewHeader("Session-Expires", strconv.Itoa(max(expires, s.least))+refresher),
		sip.NewHeader("Min-SE", strconv.Itoa(max(least, s.least)))}
}

// answers is what our 2xx to a peer's INVITE or UPDATE agrees to, and its
// headers for that (RFC 4028 section 9).
func (l *leg) answers(req *sip.Request) (session, []sip.Header) {
	t, s, w := l.timer(), l.session, wishOf(req)
	if t.Off {
		return s, nil
	}
	usual, least := t.Seconds()
	before := s
	s.theirs = w.known
	switch {
	case w.expires > 0:
		s.expires = max(w.expires, least)
	case s.expires == 0:
		s.expires = max(usual, w.least)
	default:
		s.expires = max(s.expires, w.least)
	}
	switch {
	case !w.known, w.refresher == "uas":
		s.ours = true
	case w.refresher == "uac":
		s.ours = false
	case before.expires == 0 || !before.theirs:
		s.ours = t.Refresher == trunk.WeRefresh
	}
	if !w.known && w.expires == 0 {
		return s, nil
	}
	if s.ours {
		return s, []sip.Header{sip.NewHeader("Session-Expires", strconv.Itoa(s.expires)+";refresher=uas")}
	}
	return s, []sip.Header{sip.NewHeader("Session-Expires", strconv.Itoa(s.expires)+";refresher=uac"), sip.NewHeader("Require", "timer")}
}

// settledBy is what the 2xx to our INVITE or UPDATE agreed to. A peer that does
// not know the extension is refreshed by us all the same (section 7.2).
func (l *leg) settledBy(res *sip.Response) session {
	s, w := l.session, wishOf(res)
	usual, least := l.timer().Seconds()
	s.theirs = w.expires > 0
	if !s.theirs {
		s.expires, s.ours = max(s.expires, s.least, least), true
		if l.session.expires == 0 {
			s.expires = max(usual, s.least)
		}
		return s
	}
	s.expires, s.ours = max(w.expires, least/3), w.refresher != "uas"
	return s
}

// tooShort refuses a session shorter than we take (section 9). Who does not
// know the extension would not understand it.
func tooShort(t trunk.Timer, req *sip.Request) ([]sip.Header, bool) {
	_, least := t.Seconds()
	w := wishOf(req)
	if t.Off || !w.known || w.expires == 0 || w.expires >= least {
		return nil, false
	}
	return []sip.Header{sip.NewHeader("Min-SE", strconv.Itoa(least))}, true
}

// statusTooShort is 422 (Session Interval Too Small).
const statusTooShort = 422

// timed refuses an INVITE at the door whose session timer cannot be as it asks;
// it tells whether it did.
func (s *Server) timed(tx *wire.ServerTx, who origin) bool {
	var t trunk.Timer
	if who.trunk != nil {
		t = who.trunk.Timer
	}
	if t.Off && slices.ContainsFunc(tags(tx.Request, "Require"), isTimer) {
		s.reply(tx, sip.StatusBadExtension, "Bad Extension", sip.NewHeader("Unsupported", "timer"))
		return true
	}
	headers, short := tooShort(t, tx.Request)
	if short {
		s.reply(tx, statusTooShort, phrase(statusTooShort), headers...)
	}
	return short
}

// prolong repeats an INVITE whose session was too short for the callee's side,
// with one that is not (RFC 4028 section 7.3); false: the response is to be
// taken as the failure that it is.
func (c *call) prolong(b *calleeLeg, res *sip.Response) bool {
	least := wishOf(res).least
	if res.StatusCode != statusTooShort || b.timer().Off || least <= b.session.least || b.prolonged == maxProlonged {
		return false
	}
	b.session.least = least
	b.prolonged++
	b.rang = false
	if err := c.sendInvite(b, b.sdp.Offer()); err != nil {
		c.log.Error().Err(err).Str("route", b.route.name).Msg("repeat the INVITE with a longer session")
		return false
	}
	return true
}

// maxProlonged bounds how often an INVITE is repeated for a longer session.
const maxProlonged = 3

// agree begins the session of a leg anew, as it was agreed now: half of it
// until we refresh, or nearly all until we give the peer up (section 10).
func (c *call) agree(l *leg, s session) {
	l.session = s
	l.refresh.stop()
	l.expiry.stop()
	l.ours.refresh = false
	if l.timer().Off || !l.up || l.gone || s.expires == 0 || c.over.Load() {
		return
	}
	if s.ours {
		l.refresh.set(c.inbox, c.span(s.expires)/2, func() (happening, bool) {
			l.ours.refresh = true
			c.pursue(l)
			return happening{}, false
		})
	}
	c.awaitRefresh(l)
}

func (c *call) awaitRefresh(l *leg) {
	whole := l.session.expires
	l.expiry.set(c.inbox, c.span(whole-min(32, whole/3)), func() (happening, bool) {
		c.log.Warn().Str("leg", l.side.String()).Int("seconds", whole).Msg("the session was not refreshed")
		return dead(l.side), true
	})
}

// span is so many of the seconds that stand in headers.
func (c *call) span(seconds int) time.Duration { return time.Duration(seconds) * c.srv.cfg.second }

// dead tells that the dialog of a side is no more.
func dead(side media.Side) happening {
	if side == media.Caller {
		return happening{kind: lost, side: side}
	}
	return happening{kind: silent, side: side}
}
