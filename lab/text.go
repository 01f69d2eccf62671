package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"axgate/phone"
)

// Writing is a text that is to be sent to X.
type Writing struct {
	Server    string // host:port of axgate
	Transport string // udp or tcp
	Sender    Party
	Dial      string // X as it is dialled
	Text      string
	Receiver  Party         // the phone that takes it; no number: somebody else's
	Wait      time.Duration // for the text to arrive there
	Tell      func(format string, args ...any)
}

// Written is what the phones know of a text.
type Written struct {
	Began   time.Time
	Status  int    // SIP, as the sender got it
	Came    bool   // to the built-in receiver
	Shown   string // whom it sees as the sender
	Content string
	Leaks   []string // where the receiver could read the sender's number, but in [From…]
}

// Write registers the phones and sends the text. The error tells what kept it
// from being tried; how it went is what is given.
func Write(ctx context.Context, w Writing) (out Written, err error) {
	sender, err := register(ctx, w.Server, w.Transport, w.Sender, w.Tell)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, sender.Close()) }()
	var receiver *phone.Phone
	if w.Receiver.Number != "" {
		if receiver, err = register(ctx, w.Server, w.Transport, w.Receiver, w.Tell); err != nil {
			return out, err
		}
		defer func() { err = errors.Join(err, receiver.Close()) }()
	}
	return w.send(ctx, sender, receiver)
}

// send sends the text from one open phone and waits for it at the other.
func (w *Writing) send(ctx context.Context, sender, receiver *phone.Phone) (out Written, err error) {
	out.Began = time.Now()
	w.Tell("%s writes to %s: %s", w.Sender.Number, w.Dial, w.Text)
	sending, cancel := context.WithTimeout(ctx, w.Wait)
	defer cancel()
	if out.Status, err = sender.Text(sending, w.Dial, w.Text); err != nil {
		return out, fmt.Errorf("send the text: %w", err)
	}
	const accepted = 2
	if out.Status/100 != accepted {
		w.Tell("axgate answers %d", out.Status)
		return out, nil
	}
	if receiver == nil {
		return out, nil
	}
	for {
		select {
		case t := <-receiver.Texts():
			if !follows(t.Content, w.Text) { // one that waited for the phone
				continue
			}
			out.Came, out.Shown, out.Content = true, t.From, t.Content
			out.Leaks = leaks(bytes.ReplaceAll(t.Raw, []byte("[From"+w.Sender.Number+"]"), nil), w.Sender.Number)
			w.Tell("phone %s gets it from %s: %s", w.Receiver.Number, t.From, t.Content)
			return out, nil
		case <-sending.Done():
			if ctx.Err() != nil {
				return out, ctx.Err()
			}
			w.Tell("phone %s gets nothing within %v", w.Receiver.Number, w.Wait)
			return out, nil
		}
	}
}

// follows tells whether a text that came can be what was written: all of it, its
// first piece, it with [From…] behind it, or without its @number.
func follows(came, written string) bool {
	body := written
	if i := strings.LastIndexByte(written, '@'); i >= 0 {
		body = strings.TrimRight(written[:i], " ")
	}
	return came != "" && (strings.HasPrefix(came, body) || strings.HasPrefix(written, came))
}
