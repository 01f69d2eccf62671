package wire

import (
	"fmt"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// badMessage is a request that is answered with its status and phrase.
type badMessage struct {
	status int
	phrase string
}

func (b *badMessage) Error() string { return fmt.Sprintf("%d %s", b.status, b.phrase) }

func bad(phrase string) error { return &badMessage{status: sip.StatusBadRequest, phrase: phrase} }

// check looks for what every request must have (RFC 3261 section 8.1.1). It
// also parses these headers now, in the goroutine that reads.
func check(req *sip.Request) error {
	switch {
	case req.Via() == nil:
		return bad("Missing Via")
	case req.CallID() == nil || req.CallID().Value() == "":
		return bad("Missing Call-ID")
	case req.From() == nil:
		return bad("Missing From")
	case req.To() == nil:
		return bad("Missing To")
	case req.CSeq() == nil:
		return bad("Missing CSeq")
	case req.CSeq().MethodName != req.Method:
		return bad("CSeq Method Mismatch")
	case !strings.EqualFold(req.SipVersion, "SIP/2.0"):
		return &badMessage{status: sip.StatusVersionNotSupported, phrase: "Version Not Supported"}
	}
	if tag, _ := req.From().Params.Get("tag"); tag == "" && req.Method != sip.ACK && req.Method != sip.CANCEL {
		return bad("Missing From Tag")
	}
	if scheme := req.To().Address.Scheme; req.Method == sip.REGISTER && scheme != "sip" && scheme != "sips" {
		return bad("To Is No SIP Address") // RFC 3261 section 10.3
	}
	req.Contact()
	req.MaxForwards()
	req.RecordRoute()
	req.Route()
	req.ContentType()
	return nil
}

func checkResponse(res *sip.Response) error {
	switch {
	case res.Via() == nil:
		return bad("Missing Via")
	case res.CallID() == nil:
		return bad("Missing Call-ID")
	case res.From() == nil:
		return bad("Missing From")
	case res.To() == nil:
		return bad("Missing To")
	case res.CSeq() == nil:
		return bad("Missing CSeq")
	case res.StatusCode < 100 || res.StatusCode > 699:
		return bad("Status Out Of Range")
	}
	res.Contact()
	res.RecordRoute()
	res.ContentType()
	return nil
}

// unquoteRepeated takes the quotes of values with blanks away in the headers
// that an answer repeats: sipgo keeps them when it reads, and writes its own.
func unquoteRepeated(msg sip.Message) {
	for _, h := range msg.GetHeaders("Via") {
		if v, ok := h.(*sip.ViaHeader); ok {
			unquoteBlanks(v.Params)
		}
	}
	if h := msg.From(); h != nil {
		unquoteBlanks(h.Params)
	}
	if h := msg.To(); h != nil {
		unquoteBlanks(h.Params)
	}
}

func unquoteBlanks(params sip.HeaderParams) {
	for i, p := range params {
		if v := p.V; len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' && strings.ContainsAny(v, " \t") {
			params[i].V = v[1 : len(v)-1]
		}
	}
}
