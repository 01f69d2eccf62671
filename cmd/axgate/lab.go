package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
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
		body := lab.Compact(e.Body, "sessionId", "timestamp", "subscriptionId", "smsIdentifier", "timeStamp", "event", "extInfo", "areaCode")
		p.printf("  %s  event %-10s %s\n", e.At.Format(time.TimeOnly), e.Type, lab.Fold(body, 90, len("  15:04:05  event disconnect ")))
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
	cfg, notes, err := c.config(p, customer.URL())
	if err != nil {
		return err
	}
	log, flush, err := p.logger(&cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, flush()) }()
	n, err := node.Open(p.ctx, cfg, log)
	if err != nil {
		return labHint(err)
	}
	for _, note := range notes {
		tell("%s", note)
	}
	defer func() { err = errors.Join(err, p.shutdown(n, &cfg, &log)) }()
	if err := errors.Join(n.Serve(), leave(&cfg)); err != nil {
		return err
	}
	switch err := c.demonstrate(p, n, &cfg, customer, tell); {
	case errors.Is(err, context.Canceled) && !c.Once: // Ctrl-C is how a lab ends
		tell("ended in the middle of the demonstration")
		return nil
	case errors.Is(err, context.Canceled):
		return errors.New("ended in the middle of the demonstration")
	case err != nil && (c.Once || !errors.Is(err, errUnsaid)):
		return err
	case c.Once:
		return nil
	}
	r := n.Running()
	lab.Recipe(p.stdout, r.UDP, r.HTTP, p.beside())
	<-p.signals
	return nil
}

// beside is how commands are called that work on this lab's data directory.
func (p *program) beside() string {
	if p.cli.Data != "" {
		return p.name + " -d " + p.cli.Data
	}
	return p.name
}

// config is the lab's profile, with free ports where the usual ones are taken;
// notes tell which.
func (c *labCmd) config(p *program, customer string) (cfg config.Config, notes []string, err error) {
	if err := c.address(); err != nil {
		return cfg, nil, err
	}
	base := lab.Profile(c.IP, customer)
	base.Log.Level = "warn"
	at := net.JoinHostPort(c.IP, strconv.Itoa(c.Port))
	if udp, tcp := canListen("udp", at), canListen("tcp", at); isInUse(udp) || isInUse(tcp) {
		free, err := freePort(c.IP)
		if err != nil {
			return base, nil, err
		}
		notes = append(notes, fmt.Sprintf("SIP port %d is taken by another program: this lab is on port %d", c.Port, free))
		at = net.JoinHostPort(c.IP, strconv.Itoa(free))
	} else if udp != nil {
		return base, nil, fmt.Errorf("listen for SIP: %w: use an address of this machine for --ip", udp)
	}
	base.SIP.UDP, base.SIP.TCP = at, at
	if isInUse(canListen("tcp", base.Redis.Embedded)) {
		notes = append(notes, fmt.Sprintf("Redis port %s is taken by another program: this lab's Redis is on a free one", base.Redis.Embedded))
		base.Redis.Embedded = "127.0.0.1:0"
	}
	if isInUse(canListen("tcp", base.HTTP.Listen)) {
		notes = append(notes, fmt.Sprintf("HTTP port %s is taken by another program: this lab's API is on a free one", base.HTTP.Listen))
		base.HTTP.Listen = "127.0.0.1:0"
	}
	cfg, err = p.loadOver(base, p.cli.Config)
	return cfg, notes, err
}

// address checks --ip and --port.
func (c *labCmd) address() error {
	if ip, err := netip.ParseAddr(c.IP); err != nil || ip.IsUnspecified() || ip.IsMulticast() {
		return usage("--ip: %.80q: use an IP address of this machine", c.IP)
	}
	if c.Port < 1 || c.Port > 65535 {
		return usage("--port: %d: use 1 to 65535", c.Port)
	}
	return nil
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
		ReadALaw: n.ReadRecording, Tell: tell, EventsWait: 15 * time.Second,
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
