package registrar

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Bounds of what an account can make us keep. A new contact displaces the
// oldest: phones change their port and never take the old one back.
const (
	maxContacts = 8
	maxURI      = 512 // bytes
)

// contact is one phone of an account.
type contact struct {
	uri       sip.Uri
	key       string // what makes two URIs the same phone
	q         float64
	source    netip.AddrPort
	transport string
	at, until time.Time
	callID    string
	cseq      uint32
}

// wish is what a REGISTER asks for.
type wish struct {
	callID   string
	cseq     uint32
	all      bool // "*": everything is taken back
	contacts []wanted
}

type wanted struct {
	uri     sip.Uri
	q       float64
	expires time.Duration // 0: taken back
}

func bad(phrase string) *Answer { return &Answer{Status: sip.StatusBadRequest, Phrase: phrase} }

// read takes the contacts of a REGISTER with their lifetimes: the parameter of
// the contact, else the Expires header, else the longest (section 10.3 steps 6
// and 7). A value that is no number counts as not given (section 10.2.1.1).
func (r *Registrar) read(req *sip.Request) (wish, *Answer) {
	w := wish{callID: req.CallID().Value(), cseq: req.CSeq().SeqNo}
	expires, given := r.cfg.MaxExpires, false
	if h := req.GetHeader("Expires"); h != nil {
		if d, ok := lifetime(h.Value()); ok {
			expires, given = d, true
		}
	}
	headers := req.GetHeaders("Contact")
	if len(headers) > maxContacts {
		return w, bad("Too Many Contacts")
	}
	for _, h := range headers {
		c, ok := h.(*sip.ContactHeader)
		if !ok {
			return w, bad("Bad Contact")
		}
		if c.Address.Wildcard {
			w.all = true
			continue
		}
		one, refused := r.want(c, expires)
		if refused != nil {
			return w, refused
		}
		w.contacts = append(w.contacts, one)
	}
	if w.all && (len(headers) != 1 || !given || expires != 0) {
		return w, bad("Bad Wildcard Contact")
	}
	return w, nil
}

func (r *Registrar) want(c *sip.ContactHeader, expires time.Duration) (wanted, *Answer) {
	uri := c.Address.Clone()
	uri.Headers = nil
	if uri.Scheme != "sip" || uri.Host == "" || uri.Port < 0 || uri.Port > 65535 || len(uri.String()) > maxURI {
		return wanted{}, bad("Bad Contact")
	}
	one := wanted{uri: *uri, expires: expires, q: 1}
	if text, ok := c.Params.Get("expires"); ok {
		if d, ok := lifetime(text); ok {
			one.expires = d
		}
	}
	if text, ok := c.Params.Get("q"); ok {
		if q, err := strconv.ParseFloat(text, 64); err == nil && q >= 0 && q <= 1 {
			one.q = q
		}
	}
	if one.expires > 0 && one.expires < r.cfg.MinExpires {
		return wanted{}, &Answer{Status: sip.StatusIntervalToBrief, Phrase: "Interval Too Brief", Headers: []sip.Header{sip.NewHeader("Min-Expires", seconds(r.cfg.MinExpires))}}
	}
	one.expires = min(one.expires, r.cfg.MaxExpires)
	return one, nil
}

// lifetime reads delta-seconds.
func lifetime(text string) (time.Duration, bool) {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 32)
	return time.Duration(n) * time.Second, err == nil
}

// apply changes the contacts; false: a newer request of the same phone was
// applied before, so that nothing is (section 10.3 steps 6 and 7).
func (a *account) apply(w wish, from netip.AddrPort, transport string, now time.Time) bool {
	old := func(c contact) bool { return c.callID == w.callID && w.cseq <= c.cseq }
	if w.all {
		if slices.ContainsFunc(a.contacts, old) {
			return false
		}
		a.contacts = nil
		return true
	}
	for _, one := range w.contacts {
		if i := a.find(keyOf(&one.uri)); i >= 0 && old(a.contacts[i]) {
			return false
		}
	}
	for _, one := range w.contacts {
		key := keyOf(&one.uri)
		if i := a.find(key); i >= 0 {
			a.contacts = slices.Delete(a.contacts, i, i+1)
		}
		if one.expires == 0 {
			continue
		}
		if len(a.contacts) == maxContacts {
			a.contacts = slices.Delete(a.contacts, 0, 1)
		}
		a.contacts = append(a.contacts, contact{uri: one.uri, key: key, q: one.q, source: from, transport: transport,
			at: now, until: now.Add(one.expires), callID: w.callID, cseq: w.cseq})
	}
	return true
}

func (a *account) find(key string) int {
	return slices.IndexFunc(a.contacts, func(c contact) bool { return c.key == key })
}

// keyOf compares contacts by what tells phones apart (RFC 3261 section
// 19.1.4): user, host without regard to case, port and transport.
func keyOf(uri *sip.Uri) string {
	transport, _ := uri.UriParams.Get("transport")
	return uri.User + "@" + strings.ToLower(uri.Host) + ":" + strconv.Itoa(uri.Port) + ";" + strings.ToLower(transport)
}

// expire drops the contacts that have run out.
func (a *account) expire(now time.Time) {
	a.contacts = slices.DeleteFunc(a.contacts, func(c contact) bool { return !now.Before(c.until) })
}

// list are the Contact headers of the 200: all contacts there are, with the
// time that each has left (section 10.3 step 8).
func (a *account) list(now time.Time) []sip.Header {
	all := make([]sip.Header, 0, len(a.contacts))
	for i := range a.contacts {
		c := &a.contacts[i]
		h := &sip.ContactHeader{Address: *c.uri.Clone()}
		h.Params.Add("expires", seconds(c.until.Sub(now)))
		all = append(all, h)
	}
	return all
}
