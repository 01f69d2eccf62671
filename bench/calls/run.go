package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
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
	Answer      delays `json:"answer"`
	AfterDigits delays `json:"afterDigits"`
	Media       struct {
		Calls int     `json:"calls"`
		Loss  float64 `json:"lossPercent"`
		Delay delays  `json:"addedDelay"`
	} `json:"media"`
	PerCallMinute float64  `json:"cpuSecondsPerCallMinute"`
	PerThousand   float64  `json:"cpuSecondsPer1000Calls"`
	MemoryPerCall float64  `json:"memoryPerCallKiB"`
	Idle          float64  `json:"idleCpu"`
	IdleMemory    int64    `json:"idleMemoryKiB"`
	Valid         bool     `json:"valid"`
	Doubts        []string `json:"doubts"`
	Disturbed     bool     `json:"disturbed"`
}

// doubt is about what calls cost: those that went wrong cost something else.
func (r *result) doubt() doubt { return believe(r.Valid && r.Calls.Bad == 0) }

// flawless is an error if calls went wrong that are only made for what comes after them.
func (r *result) flawless(what string) error {
	if r.Calls.Bad == 0 {
		return nil
	}
	return fmt.Errorf("%s: %d of %d calls went wrong: %v", what, r.Calls.Bad, r.Calls.Begun, r.Calls.Why)
}

// build builds the generator.
func (b *bench) build(ctx context.Context, dir string) error {
	b.load = filepath.Join(dir, "load")
	return goBuild(ctx, "axgate/bench/load", b.load)
}

func goBuild(ctx context.Context, pkg, to string) error {
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", to, pkg).CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// run has the generator make calls of a kind over so many pairs, through the
// system of a column.
func (b *bench) run(ctx context.Context, c *column, name string, k kind, pairs int, mode string, more ...string) (r result, err error) {
	name = fmt.Sprintf("%s, round %d: %s", c.title, b.round, name)
	args := []string{
		mode, "--name", name, "--json", "-", "--scenario", strings.ToLower(k.mode), "--target", target.String(), "--callers", callers.String(), "--callees", callees.String(),
		"--from", country + strconv.Itoa(firstCaller), "--to", country + strconv.Itoa(firstCallee), "--x", country + strconv.Itoa(k.firstX()),
		"--pairs", strconv.Itoa(pairs), "--per-x", strconv.Itoa(k.perX()),
	}
	for _, p := range c.system.processes() {
		args = append(args, "--process", p)
	}
	had := 0
	a, _ := c.system.(*axgate) // who alone records
	if c.record {
		if had, err = a.recordings(); err != nil {
			return r, err
		}
	}
	cmd := exec.CommandContext(ctx, b.load, append(args, more...)...)
	cmd.Stderr = os.Stderr
	line, err := cmd.Output()
	if err != nil {
		return r, fmt.Errorf("%s: %w", name, err)
	}
	if err := json.Unmarshal(line, &r); err != nil {
		return r, fmt.Errorf("%s: the generator answers %q: %w", name, bytes.TrimSpace(line), err)
	}
	if c.record && r.Calls.Bad == 0 {
		if err := a.recorded(ctx, had, r.Calls.Good); err != nil {
			return r, fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, doubt := range r.Doubts {
		fmt.Fprintf(os.Stderr, "%s: INVALID: %s\n", name, doubt)
	}
	err = b.file(func(w io.Writer) error {
		_, err := w.Write(line)
		return err
	})
	if err == nil && r.Disturbed && b.again {
		err = errDisturbed
	}
	return r, err
}

// begin begins the file of results with what they are of.
func (b *bench) begin(ctx context.Context) error {
	if b.o.JSON == "" {
		return nil
	}
	if err := os.WriteFile(b.o.JSON, nil, 0o644); err != nil {
		return err
	}
	return b.file(func(w io.Writer) error { return json.NewEncoder(w).Encode(surroundings(ctx, b.o)) })
}

// file adds to the file of results, if there is one.
func (b *bench) file(write func(io.Writer) error) error {
	if b.o.JSON == "" {
		return nil
	}
	f, err := os.OpenFile(b.o.JSON, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// signal makes calls at a rate.
func (b *bench) signal(ctx context.Context, c *column, name string, k kind, pairs int, rate float64, last time.Duration) (result, error) {
	return b.run(ctx, c, name, k, pairs, "signal", "--rate", strconv.FormatFloat(rate, 'f', -1, 64), "--for", last.String(), "--hold", b.o.Hold.String(), "--random")
}

// media has so many calls talk.
func (b *bench) media(ctx context.Context, c *column, name string, k kind, calls int, last time.Duration) (result, error) {
	return b.run(ctx, c, name, k, b.o.Pairs, "media", "--calls", strconv.Itoa(calls), "--talk", last.String(), "--rate", strconv.FormatFloat(b.o.Build, 'f', -1, 64))
}
