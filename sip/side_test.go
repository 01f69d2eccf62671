package sip

import (
	"fmt"
	"strings"
)

// side is one end of a dialog.
type side struct {
	p             *peer
	callID        string
	me, other     string // From and To without tags
	mine, theirs  string // tags
	target        string
	route         string // header lines
	cseq          int
	branch        string // of the last INVITE
	invite        msg    // the one that came in
	contact       string
	lastInviteSeq int
}

// reinvite sends an INVITE, the first or one in the dialog.
func (d *side) reinvite(sdp string, headers ...string) {
	d.p.t.Helper()
	d.cseq++
	d.branch, d.lastInviteSeq = unique("z9hG4bK"), d.cseq
	d.p.send(d.text("INVITE", d.cseq, d.branch, sdp, headers...))
}

func (d *side) text(method string, cseq int, branch, body string, headers ...string) string {
	to := d.other
	if d.theirs != "" {
		to += ";tag=" + d.theirs
	}
	forwards := "Max-Forwards: 70\r\n"
	extra := ""
	for _, h := range headers {
		if strings.HasPrefix(h, "Max-Forwards:") {
			forwards = ""
		}
		extra += h + "\r\n"
	}
	if body != "" && !strings.Contains(extra, "Content-Type:") {
		extra += "Content-Type: application/sdp\r\n"
	}
	return fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=%s;rport\r\n%s%sFrom: %s;tag=%s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nContact: %s\r\n%sContent-Length: %d\r\n\r\n%s",
		method, d.target, d.p.transport(), d.p.addr, branch, forwards, d.route, d.me, d.mine, to, d.callID, cseq, method, d.contact, extra, len(body), body)
}

// request sends a request in the dialog and returns its CSeq.
func (d *side) request(method, body string, headers ...string) int {
	d.p.t.Helper()
	d.cseq++
	d.p.send(d.text(method, d.cseq, unique("z9hG4bK"), body, headers...))
	return d.cseq
}

// response takes the response with a status to the last request of a method.
func (d *side) response(status int, method string) msg {
	d.p.t.Helper()
	m := d.p.await(fmt.Sprintf("%d to %s", status, method), func(m msg) bool {
		n, of := m.cseq()
		return m.get("Call-ID") == d.callID && m.status() == status && of == method && (n == d.cseq || method == "CANCEL" || n == d.lastInviteSeq && method == "INVITE")
	})
	if method == "INVITE" && status > 100 && status < 300 {
		d.theirs = m.tag("To")
		if c := m.contact(); c != "" {
			d.target = c
		}
	}
	return m
}

// ack acknowledges a 2xx.
func (d *side) ack(body string) {
	d.p.t.Helper()
	d.p.send(d.text("ACK", d.lastInviteSeq, unique("z9hG4bK"), body))
}

// nack acknowledges a failure, in the transaction of its INVITE.
func (d *side) nack(m msg) {
	d.p.t.Helper()
	was := d.theirs
	d.theirs = m.tag("To")
	d.p.send(d.text("ACK", d.lastInviteSeq, d.branch, ""))
	d.theirs = was
}

// fails takes a final failure and acknowledges it.
func (d *side) fails(status int) msg {
	d.p.t.Helper()
	m := d.response(status, "INVITE")
	d.nack(m)
	return m
}

func (d *side) cancel() {
	d.p.t.Helper()
	d.p.send(d.text("CANCEL", d.lastInviteSeq, d.branch, ""))
}

// bye hangs up and waits for the answer.
func (d *side) bye() {
	d.p.t.Helper()
	d.request("BYE", "")
	d.response(200, "BYE")
}

// take makes an INVITE the one that is answered.
func (d *side) take(m msg) {
	d.invite = m
	d.callID = m.get("Call-ID")
	d.me, d.other = strings.Split(m.get("To"), ";tag=")[0], strings.Split(m.get("From"), ";tag=")[0]
	d.theirs = m.tag("From")
	d.target = m.contact()
}

// reply answers a request; a To tag is added where it has none.
func (d *side) reply(m msg, status int, body string, headers ...string) {
	d.p.t.Helper()
	d.p.send(d.answer(m, status, body, headers...))
}

func (d *side) answer(m msg, status int, body string, headers ...string) string {
	to := m.get("To")
	if !strings.Contains(to, ";tag=") && status > 100 {
		to += ";tag=" + d.mine
	}
	extra := ""
	for _, h := range headers {
		extra += h + "\r\n"
	}
	if body != "" {
		extra += "Content-Type: application/sdp\r\n"
	}
	return fmt.Sprintf("SIP/2.0 %d Whatever\r\n%s%sFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\nContact: %s\r\n%sContent-Length: %d\r\n\r\n%s",
		status, m.lines("Via"), m.lines("Record-Route"), m.get("From"), to, m.get("Call-ID"), m.get("CSeq"), d.contact, extra, len(body), body)
}

// says answers the INVITE.
func (d *side) says(status int, body string, headers ...string) {
	d.p.t.Helper()
	d.reply(d.invite, status, body, headers...)
}

// acked waits for the ACK of the INVITE with the number of a 2xx.
func (d *side) acked() msg {
	d.p.t.Helper()
	n, _ := d.invite.cseq()
	return d.p.await("ACK", func(m msg) bool {
		k, _ := m.cseq()
		return m.method() == "ACK" && k == n && m.get("Call-ID") == d.callID
	})
}

// hungUp waits for BYE and answers it.
func (d *side) hungUp() msg {
	d.p.t.Helper()
	m := d.p.await("BYE", func(m msg) bool { return m.method() == "BYE" && m.get("Call-ID") == d.callID })
	d.reply(m, 200, "")
	return m
}

// cancelled waits for CANCEL, answers it and ends the INVITE with 487.
func (d *side) cancelled() msg {
	d.p.t.Helper()
	m := d.p.await("CANCEL", func(m msg) bool { return m.method() == "CANCEL" && m.get("Call-ID") == d.callID })
	d.reply(m, 200, "")
	d.says(487, "")
	d.p.await("ACK of 487", func(m msg) bool { return m.method() == "ACK" && m.get("Call-ID") == d.callID })
	return m
}
