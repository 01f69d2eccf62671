package enrol

import (
	"strconv"
	"time"

	"github.com/emiago/sipgo/sip"
)

const maxForwards = 70 // RFC 3261 section 8.1.1.6

// request builds a REGISTER from nothing (RFC 3261 section 10.2). All of one
// registration have one Call-ID, and each the next CSeq. Expires is 0 to take
// it back: this contact, not those of others.
func (r *Registration) request(expires time.Duration) *sip.Request {
	domain := sip.Uri{Scheme: "sip"}
	_ = sip.ParseUri("sip:"+r.cfg.Domain, &domain) // it was checked
	req := sip.NewRequest(sip.REGISTER, domain)
	for i := range r.cfg.Route {
		req.AppendHeader(&sip.RouteHeader{Address: *r.cfg.Route[i].Clone()})
	}
	hops := sip.MaxForwardsHeader(maxForwards)
	req.AppendHeader(&hops)
	from := &sip.FromHeader{Address: *r.cfg.Public.Clone()}
	from.Params.Add("tag", r.tag)
	req.AppendHeader(from)
	req.AppendHeader(&sip.ToHeader{Address: *r.cfg.Public.Clone()})
	callID := sip.CallIDHeader(r.callID)
	req.AppendHeader(&callID)
	r.cseq++
	req.AppendHeader(&sip.CSeqHeader{SeqNo: r.cseq, MethodName: sip.REGISTER})
	seconds := strconv.Itoa(int(expires / time.Second))
	contact := &sip.ContactHeader{Address: *r.cfg.Contact.Clone()}
	contact.Params.Add("expires", seconds)
	req.AppendHeader(contact)
	req.AppendHeader(sip.NewHeader("Expires", seconds)) // for those that read no parameters
	req.AppendHeader(sip.NewHeader("Supported", "path"))
	if r.cfg.Agent != "" {
		req.AppendHeader(sip.NewHeader("User-Agent", r.cfg.Agent))
	}
	req.SetBody(nil)
	return req
}
