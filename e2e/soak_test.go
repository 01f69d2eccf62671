//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/gate"
	"axgate/phone"
	"axgate/phone/speech"
)

// soakWorkers make calls at the same time, each one after the other.
const soakWorkers = 20

// TestSoakCalls makes AXGATE_SOAK_CALLS calls of all kinds; afterwards nothing
// of them may be left. It is left out if that is not set: make soak sets it.
func TestSoakCalls(t *testing.T) {
	total, err := strconv.Atoi(os.Getenv("AXGATE_SOAK_CALLS"))
	if err != nil || total < 1 {
		t.Skip("AXGATE_SOAK_CALLS is no number of calls")
	}
	callees, err := phone.New(phone.Config{Number: "callees", Server: "127.0.0.1:9", ListenIP: trunkIP.String(), Codecs: []string{"PCMA"}})
	require.NoError(t, err)
	defer callees.Close()
	w, cfg := surroundings(t, nil, func(c *gate.Config) {
		c.Trunks[0].Address, c.RingTimeout, c.FirstDigit = callees.Addr(), 3*time.Second, 10*time.Second
	})
	number := func(side string, i int) string { return "+86137" + side + mobile(i)[len("+86138")+1:] }
	x, xe := w.takeX(t, appInforms), w.takeX(t, appAXE)
	cfg.Extra = "\nbindings:\n"
	for i := range soakWorkers {
		cfg.Extra += fmt.Sprintf("- {app: %s, x: %q, a: %q, b: %q, record: true}\n", appInforms, x, number("1", i), number("2", i))
		cfg.Extra += fmt.Sprintf("- {app: %s, x: %q, a: %q, ext: %q}\n", appAXE, xe, number("3", i), extension(i))
	}
	w.start(t, cfg)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute+time.Duration(total)*3*time.Second)
	defer cancel()
	s := &scene{T: t, world: w, name: t.Name(), ctx: ctx}
	callers, err := phone.New(phone.Config{Number: "callers", Server: s.gate.SIP().String(), ListenIP: takeTrunkHost().String(), Codecs: []string{"PCMA"}})
	require.NoError(t, err)
	defer callers.Close()
	b := &bath{scene: s, callers: callers, x: x, xe: xe, number: number, rings: make(map[string]chan *phone.Call)}
	b.listen(callees)
	for kind := range bathKinds { // what is made once and stays: connections, prompts
		if err := b.call(0, kind); err != nil {
			log, _ := w.gate.Log()
			require.NoError(t, err, "%s\n%s", bathKinds[kind].name, log)
		}
	}
	before, memory := s.resources(), s.memory()
	start := time.Now()
	made, failed := b.run(total)
	t.Logf("%d calls in %v, %d failed: %v", made, time.Since(start).Round(time.Second), len(failed), failed)
	if len(failed) > 0 {
		log, err := w.gate.Log()
		require.NoError(t, err)
		require.Empty(t, failed, "%s", regexp.MustCompile(`(?m)^\S+ (WRN|ERR) .*$`).FindAll(log, 40))
	}
	require.Eventually(t, func() bool { return len(w.customer.All()) == total+len(bathKinds) }, 4*step, time.Second)
	require.Eventually(t, func() bool {
		for _, c := range w.customer.All() {
			if c.Fees != 1 || c.Event("disconnect") == nil {
				return false
			}
		}
		return true
	}, 4*step, time.Second, "one fee event each")
	s.notBusy(x)
	s.notBusy(xe)
	t.Logf("memory: %d MB before, %d MB after", memory>>20, s.memory()>>20)
	s.nothingLeft(before)
	require.Empty(t, w.customer.Wrong())
}

// extension is that of a worker's own A.
func extension(worker int) string { return fmt.Sprintf("%04d", 1000+worker) }

// bath is where the calls of the soak are made.
type bath struct {
	*scene
	callers *phone.Phone
	x, xe   string
	number  func(string, int) string

	mu    sync.Mutex
	rings map[string]chan *phone.Call // by callee
}

// listen hands calls to those who wait for them, until the phone is closed.
func (b *bath) listen(callees *phone.Phone) {
	done := make(chan struct{})
	b.Cleanup(func() { close(done) })
	go func() {
		for {
			select {
			case c := <-callees.Incoming():
				b.of(c.Seen().RequestUser) <- c
			case <-done:
				return
			}
		}
	}()
}

func (b *bath) of(callee string) chan *phone.Call {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.rings[callee]
	if c == nil {
		c = make(chan *phone.Call, 4)
		b.rings[callee] = c
	}
	return c
}

// run makes calls of all kinds in turn and tells what went wrong.
func (b *bath) run(total int) (made int64, failed []string) {
	var n, done atomic.Int64
	var mu sync.Mutex
	var wait sync.WaitGroup
	for worker := range soakWorkers {
		wait.Go(func() {
			for {
				i := int(n.Add(1)) - 1
				if i >= total {
					return
				}
				kind := (i + worker) % len(bathKinds)
				if err := b.call(worker, kind); err != nil {
					mu.Lock()
					failed = append(failed, fmt.Sprintf("%s: %v", bathKinds[kind].name, err))
					mu.Unlock()
				}
				done.Add(1)
			}
		})
	}
	wait.Wait()
	return done.Load(), failed
}

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

// call makes one call of a kind.
func (b *bath) call(worker, kind int) error {
	ctx, cancel := context.WithTimeout(b.ctx, 4*step)
	defer cancel()
	k, x, callee := bathKinds[kind], b.x, b.number("2", worker)
	if k.ext {
		x, callee = b.xe, b.number("3", worker)
	}
	out, err := b.callers.Dial(ctx, strings.TrimPrefix(x, "+86"), phone.From(b.number("1", worker)))
	if err != nil {
		return err
	}
	if k.ext {
		if err := out.WaitAnswer(ctx); err != nil {
			return err
		}
		if err := out.Press(ctx, extension(worker), phone.Events); err != nil {
			return err
		}
	}
	return k.play(ctx, out, b.of(callee))
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

// TestSoakTalk is one call for AXGATE_SOAK_TALK, such as 31m, which is kept
// alive on both legs by session refreshes (RFC 4028). Nothing of its audio is
// lost. It is left out if that is not set.
func TestSoakTalk(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("AXGATE_SOAK_TALK"))
	if err != nil || length <= 0 {
		t.Skip("AXGATE_SOAK_TALK is no duration")
	}
	w := openWorld(t, nil)
	ctx, cancel := context.WithTimeout(context.Background(), length+4*step)
	defer cancel()
	s := &scene{T: t, world: w, name: t.Name(), ctx: ctx}
	a, b, x, id := s.pair(appInforms, "--record")
	out, in := s.connect(a, b, x)
	s.talk(out, in)
	time.Sleep(length)
	s.talk(out, in)
	s.steady(out)
	s.steady(in)
	refreshes := func(c *phone.Call) (n int) {
		for _, m := range c.Messages() {
			if start := m.StartLine(); !m.Sent && (strings.HasPrefix(start, "INVITE ") || strings.HasPrefix(start, "UPDATE ")) {
				n++
			}
		}
		return n
	}
	const half = 15 * time.Minute // of the default session_expires: the phones know no timers, so all refreshes are axgate's
	t.Logf("refreshes: %d of the caller's leg, %d of the callee's", refreshes(out), refreshes(in)-1)
	require.GreaterOrEqual(t, refreshes(out), int(length/half), "the caller's leg")
	require.GreaterOrEqual(t, refreshes(in)-1, int(length/half), "the callee's leg")
	require.NoError(t, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.taped(s.story(x, 1, billed{direction: 1, binding: id, caller: a.Number(), callee: b.Number(), service: "004", events: evAnswered, talk: true, recorded: true}), 2)
	w.close(t)
}
