package sip

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/routing"
	"axgate/sip/trunk"
	"axgate/sms"
	"axgate/sms/rp"
)

const center = "+8613800100500"

// relaying has both carriers exchange texts as 3GPP networks do; the second is
// one to which we have a role.
func relaying(o *office, role trunk.TextRole) func(*settings) {
	return func(s *settings) {
		s.cfg.Texts = o
		s.trunkA.Texts = trunk.Texts{Form: trunk.ThreeGPP, Center: center}
		s.trunkB.Texts = trunk.Texts{Form: trunk.ThreeGPP, Center: center, Role: role}
		s.trunkB.FromFormat, s.trunkB.CalleeFormat = routing.FormatE164, routing.FormatE164
	}
}

// relays sends an RP message in a MESSAGE.
func (p *peer) relays(to, from string, m rp.Message, headers ...string) *side {
	p.t.Helper()
	body, err := m.Marshal()
	require.NoError(p.t, err)
	return p.texts(to, from, string(body), append(headers, "Content-Type: "+type3GPP)...)
}

// relayed takes the RP message that comes next, and its MESSAGE.
func (p *peer) relayed() (rp.Message, msg) {
	p.t.Helper()
	m := p.request("MESSAGE")
	require.Equal(p.t, type3GPP, m.get("Content-Type"))
	got, err := rp.Parse([]byte(m.body))
	require.NoError(p.t, err)
	return got, m
}

// reported takes the report on a MESSAGE, and accepts it.
func (p *peer) reported(on *side) rp.Message {
	p.t.Helper()
	got, m := p.relayed()
	require.Equal(p.t, on.callID, m.get("In-Reply-To"))
	p.answers(m, 202)
	return got
}

func (p *peer) delivers(t testing.TB, mr byte, d rp.Deliver) *side {
	t.Helper()
	tpdu, err := d.Marshal()
	require.NoError(t, err)
	return p.relays(numX, "smsc", rp.Data{From: rp.Network, MR: mr, Originator: rp.Number(center), TPDU: tpdu})
}

func (p *peer) submits(t testing.TB, mr byte, s rp.Submit) *side {
	t.Helper()
	tpdu, err := s.Marshal()
	require.NoError(t, err)
	return p.relays("smsc", numA, rp.Data{From: rp.Phone, MR: mr, Destination: rp.Number(center), TPDU: tpdu})
}

// ack is the report of a peer; its own time in it is of no matter.
func ack(m rp.Message) rp.Ack {
	a := m.(rp.Ack)
	a.TPDU = nil
	return a
}

// TestRelayFromANetwork: its text is kept with the sender that the TPDU names,
// then reported on; and once, though it comes in another MESSAGE again.
func TestRelayFromANetwork(t *testing.T) {
	o := newOffice()
	w := open(t, relaying(o, trunk.UE))
	at := time.Date(2026, 11, 25, 10, 0, 0, 0, time.FixedZone("", 8*3600))
	d := rp.Deliver{Originator: rp.Number("+86" + numA), At: at, Content: rp.Content{Text: "中", UCS2: true, Part: &rp.Part{Ref: 300, Seq: 2, Total: 3, Wide: true}}}
	var keys []string
	for _, mr := range []byte{7, 8} {
		sent := w.a.delivers(t, mr, d)
		sent.response(202, "MESSAGE")
		require.Equal(t, rp.Ack{From: rp.Phone, MR: mr}, ack(w.a.reported(sent)))
		keys = append(keys, sent.callID)
	}
	require.NotEqual(t, keys[0], keys[1])
	require.Len(t, o.all(), 1)
	in := o.last(t)
	require.Equal(t, routing.Number("+86"+numA), in.Sender)
	require.Equal(t, routing.X("+86"+numX), in.X)
	require.Equal(t, "中", in.Text)
	require.Equal(t, &sms.Part{Ref: 300, Seq: 2, Total: 3}, in.Part)

	for i, edit := range []func(d *rp.Deliver){
		func(d *rp.Deliver) { d.At = at.Add(time.Second) },
		func(d *rp.Deliver) { d.Originator = rp.Number("+86" + numB) },
		func(d *rp.Deliver) { d.Part = &rp.Part{Ref: 300, Seq: 3, Total: 3, Wide: true} },
		func(d *rp.Deliver) { d.Part = &rp.Part{Ref: 301, Seq: 2, Total: 3, Wide: true} },
	} {
		other := d
		edit(&other)
		sent := w.a.delivers(t, 9, other)
		sent.response(202, "MESSAGE")
		w.a.reported(sent)
		require.Len(t, o.all(), 2+i, "the same words at another time, of somebody else, or in another place are others")
	}

	d.Originator, d.Part = rp.Address{Type: rp.Alphanumeric, Value: "BANK"}, nil
	sent := w.a.delivers(t, 10, d)
	sent.response(202, "MESSAGE")
	w.a.reported(sent)
	require.Empty(t, o.last(t).Sender, "a name is nobody's number")
	require.Nil(t, o.last(t).Part)
}

// TestRelayFromAPhone: SMS-SUBMIT names X, SIP the sender.
func TestRelayFromAPhone(t *testing.T) {
	o := newOffice()
	w := open(t, relaying(o, trunk.UE))
	s := rp.Submit{MR: 5, Destination: rp.Number("+86" + numX), Content: rp.Content{Text: "hello"}}
	sent := w.a.submits(t, 1, s)
	sent.response(202, "MESSAGE")
	m := w.a.reported(sent)
	require.Equal(t, rp.Ack{From: rp.Network, MR: 1}, ack(m))
	require.Len(t, m.(rp.Ack).TPDU, 9, "SMS-SUBMIT-REPORT with the time")
	in := o.last(t)
	require.Equal(t, routing.Number("+86"+numA), in.Sender)
	require.Equal(t, routing.X("+86"+numX), in.X)
	require.Equal(t, "hello", in.Text)

	s.RejectDuplicates = true
	sent = w.a.submits(t, 2, s)
	sent.response(202, "MESSAGE")
	require.Equal(t, rp.Ack{From: rp.Network, MR: 2}, ack(w.a.reported(sent)))
	require.Len(t, o.all(), 1, "it said that it may have come before, and it had")
	s.RejectDuplicates = false
	sent = w.a.submits(t, 3, s)
	sent.response(202, "MESSAGE")
	require.Equal(t, rp.Ack{From: rp.Network, MR: 3}, ack(w.a.reported(sent)))
	require.Len(t, o.all(), 2, "the same words, of a phone that does not count, and that says they are new")
	s.MR = 6
	s.RejectDuplicates = true
	sent = w.a.submits(t, 4, s)
	sent.response(202, "MESSAGE")
	w.a.reported(sent)
	require.Len(t, o.all(), 3, "it may have come before, but had not")
}

// TestRelayRefusals: what is told, and how: the MESSAGE was taken even if what
// is in it is not.
func TestRelayRefusals(t *testing.T) {
	o := newOffice()
	w := open(t, relaying(o, trunk.UE))
	submit := func(to, fields string) rp.Message {
		number, err := rp.Submit{Destination: rp.Number(to), Content: rp.Content{Text: "A"}}.Marshal()
		require.NoError(t, err)
		return rp.Data{From: rp.Phone, MR: 3, Destination: rp.Number(center), TPDU: append(number[:len(number)-4], fields...)}
	}
	x := "+86" + numX
	for name, c := range map[string]struct {
		m    rp.Message
		want rp.Message // nil: no report
	}{
		"no X":               {submit("10086", "\x00\x00\x01A"), rp.Error{From: rp.Network, MR: 3, Cause: rp.UnassignedNumber}},
		"binary":             {submit(x, "\x00\x04\x01A"), rp.Error{From: rp.Network, MR: 3, Cause: rp.NotImplemented}},
		"compressed":         {submit(x, "\x00\x20\x01A"), rp.Error{From: rp.Network, MR: 3, Cause: rp.Unspecified}},
		"cut off":            {submit(x, "\x00\x00\x09A"), rp.Error{From: rp.Network, MR: 3, Cause: rp.InvalidMandatory}},
		"silent":             {submit(x, "\x40\x00\x01A"), rp.Ack{From: rp.Network, MR: 3}},
		"empty":              {submit(x, "\x00\x00\x00"), rp.Ack{From: rp.Network, MR: 3}},
		"room for texts":     {rp.Memory{MR: 3}, rp.Error{From: rp.Network, MR: 3, Cause: rp.NotImplemented}},
		"a status report":    {rp.Data{From: rp.Network, MR: 3, TPDU: []byte{2, 0, 0}}, rp.Error{From: rp.Phone, MR: 3, Cause: rp.Unspecified}},
		"a report on no one": {rp.Ack{From: rp.Network, MR: 3}, nil},
	} {
		t.Log(name)
		sent := w.a.relays(numX, numA, c.m)
		sent.response(202, "MESSAGE")
		if c.want == nil {
			continue
		}
		got := w.a.reported(sent)
		switch m := got.(type) {
		case rp.Ack:
			m.TPDU = nil
			got = m
		case rp.Error:
			m.TPDU = nil
			got = m
		}
		require.Equal(t, c.want, got, name)
	}
	require.Zero(t, o.times())

	for _, body := range []string{"", "\x00", "\x07", "\x04\x01"} { // nothing, too short, too short, an answer that is broken
		w.a.texts(numX, numA, body, "Content-Type: "+type3GPP).response(400, "MESSAGE")
	}
	sent := w.a.texts(numX, numA, "\x00\x07\x00\x00\x09", "Content-Type: "+type3GPP)
	sent.response(202, "MESSAGE")
	require.Equal(t, rp.Error{From: rp.Network, MR: 7, Cause: rp.InvalidMandatory}, w.a.reported(sent))
}

// TestRelayAnswers: what the office says is told in a report; what may be
// tried again soon, and what is our own failure, is told by SIP.
func TestRelayAnswers(t *testing.T) {
	o := newOffice()
	w := open(t, relaying(o, trunk.UE))
	s := rp.Submit{Destination: rp.Number("+86" + numX), Content: rp.Content{Text: "hello"}}
	for _, c := range []struct {
		receipt sms.Receipt
		err     error
		status  int
		cause   rp.Cause // 202: 0 is RP-ACK
	}{
		{sms.Receipt{ID: "1", Outcome: sms.Taken}, nil, 202, 0},
		{sms.Receipt{ID: "1", Outcome: sms.Repeated}, nil, 202, 0},
		{sms.Receipt{ID: "1", Outcome: sms.Refused, Result: routing.TextForbidden}, nil, 202, rp.Rejected},
		{sms.Receipt{Outcome: sms.Unknown}, nil, 202, rp.UnassignedNumber},
		{sms.Receipt{Outcome: sms.TooLong}, nil, 202, rp.Rejected},
		{sms.Receipt{Outcome: sms.Limited, After: time.Minute}, nil, 480, 0},
		{sms.Receipt{}, errors.New("the disk is full"), 500, 0},
	} {
		o.says(c.receipt, c.err)
		sent := w.a.submits(t, 4, s)
		sent.response(c.status, "MESSAGE")
		if c.status != 202 {
			continue
		}
		if e, ok := w.a.reported(sent).(rp.Error); ok {
			require.Equal(t, c.cause, e.Cause)
		} else {
			require.Zero(t, c.cause)
		}
	}
}

// TestRelayToANetwork: each segment is an SMS-SUBMIT to the service centre, and
// sent when its report says so.
func TestRelayToANetwork(t *testing.T) {
	w := open(t, relaying(newOffice(), trunk.UE))
	text := strings.Repeat("零一二三四五六七八九", 8)
	c := carrierOf(t, w.srv, "b")
	require.Equal(t, 2, c.Pieces(text))
	o := texted(text)
	o.Pieces = 2
	var whole string
	for o.Piece = range 2 {
		done := w.sends(w.srv, "b", o)
		m, out := w.b.relayed()
		d := m.(rp.Data)
		require.Equal(t, rp.Phone, d.From)
		require.Equal(t, rp.Number(center), d.Destination)
		require.Contains(t, out.uri(), center+"@")
		require.Contains(t, out.get("From"), "+86"+numX+"@")
		s, err := rp.ParseSubmit(d.TPDU)
		require.NoError(t, err)
		require.Equal(t, rp.Number("+86"+numB), s.Destination)
		require.False(t, s.RejectDuplicates)
		require.Equal(t, o.Piece+1, s.Part.Seq)
		whole += s.Text
		w.b.answers(out, 202)
		w.b.relays(numX, "smsc", rp.Ack{From: rp.Network, MR: d.MR}, "In-Reply-To: "+out.get("Call-ID")).response(202, "MESSAGE")
		require.NoError(t, wait(t, done))
	}
	require.Equal(t, text, whole)
}

// TestRelayToAPhone: where we are the network, a phone gets SMS-DELIVER from X.
func TestRelayToAPhone(t *testing.T) {
	w := open(t, relaying(newOffice(), trunk.Network))
	done := w.sends(w.srv, "b", texted("hello"))
	m, out := w.b.relayed()
	d := m.(rp.Data)
	require.Equal(t, rp.Network, d.From)
	require.Equal(t, rp.Number(center), d.Originator)
	require.Contains(t, out.uri(), "+86"+numB+"@")
	got, err := rp.ParseDeliver(d.TPDU)
	require.NoError(t, err)
	require.Equal(t, rp.Number("+86"+numX), got.Originator)
	require.Equal(t, "hello", got.Text)
	require.True(t, got.At.Equal(texted("").At))
	w.b.answers(out, 200)
	w.b.relays(center, numB, d.Ack(time.Now())).response(202, "MESSAGE")
	require.NoError(t, wait(t, done))
}

// TestRelayReports: what becomes of a text by what is reported, and whose
// reports count.
func TestRelayReports(t *testing.T) {
	w := open(t, relaying(newOffice(), trunk.UE))
	o := texted("hello")
	report := func(name string, with func(d rp.Data) rp.Message) error {
		o.ID = name
		done := w.sends(w.srv, "b", o)
		m, out := w.b.relayed()
		d := m.(rp.Data)
		w.b.answers(out, 202)
		for _, other := range []struct {
			m  rp.Message
			on string
		}{
			{rp.Ack{From: rp.Network, MR: d.MR + 1}, ""},                       // on another
			{rp.Ack{From: rp.Network, MR: d.MR}, "somebody-else"},              // likewise
			{rp.Ack{From: rp.Phone, MR: d.MR}, out.get("Call-ID")},             // of a phone: it is none
			{rp.Error{From: rp.Phone, MR: d.MR, Cause: rp.CallBarred}, ""},     // likewise
			{rp.Error{From: rp.Network, MR: d.MR - 1, Cause: rp.Rejected}, ""}, // on another
		} {
			var headers []string
			if other.on != "" {
				headers = append(headers, "In-Reply-To: "+other.on)
			}
			w.b.relays(numX, "smsc", other.m, headers...).response(202, "MESSAGE")
		}
		select {
		case err := <-done:
			t.Fatalf("%s: ended by a report on another: %v", name, err)
		default:
		}
		w.b.relays(numX, "smsc", with(d)).response(202, "MESSAGE")
		return wait(t, done)
	}
	duplicate := func(d rp.Data) rp.Message {
		return rp.Error{From: rp.Network, MR: d.MR, Cause: rp.Unspecified, TPDU: []byte{1, byte(rp.Duplicate), 0, 0x62, 0x11, 0x52, 0, 0, 0, 0}}
	}
	cause := func(c rp.Cause) func(d rp.Data) rp.Message {
		return func(d rp.Data) rp.Message { return rp.Error{From: rp.Network, MR: d.MR, Cause: c} }
	}
	require.NoError(t, report("taken", func(d rp.Data) rp.Message { return d.Ack(time.Now()) }))
	require.False(t, failure(t, report("nobody", cause(rp.UnassignedNumber))).Temporary)
	require.True(t, failure(t, report("later", cause(rp.Congestion))).Temporary)
	require.False(t, failure(t, report("never sent before", duplicate)).Temporary)
	o.Try = 1
	require.NoError(t, report("sent before", duplicate))
}

// TestRelayIsTriedAgain: with the same references, and told to be a repetition.
func TestRelayIsTriedAgain(t *testing.T) {
	w := open(t, relaying(newOffice(), trunk.UE))
	o := texted("hello")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- carrierOf(t, w.srv, "b").Send(ctx, o) }()
	m, out := w.b.relayed()
	first := m.(rp.Data)
	w.b.answers(out, 202)
	cancel() // before the report came
	err := wait(t, done)
	require.ErrorIs(t, err, context.Canceled)
	require.False(t, errors.As(err, new(*sms.Failure)), "nobody knows: another carrier must not have it")

	o.Try = 1
	again := w.sends(w.srv, "b", o)
	m, out = w.b.relayed()
	second := m.(rp.Data)
	require.Equal(t, first.MR, second.MR)
	require.Equal(t, byte(0x04), first.TPDU[0]^second.TPDU[0], "TP-RD")
	require.Equal(t, first.TPDU[1:], second.TPDU[1:])
	w.b.answers(out, 202)
	w.b.relays(numX, "smsc", second.Ack(time.Now())).response(202, "MESSAGE")
	require.NoError(t, wait(t, again))
}

// TestRelayWithoutAReport: nobody knows what became of the text.
func TestRelayWithoutAReport(t *testing.T) {
	w := open(t, relaying(newOffice(), trunk.UE), func(s *settings) { s.cfg.reportTime = 100 * time.Millisecond })
	done := w.sends(w.srv, "b", texted("hello"))
	_, out := w.b.relayed()
	w.b.answers(out, 202)
	err := wait(t, done)
	require.ErrorContains(t, err, "no report in 100ms")
	require.False(t, errors.As(err, new(*sms.Failure)))
}

// TestRelayFromARegisteredPhone: its texts are reported on to where it is, and
// it is no network, whatever it says.
func TestRelayFromARegisteredPhone(t *testing.T) {
	o := newOffice()
	w := open(t, phones, texting(o))
	w.a.registers(numA, "first secret")
	proven := func(m rp.Data) rp.Message {
		body, err := m.Marshal()
		require.NoError(t, err)
		d := w.a.relays("smsc", numA, m)
		asked := d.response(407, "MESSAGE")
		d.request("MESSAGE", string(body), "Content-Type: "+type3GPP,
			"Proxy-Authorization: "+proof(t, asked.get("Proxy-Authenticate"), "MESSAGE", d.target, numA, "first secret"))
		d.response(202, "MESSAGE")
		return w.a.reported(d)
	}
	tpdu, err := rp.Submit{Destination: rp.Number("+86" + numX), Content: rp.Content{Text: "mine"}}.Marshal()
	require.NoError(t, err)
	require.Equal(t, rp.Ack{From: rp.Network, MR: 1}, ack(proven(rp.Data{From: rp.Phone, MR: 1, TPDU: tpdu})))
	require.Equal(t, routing.Number("+86"+numA), o.last(t).Sender)
	require.Equal(t, "phone", o.last(t).Source)

	tpdu, err = rp.Deliver{Originator: rp.Number("+86" + numB), At: time.Now(), Content: rp.Content{Text: "from somebody else"}}.Marshal()
	require.NoError(t, err)
	require.Equal(t, rp.Error{From: rp.Phone, MR: 2, Cause: rp.WrongState}, proven(rp.Data{From: rp.Network, MR: 2, TPDU: tpdu}))
	require.Len(t, o.all(), 1)
}
