package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"axgate/e2e/redis"
)

// relay is bench/relay: it knows no bindings but the order of the numbers.
type relay struct {
	dir, bin string
	redis    *redis.Server
	daemon   *daemon
}

func openRelay(ctx context.Context, _ *options, dir string) (system, error) {
	r := &relay{dir: filepath.Join(dir, nameRelay), bin: filepath.Join(dir, nameRelay, "relay")}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return nil, err
	}
	if err := goBuild(ctx, "axgate/bench/relay", r.bin); err != nil {
		return nil, err
	}
	var err error
	r.redis, err = redis.Start(ctx, r.dir)
	return r, err
}

func (r *relay) start(ctx context.Context, _ kind, _ int) (err error) {
	r.daemon, err = startDaemon(filepath.Join(r.dir, "relay.log"), r.bin, "--at="+target.String(), "--callers="+callers.String(), "--callees="+callees.String(),
		"--rtp="+strconv.Itoa(firstRTP), "--last="+strconv.Itoa(lastRTP),
		"--redis="+r.redis.Addr, "--record="+filepath.Join(r.dir, "record"))
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

func (r *relay) processes() []string {
	return []string{fmt.Sprintf("relay=%d", r.daemon.pid()), fmt.Sprintf("redis=%d", r.redis.PID())}
}

func (r *relay) close(ctx context.Context) error { return errors.Join(r.stop(ctx), r.redis.Close()) }
