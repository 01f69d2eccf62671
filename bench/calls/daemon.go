package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// daemon is a program that runs in the foreground and may have children. A nil
// one does not run.
type daemon struct {
	name   string
	log    string // the file of what it prints
	cmd    *exec.Cmd
	exited chan struct{}
}

// startDaemon starts a program; what it prints goes to a file.
func startDaemon(log, name string, args ...string) (*daemon, error) {
	bin, err := exec.LookPath(name)
	if err != nil {
		bin = "/usr/sbin/" + name // where only root looks
	}
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	d := &daemon{name: name, log: log, cmd: exec.Command(bin, args...), exited: make(chan struct{})}
	d.cmd.Stdout, d.cmd.Stderr = out, out
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM} // it ends its children itself
	if err := d.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s (make bench-peers installs it): %w", name, err)
	}
	go func() {
		defer close(d.exited)
		_ = d.cmd.Wait()
	}()
	return d, nil
}

func (d *daemon) pid() int { return d.cmd.Process.Pid }

// answers waits until a datagram is answered.
func (d *daemon) answers(ctx context.Context, at netip.AddrPort, question string) error {
	for !asked(at, question) {
		select {
		case <-d.exited:
			return fmt.Errorf("%s ended at its start:\n%s", d.name, d.printed())
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer at %v: %w\n%s", d.name, at, ctx.Err(), d.printed())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

func asked(at netip.AddrPort, question string) bool {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(at))
	if err != nil {
		return false
	}
	defer conn.Close()
	_, _ = conn.Write([]byte(question))
	_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	n, err := conn.Read(make([]byte, 2000))
	return err == nil && n > 0
}

// printed is the end of what it printed.
func (d *daemon) printed() string {
	text, err := os.ReadFile(d.log)
	if err != nil {
		return err.Error()
	}
	const most = 4000
	return string(text[max(0, len(text)-most):])
}

// stop ends it and its children; it fails if it has ended by itself.
func (d *daemon) stop() error {
	if d == nil {
		return nil
	}
	select {
	case <-d.exited:
		return fmt.Errorf("%s ended by itself:\n%s", d.name, d.printed())
	default:
	}
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-d.exited:
		return nil
	case <-time.After(15 * time.Second):
		err := syscall.Kill(-d.pid(), syscall.SIGKILL)
		<-d.exited
		return errors.Join(fmt.Errorf("%s does not end", d.name), err)
	}
}
