// Package kamailio runs Kamailio (Debian package kamailio, version 5.6) as the
// session border controller of a carrier: axgate's trunk leads to it, phones
// and other carriers are behind it, and it stays in the route set of every
// call. It is a registrar too, for axgate as one of its customers.
package kamailio

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"text/template"
	"time"
)

//go:embed kamailio.cfg.tmpl
var settings string

var layout = template.Must(template.New("kamailio.cfg").Option("missingkey=error").Parse(settings))

// Config says between whom it stands. Trunk and Phones are on addresses of
// their own, so that axgate can tell carriers from phones.
type Config struct {
	Dir       string                    // where its files go, empty
	Gate      netip.AddrPort            // axgate
	Transport string                    // towards axgate, of calls that come in at Trunk: udp or tcp; to everybody else it talks UDP
	Trunk     netip.AddrPort            // where axgate and the phones behind the trunk reach it, over UDP and TCP
	Phones    netip.AddrPort            // where phones register at axgate through it
	Behind    map[string]netip.AddrPort // who is behind the trunk, by the user part that axgate calls

	Realm      string            // of the registrar
	Accounts   map[string]string // passwords of those who may register at it, by user
	MinExpires int               // seconds of the shortest registration that it takes
}

// GateIP is axgate's address.
func (c Config) GateIP() netip.Addr { return c.Gate.Addr() }

// Proxy is a running Kamailio.
type Proxy struct {
	cfg    Config
	cmd    *exec.Cmd
	exited chan struct{}
}

// Start writes the configuration and runs Kamailio until it answers.
func Start(ctx context.Context, cfg Config) (*Proxy, error) {
	var text bytes.Buffer
	if err := layout.Execute(&text, cfg); err != nil {
		return nil, fmt.Errorf("configure kamailio: %w", err)
	}
	if err := os.WriteFile(filepath.Join(cfg.Dir, "kamailio.cfg"), text.Bytes(), 0o600); err != nil {
		return nil, fmt.Errorf("configure kamailio: %w", err)
	}
	p := &Proxy{cfg: cfg}
	return p, p.Serve(ctx)
}

// Serve runs it again after it was killed. It has forgotten everything.
func (p *Proxy) Serve(ctx context.Context) error {
	bin, err := exec.LookPath("kamailio")
	if err != nil {
		bin = "/usr/sbin/kamailio"
	}
	out, err := os.OpenFile(filepath.Join(p.cfg.Dir, "out.txt"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	p.cmd, p.exited = exec.Command(bin, "-DD", "-E", "-m", "16", "-M", "2", "-Y", p.cfg.Dir, "-f", filepath.Join(p.cfg.Dir, "kamailio.cfg")), make(chan struct{})
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.Dir = out, out, p.cfg.Dir
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM} // it ends its children itself
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("start kamailio (apt-get install kamailio): %w", err)
	}
	cmd, exited := p.cmd, p.exited
	go func() {
		defer close(exited)
		_ = cmd.Wait()
	}()
	for _, at := range []netip.AddrPort{p.cfg.Trunk, p.cfg.Phones} {
		for !listens(at) {
			select {
			case <-p.exited:
				return fmt.Errorf("kamailio ended at its start:\n%s", p.Output())
			case <-ctx.Done():
				return errors.Join(fmt.Errorf("kamailio does not listen at %v: %w\n%s", at, ctx.Err(), p.Output()), p.Kill())
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	return nil
}

// listens tells whether the TCP processes are there: they begin last.
func listens(at netip.AddrPort) bool {
	c, err := net.DialTimeout("tcp", at.String(), time.Second)
	if err != nil {
		return false
	}
	return c.Close() == nil
}

// Output is what it has printed: a line for each request that it passed on, and
// its complaints.
func (p *Proxy) Output() string {
	b, err := os.ReadFile(filepath.Join(p.cfg.Dir, "out.txt"))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// Lines are those of its output that have all of these words.
func (p *Proxy) Lines(words ...string) []string {
	var all []string
next:
	for line := range strings.Lines(p.Output()) {
		for _, w := range words {
			if !strings.Contains(line, w) {
				continue next
			}
		}
		all = append(all, line)
	}
	return all
}

// Close ends it, if it runs.
func (p *Proxy) Close() error {
	select {
	case <-p.exited:
		return nil
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.exited:
		return nil
	case <-time.After(5 * time.Second):
		return errors.Join(errors.New("kamailio does not end"), p.Kill())
	}
}

// Kill ends all its processes without notice.
func (p *Proxy) Kill() error {
	err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.exited
	return err
}
