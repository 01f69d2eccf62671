package phone

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Text is a text message that came in (MESSAGE, RFC 3428).
type Text struct {
	At      time.Time
	From    string // user part of From: who is shown as its sender
	To      string // user part of To
	Content string
	ID      string // Call-ID
	Raw     []byte // the whole MESSAGE
}

// mostTexts is how many texts wait for a reader; more are refused for now.
const mostTexts = 1000

// Texts yields the texts that come in, each once however often it is sent.
func (p *Phone) Texts() <-chan Text { return p.texts }

// Text sends a text through the phone's server and returns the final status,
// whatever it is. The error says why there is none, or why a challenge was not
// answered; ctx bounds the wait.
func (p *Phone) Text(ctx context.Context, to, text string, options ...Option) (status int, err error) {
	d := dialling{from: p.cfg.Number}
	for _, o := range options {
		o(&d)
	}
	server, port, _ := sip.ParseAddr(p.cfg.Server)
	req := sip.NewRequest(sip.MESSAGE, sip.Uri{Scheme: "sip", User: to, Host: server, Port: port})
	from := &sip.FromHeader{DisplayName: p.cfg.Display, Address: sip.Uri{Scheme: "sip", User: d.from, Host: p.cfg.Domain}}
	from.Params.Add("tag", token())
	hops, id := sip.MaxForwardsHeader(70), sip.CallIDHeader(token())
	appendAll(req, &hops, from, &sip.ToHeader{Address: sip.Uri{Scheme: "sip", User: to, Host: p.cfg.Domain}}, &id,
		&sip.CSeqHeader{SeqNo: 1, MethodName: sip.MESSAGE}, sip.NewHeader("User-Agent", p.cfg.Agent))
	appendAll(req, d.headers...)
	req.AppendHeader(sip.NewHeader("Content-Type", "text/plain;charset=UTF-8"))
	req.SetBody([]byte(text))
	res, err := p.deliver(ctx, req)
	if err == nil && challenge(res) {
		var proof sip.Header
		if proof, err = p.prove(req, res); err != nil {
			return res.StatusCode, fmt.Errorf("text %s: %w", to, err)
		}
		again := req.Clone()
		again.RemoveHeader("Via")
		again.CSeq().SeqNo++
		again.AppendHeader(proof)
		res, err = p.deliver(ctx, again)
	}
	if err != nil {
		return 0, fmt.Errorf("text %s: %w", to, err)
	}
	return res.StatusCode, nil
}

func (p *Phone) deliver(ctx context.Context, req *sip.Request) (*sip.Response, error) {
	tx, err := p.send(ctx, req)
	if err != nil {
		return nil, err
	}
	return final(ctx, tx)
}

// onMessage takes a text.
func (p *Phone) onMessage(req *sip.Request, tx sip.ServerTransaction) {
	if req.From() == nil || req.To() == nil || req.CallID() == nil || req.CSeq() == nil {
		refuse(req, tx, sip.StatusBadRequest, "Bad Request")
		return
	}
	if err := plain(req); err != nil {
		res := sip.NewResponseFromRequest(req, sip.StatusUnsupportedMediaType, "Unsupported Media Type", nil)
		res.AppendHeader(sip.NewHeader("Accept", "text/plain"))
		_ = tx.Respond(res)
		return
	}
	if !p.keep(Text{At: time.Now(), From: req.From().Address.User, To: req.To().Address.User, Content: string(req.Body()),
		ID: req.CallID().Value(), Raw: []byte(req.String())}, req.CSeq().SeqNo) {
		refuse(req, tx, sip.StatusTemporarilyUnavailable, "Temporarily Unavailable")
		return
	}
	_ = tx.Respond(sip.NewResponseFromRequest(req, sip.StatusOK, "OK", nil))
}

// keep hands a text to the reader unless it was handed on before. false: there
// are too many that nobody read.
func (p *Phone) keep(t Text, seq uint32) bool {
	key := fmt.Sprintf("%s %d", t.ID, seq)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen[key] {
		return true
	}
	select {
	case p.texts <- t:
	default:
		return false
	}
	if len(p.seen) == maxMessages {
		clear(p.seen)
	}
	p.seen[key] = true
	return true
}

// plain tells why a body cannot be shown as it is.
func plain(req *sip.Request) error {
	h := req.ContentType()
	if h == nil {
		return errors.New("no Content-Type")
	}
	kind, params, err := mime.ParseMediaType(h.Value())
	if err != nil {
		return err
	}
	if charset := params["charset"]; kind != "text/plain" || charset != "" && !strings.EqualFold(charset, "utf-8") && !strings.EqualFold(charset, "us-ascii") {
		return fmt.Errorf("it is %s", h.Value())
	}
	return nil
}
