//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/gate"
	"axgate/phone"
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
	s := soakScene(t, w, time.Minute+time.Duration(total)*3*time.Second)
	callers, err := phone.New(phone.Config{Number: "callers", Server: s.gate.SIP().String(), ListenIP: takeTrunkHost().String(), Codecs: []string{"PCMA"}})
	require.NoError(t, err)
	defer callers.Close()
	b := &bath{scene: s, callers: callers, callees: callees, x: x, xe: xe, number: number, rings: make(map[string]chan *phone.Call)}
	b.listen(callees)
	warm := soakWorkers * len(bathKinds) // what is made once and stays: connections, prompts, what Redis holds of each number
	b.makes(warm)
	b.settles(warm)
	before, memory, keys := s.resources(), s.memory(), s.keys()
	b.makes(total)
	b.settles(warm + total)
	require.Equal(t, keys, s.keys(), "keys in Redis")
	t.Logf("memory: %d MB before, %d MB after", memory>>20, s.memory()>>20)
	many := s.nothingLeft(before)
	require.NoError(t, w.gate.Serve(s.within(4*step)))
	b.makes(warm)
	b.settles(2*warm + total)
	few := s.nothingLeft(before)
	t.Logf("%d keys in Redis; %d goroutines after %d calls, %d after %d", len(keys), many, warm+total, few, warm)
	require.LessOrEqual(t, many, few+soakIdle, "goroutines")
	require.Empty(t, w.customer.Wrong())
}

// soakScene is a scene that may take that long.
func soakScene(t *testing.T, w *world, d time.Duration) *scene {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return &scene{T: t, world: w, name: t.Name(), ctx: ctx}
}

// extension is that of a worker's own A.
func extension(worker int) string { return fmt.Sprintf("%04d", 1000+worker) }

// soakIdle is how many goroutines may be there once more and once not: those of
// idle connections to Redis, the ledger and the customer.
const soakIdle = 12

// keys are those in Redis.
func (s *scene) keys() []string {
	s.Helper()
	keys, err := s.redis.Client().Keys(s.ctx, "*").Result()
	require.NoError(s, err)
	slices.Sort(keys)
	return keys
}

// bath is where the calls of the soak are made.
type bath struct {
	*scene
	callers, callees *phone.Phone
	x, xe            string
	number           func(string, int) string

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

// makes makes calls of all kinds in turn, and none may fail.
func (b *bath) makes(total int) {
	b.Helper()
	start := time.Now()
	failed := b.run(total)
	b.Logf("%d calls in %v, %d failed", total, time.Since(start).Round(time.Second), len(failed))
	if len(failed) > 0 {
		log, err := b.gate.Log()
		require.NoError(b, err)
		_ = os.MkdirAll("out", 0o755)
		require.NoError(b, os.WriteFile("out/soak.log", log, 0o600))
		require.Fail(b, "calls failed", "%s\n%s", strings.Join(failed, "\n"), bytes.Join(regexp.MustCompile(`(?m)^\S+ (WRN|ERR) .*$`).FindAll(log, 40), []byte("\n")))
	}
}

// settles waits until the customer has been told of the end of so many calls,
// and X is free.
func (b *bath) settles(calls int) {
	b.Helper()
	var told int
	require.Eventually(b, func() bool {
		told = 0
		for _, c := range b.customer.All() {
			require.LessOrEqual(b, c.Fees, 1, "one fee event each")
			if c.Fees == 1 && c.Event("disconnect") != nil {
				told++
			}
		}
		return told == calls
	}, 4*step, time.Second, "calls that the customer knows the end of")
	b.notBusy(b.x)
	b.notBusy(b.xe)
}

// run makes them and tells what went wrong.
func (b *bath) run(total int) (failed []string) {
	var mu sync.Mutex
	var wait sync.WaitGroup
	for worker := range soakWorkers {
		wait.Go(func() {
			for i := worker; i < total; i += soakWorkers {
				kind := (i/soakWorkers + worker) % len(bathKinds)
				if err := b.call(worker, kind); err != nil {
					mu.Lock()
					failed = append(failed, fmt.Sprintf("%v worker %d: %s: %v", time.Now().Format("15:04:05.000"), worker, bathKinds[kind].name, err))
					mu.Unlock()
				}
			}
		})
	}
	wait.Wait()
	return failed
}

// call makes one call of a kind.
func (b *bath) call(worker, kind int) error {
	ctx, cancel := context.WithTimeout(b.ctx, 4*step)
	defer cancel()
	k, x, callee := bathKinds[kind], b.x, b.number("2", worker)
	if k.ext {
		x, callee = b.xe, b.number("3", worker)
	}
	rings := b.of(callee)
	for len(rings) > 0 { // of a call that failed
		_ = (<-rings).Reject(480, 0)
	}
	out, err := b.callers.Dial(ctx, strings.TrimPrefix(x, "+86"), phone.From(b.number("1", worker)))
	if err != nil {
		return err
	}
	if k.ext {
		err = out.WaitAnswer(ctx)
		if err == nil {
			err = out.Press(ctx, extension(worker), phone.Events)
		}
	}
	if err == nil {
		err = k.play(ctx, out, rings)
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w\n%s%s", err, said("the caller's phone", out.Messages(), ""), said("the callees' phone", b.callees.Messages(), callee))
}

// said are the messages of a call that failed, or those that name a number, in
// their order.
func said(who string, messages []phone.Message, number string) string {
	var b strings.Builder
	for _, m := range messages {
		if time.Since(m.At) < 2*time.Minute && bytes.Contains(m.Raw, []byte(number)) {
			fmt.Fprintf(&b, "  %s %s sent=%t %s; CSeq %s, Call-ID %s\n", m.At.Format("15:04:05.000"), who, m.Sent, m.StartLine(), m.Header("CSeq"), m.Header("Call-ID"))
		}
	}
	return b.String()
}
