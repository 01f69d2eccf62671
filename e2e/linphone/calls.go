package linphone

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/zaf/g711"
)

// Call calls a number through the phone's server and returns once the call is
// under way.
func (p *Phone) Call(ctx context.Context, number string) error {
	_, err := p.order(ctx, fmt.Sprintf("call sip:%s@%s", number, p.cfg.Server.Addr()))
	return err
}

// Answer takes the call that rings, as soon as there is one.
func (p *Phone) Answer(ctx context.Context) error {
	for {
		_, err := p.order(ctx, "answer")
		if err == nil {
			return nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return err
		}
	}
}

// Hangup ends the call.
func (p *Phone) Hangup(ctx context.Context) error {
	_, err := p.order(ctx, "terminate")
	return err
}

// Say sends A-law speech in the call and returns at once.
func (p *Phone) Say(ctx context.Context, alaw []byte) error {
	file := filepath.Join(p.cfg.Dir, "say.wav")
	if err := os.WriteFile(file, wave(alaw), 0o600); err != nil {
		return err
	}
	_, err := p.order(ctx, "incall-player-start "+file)
	return err
}

// Status is the state of the call, such as LinphoneCallStreamsRunning; empty
// if there is none.
func (p *Phone) Status(ctx context.Context) string {
	said, err := p.command(ctx, "call-status", "Status: Error", "State: LinphoneCall")
	if err != nil || said == "Status: Error" {
		return ""
	}
	return strings.TrimPrefix(said, "State: ")
}

func (p *Phone) order(ctx context.Context, line string) (string, error) {
	said, err := p.command(ctx, line, "Status: ")
	if err == nil && said != "Status: Ok" {
		err = fmt.Errorf("linphone %s: %s", line, said)
	}
	return said, err
}

// wave is speech as a 16-bit WAV file.
func wave(alaw []byte) []byte {
	pcm := g711.DecodeAlaw(alaw)
	u32 := func(n int) string { return string([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}) }
	head := "RIFF" + u32(36+len(pcm)) + "WAVEfmt " + u32(16) + "\x01\x00\x01\x00" + u32(8000) + u32(16000) + "\x02\x00\x10\x00data" + u32(len(pcm))
	return append([]byte(head), pcm...)
}
