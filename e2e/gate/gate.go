// Package gate builds and runs the real axgate for tests, gives it its
// configuration and its commands, and reads what it left: records, logs and
// recordings.
package gate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Build compiles axgate into dir, with the race detector if AXGATE_E2E_RACE is
// set and further flags of go build, and gives the path of the program.
func Build(ctx context.Context, dir string, flags ...string) (string, error) {
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	bin := filepath.Join(dir, "axgate")
	args := []string{"build", "-o", bin}
	if os.Getenv("AXGATE_E2E_RACE") != "" {
		args = append(args, "-race")
	}
	args = append(args, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, "./cmd/axgate")...)
	cmd.Dir = strings.TrimSpace(string(root))
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build axgate: %w\n%s", err, out)
	}
	return bin, nil
}

// Gate is a running axgate.
type Gate struct {
	bin    string
	cfg    Config
	path   string // of the configuration file
	cmd    *exec.Cmd
	log    *os.File
	exited chan struct{}
	err    error
}

// Start writes the configuration and runs `axgate serve` until it answers
// OPTIONS.
func Start(ctx context.Context, bin string, cfg Config) (*Gate, error) {
	g := &Gate{bin: bin, cfg: cfg, path: filepath.Join(cfg.Dir, "axgate.yaml")}
	if err := os.WriteFile(g.path, []byte(cfg.yaml()), 0o600); err != nil {
		return nil, err
	}
	if err := g.Serve(ctx); err != nil {
		return nil, err
	}
	return g, nil
}

// Serve runs the program again after it was ended.
func (g *Gate) Serve(ctx context.Context) error {
	log, err := os.OpenFile(filepath.Join(g.cfg.Dir, "axgate.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	g.log, g.exited, g.err = log, make(chan struct{}), nil
	g.cmd = exec.Command(g.bin, "serve", "--config", g.path)
	g.cmd.Stdout, g.cmd.Stderr, g.cmd.Dir = log, log, g.cfg.Dir
	g.cmd.Env = append(os.Environ(), g.cfg.Env...)
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := g.cmd.Start(); err != nil {
		return errors.Join(fmt.Errorf("start axgate: %w", err), log.Close())
	}
	cmd, exited := g.cmd, g.exited
	go func() {
		defer close(exited)
		g.err = cmd.Wait()
	}()
	for !Answers(g.cfg.SIP) {
		select {
		case <-g.exited:
			text, _ := g.Log()
			return fmt.Errorf("axgate ended at its start: %w\n%s", g.err, text)
		case <-ctx.Done():
			text, _ := g.Log()
			return errors.Join(fmt.Errorf("axgate does not answer at %v: %w\n%s", g.cfg.SIP, ctx.Err(), text), g.Kill())
		default:
		}
	}
	return nil
}

// Answers sends OPTIONS to a SIP element over UDP and waits a little for the answer.
func Answers(at netip.AddrPort) bool {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(at))
	if err != nil {
		return false
	}
	defer conn.Close()
	me := conn.LocalAddr().String()
	fmt.Fprintf(conn, "OPTIONS sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK-%d;rport\r\nFrom: <sip:ready@%s>;tag=1\r\nTo: <sip:%s>\r\n"+
		"Call-ID: %d\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n", at, me, time.Now().UnixNano(), me, at, time.Now().UnixNano())
	_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	n, err := conn.Read(make([]byte, 2000))
	if err != nil { // nobody listens yet: a refusal comes at once
		time.Sleep(20 * time.Millisecond)
	}
	return n > 0 && err == nil
}

// SIP is where it takes calls.
func (g *Gate) SIP() netip.AddrPort { return g.cfg.SIP }

// API is the base address of its API, such as http://127.6.0.1:8080.
func (g *Gate) API() string {
	if g.cfg.Cert != "" {
		return "https://" + g.cfg.HTTP.String()
	}
	return "http://" + g.cfg.HTTP.String()
}

// PID is its process.
func (g *Gate) PID() int { return g.cmd.Process.Pid }

// Log is everything it printed so far.
func (g *Gate) Log() ([]byte, error) { return os.ReadFile(filepath.Join(g.cfg.Dir, "axgate.log")) }

// Stop asks it to end and waits for that; running calls get their time.
func (g *Gate) Stop(ctx context.Context) error {
	select {
	case <-g.exited:
		return fmt.Errorf("axgate ended by itself: %w", g.err)
	default:
	}
	if err := g.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-g.exited:
		return errors.Join(g.err, g.log.Close())
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("axgate does not end: %w", ctx.Err()), g.Kill())
	}
}

// Kill ends it without notice, if it runs.
func (g *Gate) Kill() error {
	_ = g.cmd.Process.Kill()
	<-g.exited
	return g.log.Close()
}

// Drain asks it to end and returns; Ended is closed when it has.
func (g *Gate) Drain() error { return g.cmd.Process.Signal(syscall.SIGTERM) }

// Ended is closed when the program has ended.
func (g *Gate) Ended() <-chan struct{} { return g.exited }

// Stacks ends it with SIGQUIT and gives the stacks of all its goroutines.
func (g *Gate) Stacks() ([]byte, error) {
	before, err := g.Log()
	if err != nil {
		return nil, err
	}
	if err := g.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		return nil, err
	}
	<-g.exited
	all, err := g.Log()
	if err != nil {
		return nil, err
	}
	return all[len(before):], g.log.Close()
}

// Files counts its open files, sockets included.
func (g *Gate) Files() (int, error) {
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", g.PID()))
	return len(list), err
}

// Run gives a command, for example Run(ctx, "doctor"), and returns what it
// printed.
func (g *Gate) Run(ctx context.Context, args ...string) ([]byte, error) {
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, g.bin, append(args, "--config", g.path)...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = &out, &errs, g.cfg.Dir
	if err := cmd.Run(); err != nil {
		return out.Bytes(), fmt.Errorf("axgate %s: %w: %s", strings.Join(args, " "), err, errs.Bytes())
	}
	return out.Bytes(), nil
}

// Bind makes a binding: mode is ax, axb or axe, args its flags. It gives the
// subscriptionId.
func (g *Gate) Bind(ctx context.Context, mode string, args ...string) (string, error) {
	out, err := g.Run(ctx, append([]string{"bind", mode, "--json"}, args...)...)
	if err != nil {
		return "", err
	}
	var answer struct {
		ID string `json:"subscriptionId"`
	}
	if err := json.Unmarshal(out, &answer); err != nil || answer.ID == "" {
		return "", fmt.Errorf("axgate bind %s answers without a subscriptionId: %s", mode, out)
	}
	return answer.ID, nil
}

// Unbind takes a binding back.
func (g *Gate) Unbind(ctx context.Context, id string) error {
	_, err := g.Run(ctx, "unbind", "--id", id)
	return err
}

// Temporary sets the temporary callee of an AX binding.
func (g *Gate) Temporary(ctx context.Context, x, callee string, args ...string) error {
	_, err := g.Run(ctx, append([]string{"temp", "--x", x, "--callee", callee}, args...)...)
	return err
}

// Blacklist keeps a number from calling X and from being called through it.
func (g *Gate) Blacklist(ctx context.Context, x, number string) error {
	_, err := g.Run(ctx, "blacklist", "add", "--x", x, "--number", number)
	return err
}

// Data is its data directory.
func (g *Gate) Data() string {
	if g.cfg.Data != "" {
		return g.cfg.Data
	}
	return g.cfg.Dir
}

// Recording finds a recording in the data directory.
func (g *Gate) Recording(name string) (string, error) {
	found := ""
	err := filepath.WalkDir(g.Data(), func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Name() == name {
			found = path
			return filepath.SkipAll
		}
		return err
	})
	if err == nil && found == "" {
		err = fmt.Errorf("there is no %s in %s", name, g.Data())
	}
	return found, err
}
