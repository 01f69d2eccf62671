// Package cpim reads and writes message/cpim (RFC 3862): a text between
// headers that say from whom it is, to whom and of when. It knows nothing of
// SIP, and nothing that it reads says who somebody is: that is SIP's to tell.
package cpim

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net/textproto"
	"strings"
	"time"
	"unicode/utf8"
)

// Why a message is not read. ErrRequired: it asks for something to be
// understood that is not (RFC 3862 section 4.7). ErrEncoding: its content is in
// a transfer encoding that is not known.
var (
	ErrMalformed = errors.New("malformed message/cpim")
	ErrRequired  = errors.New("message/cpim requires a header that is not known")
	ErrEncoding  = errors.New("message/cpim has a transfer encoding that is not known")
)

// Bounds of what is read.
const (
	maxHeaders = 64
	maxSize    = 1 << 20
)

// Message is one message.
type Message struct {
	From, To string    // addresses in angle brackets, a name before them perhaps
	At       time.Time // zero: it does not say
	Type     string    // Content-Type of Body; read, text/plain if there is none
	Body     []byte    // without transfer encoding
}

// Read reads a message. The error is one of this package's.
func Read(raw []byte) (*Message, error) {
	if len(raw) > maxSize {
		return nil, fmt.Errorf("%w: %d bytes are too many", ErrMalformed, len(raw))
	}
	m := new(Message)
	rest, err := m.readHeaders(raw)
	if err != nil {
		return nil, err
	}
	r := bufio.NewReader(bytes.NewReader(rest))
	var mime textproto.MIMEHeader
	if len(rest) > 0 {
		if mime, err = textproto.NewReader(r).ReadMIMEHeader(); err != nil {
			return nil, fmt.Errorf("%w: headers of the content: %w", ErrMalformed, err)
		}
	}
	if m.Type = mime.Get("Content-Type"); m.Type == "" {
		m.Type = "text/plain"
	}
	if m.Body, err = content(r, mime.Get("Content-Transfer-Encoding")); err != nil {
		return nil, err
	}
	return m, nil
}

// readHeaders reads the headers of the message and returns what is behind the
// empty line that ends them.
func (m *Message) readHeaders(raw []byte) ([]byte, error) {
	for range maxHeaders {
		line, rest, found := bytes.Cut(raw, []byte("\n"))
		if !found {
			return nil, fmt.Errorf("%w: no content", ErrMalformed)
		}
		raw = rest
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) == 0 {
			return raw, nil
		}
		name, value, ok := strings.Cut(string(line), ":")
		if !ok || !token(name) || !utf8.ValidString(value) {
			return nil, fmt.Errorf("%w: a header without a name", ErrMalformed)
		}
		value = unescape(strings.TrimSpace(value))
		switch strings.ToLower(name) { // they are case sensitive, and not everybody knows it
		case "from":
			m.From = value
		case "to":
			m.To = value
		case "datetime":
			m.At, _ = time.Parse(time.RFC3339, value) // what it says is not needed
		case "require":
			return nil, ErrRequired
		}
	}
	return nil, fmt.Errorf("%w: more than %d headers", ErrMalformed, maxHeaders)
}

// token tells whether a text can be the name of a header, perhaps with the
// prefix of a name space before it, and a language behind it.
func token(s string) bool {
	return s != "" && strings.IndexFunc(s, func(c rune) bool { return c <= ' ' || c >= 0x7f }) < 0
}

// unescape undoes RFC 3862 section 2.3.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 'b':
			b.WriteByte('\b')
		case 't':
			b.WriteByte('\t')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func content(r io.Reader, encoding string) ([]byte, error) {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "7bit", "8bit", "binary":
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	default:
		return nil, fmt.Errorf("%w: %.40q", ErrEncoding, encoding)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return body, nil
}

// Write writes the message. The error tells which field cannot stand in a
// header.
func (m *Message) Write() ([]byte, error) {
	var b bytes.Buffer
	header := func(name, value string) error {
		if !utf8.ValidString(value) || strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c == 0x7f }) {
			return fmt.Errorf("write message/cpim: a control character in %s", name)
		}
		b.WriteString(name + ": " + value + "\r\n")
		return nil
	}
	if err := errors.Join(header("From", m.From), header("To", m.To)); err != nil {
		return nil, err
	}
	if !m.At.IsZero() {
		_ = header("DateTime", m.At.UTC().Format(time.RFC3339))
	}
	b.WriteString("\r\n")
	if err := header("Content-Type", m.Type); err != nil {
		return nil, err
	}
	b.WriteString("\r\n")
	b.Write(m.Body)
	return b.Bytes(), nil
}
