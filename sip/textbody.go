package sip

import (
	"errors"
	"mime"
	"strings"
	"unicode/utf8"

	"github.com/emiago/sipgo/sip"
	"golang.org/x/text/encoding/htmlindex"

	"axgate/sip/cpim"
)

// The forms of texts.
const (
	typePlain   = "text/plain"
	typeCPIM    = "message/cpim"
	type3GPP    = "application/vnd.3gpp.sms"
	acceptTexts = typePlain + ", " + typeCPIM + ", " + type3GPP
)

// plainUTF8 is the Content-Type of texts that we send.
const plainUTF8 = typePlain + ";charset=UTF-8"

// bodyForm is a Content-Type, its name and the names of its parameters in
// small letters.
type bodyForm struct {
	name   string
	params map[string]string
}

// formOf is what the body of a request is said to be. Without a word it is
// text (RFC 2045 section 5.2).
func formOf(req *sip.Request) bodyForm {
	h := req.ContentType()
	if h == nil {
		return bodyForm{name: typePlain}
	}
	return readForm(h.Value())
}

func readForm(contentType string) bodyForm {
	name, params, err := mime.ParseMediaType(contentType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		name = "" // none that is known
	}
	return bodyForm{name, params}
}

// wrongType is the answer to a body that is not read (RFC 3261 section 21.4.13).
func wrongType() *answer {
	return &answer{sip.StatusUnsupportedMediaType, phrase(sip.StatusUnsupportedMediaType), []sip.Header{sip.NewHeader("Accept", acceptTexts)}}
}

// checkCoding refuses a body that is compressed or the like.
func checkCoding(req *sip.Request) *answer {
	for _, coding := range tags(req, "Content-Encoding") {
		if !strings.EqualFold(coding, "identity") {
			return &answer{sip.StatusUnsupportedMediaType, phrase(sip.StatusUnsupportedMediaType), []sip.Header{sip.NewHeader("Accept-Encoding", "identity")}}
		}
	}
	return nil
}

// readText reads the text of a MESSAGE of any form but 3GPP's. Whom a
// message/cpim names is not read: SIP tells who sent it and for whom it is.
func readText(form bodyForm, req *sip.Request) (string, *answer) {
	if refused := checkCoding(req); refused != nil {
		return "", refused
	}
	body := req.Body()
	if form.name == typeCPIM {
		m, err := cpim.Read(body)
		switch {
		case errors.Is(err, cpim.ErrRequired), errors.Is(err, cpim.ErrEncoding):
			return "", wrongType()
		case err != nil:
			return "", &answer{status: sip.StatusBadRequest, phrase: "Bad CPIM"}
		}
		form, body = readForm(m.Type), m.Body
	}
	if form.name != typePlain {
		return "", wrongType()
	}
	return decode(body, form.params["charset"])
}

// decode makes UTF-8 of a text in a character set. Characters of no use in a
// text, which not all databases can keep, are dropped.
func decode(body []byte, charset string) (string, *answer) {
	switch strings.ToLower(charset) {
	case "", "utf-8", "utf8", "us-ascii", "ascii":
	default:
		coding, err := htmlindex.Get(charset)
		if err != nil {
			return "", wrongType()
		}
		if name, _ := htmlindex.Name(coding); name == "replacement" { // known, and not to be read
			return "", wrongType()
		}
		if body, err = coding.NewDecoder().Bytes(body); err != nil {
			return "", &answer{status: sip.StatusBadRequest, phrase: "Bad Text"}
		}
	}
	if !utf8.Valid(body) {
		return "", &answer{status: sip.StatusBadRequest, phrase: "Text Is Not UTF-8"}
	}
	return strings.NewReplacer("\x00", "", "\ufeff", "").Replace(string(body)), nil
}
