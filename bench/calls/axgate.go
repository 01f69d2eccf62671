package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
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
		Trunks: []gate.Trunk{{Name: "network", Address: callees, Peers: netip.PrefixFrom(callers.Addr(), 24).Masked().String()}},
		More:   map[string]map[string]any{"log": {"level": o.Log, "format": "json"}, "events": {"push": o.Receiver}},
	}
	for _, mode := range modes {
		for _, record := range []bool{false, true} {
			a.cfg.Apps = append(a.cfg.Apps, gate.App{Key: kind{mode, record}.app(), Secret: "secret-of-the-benchmark", Mode: mode, ExtDigits: extDigits(mode), Recording: record, Informs: true})
		}
	}
	if o.Receiver {
		if err := a.receive(); err != nil {
			return nil, errors.Join(err, a.close(ctx))
		}
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
	a.cfg.StatusURL, a.cfg.FeeURL = "http://"+l.Addr().String()+"/status", "http://"+l.Addr().String()+"/fee"
	return nil
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

// stop ends it, and removes what it has recorded: the rows of one run fill
// gigabytes.
func (a *axgate) stop(ctx context.Context) error {
	if a.gate == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	err := a.gate.Stop(ctx)
	a.gate = nil
	return errors.Join(err, os.RemoveAll(filepath.Join(a.dir, "recordings")))
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
