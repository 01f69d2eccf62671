package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"axgate/e2e/gate"
	"axgate/e2e/redis"
)

// axgate is the product, with a Redis and a ledger that stay when its process
// is started anew.
type axgate struct {
	o      *options
	dir    string
	redis  *redis.Server
	cfg    gate.Config
	gate   *gate.Gate
	server *http.Server
	bound  map[kind]int
}

// openAxgate starts Redis; axgate begins with each row.
func openAxgate(ctx context.Context, o *options, dir string) (_ system, err error) {
	a := &axgate{o: o, dir: filepath.Join(dir, nameAxgate), bound: make(map[kind]int)}
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return nil, err
	}
	if a.redis, err = redis.Start(ctx, a.dir); err != nil {
		return nil, err
	}
	a.cfg = gate.Config{
		Dir: a.dir, SIP: target, Redis: a.redis.Addr, RTPFirst: firstRTP, RTPLast: lastRTP,
		Phones: []gate.Account{{Number: "+8613700000000", Password: "a-registrar-answers-strangers"}}, // whoever asks whether it is ready
		Trunks: []gate.Trunk{{Name: "network", Address: callees, Peers: netip.PrefixFrom(callers.Addr(), 24).Masked().String(), More: map[string]any{"ping_interval": "30s"}}},
		More: map[string]map[string]any{"log": {"level": o.Log, "format": "json"}, "http": {"listen": "127.0.0.1:0"},
			"recording": {"min_talk": "0s"}}, // these talks are shorter than those that people keep
	}
	for _, mode := range modes {
		for _, record := range []bool{false, true} {
			a.cfg.Apps = append(a.cfg.Apps, gate.App{Key: kind{mode, record}.app(), Secret: "secret-of-the-benchmark", Mode: mode, ExtDigits: extDigits(mode), Recording: record, Informs: true})
		}
	}
	switch o.Receiver {
	case "takes":
		if err := a.receive(); err != nil {
			return nil, errors.Join(err, a.close(ctx))
		}
	case "away":
		a.tell("http://127.0.2.9:9") // where nobody listens
	}
	return a, nil
}

func extDigits(mode string) int {
	if mode == "AXE" {
		return 4
	}
	return 0
}

// receive runs a customer's server that takes everything.
func (a *axgate) receive() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	a.server = &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(to http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		to.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(to, `{"resultcode":"0","resultdesc":"Success"}`)
	})}
	go func() { _ = a.server.Serve(l) }()
	a.tell("http://" + l.Addr().String())
	return nil
}

// tell has the events of all apps pushed to a server.
func (a *axgate) tell(server string) {
	a.cfg.StatusURL, a.cfg.FeeURL = server+"/status", server+"/fee"
}

// recordings is how many there are on the disk.
func (a *axgate) recordings() (n int, err error) {
	err = filepath.WalkDir(filepath.Join(a.dir, "recordings"), func(_ string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // there is none yet, or it was renamed meanwhile
			return nil
		}
		if err == nil && strings.HasSuffix(d.Name(), ".wav") {
			n++
		}
		return err
	})
	return n, err
}

// recorded waits until all calls of a run have their recording.
func (a *axgate) recorded(ctx context.Context, had, calls int) error {
	const patience = 10 * time.Second
	for until := time.Now().Add(patience); ; {
		n, err := a.recordings()
		if err != nil || n == had+calls {
			return err
		}
		if time.Now().After(until) || ctx.Err() != nil {
			return fmt.Errorf("%d calls have left %d recordings", calls, n-had)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (a *axgate) start(ctx context.Context, k kind, pairs int) error {
	if err := a.serve(ctx); err != nil {
		return err
	}
	if _, err := a.bind(ctx, k, pairs); err != nil {
		return errors.Join(err, a.stop(ctx))
	}
	return nil
}

// serve runs a fresh process.
func (a *axgate) serve(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	a.gate, err = gate.Start(ctx, a.o.Bin, a.cfg)
	return err
}

// stop ends it, and puts aside what it has recorded. An ext4 without a journal keeps new files
// from the inodes of those that were removed in the last minutes, and looks at each of them
// whenever a file is created: nothing is removed before the end.
func (a *axgate) stop(ctx context.Context) error {
	if a.gate == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	err := a.gate.Stop(ctx)
	a.gate = nil
	aside, moved := os.MkdirTemp(a.dir, "recorded-")
	if moved == nil {
		moved = os.Rename(filepath.Join(a.dir, "recordings"), filepath.Join(aside, "recordings"))
	}
	if errors.Is(moved, fs.ErrNotExist) { // nothing was recorded
		moved = nil
	}
	return errors.Join(err, moved)
}

func (a *axgate) processes() []string {
	return []string{fmt.Sprintf("axgate=%d", a.gate.PID()), fmt.Sprintf("redis=%d", a.redis.PID())}
}

func (a *axgate) close(ctx context.Context) error {
	err := errors.Join(a.stop(ctx), a.redis.Close())
	if a.server != nil {
		err = errors.Join(err, a.server.Close())
	}
	return err
}
