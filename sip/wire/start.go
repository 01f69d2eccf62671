package wire

import (
	"errors"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// readStart makes a message of the start line, without header fields.
func (h *head) readStart() (sip.Message, error) {
	if strings.HasPrefix(h.start, "SIP/") {
		return h.readStatus()
	}
	method, rest, _ := strings.Cut(h.start, " ")
	target, version, _ := strings.Cut(rest, " ")
	if !isToken(method) || target == "" || len(version) < 4 || !strings.EqualFold(version[:4], "SIP/") || strings.IndexByte(version, ' ') >= 0 {
		return nil, bad("Bad Request Line")
	}
	if !strings.EqualFold(version, "SIP/2.0") {
		return nil, &badMessage{status: sip.StatusVersionNotSupported, phrase: "Version Not Supported"}
	}
	var uri sip.Uri
	if err := readURI(target, &uri); errors.Is(err, errScheme) {
		uri.Scheme = ""
	} else if err != nil {
		return nil, bad("Bad Request-URI")
	}
	switch uri.Scheme {
	case "sip", "sips":
		if uri.Headers != nil {
			return nil, bad("Header Fields In Request-URI")
		}
	case "tel":
	default:
		return nil, &badMessage{status: 416, phrase: "Unsupported URI Scheme"}
	}
	req := sip.NewRequest(sip.RequestMethod(method), uri)
	req.SipVersion = version
	return req, nil
}

func (h *head) readStatus() (sip.Message, error) {
	version, rest, _ := strings.Cut(h.start, " ")
	code, reason, ok := strings.Cut(rest, " ")
	n, err := strconv.Atoi(code)
	if !ok || len(code) != 3 || err != nil || n < 100 || n > 699 || strings.ContainsAny(h.start, "\r\n") {
		return nil, bad("Bad Status Line")
	}
	res := sip.NewResponse(n, reason)
	res.SipVersion = version
	return res, nil
}
