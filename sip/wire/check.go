package wire

import (
	"fmt"

	"github.com/emiago/sipgo/sip"
)

// badMessage is a request that is answered with its status and phrase.
type badMessage struct {
	status int
	phrase string
}

func (b *badMessage) Error() string { return fmt.Sprintf("%d %s", b.status, b.phrase) }

func bad(phrase string) error { return &badMessage{status: sip.StatusBadRequest, phrase: phrase} }

// check looks for what every request must have (RFC 3261 section 8.1.1).
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
	}
	if tag, _ := req.From().Params.Get("tag"); tag == "" && req.Method != sip.ACK && req.Method != sip.CANCEL {
		return bad("Missing From Tag")
	}
	if scheme := req.To().Address.Scheme; req.Method == sip.REGISTER && scheme != "sip" && scheme != "sips" {
		return bad("To Is No SIP Address") // RFC 3261 section 10.3
	}
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
	}
	return nil
}
