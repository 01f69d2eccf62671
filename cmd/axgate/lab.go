package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"axgate/config"
	"axgate/lab"
	"axgate/node"
)

type labCmd struct {
	Once bool   `help:"End after the demonstration; the exit code is 0 only if all of it was right."`
	IP   string `default:"127.0.0.1" help:"Address of this machine for SIP and RTP; another than the default lets other machines' phones in, with the lab's published passwords."`
	Port int    `default:"5060" help:"SIP port, UDP and TCP; a free one if it is taken."`
}

// Help tells more than the one line of the overview.
func (labCmd) Help() string {
	return `It needs no file: SQLite and Redis are in the program, beneath the data directory (axgate-data). There is an app, an X number and bindings for each mode, and accounts for softphones. With --once --json it prints one JSON object with the decision, the caller ID that the callee saw, the events, the fee event, the recording and how well each side heard the other.`
}

func (c *labCmd) Run(p *program) (err error) {
	show := func(e lab.Push) {
		p.printf("  %s  event %-10s %s\n", e.At.Format(time.TimeOnly), e.Type, lab.Compact(e.Body, "sessionId", "timestamp"))
	}
	tell := func(format string, args ...any) {
		p.printf("  %s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
	}
	if p.cli.JSON {
		show, tell = func(lab.Push) {}, func(string, ...any) {}
	}
	customer, err := lab.Receive("127.0.0.1", show)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, customer.Close()) }()
	cfg, err := c.config(p, customer.URL(), tell)
	if err != nil {
		return err
	}
	log, err := p.logger(&cfg)
	if err != nil {
		return err
	}
	n, err := node.Open(p.ctx, cfg, log)
	if err != nil {
		return labHint(err)
	}
	defer func() { err = errors.Join(err, p.shutdown(n, &cfg, &log)) }()
	if err := errors.Join(n.Serve(), leave(&cfg)); err != nil {
		return err
	}
	if err := c.demonstrate(p, n, &cfg, customer, tell); err != nil && (c.Once || !errors.Is(err, errUnsaid)) {
		return err
	}
	if c.Once {
		return nil
	}
	lab.Recipe(p.stdout, n.Running().UDP)
	<-p.signals
	return nil
}

// config is the lab's profile, with free ports where the usual ones are taken.
func (c *labCmd) config(p *program, customer string, tell func(string, ...any)) (config.Config, error) {
	base := lab.Profile(c.IP, customer)
	base.Log.Level = "warn"
	at := net.JoinHostPort(c.IP, strconv.Itoa(c.Port))
	if udp, tcp := canListen("udp", at), canListen("tcp", at); isInUse(udp) || isInUse(tcp) {
		free, err := freePort(c.IP)
		if err != nil {
			return base, err
		}
		tell("SIP port %d is taken by another program: this lab is on port %d", c.Port, free)
		at = net.JoinHostPort(c.IP, strconv.Itoa(free))
	} else if udp != nil {
		return base, fmt.Errorf("listen for SIP: %w", udp)
	}
	base.SIP.UDP, base.SIP.TCP = at, at
	if isInUse(canListen("tcp", base.Redis.Embedded)) {
		tell("Redis port %s is taken by another program: this lab's Redis is on a free one", base.Redis.Embedded)
		base.Redis.Embedded = "127.0.0.1:0"
	}
	return p.loadOver(base, p.cli.Config)
}

// leave writes the configuration where the other commands find it.
func leave(cfg *config.Config) error {
	f, err := os.OpenFile(filepath.Join(cfg.Data, lab.ConfigFile), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("leave the lab's configuration: %w", err)
	}
	_, err = fmt.Fprintln(f, "# Written by axgate lab at each start, for the other commands. A copy of it can be a beginning.")
	return errors.Join(err, cfg.Write(f), f.Close())
}

func (c *labCmd) demonstrate(p *program, n *node.Node, cfg *config.Config, customer *lab.Receiver, tell func(string, ...any)) error {
	ctx, cancel := p.untilSignal()
	defer cancel()
	d := lab.Demonstration{
		Server: n.Running().UDP, Explain: n.Explain, Receiver: customer, RecordDir: node.RecordDir(cfg), HintLength: n.HintLength,
		ReadALaw: node.ReadRecording, Tell: tell, EventsWait: 15 * time.Second,
	}
	r, err := d.Run(ctx)
	if err != nil {
		return fmt.Errorf("the demonstration: %w", err)
	}
	if p.cli.JSON {
		err = p.answer(r)
	} else {
		r.Print(p.stdout)
	}
	if err == nil && !r.OK {
		err = errUnsaid
	}
	return err
}

// labHint adds what to do where a second lab is the cause.
func labHint(err error) error {
	if node.IsHeld(err) {
		return fmt.Errorf("%w: name another one with --data", err)
	}
	return err
}

// freePort finds a port that is free for UDP and TCP.
func freePort(ip string) (int, error) {
	const tries = 50
	for range tries {
		l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
		if err != nil {
			return 0, fmt.Errorf("find a free SIP port: %w", err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		udp := canListen("udp", l.Addr().String())
		if err := errors.Join(udp, l.Close()); err == nil {
			return port, nil
		}
	}
	return 0, fmt.Errorf("find a free SIP port on %s: %d were in use", ip, tries)
}
