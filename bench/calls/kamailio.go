package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"text/template"
	"time"

	"axgate/e2e/ports"
	"axgate/e2e/redis"
)

//go:embed kamailio.cfg.tmpl
var kamailioSettings string

var kamailioLayout = template.Must(template.New("kamailio.cfg").Option("missingkey=error").Parse(kamailioSettings))

// kamailioConfig is what Kamailio is told of its surroundings.
type kamailioConfig struct {
	At, Callees netip.AddrPort
	Peers       netip.Prefix   // from where calls may come
	Redis       netip.AddrPort // key X:caller, value the callee
	Media       netip.AddrPort // rtpengine's ng protocol
	CPUs        int            // of the machine
	Buffer      int            // bytes of the socket's receive buffer
	Anchor      string         // what rtpengine is asked for
}

// anchor has rtpengine stand between the two sides, and believe the addresses
// of their session descriptions, as axgate does until it hears from them.
const anchor = "trust-address replace-origin replace-session-connection ICE=remove"

func (c *kamailioConfig) write(file string) error {
	var text bytes.Buffer
	if err := kamailioLayout.Execute(&text, c); err != nil {
		return fmt.Errorf("configure kamailio: %w", err)
	}
	return os.WriteFile(file, text.Bytes(), 0o600)
}

// kamailio is Kamailio, rtpengine and a Redis that has the bindings.
type kamailio struct {
	dir   string
	redis *redis.Server
	cfg   kamailioConfig
	bound map[kind]int

	proxy, media *daemon
}

// openKamailio starts Redis; Kamailio and rtpengine begin with each row.
func openKamailio(ctx context.Context, _ *options, dir string) (_ system, err error) {
	k := &kamailio{dir: filepath.Join(dir, nameKamailio), bound: make(map[kind]int)}
	if err := os.MkdirAll(k.dir, 0o700); err != nil {
		return nil, err
	}
	port, err := ports.Take(1)
	if err != nil {
		return nil, err
	}
	if k.redis, err = redis.Start(ctx, k.dir); err != nil {
		return nil, err
	}
	const buffer = 16 << 20 // or what the kernel allows of it
	k.cfg = kamailioConfig{
		At: target, Callees: callees, Peers: netip.PrefixFrom(callers.Addr(), 24).Masked(), Redis: netip.MustParseAddrPort(k.redis.Addr),
		Media: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(port)), CPUs: runtime.NumCPU(), Buffer: buffer, Anchor: anchor,
	}
	return k, nil
}

// bind loads pairs into Redis, both ways of each.
func (k *kamailio) bind(ctx context.Context, of kind, n int) error {
	const batch = 10_000
	for i := k.bound[of]; i < n; {
		pipe := k.redis.Client().Pipeline()
		for range min(batch, n-i) {
			x, a, b := country+strconv.Itoa(of.firstX()+i/of.perX()), country+strconv.Itoa(firstCaller+i), country+strconv.Itoa(firstCallee+i)
			pipe.Set(ctx, x+":"+a, b, 0)
			pipe.Set(ctx, x+":"+b, a, 0)
			i++
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return fmt.Errorf("load bindings: %w", err)
		}
		k.bound[of] = i
	}
	return nil
}

func (k *kamailio) start(ctx context.Context, of kind, pairs int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := k.bind(ctx, of, pairs); err != nil {
		return err
	}
	err := k.serve(ctx)
	if err != nil {
		err = errors.Join(err, k.stop(ctx))
	}
	return err
}

// serve starts rtpengine, then Kamailio, which asks for it at its start.
//
// rtpengine forwards in user space, as it does wherever its kernel module is not
// loaded. A thread for each core costs less CPU per packet than its default, four
// or more; a call that has ended is forgotten at once, not after half a minute.
// Kamailio's allocator is the fast one: the default one looks for errors of the
// programmer, at a quarter of its CPU.
func (k *kamailio) serve(ctx context.Context) (err error) {
	k.media, err = startDaemon(filepath.Join(k.dir, "rtpengine.log"), "rtpengine", "--foreground", "--log-stderr", "--log-level=3", "--table=-1",
		"--interface="+target.Addr().String(), "--listen-ng="+k.cfg.Media.String(),
		"--port-min="+strconv.Itoa(firstRTP), "--port-max="+strconv.Itoa(lastRTP), "--num-threads="+strconv.Itoa(k.cfg.CPUs), "--delete-delay=0")
	if err != nil {
		return err
	}
	if err := k.media.answers(ctx, k.cfg.Media, "1 d7:command4:pinge"); err != nil {
		return err
	}
	file := filepath.Join(k.dir, "kamailio.cfg")
	if err := k.cfg.write(file); err != nil {
		return err
	}
	const shared, own = "256", "8" // MiB
	k.proxy, err = startDaemon(filepath.Join(k.dir, "kamailio.log"), "kamailio", "-DD", "-E", "-x", "fm", "-m", shared, "-M", own, "-Y", k.dir, "-f", file)
	if err != nil {
		return err
	}
	return k.proxy.answers(ctx, target, "OPTIONS sip:"+target.String()+" SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bKready\r\nFrom: <sip:ready@127.0.0.1>;tag=1\r\n"+
		"To: <sip:"+target.String()+">\r\nCall-ID: ready\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n")
}

func (k *kamailio) stop(context.Context) error {
	err := errors.Join(k.proxy.stop(), k.media.stop())
	k.proxy, k.media = nil, nil
	return err
}

func (k *kamailio) processes() []string {
	return []string{fmt.Sprintf("kamailio=%d", k.proxy.pid()), fmt.Sprintf("rtpengine=%d", k.media.pid()), fmt.Sprintf("redis=%d", k.redis.PID())}
}

func (k *kamailio) close(ctx context.Context) error { return errors.Join(k.stop(ctx), k.redis.Close()) }
