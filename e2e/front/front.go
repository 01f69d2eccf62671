// Package front runs Kamailio (Debian packages kamailio and kamailio-tls-modules, version 5.6) before
// several nodes: the signalling address that outlives each of them. It asks the nodes by
// OPTIONS whether they are there, record-routes, and leads what a dialog with a
// dead node's Contact brings to a living one.
package front

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"text/template"
	"time"

	"axgate/e2e/gate"
)

//go:embed kamailio.cfg.tmpl
var settings string

var layout = template.Must(template.New("kamailio.cfg").Option("missingkey=error").Parse(settings))

// Config says between whom it stands. It talks UDP to everybody but the nodes.
type Config struct {
	Dir    string                    // where its files go, empty
	At     netip.AddrPort            // its address, over UDP and TCP
	Secure netip.AddrPort            // over TLS, of the same host
	Cert   string                    // PEM file of its certificate
	Key    string                    // PEM file of the certificate's key
	CA     string                    // PEM file of the authority that those of the nodes are of
	Nodes  []Node                    // the first that is there gets the new calls
	Behind map[string]netip.AddrPort // who is called by the nodes, by the user part that they call
	Ways   map[string]Way            // to the nodes for calls to an X; else UDP
}

// Way is a transport to the nodes.
type Way int

// The ways; each is a set of the dispatcher.
const (
	UDP Way = iota + 1
	TCP
	TLS
)

// String is the way as a URI has it.
func (w Way) String() string { return [...]string{UDP: "udp", TCP: "tcp", TLS: "tls"}[w] }

// Node is where a node is; each port is another one, so that a Contact tells its way.
type Node struct{ UDP, TCP, TLS netip.AddrPort }

// Door is one of a node's addresses.
type Door struct {
	Way  Way
	At   netip.AddrPort
	rank int
}

// URI is the door as the dispatcher knows it.
func (d Door) URI() string { return fmt.Sprintf("sip:%s;transport=%s", d.At, d.Way) }

// Set is the dispatcher's.
func (d Door) Set() int { return int(d.Way) }

// Doors are those of all nodes.
func (c Config) Doors() (all []Door) {
	for i, n := range c.Nodes {
		rank := len(c.Nodes) - i
		all = append(all, Door{UDP, n.UDP, rank}, Door{TCP, n.TCP, rank}, Door{TLS, n.TLS, rank})
	}
	return all
}

// Front is a running Kamailio.
type Front struct {
	cfg    Config
	cmd    *exec.Cmd
	exited chan struct{}
}

// Start writes the configuration and runs Kamailio until it answers.
func Start(ctx context.Context, cfg Config) (*Front, error) {
	var text bytes.Buffer
	if err := layout.Execute(&text, cfg); err != nil {
		return nil, fmt.Errorf("configure kamailio: %w", err)
	}
	var list strings.Builder
	for _, d := range cfg.Doors() {
		fmt.Fprintf(&list, "%d %s 0 %d\n", d.Set(), d.URI(), d.rank)
	}
	for name, text := range map[string]string{"kamailio.cfg": text.String(), "dispatcher.list": list.String()} {
		if err := os.WriteFile(filepath.Join(cfg.Dir, name), []byte(text), 0o600); err != nil {
			return nil, fmt.Errorf("configure kamailio: %w", err)
		}
	}
	f := &Front{cfg: cfg, exited: make(chan struct{})}
	return f, f.serve(ctx)
}

func (f *Front) serve(ctx context.Context) error {
	bin, err := exec.LookPath("kamailio")
	if err != nil {
		bin = "/usr/sbin/kamailio"
	}
	out, err := os.Create(filepath.Join(f.cfg.Dir, "out.txt"))
	if err != nil {
		return err
	}
	defer out.Close()
	f.cmd = exec.Command(bin, "-DD", "-E", "-m", "32", "-M", "4", "-Y", f.cfg.Dir, "-f", filepath.Join(f.cfg.Dir, "kamailio.cfg"))
	f.cmd.Stdout, f.cmd.Stderr, f.cmd.Dir = out, out, f.cfg.Dir
	f.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM} // it ends its children itself
	if err := f.cmd.Start(); err != nil {
		return fmt.Errorf("start kamailio (apt-get install kamailio kamailio-tls-modules): %w", err)
	}
	go func() {
		defer close(f.exited)
		_ = f.cmd.Wait()
	}()
	for !gate.Answers(f.cfg.At) {
		select {
		case <-f.exited:
			return fmt.Errorf("kamailio ended at its start:\n%s", f.Output())
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("kamailio does not answer at %v: %w\n%s", f.cfg.At, ctx.Err(), f.Output()), f.Close())
		default:
		}
	}
	return nil
}

// Output is what it has printed: a line for each request that it led elsewhere, and
// its complaints.
func (f *Front) Output() string {
	b, err := os.ReadFile(filepath.Join(f.cfg.Dir, "out.txt"))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// Close ends all its processes.
func (f *Front) Close() error {
	select {
	case <-f.exited:
		return nil
	default:
	}
	if err := f.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-f.exited:
		return nil
	case <-time.After(5 * time.Second):
		err := syscall.Kill(-f.cmd.Process.Pid, syscall.SIGKILL)
		<-f.exited
		return errors.Join(errors.New("kamailio does not end"), err)
	}
}
