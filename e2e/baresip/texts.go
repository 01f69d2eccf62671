package baresip

import (
	"context"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Text is a text message that the phone has shown.
type Text struct {
	From string // the user part of the sender's address
	Body string
}

// console is where the phone shows texts.
type console struct {
	conn net.Conn
	mu   sync.Mutex
	said []byte
}

func (c *console) read() {
	buf := make([]byte, 4096)
	for {
		n, err := c.conn.Read(buf)
		if err != nil {
			return
		}
		c.mu.Lock()
		c.said = append(c.said, buf[:n]...)
		c.mu.Unlock()
	}
}

// shown is how the console shows a text.
var shown = regexp.MustCompile(`(?s)\r<?sip:([^@\s]+)@[^\s"]+: "(.*?)"\n`)

// Texts are the text messages that the phone has shown so far.
func (p *Phone) Texts() []Text {
	p.console.mu.Lock()
	defer p.console.mu.Unlock()
	var all []Text
	for _, m := range shown.FindAllSubmatch(p.console.said, -1) {
		all = append(all, Text{From: string(m[1]), Body: string(m[2])})
	}
	return all
}

// Text sends a text message (one line) to one of the contacts and gives the
// status of the final response.
func (p *Phone) Text(ctx context.Context, to, body string) (status string, err error) {
	wanted := slices.Index(p.cfg.Contacts, to)
	if wanted < 0 {
		return "", fmt.Errorf("baresip: %s is no contact", to)
	}
	for p.current != wanted {
		step, by := "contact_next", 1
		if wanted < p.current {
			step, by = "contact_prev", -1
		}
		if _, err := p.Command(ctx, step, ""); err != nil {
			return "", err
		}
		p.current += by
	}
	before := len(responses(p.Output()))
	if _, err := p.Command(ctx, "message", body); err != nil {
		return "", err
	}
	for {
		for _, status := range responses(p.Output())[before:] {
			if status >= "200" && status != "401" && status != "407" {
				return status, nil
			}
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return "", fmt.Errorf("baresip's text has no response: %w; it said:\n%s", ctx.Err(), p.Output())
		}
	}
}

// responses are the statuses of what came in answer to texts, by the SIP trace.
func responses(trace string) []string {
	var all []string
	for _, message := range strings.Split(trace, "SIP/2.0 ")[1:] {
		head, _, _ := strings.Cut(message, "\r\n\r\n")
		if strings.Contains(head, " MESSAGE\r\n") && strings.Contains(head, "CSeq:") && len(head) > 3 {
			all = append(all, head[:3])
		}
	}
	return all
}
