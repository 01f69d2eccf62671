package phone

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"axgate/media/dtmf"
	"axgate/media/tone"
)

// Keys is a way to send digits.
type Keys string

// The ways to send digits.
const (
	Events    Keys = "events"     // RTP telephone events (RFC 4733)
	Info      Keys = "info"       // SIP INFO, application/dtmf-relay
	InfoPlain Keys = "info-plain" // SIP INFO, application/dtmf
	InBand    Keys = "in-band"    // tones in the audio (ITU-T Q.23)
)

// How long a key is held, and the pause before the next, in frames of 20 ms.
const (
	keyFrames   = 5
	pauseFrames = 4
)

var errEnded = errors.New("phone: the call has ended")

// sound is something to send: a clip of A-law, or a key as tones or events.
type sound struct {
	clip []byte
	key  byte
	by   Keys
	tick int    // frames sent of a key
	held uint16 // duration of the event so far, in samples
	done chan struct{}
}

// outgoing is what goes out in one 20 ms frame: audio, or an event.
type outgoing struct {
	audio  []byte
	event  []byte
	times  int    // how often the event packet is sent
	back   uint32 // how long ago the event began, in samples
	marker bool
}

// next fills out with the next 20 ms of the queue, or silence. The caller
// holds the lock.
func (a *audio) next(out *outgoing) {
	for i := range out.audio {
		out.audio[i] = silence
	}
	if len(a.queue) == 0 {
		return
	}
	s := a.queue[0]
	over := false
	switch {
	case s.by == "":
		n := copy(out.audio, s.clip)
		s.clip = s.clip[n:]
		over = len(s.clip) == 0
	case s.by == InBand:
		if s.tick < keyFrames {
			tone.DTMF(s.key, out.audio, s.tick*frame)
		}
		s.tick++
		over = s.tick == keyFrames+pauseFrames
	default:
		s.event(out)
		s.tick++
		over = s.tick == keyFrames+1+pauseFrames
	}
	if over {
		a.queue = a.queue[1:]
		close(s.done)
	}
}

// event sends a key by RFC 4733 section 2.5.1: a growing duration under one
// timestamp, the marker on the first packet, the end three times.
func (s *sound) event(out *outgoing) {
	if s.tick > keyFrames {
		return // the pause
	}
	code, _ := dtmf.Event(s.key)
	out.back = uint32(s.tick) * frame
	out.marker = s.tick == 0
	out.times = 1
	end := s.tick == keyFrames
	if end {
		out.times = 3
	} else {
		s.held += frame
	}
	out.event = dtmf.Payload(nil, code, end, 10, s.held)
}

// Say sends A-law speech in real time after whatever is still being sent, and
// returns when the last of it went out.
func (c *Call) Say(ctx context.Context, alaw []byte) error {
	if len(alaw) == 0 {
		return nil
	}
	if err := c.audio.play(ctx, &sound{clip: alaw}); err != nil {
		return fmt.Errorf("say: %w", err)
	}
	return nil
}

// Press sends digits (0-9 * # A-D) one after the other and returns when the
// last was sent, with INFO also answered.
func (c *Call) Press(ctx context.Context, digits string, by Keys) error {
	for _, key := range []byte(strings.ToUpper(digits)) {
		if _, ok := dtmf.Event(key); !ok {
			return fmt.Errorf("press %q: %q is not a key: want 0-9 * # A-D", digits, key)
		}
		if err := c.press(ctx, key, by); err != nil {
			return fmt.Errorf("press %q: %w", digits, err)
		}
	}
	return nil
}

func (c *Call) press(ctx context.Context, key byte, by Keys) error {
	switch by {
	case Events:
		c.audio.mu.Lock()
		takes := c.audio.eventPT != 0
		c.audio.mu.Unlock()
		if !takes {
			return errors.New("the other side did not agree on telephone-event")
		}
		return c.audio.play(ctx, &sound{key: key, by: by})
	case InBand:
		return c.audio.play(ctx, &sound{key: key, by: by})
	case Info, InfoPlain:
		kind, body := "application/dtmf-relay", fmt.Sprintf("Signal=%c\r\nDuration=160\r\n", key)
		if by == InfoPlain {
			kind, body = "application/dtmf", string(key)
		}
		select {
		case <-c.Done(): // the other side may still be there to answer
			return errors.New("the call is over")
		default:
		}
		if err := c.info(ctx, kind, body); err != nil {
			return err
		}
		select { // a finger needs its time
		case <-time.After(100 * time.Millisecond):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-c.Done():
			return nil
		}
	}
	return fmt.Errorf("keys %q: want %s, %s, %s or %s", by, Events, Info, InfoPlain, InBand)
}
