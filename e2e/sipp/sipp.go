// Package sipp runs SIPp (Debian package sip-tester, version 3.6) with a
// scenario as a trunk of test calls, and reads the messages it saw.
package sipp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"text/template"
	"time"
)

// Config says what to run.
type Config struct {
	Dir      string            // where its files go, empty
	Scenario string            // path of a scenario, a text/template
	Values   any               // of the template
	Audio    map[string][]byte // A-law that the scenario plays, by file name
	Local    netip.AddrPort    // SIP address
	Media    int               // the first of MediaPorts free ports, even
	Target   netip.AddrPort    // where calls go; not valid: it waits for calls
	TCP      bool
	Service  string // the number it calls
	Calls    int    // ends after so many; 0: runs until Close

	Lines []string // of [field0] and so on, divided by semicolons: the calls take one after the other
	Rate  int      // calls that begin in a second; 0: one at a time
}

// patience is how long a call of many waits for a message, in ms. A scenario's own timeout
// counts only from the optional messages before it on.
const patience = "40000"

// longest is for how many seconds a call may be up while new ones begin.
const longest = 90

// MediaPorts is how many ports for media a process may need.
const MediaPorts = 200

// Process is a running SIPp.
type Process struct {
	cfg  Config
	cmd  *exec.Cmd
	out  bytes.Buffer
	done chan struct{}
	err  error
}

// Start runs SIPp.
func Start(cfg Config) (*Process, error) {
	bin, err := exec.LookPath("sipp")
	if err != nil {
		return nil, fmt.Errorf("sipp is needed (apt-get install sip-tester): %w", err)
	}
	if err := prepare(cfg); err != nil {
		return nil, fmt.Errorf("prepare sipp: %w", err)
	}
	transport := "u1"
	if cfg.TCP {
		transport = "t1"
	}
	args := []string{"-sf", "scenario.xml", "-i", cfg.Local.Addr().String(), "-bind_local", "-p", strconv.Itoa(int(cfg.Local.Port())), "-t", transport,
		"-mi", cfg.Local.Addr().String(), "-mp", strconv.Itoa(cfg.Media), "-nostdin", "-trace_msg", "-message_file", "messages.log",
		"-trace_err", "-error_file", "errors.log", "-ci", cfg.Local.Addr().String(), "-cp", strconv.Itoa(cfg.Media + MediaPorts - 1), "-skip_rlimit"}
	if cfg.Calls > 0 {
		args = append(args, "-m", strconv.Itoa(cfg.Calls))
	}
	if len(cfg.Lines) > 0 {
		args = append(args, "-inf", "lines.csv")
	}
	if cfg.Target.IsValid() {
		if cfg.Rate > 0 {
			// By itself SIPp lets few calls be up, begins none while those wait for answers, and has them wait for ever.
			args = append(args, "-r", strconv.Itoa(cfg.Rate), "-l", strconv.Itoa(longest*cfg.Rate), "-recv_timeout", patience, "-deadcall_wait", "1000") // ms
		} else {
			args = append(args, "-r", "1", "-l", "1")
		}
		args = append(args, "-s", cfg.Service, cfg.Target.String())
	}
	p := &Process{cfg: cfg, cmd: exec.Command(bin, args...), done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = cfg.Dir, &p.out, &p.out
	p.cmd.Env = append(os.Environ(), "TERM=dumb")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start sipp: %w", err)
	}
	go func() {
		defer close(p.done)
		p.err = p.cmd.Wait()
	}()
	return p, nil
}

func prepare(cfg Config) error {
	t, err := template.New(filepath.Base(cfg.Scenario)).Option("missingkey=error").ParseFiles(cfg.Scenario)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := t.Execute(&text, cfg.Values); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(cfg.Dir, "scenario.xml"), text.Bytes(), 0o600); err != nil {
		return err
	}
	if len(cfg.Lines) > 0 {
		lines := "SEQUENTIAL\n" + strings.Join(cfg.Lines, "\n") + "\n"
		if err := os.WriteFile(filepath.Join(cfg.Dir, "lines.csv"), []byte(lines), 0o600); err != nil {
			return err
		}
	}
	for name, alaw := range cfg.Audio {
		if err := os.WriteFile(filepath.Join(cfg.Dir, name), alaw, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// Bytes are any bytes as a scenario has them.
func Bytes(body []byte) string {
	var out strings.Builder
	for _, b := range body {
		fmt.Fprintf(&out, `\x%02x`, b)
	}
	return out.String()
}

// Wait waits until SIPp has made its calls. The error tells which step of the
// scenario failed.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.done:
	case <-ctx.Done():
		return errors.Join(ctx.Err(), p.failure())
	}
	if p.err != nil {
		return p.failure()
	}
	return nil
}

// failure is what SIPp says of what went wrong.
func (p *Process) failure() error {
	said, _ := os.ReadFile(filepath.Join(p.cfg.Dir, "errors.log"))
	out := ""
	select {
	case <-p.done:
		out = p.out.String()
		out = out[max(0, len(out)-2000):]
	default:
	}
	return fmt.Errorf("sipp %s: %w\nerrors: %s\nmessages:\n%s\n%s", filepath.Base(p.cfg.Scenario), p.err, said, p.transcript(), out)
}

func (p *Process) transcript() string {
	all, err := p.Messages()
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, m := range all {
		way := "<"
		if m.Sent {
			way = ">"
		}
		first, _, _ := strings.Cut(m.Text, "\r\n")
		fmt.Fprintf(&b, "  %s %s\n", way, first)
	}
	return b.String()
}

// Quit lets no more calls begin and waits until those that are up have ended.
func (p *Process) Quit(ctx context.Context) error {
	if err := p.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		return fmt.Errorf("have sipp end: %w", errors.Join(err, p.failure()))
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for sipp's last calls: %w", ctx.Err())
	}
}

// Close ends SIPp.
func (p *Process) Close() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// Message is one SIP message that SIPp sent or received.
type Message struct {
	At   time.Time
	Sent bool
	Text string
}

// Header gives the value of the first header of that name in any case, or "".
func (m Message) Header(name string) string {
	head, _, _ := strings.Cut(m.Text, "\r\n\r\n")
	for _, line := range strings.Split(head, "\r\n") {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.EqualFold(strings.TrimSpace(k), name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// StartLine is the request or status line.
func (m Message) StartLine() string {
	line, _, _ := strings.Cut(m.Text, "\r\n")
	return line
}

// entry is the heading of a message in SIPp's log: a line of dashes with the
// time, the direction and the size.
var entry = regexp.MustCompile(`(?m)^-{20,} ([0-9-]+[ \t][0-9:.]+)(?:[ \t][0-9.]+)?\r?\n(?:UDP|TCP) message (sent|received) [\[(]([0-9]+)[\])]? ?bytes\)? ?:\r?\n\r?\n`)

// Messages are the SIP messages so far.
func (p *Process) Messages() ([]Message, error) {
	b, err := os.ReadFile(filepath.Join(p.cfg.Dir, "messages.log"))
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
		return nil, err
	}
	return parse(b), nil
}

func parse(log []byte) []Message {
	var all []Message
	for _, at := range entry.FindAllSubmatchIndex(log, -1) {
		size, _ := strconv.Atoi(string(log[at[6]:at[7]]))
		when, _ := time.ParseInLocation("2006-01-02 15:04:05.999999", strings.ReplaceAll(string(log[at[2]:at[3]]), "\t", " "), time.Local)
		text := log[at[1]:min(len(log), at[1]+size)]
		all = append(all, Message{At: when, Sent: string(log[at[4]:at[5]]) == "sent", Text: string(text)})
	}
	return all
}

// Call is the messages of one Call-ID.
func Call(all []Message, callID string) []Message {
	var own []Message
	for _, m := range all {
		if m.Header("Call-ID") == callID {
			own = append(own, m)
		}
	}
	return own
}
