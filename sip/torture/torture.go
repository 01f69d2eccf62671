// Package torture holds the messages of RFC 4475 and RFC 5118, for tests.
package torture

import (
	"bytes"
	"embed"
	"fmt"
	"path"
	"strings"
)

//go:embed testdata/rfc4475/*.dat testdata/rfc5118/*.dat
var files embed.FS

// Message is one message as it is sent.
type Message struct {
	RFC  int
	Name string // as the RFC names it
	Raw  []byte
}

// Messages are all of them, by RFC and name.
func Messages() ([]Message, error) {
	var all []Message
	for _, rfc := range []int{4475, 5118} {
		dir := fmt.Sprintf("testdata/rfc%d", rfc)
		list, err := files.ReadDir(dir)
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", dir, err)
		}
		for _, f := range list {
			raw, err := files.ReadFile(path.Join(dir, f.Name()))
			if err != nil {
				return nil, fmt.Errorf("read %s: %w", f.Name(), err)
			}
			name := strings.TrimSuffix(f.Name(), ".dat")
			if rfc == 5118 || name == "baddn" {
				raw = printed(raw)
			}
			all = append(all, Message{RFC: rfc, Name: name, Raw: raw})
		}
	}
	return all, nil
}

// printed makes what the RFC prints of what its archive has: lines end with
// CRLF, the header with an empty line, and Content-Length counts the body.
func printed(raw []byte) []byte {
	text := strings.ReplaceAll(string(bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))), "\n", "\r\n")
	head, body, ok := strings.Cut(text, "\r\n\r\n")
	if !ok {
		head = strings.TrimSuffix(head, "\r\n")
	}
	lines := strings.Split(head, "\r\n")
	for i, l := range lines {
		if strings.HasPrefix(l, "Content-Length:") {
			lines[i] = fmt.Sprintf("Content-Length: %d", len(body))
		}
	}
	return []byte(strings.Join(lines, "\r\n") + "\r\n\r\n" + body)
}
