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
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"axgate/e2e/gate"
	"axgate/e2e/redis"
)

// Where the system under test is, and the phones.
var (
	target  = netip.MustParseAddrPort("127.0.1.1:5060")
	callers = netip.MustParseAddrPort("127.0.2.1:5060")
	callees = netip.MustParseAddrPort("127.0.2.2:5060")
)

const (
	firstRTP = 20000
	lastRTP  = 29999
)

// kind is an app of the measurements: a mode, with or without recording.
type kind struct {
	mode   string // AXB, AX or AXE
	record bool
}

func (k kind) app() string {
	if k.record {
		return strings.ToLower(k.mode) + "-recorded"
	}
	return strings.ToLower(k.mode)
}

// firstX is that of the app's X: apart from those of other apps by more than
// any set has.
func (k kind) firstX() int {
	n := 17_010_000_000 + 10_000_000*map[string]int{"AXB": 0, "AX": 2, "AXE": 4}[k.mode]
	if k.record {
		n += 10_000_000
	}
	return n
}

// perX is how many bindings an X of the kind has.
func (k kind) perX() int {
	if k.mode == "AX" {
		return 1
	}
	return 1000
}

var modes = []string{"AXB", "AX", "AXE"}

// world is what is measured, and what is around it.
type world struct {
	o      *options
	dir    string
	load   string // the generator
	redis  *redis.Server
	cfg    gate.Config
	gate   *gate.Gate
	server *http.Server
	bound  map[kind]int
}

// open starts Redis and builds the generator; axgate begins with each row.
func open(ctx context.Context, o *options) (w *world, err error) {
	w = &world{o: o, dir: o.Dir, bound: make(map[kind]int)}
	if w.dir == "" {
		if w.dir, err = os.MkdirTemp("", "bench"); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		return nil, err
	}
	w.load = filepath.Join(w.dir, "load")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", w.load, "axgate/bench/load").CombinedOutput(); err != nil {
		return w, fmt.Errorf("build the generator: %w\n%s", err, out)
	}
	if w.redis, err = redis.Start(ctx, w.dir); err != nil {
		return w, err
	}
	w.cfg = gate.Config{
		Dir: w.dir, SIP: target, Redis: w.redis.Addr, RTPFirst: firstRTP, RTPLast: lastRTP,
		Phones: []gate.Account{{Number: "+8613700000000", Password: "a-registrar-answers-strangers"}}, // whoever asks whether it is ready
		Trunks: []gate.Trunk{{Name: "network", Address: callees, Peers: netip.PrefixFrom(callers.Addr(), 24).Masked().String()}},
		More:   map[string]map[string]any{"log": {"level": o.Log}, "events": {"push": o.Receiver}},
	}
	for _, mode := range modes {
		for _, record := range []bool{false, true} {
			w.cfg.Apps = append(w.cfg.Apps, gate.App{Key: kind{mode, record}.app(), Secret: "secret-of-the-benchmark", Mode: mode, ExtDigits: extDigits(mode), Recording: record, Informs: true})
		}
	}
	if o.Receiver {
		return w, w.receive()
	}
	return w, nil
}

func extDigits(mode string) int {
	if mode == "AXE" {
		return 4
	}
	return 0
}

// receive runs a customer's server that takes everything.
func (w *world) receive() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	w.server = &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(to http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		to.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(to, `{"resultcode":"0","resultdesc":"Success"}`)
	})}
	go func() { _ = w.server.Serve(l) }()
	w.cfg.StatusURL, w.cfg.FeeURL = "http://"+l.Addr().String()+"/status", "http://"+l.Addr().String()+"/fee"
	return nil
}

// start runs a fresh axgate process; stop ends it.
func (w *world) start(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	w.gate, err = gate.Start(ctx, w.o.Bin, w.cfg)
	return err
}

func (w *world) stop(ctx context.Context) error {
	if w.gate == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	err := w.gate.Stop(ctx)
	w.gate = nil
	return err
}

func (w *world) close(ctx context.Context) error {
	err := w.stop(ctx)
	if w.redis != nil {
		err = errors.Join(err, w.redis.Close())
	}
	if w.server != nil {
		err = errors.Join(err, w.server.Close())
	}
	if w.o.Dir == "" && !w.o.Keep {
		err = errors.Join(err, os.RemoveAll(w.dir))
	}
	return err
}
