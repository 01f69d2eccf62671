package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"axgate/phone"
)

// Texted is what a demonstration found out about one text.
type Texted struct {
	Sender   string          `json:"sender"`
	Receiver string          `json:"receiver"`
	Wrote    string          `json:"wrote"`
	Status   int             `json:"status"`           // SIP, as the sender got it
	Shown    string          `json:"shown"`            // whom the receiver saw as the sender
	Read     string          `json:"read"`             // what the receiver got
	Notice   json.RawMessage `json:"notice,omitempty"` // smsEvent
	leaks    []string
}

// wrote is what the two write: one in another alphabet.
var wrote = [2]string{"I am downstairs.", "好的，马上下来"}

// texts has First write to Second through the X of the AXB app, and Second
// write back.
func (d *Demonstration) texts(ctx context.Context, r *Result) (err error) {
	ctx, cancel := context.WithTimeout(ctx, d.EventsWait)
	defer cancel()
	var phones [2]*phone.Phone
	parties := [2]Party{First, Second}
	for i, p := range parties {
		if phones[i], err = register(ctx, d.Server, "udp", p, func(string, ...any) {}); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, phones[i].Close()) }()
	}
	for i, text := range wrote {
		from, to := parties[i], parties[1-i]
		w := Writing{Sender: from, Receiver: to, Dial: strings.TrimPrefix(XofAXB, "+86"), Text: text, Wait: 15 * time.Second, Tell: d.Tell}
		out, err := w.send(ctx, phones[i], phones[1-i])
		if err != nil {
			return err
		}
		t := Texted{Sender: from.Number, Receiver: to.Number, Wrote: text, Status: out.Status, Shown: out.Shown, Read: out.Content, leaks: out.Leaks}
		if t.Notice, err = d.Receiver.Notice(ctx, XofAXB, from.Number, out.Began); err != nil {
			r.wrong("%v", err)
		}
		r.Texts = append(r.Texts, t)
	}
	return nil
}

// check holds a text against what has to be.
func (t *Texted) check(r *Result) {
	const accepted = 202
	if t.Status != accepted {
		r.wrong("the text of %s was answered %d", t.Sender, t.Status)
	}
	if t.Shown != r.X || t.Read != t.Wrote {
		r.wrong("%s reads %q of %q, not %q of X", t.Receiver, t.Read, t.Shown, t.Wrote)
	}
	for _, l := range t.leaks {
		r.wrong("the receiver can read the sender's number: %s", l)
	}
	if n := t.notice(); n.Called != t.Receiver || n.Result == nil || *n.Result != 0 {
		r.wrong("the notice of the text of %s does not say that it was sent to %s", t.Sender, t.Receiver)
	}
}

type notice struct {
	Called string `json:"called"`
	Result *int   `json:"sendResult"`
}

func (t *Texted) notice() (n notice) {
	_ = json.Unmarshal(t.Notice, &n) // none says nothing
	return n
}

// String tells of a text in one line.
func (t *Texted) String() string {
	n := t.notice()
	if n.Result == nil {
		return fmt.Sprintf("%s read %q, from %s; no notice", t.Receiver, t.Read, t.Shown)
	}
	return fmt.Sprintf("%s read %q, from %s; notice: sendResult %d", t.Receiver, t.Read, t.Shown, *n.Result)
}
