package message

// Dialog is what a side needs to send requests within a dialog. Its buffers
// are used again for the next one.
type Dialog struct {
	local, remote, callID, target []byte
	routes                        []byte // Route fields, whole lines
	cseq                          int
}

// Called keeps the dialog that a response to our INVITE makes.
func (d *Dialog) Called(r *Message) {
	d.keep(r.From, r.To, r)
	d.cseq = r.CSeq
	for i := r.nRoute - 1; i >= 0; i-- { // RFC 3261 section 12.1.2: in reverse order
		d.route(r.routes[i])
	}
}

// Taken keeps the dialog that an INVITE to us makes when we answer with the tag
// of id.
func (d *Dialog) Taken(r *Message, id ID) {
	d.keep(r.To, r.From, r)
	d.local = id.tag(d.local)
	d.cseq = 0
	for i := range r.nRoute {
		d.route(r.routes[i])
	}
}

func (d *Dialog) keep(local, remote []byte, r *Message) {
	d.local, d.remote = append(d.local[:0], local...), append(d.remote[:0], remote...)
	d.callID, d.target, d.routes = append(d.callID[:0], r.CallID...), append(d.target[:0], r.Target...), d.routes[:0]
}

func (d *Dialog) route(value []byte) {
	d.routes = append(append(append(d.routes, "Route: "...), value...), "\r\n"...)
}

// CallID is that of the dialog.
func (d *Dialog) CallID() []byte { return d.callID }

// Ack appends the ACK to the 200 that answered our INVITE.
func (a *Agent) Ack(b []byte, id ID, d *Dialog) []byte { return a.within(b, id, d, "a", d.cseq, "ACK") }

// Bye appends the BYE of a dialog.
func (a *Agent) Bye(b []byte, id ID, d *Dialog) []byte {
	return a.within(b, id, d, "b", d.cseq+1, "BYE")
}

func (a *Agent) within(b []byte, id ID, d *Dialog, kind string, cseq int, method string) []byte {
	b = append(append(append(append(b, method...), ' '), d.target...), " SIP/2.0\r\n"...)
	b = append(a.via(b, id, kind), d.routes...)
	return append(appendParties(b, d.local, d.remote, d.callID, cseq, method), noBody...)
}
