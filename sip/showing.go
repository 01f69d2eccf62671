package sip

import (
	"github.com/emiago/sipgo/sip"

	"axgate/sip/trunk"
)

// asserted are the headers beside From that tell a route who calls, and what
// else its trunk wants to read: of numbers nothing but X.
func (s *Server) asserted(r route, shown string) []sip.Header {
	identity := "sip:" + shown + "@" + s.domain(r)
	var all []sip.Header
	add := func(name, value string) { all = append(all, sip.NewHeader(name, value)) }
	if r.sendPAI || r.hide { // RFC 3325 section 9.1
		add("P-Asserted-Identity", "<"+identity+">")
	}
	if r.sendPPI {
		add("P-Preferred-Identity", "<"+identity+">")
	}
	if r.hide { // without it From alone would be anonymous (RFC 3323 section 4.2)
		add("Privacy", "id")
	}
	if r.trunk == nil {
		return all
	}
	privacy, history := "off", ""
	if r.hide {
		privacy, history = "full", "?Privacy=history"
	}
	h := &r.trunk.Headers
	if h.Diversion { // RFC 5806 section 4
		add("Diversion", "<"+identity+">;reason=unconditional;counter=1;privacy="+privacy)
	}
	if h.HistoryInfo { // RFC 7044 section 5
		add("History-Info", "<"+identity+history+">;index=1")
	}
	for _, e := range h.Extra {
		add(e.Name, e.Value)
	}
	return all
}

// agent is the User-Agent for a trunk; nil: a phone. Empty: none is sent.
func (s *Server) agent(t *trunk.Trunk) string {
	if t != nil && t.Headers.NoAgent {
		return ""
	}
	return s.cfg.Agent
}
