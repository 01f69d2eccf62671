package sip

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/wire"
	"axgate/sms"
)

// textTime bounds how long the office may take to keep a text: its sender
// repeats it meanwhile, and gives up after 32 s.
const textTime = 10 * time.Second

// maxTexts is how many texts are handed over at a time.
const maxTexts = 256

// desk bounds the goroutines that hand texts over, and waits for them.
type desk struct {
	mu     sync.Mutex
	busy   int
	closed bool
	wait   sync.WaitGroup
}

// start runs f unless too many run or the desk is closed.
func (d *desk) start(f func()) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || d.busy >= maxTexts {
		return false
	}
	d.busy++
	d.wait.Go(func() {
		defer func() {
			d.mu.Lock()
			d.busy--
			d.mu.Unlock()
		}()
		f()
	})
	return true
}

// close lets nothing start any more and waits for what runs.
func (d *desk) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.wait.Wait()
}

// handOver gives a text to the office and answers its MESSAGE by what became of
// it. judge, if there is one, has the first say; it returns what is to be done
// behind the answer, or nil.
func (s *Server) handOver(tx *wire.ServerTx, in sms.Incoming, judge func(sms.Receipt) (*answer, func())) {
	ok := s.desk.start(func() {
		ctx, cancel := context.WithTimeout(context.Background(), textTime)
		defer cancel()
		receipt, err := s.cfg.Texts.Receive(ctx, in)
		if err != nil {
			s.log.Error().Err(err).Str("source", in.Source).Str("x", string(in.X)).Msg("take a text")
			s.reply(tx, sip.StatusInternalServerError, phrase(sip.StatusInternalServerError))
			return
		}
		var a *answer
		var then func()
		if judge != nil {
			a, then = judge(receipt)
		}
		if a == nil {
			a = s.received(receipt)
		}
		s.log.Info().Str("sms", receipt.ID).Str("source", in.Source).Str("x", string(in.X)).Int("status", a.status).Msg("text")
		s.reply(tx, a.status, a.phrase, a.headers...)
		if then != nil {
			then()
		}
	})
	if !ok {
		s.reply(tx, sip.StatusServiceUnavailable, phrase(sip.StatusServiceUnavailable), s.retryAfter())
	}
}

// received is the answer to a MESSAGE by what became of its text.
func (s *Server) received(receipt sms.Receipt) *answer {
	status := sip.StatusAccepted
	switch receipt.Outcome {
	case sms.Refused:
		status = sip.StatusForbidden
	case sms.Unknown:
		status = sip.StatusNotFound
	case sms.TooLong:
		status = sip.StatusRequestEntityTooLarge
	case sms.Limited, sms.Busy:
		status = sip.StatusTemporarilyUnavailable // 503 would rest the whole trunk for one sender (RFC 3261 section 21.5.4)
		if receipt.Outcome == sms.Busy {
			status = sip.StatusServiceUnavailable
		}
		after := max(int((receipt.After+time.Second-1)/time.Second), 1)
		return &answer{status, phrase(status), []sip.Header{sip.NewHeader("Retry-After", strconv.Itoa(after))}}
	}
	return &answer{status: status, phrase: phrase(status)}
}

// digestOf makes a name of at most 64 characters of what identifies a thing;
// nothing of it can be read in the name.
func digestOf(parts ...any) string {
	h := sha256.New()
	for _, p := range parts {
		text := fmt.Sprint(p)
		_, _ = fmt.Fprintf(h, "%d:%s", len(text), text) // a hash takes all
	}
	return hex.EncodeToString(h.Sum(nil))
}
