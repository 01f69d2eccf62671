//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/ua"
	"axgate/phone/speech"
)

// setupAcceptances are calls that come to their end in the plain ways.
func setupAcceptances() []acceptance {
	return []acceptance{
		{name: "answer, the caller hangs up", play: acceptAnswer},
		{name: "answer, the callee hangs up", play: acceptCalleeHangsUp},
		{name: "busy", play: acceptRefused(486, 0, 486, 17, 8102, 8102)},
		{name: "busy by its cause", play: acceptRefused(480, 17, 486, 17, 8102, 8102)},
		{name: "reject", play: acceptRefused(603, 21, 603, 21, 7503, 7504)},
		{name: "unknown number of the callee", play: acceptRefused(404, 1, 404, 1, 8100, 8100)},
		{name: "absent after ringing", play: acceptAbsent},
		{name: "unknown X", play: acceptUnknownX},
		{name: "caller who is not bound", play: acceptStranger},
		{name: "X calls X", play: acceptXCallsX},
		{name: "everything that names people is dropped", play: acceptNamed},
		{name: "X in every spelling", play: acceptSpellings},
		{name: "unknown Require", play: acceptRequire},
		{name: "methods that are not served", play: acceptMethods},
		{name: "Max-Forwards 0 and 1", play: acceptHops},
	}
}

// acceptAnswer: 183, 180 and 200 need not be there; a speech crosses both ways.
func acceptAnswer(l *ladder) {
	l.rings()
	l.answers()
	l.a.Speak(speech.First())
	l.b.Speak(speech.Second())
	l.b.HearsSpeech(speech.First()[:24000])
	l.a.HearsSpeech(speech.Second()[:24000])
	l.ends()
}

func acceptCalleeHangsUp(l *ladder) {
	l.talks()
	l.hangsUp(l.b, l.a)
	l.billed(byCallee)
}

// acceptRefused: the callee's side answers with a status and, unless it is 0, a
// Q.850 cause; the caller sees one of ours.
func acceptRefused(status, cause, seen, seenCause, state, fail int) func(*ladder) {
	return func(l *ladder) {
		l.rings()
		var headers []string
		if cause != 0 {
			headers = append(headers, fmt.Sprintf(`Reason: Q.850;cause=%d;text="%s"`, cause, l.numberB))
		}
		l.b.Reply(status, "", append(headers, `Warning: 399 carrier.example "`+l.numberB+`"`, "Contact: <sip:"+l.numberB+"@10.1.1.1>")...)
		l.b.Expect(ua.ACK)
		l.a.Expect(ua.Kind(seen), reason(seenCause), without("Warning"))
		l.billed(billing{state: state, fail: fail, reached: true})
	}
}

func acceptAbsent(l *ladder) {
	l.rings()
	l.b.Reply(480, "", "Reason: Q.850;cause=20")
	l.b.Expect(ua.ACK)
	l.a.Expect(480, reason(20))
	l.billed(billing{state: 8103, fail: 8103, reached: true})
}

func acceptUnknownX(l *ladder) {
	l.a.Invite("17099999999", l.a.SDP())
	l.a.Expect(404, reason(1))
	l.unheard()
}

// acceptStranger: a caller of whom X knows nothing reaches nobody.
func acceptStranger(l *ladder) {
	other := "13712345678"
	l.a.Number = other
	l.a.Invite(l.x, l.a.SDP())
	l.a.Expect(403, reason(21))
	l.numberA = "+86" + other
	l.billed(billing{state: 8014, fail: 8014})
}

// acceptXCallsX: what comes back to us with X as its caller is a loop.
func acceptXCallsX(l *ladder) {
	l.a.Number = l.x
	l.a.Invite(l.x, l.a.SDP())
	l.a.Expect(482)
	l.b.Quiet(100 * time.Millisecond)
}

// acceptNamed: the caller's side and the callee's put the real numbers wherever
// carriers put them; nothing of it comes through.
func acceptNamed(l *ladder) {
	naming := func(n string) []string {
		d := strings.TrimPrefix(n, "+86")
		return []string{
			`P-Asserted-Identity: "` + d + `" <tel:` + n + `>`, "P-Preferred-Identity: <sip:" + n + "@carrier.example>", `Remote-Party-ID: "` + d + `" <sip:` + d + `@carrier.example>;party=calling`,
			"Diversion: <sip:" + d + "@carrier.example>;reason=unconditional", "History-Info: <sip:" + n + "@carrier.example>;index=1", "P-Charging-Vector: icid-value=" + d + ";orig-ioi=carrier.example",
			"P-Called-Party-ID: <sip:" + n + "@carrier.example>", "P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=" + d, "Subject: call of " + d, "User-Agent: phone/" + d,
			"Call-Info: <http://carrier.example/" + d + ".jpg>;purpose=icon", "Organization: " + d, "User-to-User: " + d + ";encoding=hex", "Session-ID: " + d, "Geolocation: <sips:" + d + "@carrier.example>",
			"Identity: " + d, "Alert-Info: <http://carrier.example/" + d + ".wav>", "In-Reply-To: " + d + "@carrier.example", "X-Caller: 0086" + d, "P-Associated-URI: <tel:" + n + ">",
		}
	}
	a := strings.TrimPrefix(l.numberA, "+86")
	l.a.Invite(l.x, strings.Replace(l.a.SDP("a=tool:"+a), "s=-", "s="+a+"\r\ni="+a+"\r\nu=http://"+a+"/\r\ne="+a+"@carrier.example\r\np="+l.numberA, 1),
		append(naming(l.numberA), `From: "`+l.numberA+`" <sip:`+a+`@carrier.example;user=phone>;tag=caller-`+a)...)
	l.a.LocalTag = "caller-" + a
	l.b.Expect(ua.INVITE, l.shows)
	l.b.Reply(180, "", naming(l.numberB)...)
	l.a.Expect(180)
	l.b.Reply(183, l.b.SDP("a=tool:"+l.numberB), naming(l.numberB)...)
	l.a.Expect(183)
	l.b.Reply(200, l.b.SDP("a=tool:"+l.numberB), naming(l.numberB)...)
	l.b.Expect(ua.ACK)
	l.a.Expect(200)
	l.a.Ack("", naming(l.numberA)...)
	l.heard()
	l.a.Bye(append(naming(l.numberA), `Reason: Q.850;cause=16;text="`+l.numberA+`"`)...)
	l.a.Expect(200)
	l.b.Expect(ua.BYE, reason(16))
	l.b.Reply(200, "", naming(l.numberB)...)
	l.billed(byCaller)
}

// acceptSpellings: carriers and handsets write X in many ways (section 1.2).
func acceptSpellings(l *ladder) {
	for i, dialled := range []string{l.x, "86" + l.x, "+86" + l.x, "0086" + l.x, "0" + l.x} {
		l.a.Invite(dialled, l.a.SDP())
		l.b.Expect(ua.INVITE, l.shows)
		l.b.Reply(486, "")
		l.b.Expect(ua.ACK)
		l.a.Expect(486, reason(17))
		l.billedNth(i+1, billing{state: 8102, fail: 8102, reached: true})
	}
	l.a.Invite(l.x, l.a.SDP(), fmt.Sprintf("To: <tel:+86-%s-%s;phone-context=+86>", l.x[:3], l.x[3:]))
	l.b.Expect(ua.INVITE, l.shows)
	l.b.Reply(486, "")
	l.b.Expect(ua.ACK)
	l.a.Expect(486)
	l.billedNth(6, billing{state: 8102, fail: 8102, reached: true})
}

func acceptRequire(l *ladder) {
	l.a.Invite(l.x, l.a.SDP(), "Require: precondition")
	l.a.Expect(420, with("Unsupported", "precondition"))
	l.calls("Supported: precondition, replaces, histinfo")
	require.False(l, l.b.First().Has("Supported", "precondition"))
	l.b.Reply(486, "")
	l.b.Expect(ua.ACK)
	l.a.Expect(486)
	l.billed(billing{state: 8102, fail: 8102, reached: true})
}

func acceptMethods(l *ladder) {
	for _, kind := range []ua.Kind{ua.SUBSCRIBE, ua.REFER, ua.PUBLISH} {
		l.a.Outside(kind, l.x, "")
		l.a.Expect(405)
	}
	l.talks()
	for _, kind := range []ua.Kind{ua.REFER, ua.SUBSCRIBE, ua.NOTIFY} {
		l.a.Request(kind, "", "Refer-To: <sip:"+l.numberA+"@carrier.example>", "Event: refer")
		l.a.Expect(405)
	}
	l.b.Quiet(200 * time.Millisecond)
	l.ends()
}

// acceptHops: a call that has no more hops ends; else leg B has one less.
func acceptHops(l *ladder) {
	l.a.Invite(l.x, l.a.SDP(), "Max-Forwards: 0")
	l.a.Expect(483)
	l.unheard()
	l.calls("Max-Forwards: 1")
	require.Equal(l, "0", l.b.First().Get("Max-Forwards"))
	l.b.Reply(486, "")
	l.b.Expect(ua.ACK)
	l.a.Expect(486)
	l.billed(billing{state: 8102, fail: 8102, reached: true})
}
