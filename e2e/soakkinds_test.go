//go:build e2e

package e2e

import (
	"context"
	"fmt"

	"axgate/phone"
	"axgate/phone/speech"
)

// bathKind is a kind of call. The callee's call comes over the channel.
type bathKind struct {
	name string
	ext  bool
	play func(ctx context.Context, out *phone.Call, rings <-chan *phone.Call) error
}

var bathKinds = []bathKind{
	{"the caller hangs up", false, func(ctx context.Context, out *phone.Call, rings <-chan *phone.Call) error {
		in, err := taken(ctx, out, rings)
		if err == nil {
			err = over(ctx, out, in)
		}
		return err
	}},
	{"the callee hangs up", false, func(ctx context.Context, out *phone.Call, rings <-chan *phone.Call) error {
		in, err := taken(ctx, out, rings)
		if err == nil {
			err = over(ctx, in, out)
		}
		return err
	}},
	{"busy", false, func(ctx context.Context, out *phone.Call, rings <-chan *phone.Call) error {
		in, err := ringing(ctx, out, rings)
		if err == nil {
			err = in.Reject(486, 17)
		}
		return ends(ctx, out, err, 486)
	}},
	{"given up", false, func(ctx context.Context, out *phone.Call, rings <-chan *phone.Call) error {
		in, err := ringing(ctx, out, rings)
		if err == nil {
			err = out.WaitRinging(ctx)
		}
		if err == nil {
			err = out.Hangup(ctx)
		}
		return ends(ctx, in, err, 487)
	}},
	{"no answer", false, func(ctx context.Context, out *phone.Call, rings <-chan *phone.Call) error {
		_, err := ringing(ctx, out, rings)
		return ends(ctx, out, err, 480)
	}},
	{"an extension", true, func(ctx context.Context, out *phone.Call, rings <-chan *phone.Call) error {
		in, err := ringing(ctx, out, rings)
		if err == nil {
			err = in.Answer(ctx)
		}
		if err == nil {
			err = over(ctx, in, out)
		}
		return err
	}},
	{"recorded", false, func(ctx context.Context, out *phone.Call, rings <-chan *phone.Call) error {
		in, err := taken(ctx, out, rings)
		if err == nil {
			err = out.Say(ctx, speech.First()[:28000])
		}
		if err == nil {
			err = over(ctx, out, in)
		}
		return err
	}},
}

func ringing(ctx context.Context, out *phone.Call, rings <-chan *phone.Call) (*phone.Call, error) {
	select {
	case in := <-rings:
		return in, in.Ring()
	case <-out.Done():
		return nil, fmt.Errorf("the call ended before the callee was reached: %d %s", out.End().Status, out.End().Phrase)
	case <-ctx.Done():
		return nil, fmt.Errorf("the callee is not reached: %w", ctx.Err())
	}
}

func taken(ctx context.Context, out *phone.Call, rings <-chan *phone.Call) (*phone.Call, error) {
	in, err := ringing(ctx, out, rings)
	if err == nil {
		err = in.Answer(ctx)
	}
	if err == nil {
		err = out.WaitAnswer(ctx)
	}
	return in, err
}

// over hangs up and waits for the end on the other side.
func over(ctx context.Context, first, other *phone.Call) error {
	if err := first.Hangup(ctx); err != nil {
		return err
	}
	_, err := other.WaitEnd(ctx)
	return err
}

// ends waits for the end of a call that nobody answered.
func ends(ctx context.Context, c *phone.Call, before error, status int) error {
	if before != nil {
		return before
	}
	end, err := c.WaitEnd(ctx)
	if err == nil && end.Status != status {
		err = fmt.Errorf("%d %s, want %d", end.Status, end.Phrase, status)
	}
	return err
}
