package wire

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"

	"axgate/sip/torture"
)

func tortures(t testing.TB) map[string][]byte {
	t.Helper()
	all, err := torture.Messages()
	require.NoError(t, err)
	m := map[string][]byte{}
	for _, msg := range all {
		m[msg.Name] = msg.Raw
	}
	require.Len(t, m, 61)
	return m
}

// parser is a stack that parses and listens to nothing.
func parser() *Stack { return &Stack{} }

// TestWhatIsWellFormed has the verdict of the parser alone; sip/torture has
// what the whole server answers.
func TestWhatIsWellFormed(t *testing.T) {
	const refused = "badinv01 clerr ncl scalar02 scalarlg quotbal ltgtruri lwsruri lwsstart trws escruri regbadct badaspec baddn badvers " +
		"mismatch01 mismatch02 bigcode badbranch insuf unkscm novelsc unksm2 multi01 mcl01 inv2543 ipv6-bad"
	for name, raw := range tortures(t) {
		_, _, err := parser().parse(raw, false, Peer{})
		want := strings.Contains(" "+refused+" ", " "+name+" ")
		require.Equal(t, want, err != nil, "%s: %v", name, err)
	}
}

// TestWhatIsRead looks at what unusual spellings mean.
func TestWhatIsRead(t *testing.T) {
	raws := tortures(t)
	read := func(name string) sip.Message {
		msg, _, err := parser().parse(raws[name], false, Peer{})
		require.NoError(t, err, name)
		return msg
	}
	request := func(name string) *sip.Request { return read(name).(*sip.Request) }

	r := request("wsinv")
	var vias []string
	for _, h := range r.GetHeaders("Via") {
		v := h.(*sip.ViaHeader)
		branch, _ := v.Params.Get("branch")
		vias = append(vias, fmt.Sprintf("%s %s %s", v.Transport, v.Host, branch))
	}
	require.Equal(t, []string{"UDP 192.0.2.2 390skdjuw", "TCP spindle.example.com z9hG4bK9ikj8", "UDP 192.168.255.111 z9hG4bK30239"}, vias)
	tag, _ := r.To().Params.Get("tag")
	require.Equal(t, "1918181833n", tag)
	tag, _ = r.From().Params.Get("tag")
	require.Equal(t, "98asjd8", tag)
	require.Equal(t, `J Rosenberg \\\"`, r.From().DisplayName)
	require.EqualValues(t, 68, r.MaxForwards().Val())
	require.EqualValues(t, 9, r.CSeq().SeqNo)
	require.Equal(t, "sip:jdrosen@example.com", r.Contact().Address.String())
	require.Equal(t, "newfangled value continued newfangled value", r.GetHeader("NewFangledHeader").Value())
	require.Len(t, r.Body(), 150)

	r = request("intmeth")
	require.EqualValues(t, "!interesting-Method0123456789_*+`.%indeed'~", r.Method)
	require.Equal(t, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*", r.Recipient.User)
	require.Equal(t, "example.com", r.Recipient.Host)
	tag, _ = r.From().Params.Get("tag")
	require.Equal(t, "_token~1'+`*%!-.", tag)

	require.EqualValues(t, "RE%47IST%45R", request("esc02").Method)
	require.Equal(t, "sips%3Auser%40example.com", request("esc01").Recipient.User)
	require.Equal(t, "user;par=u%40example.net", request("semiuri").Recipient.User)
	require.Len(t, request("longreq").GetHeaders("Via"), 34)
	require.Empty(t, request("dblreq").Body())
	require.Len(t, request("mpart01").Body(), 553)
	require.Equal(t, "", read("noreason").(*sip.Response).Reason)
	require.Equal(t, "= 2**3 * 5**2 но сто девяносто девять - простое", read("unreason").(*sip.Response).Reason)
	r = request("cparam01")
	require.True(t, r.Contact().Params.Has("unknownparam"))
	require.False(t, r.Contact().Address.UriParams.Has("unknownparam"))
	r = request("cparam02")
	require.False(t, r.Contact().Params.Has("unknownparam"))
	require.True(t, r.Contact().Address.UriParams.Has("unknownparam"))
	require.Equal(t, "[2001:db8::10:5070]", request("port-ambiguous").Recipient.Host)
	require.Equal(t, 5070, request("port-unambiguous").Recipient.Port)
	received, _ := request("via-received-param-no-delim").Via().Params.Get("received")
	require.Equal(t, "2001:db8::9:255", received)
}

// TestLimits has what is refused for its size.
func TestLimits(t *testing.T) {
	r := &raw{t: t, c: newRaw(t).c}
	good := r.request("OPTIONS", "o", 1, "")
	with := func(header string) string { return strings.Replace(good, "Content-Length", header+"Content-Length", 1) }
	for name, c := range map[string]struct{ msg, want string }{
		"good":               {good, ""},
		"many fields":        {with(strings.Repeat("X: y\r\n", maxLines)), "Too Many Header Fields"},
		"a long field":       {with("X: " + strings.Repeat("y", maxLine) + "\r\n"), "Header Too Large"},
		"a long folded one":  {with("X: y\r\n" + strings.Repeat(" "+strings.Repeat("y", 70)+"\r\n", 120)), "Header Too Large"},
		"a large header":     {with(strings.Repeat("X: "+strings.Repeat("y", 500)+"\r\n", 70)), "Header Too Large"},
		"no colon":           {with("hello\r\n"), "Header Field Without Colon"},
		"a space in a name":  {with("X y: z\r\n"), "Bad Header Field Name"},
		"a bare LF":          {with("X: y\nVia: SIP/2.0/UDP evil;branch=z9hG4bKe\r\n"), "Bare CR or LF"},
		"a body beyond":      {strings.Replace(good, "Content-Length: 0", "Content-Length: 1", 1), "Content-Length Beyond Datagram"},
		"a huge length":      {strings.Replace(good, "Content-Length: 0", "Content-Length: 99999999999999999999", 1), "Bad Content-Length"},
		"a signed length":    {strings.Replace(good, "Content-Length: 0", "Content-Length: +0", 1), "Bad Content-Length"},
		"no end":             {strings.TrimSuffix(good, "\r\n"), "Header Without End"},
		"a lower method":     {strings.Replace(good, "OPTIONS sip", "options sip", 1), "CSeq Method Mismatch"},
		"two lengths":        {with("l: 0\r\n"), "Repeated content-length"},
		"a port too large":   {strings.Replace(good, "<sip:17010000001@127.0.0.1>", "<sip:17010000001@127.0.0.1:99999>", 1), "Bad to"},
		"a bad escape":       {strings.Replace(good, "<sip:17010000001@", "<sip:1701000%0x001@", 1), "Bad to"},
		"spaces before ends": {strings.Replace(good, "Max-Forwards: 70", "Max-Forwards  :  70  ", 1), ""},
	} {
		_, _, err := parser().parse([]byte(c.msg), false, Peer{})
		var b *badMessage
		if !errors.As(err, &b) {
			b = &badMessage{}
		}
		require.Equal(t, c.want, b.phrase, name)
	}
	msg, _, err := parser().parse([]byte(good+"more than the length says"), false, Peer{})
	require.NoError(t, err)
	require.Empty(t, msg.Body())
}
