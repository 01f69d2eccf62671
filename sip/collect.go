package sip

import (
	"context"
	"errors"
	"strings"
	"time"

	"axgate/events"
	"axgate/media"
	"axgate/routing"
)

// collect answers the caller and takes the extension (section 3, AXE digits).
// The way to A is not answered yet, so nobody is charged for a talk.
func (c *call) collect() (routing.End, bool) {
	if err := c.recorded(); err != nil {
		c.log.Error().Err(err).Msg("answer the caller")
		return endNotRecorded, false
	}
	if end, over := c.leftMeanwhile(); over {
		if c.rec.ReleasedBy != 0 {
			end = routing.EndLeftCollect
		}
		return end, false
	}
	if end, ok := c.openForKeys(); !ok {
		if c.rec.ReleasedBy != 0 {
			end = routing.EndLeftCollect
		}
		return end, false
	}
	defer c.media.Listen(media.Caller, false)
	app := c.d.App
	scene := routing.SceneEnter
	for try := 0; ; try++ {
		typed, how := c.digits(scene, entry{length: app.ExtDigits, again: try > 0})
		if end, broken := c.collectBroken(how); broken {
			return end, false
		}
		if typed == "" {
			c.announce("", routing.SceneNothing)
			return routing.EndNothing, false
		}
		c.note(events.CollectInfo, typed)
		c.log.Info().Str("extension", typed).Msg("digits")
		end, wrong, ok := c.extension(routing.Extension(typed))
		if ok || end.Word != routing.EndWrongExt.Word {
			return end, ok
		}
		if end, broken := c.collectBroken(c.dawdle(wrong)); broken {
			return end, false
		}
		if try >= app.Retries {
			c.announce("", routing.SceneWrong)
			return end, false
		}
		scene = routing.SceneWrongAgain
	}
}

// collectBroken tells how a call ends whose caller cannot go on typing.
func (c *call) collectBroken(how happening) (routing.End, bool) {
	switch how.kind {
	case left:
		c.rec.ReleasedBy = 1
		return routing.EndLeftCollect, true
	case lost, silent:
		return routing.EndCallerGone, true
	case ordered:
		return *how.end, true
	}
	return routing.End{}, false
}

// extension asks who has it; the rules may still refuse. wrong is how many
// wrong ones the caller typed lately.
func (c *call) extension(ext routing.Extension) (end routing.End, wrong int, ok bool) {
	ctx, cancel := context.WithTimeout(context.Background(), c.srv.cfg.patience)
	defer cancel()
	d, err := c.srv.router.DecideExtension(ctx, c.q, ext)
	if err != nil {
		c.log.Error().Err(err).Msg("decide on the extension")
		c.announce("", routing.SceneFault)
		return faultOf(errors.Join(err, ctx.Err())), 0, false
	}
	if d.Step == routing.Dial {
		c.adopt(d)
		return routing.End{}, 0, true
	}
	c.rec.Why = d.Why
	if d.End.Word != routing.EndWrongExt.Word {
		c.adopt(d)
		c.announce(d.Prompt, d.Scene)
	}
	return d.End, d.Wrong, false
}

// digits plays the scene's prompt once and takes an entry; a key pressed during
// the prompt ends it. The happening tells of a caller who left meanwhile; else
// it is of kind digit.
func (c *call) digits(scene routing.Scene, typed entry) (string, happening) {
	c.media.Listen(media.Caller, c.a.hearsTones())
	pause := time.NewTimer(c.srv.cfg.FirstDigit)
	defer pause.Stop()
	total := time.NewTimer(c.srv.cfg.Digits)
	defer total.Stop()
	playing := false
	if name, clip, ok := c.srv.prompts.Clip(c.d.App, "", scene); ok {
		playing = true
		c.media.Play(media.Caller, media.Clip{Name: name, ALaw: clip})
		length := media.Clip{ALaw: clip}.Duration()
		pause.Reset(length + c.srv.cfg.FirstDigit)
		total.Reset(length + c.srv.cfg.Digits)
	}
	for {
		h := c.next(pause.C, total.C)
		switch h.kind {
		case digit:
			if h.side != media.Caller || typed.late(h.digit) {
				continue
			}
			if playing {
				c.media.Quiet(media.Caller)
				playing = false
			}
			pause.Reset(c.srv.cfg.InterDigit)
			if typed.press(h.digit) {
				return typed.whole(), h
			}
		case timeUp:
			return typed.whole(), happening{kind: digit}
		case left, lost, ordered, silent:
			return "", h
		}
	}
}

// entry is an extension as it is typed (docs/decisions/0003-digits.md).
type entry struct {
	length int
	again  bool // one was typed before, and the '#' behind it may yet come
	keys   []byte
}

// late tells whether a key still belongs to the entry before: that was whole
// without the '#' that some press all the same.
func (e *entry) late(key byte) bool {
	late := e.again && key == '#'
	e.again = false
	return late
}

// press takes a key: '#' ends the entry, '*' starts it anew. It tells whether
// the entry is complete.
func (e *entry) press(key byte) bool {
	switch {
	case key == '#':
		return true
	case key == '*':
		e.keys = nil
	case key >= '0' && key <= '9':
		e.keys = append(e.keys, key)
	}
	return len(e.keys) == e.length
}

// whole is the extension, filled up with zeros from the left where it is
// short; empty: nothing was typed.
func (e *entry) whole() string {
	if len(e.keys) == 0 {
		return ""
	}
	return strings.Repeat("0", max(0, e.length-len(e.keys))) + string(e.keys)
}
