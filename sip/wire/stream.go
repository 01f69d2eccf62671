package wire

import (
	"bytes"
	"errors"
	"strings"
)

// errPing tells of a double CRLF before a message: the peer wants to know
// whether we live (RFC 5626 section 3.5.1).
var errPing = errors.New("keep-alive")

// framer cuts a stream into messages by Content-Length (RFC 3261 section
// 18.3). It holds what arrived, never what was announced.
type framer struct {
	buf    []byte
	seen   int // bytes of buf in which the end of the header was looked for
	total  int // size of the message that has begun; 0: not known yet
	breaks int // CRs and LFs before the message
}

// feed appends what was read.
func (f *framer) feed(data []byte) { f.buf = append(f.buf, data...) }

// begun tells whether a part of a message is here.
func (f *framer) begun() bool { return len(f.buf) > 0 }

// next returns the next whole message, nothing while there is none, or errPing.
// With another error the stream is out of step and of no more use; the bytes
// are those of the header, for a refusal. What it returns is good until feed.
func (f *framer) next() ([]byte, error) {
	if f.total == 0 {
		if err := f.skip(); err != nil {
			return nil, err
		}
		if len(f.buf) == 0 {
			f.buf, f.seen = nil, 0 // an idle connection keeps no buffer
			return nil, nil
		}
		i := bytes.Index(f.buf[f.seen:], []byte("\r\n\r\n"))
		if i < 0 {
			if f.seen = max(0, len(f.buf)-3); len(f.buf) > maxHead {
				return f.buf, bad("Header Too Large")
			}
			return nil, nil
		}
		end := f.seen + i + 4
		if end > maxHead {
			return f.buf[:end], bad("Header Too Large")
		}
		length, err := contentLength(f.buf[:end])
		if err != nil {
			return f.buf[:end], err
		}
		f.total = end + length
	}
	if len(f.buf) < f.total {
		return nil, nil
	}
	msg := f.buf[:f.total:f.total]
	f.buf, f.seen, f.total = f.buf[f.total:], 0, 0
	return msg, nil
}

// skip drops line breaks before a message (RFC 3261 section 7.5), two CRLFs at
// a time as a keep-alive.
func (f *framer) skip() error {
	for len(f.buf) > 0 && (f.buf[0] == '\r' || f.buf[0] == '\n') {
		f.buf = f.buf[1:]
		if f.breaks++; f.breaks == 4 {
			f.breaks = 0
			return errPing
		}
	}
	if len(f.buf) > 0 {
		f.breaks = 0
	}
	return nil
}

// contentLength finds where the body of a message in a stream ends. One value
// must be there: with none, or two, the next message cannot be found.
func contentLength(raw []byte) (int, error) {
	found := -1
	for _, l := range bytes.Split(raw, crlf) {
		name, value, ok := bytes.Cut(l, []byte(":"))
		if !ok || l[0] == ' ' || l[0] == '\t' {
			continue
		}
		switch n := strings.ToLower(string(bytes.TrimRight(name, " \t"))); n {
		case "content-length", "l":
		default:
			continue
		}
		v, ok := number(string(bytes.Trim(value, " \t")), maxDatagram)
		if found >= 0 || !ok {
			return 0, bad("Bad Content-Length")
		}
		found = int(v)
	}
	if found < 0 {
		return 0, bad("Missing Content-Length")
	}
	return found, nil
}
