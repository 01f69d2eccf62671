package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// delays are those of a result, in ms.
type delays struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// result is what is used of a result of the generator.
type result struct {
	Calls struct {
		Begun, Good, Bad int
		Why              map[string]int
		Share            float64 `json:"goodShare"`
	} `json:"calls"`
	Messages struct {
		Share float64 `json:"retransmissionsPerCall"`
	} `json:"messages"`
	PostDial    delays `json:"postDial"`
	AfterDigits delays `json:"afterDigits"`
	Media       struct {
		Calls int     `json:"calls"`
		Loss  float64 `json:"lossPercent"`
		Delay delays  `json:"addedDelay"`
	} `json:"media"`
	PerCallMinute float64  `json:"cpuSecondsPerCallMinute"`
	PerThousand   float64  `json:"cpuSecondsPer1000Calls"`
	MemoryPerCall float64  `json:"memoryPerCallKiB"`
	Valid         bool     `json:"valid"`
	Doubts        []string `json:"doubts"`
}

// run has the generator make calls of a kind over so many pairs.
func (w *world) run(ctx context.Context, name string, k kind, pairs int, mode string, more ...string) (r result, err error) {
	args := []string{
		mode, "--name", name, "--json", "-", "--scenario", strings.ToLower(k.mode), "--target", target.String(), "--callers", callers.String(), "--callees", callees.String(),
		"--from", country + strconv.Itoa(firstCaller), "--to", country + strconv.Itoa(firstCallee), "--x", country + strconv.Itoa(k.firstX()),
		"--pairs", strconv.Itoa(pairs), "--per-x", strconv.Itoa(k.perX()),
		"--process", fmt.Sprintf("axgate=%d", w.gate.PID()), "--process", fmt.Sprintf("redis=%d", w.redis.PID()),
	}
	cmd := exec.CommandContext(ctx, w.load, append(args, more...)...)
	cmd.Stderr = os.Stderr
	line, err := cmd.Output()
	if err != nil {
		return r, fmt.Errorf("%s: %w", name, err)
	}
	if err := json.Unmarshal(line, &r); err != nil {
		return r, fmt.Errorf("%s: the generator answers %q: %w", name, bytes.TrimSpace(line), err)
	}
	for _, doubt := range r.Doubts {
		fmt.Fprintf(os.Stderr, "%s: INVALID: %s\n", name, doubt)
	}
	if w.o.JSON == "" {
		return r, nil
	}
	f, err := os.OpenFile(w.o.JSON, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return r, err
	}
	_, err = f.Write(line)
	return r, errors.Join(err, f.Close())
}

// warm has the process make what it makes once: connections, buffers, and the
// cache's entries of some X.
func (w *world) warm(ctx context.Context, k kind, pairs int) error {
	_, err := w.run(ctx, "warm up", k, pairs, "signal", "--rate", "50", "--for", "4s", "--hold", "500ms", "--random")
	return err
}

// measured runs work on a fresh process that is warm.
func (w *world) measured(ctx context.Context, k kind, pairs int, work func() error) error {
	if err := w.start(ctx); err != nil {
		return err
	}
	if _, err := w.bind(ctx, k, pairs); err != nil {
		return errors.Join(err, w.stop(ctx))
	}
	err := w.warm(ctx, k, pairs)
	if err == nil {
		err = work()
	}
	return errors.Join(err, w.stop(ctx))
}

// signal makes calls at a rate.
func (w *world) signal(ctx context.Context, name string, k kind, pairs int, rate float64, last time.Duration) (result, error) {
	return w.run(ctx, name, k, pairs, "signal", "--rate", strconv.FormatFloat(rate, 'f', -1, 64), "--for", last.String(), "--hold", w.o.Hold.String(), "--random")
}

// media has so many calls talk.
func (w *world) media(ctx context.Context, name string, k kind, calls int, last time.Duration) (result, error) {
	return w.run(ctx, name, k, w.o.Pairs, "media", "--calls", strconv.Itoa(calls), "--talk", last.String())
}
