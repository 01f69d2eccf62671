package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"
)

// relay is bench/relay: it knows no bindings but the order of the numbers.
type relay struct {
	dir, bin string
	daemon   *daemon
}

func openRelay(ctx context.Context, _ *options, dir string) (system, error) {
	r := &relay{dir: dir, bin: filepath.Join(dir, nameRelay)}
	return r, goBuild(ctx, "axgate/bench/relay", r.bin)
}

func (r *relay) start(ctx context.Context, _ kind, _ int) (err error) {
	r.daemon, err = startDaemon(filepath.Join(r.dir, "relay.log"), r.bin, "--at="+target.String(), "--callers="+callers.String(), "--callees="+callees.String(),
		"--rtp="+strconv.Itoa(firstRTP), "--last="+strconv.Itoa(lastRTP))
	if err != nil {
		return err
	}
	const short = 200 * time.Millisecond // it answers nothing of its own
	select {
	case <-r.daemon.exited:
		return errors.Join(errors.New("the relay does not start"), r.stop(ctx))
	case <-time.After(short):
		return nil
	}
}

func (r *relay) stop(context.Context) error {
	err := r.daemon.stop()
	r.daemon = nil
	return err
}

func (r *relay) processes() []string { return []string{fmt.Sprintf("relay=%d", r.daemon.pid())} }

func (r *relay) close(ctx context.Context) error { return r.stop(ctx) }
