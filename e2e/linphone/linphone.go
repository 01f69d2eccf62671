// Package linphone runs the softphone linphone (Debian package linphone-cli,
// version 5.1) without a sound card as a party of texts and calls, and steers
// it over its standard input.
package linphone

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Config says who the phone is. All fields but Display and TCP are needed.
type Config struct {
	Dir      string // its home, empty
	Number   string
	Display  string
	Password string
	Server   netip.AddrPort // its registrar and proxy
	TCP      bool           // SIP over TCP; else UDP
	IP       string         // loopback address for SIP
	SIPPort  int            // free

	CA    string // PEM file of the authority of its server; not empty: SIP over TLS, not UDP or TCP
	Media string // srtp: it can encrypt, srtp-mand: it does nothing else; empty: it does not
	RTP   int    // port for media, 0: its default; it needs the next one too
}

// Text is a text message that the phone has shown.
type Text struct {
	From string // the user part of the sender's address
	Body string
}

// Phone is a running linphone. One goroutine at a time may send.
type Phone struct {
	cfg Config
	cmd *exec.Cmd
	in  io.WriteCloser

	ended chan struct{} // closed when its output ends

	mu      sync.Mutex
	said    []string // answers and states, as key: value
	texts   []Text
	changed chan struct{} // closed and made anew by each line
}

// Start runs a phone and waits until it is registered.
func Start(ctx context.Context, cfg Config) (*Phone, error) {
	path, err := exec.LookPath("linphone-daemon")
	if err != nil {
		return nil, fmt.Errorf("linphone is needed (apt-get install linphone-cli): %w", err)
	}
	if err := configure(cfg); err != nil {
		return nil, fmt.Errorf("configure linphone: %w", err)
	}
	p := &Phone{cfg: cfg, ended: make(chan struct{}), changed: make(chan struct{})}
	p.cmd = exec.Command(path, "--config", filepath.Join(cfg.Dir, "rc"), "--log", filepath.Join(cfg.Dir, "log.txt"))
	p.cmd.Env = []string{"HOME=" + cfg.Dir, "LC_ALL=C.UTF-8", "TERM=dumb", "PATH=" + os.Getenv("PATH")}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		p.in, err = p.cmd.StdinPipe()
	}
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start linphone: %w", err)
	}
	go func() {
		defer close(p.ended)
		p.read(out)
	}()
	if err := p.registered(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("%w; its log:\n%s", err, p.Log()), p.Close())
	}
	return p, nil
}

// configure writes what linphone reads at its start.
func configure(cfg Config) error {
	ports, transport := [2]int{cfg.SIPPort, 0}, "udp"
	secured, extra := 0, ""
	switch {
	case cfg.CA != "":
		ports, transport, secured = [2]int{0, 0}, "tls", cfg.SIPPort
		extra = "root_ca=" + cfg.CA + "\nverify_server_certs=1\nverify_server_cn=0\n" // it does not know addresses in certificates
	case cfg.TCP:
		ports, transport = [2]int{0, cfg.SIPPort}, "tcp"
	}
	switch cfg.Media {
	case "srtp":
		extra += "media_encryption=srtp\n"
	case "srtp-mand":
		extra += "media_encryption=srtp\nmedia_encryption_mandatory=1\n"
	}
	sound := ""
	if cfg.RTP != 0 {
		sound = fmt.Sprintf("[rtp]\naudio_rtp_port=%d\naudio_adaptive_jitt_comp_enabled=0\n", cfg.RTP)
	}
	text := fmt.Sprintf(`[sip]
bind_address=%s
sip_port=%d
sip_tcp_port=%d
sip_tls_port=%[10]d
use_ipv6=0
default_proxy=0
%[11]s%[12]s[auth_info_0]
username=%[4]s
userid=%[4]s
passwd=%[5]s
[proxy_0]
reg_proxy=<sip:%[6]s;transport=%[7]s>
reg_route=<sip:%[6]s;transport=%[7]s;lr>
reg_identity=%[8]q <sip:%[4]s@%[9]s>
reg_expires=300
reg_sendregister=1
publish=0
`, cfg.IP, ports[0], ports[1], cfg.Number, cfg.Password, cfg.Server, transport, cfg.Display, cfg.Server.Addr(), secured, extra, sound)
	if err := os.MkdirAll(filepath.Join(cfg.Dir, ".local", "share", "linphone"), 0o700); err != nil { // it keeps its texts there
		return err
	}
	return os.WriteFile(filepath.Join(cfg.Dir, "rc"), []byte(text), 0o600)
}

// read takes answers and events. A text is in quotes; an empty line follows.
func (p *Phone) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	var from, body string
	inside := false
	for lines.Scan() {
		line := strings.TrimPrefix(lines.Text(), "daemon-linphone>")
		key, value, _ := strings.Cut(line, ": ")
		switch {
		case inside && line == "" && strings.HasSuffix(body, `"`):
			inside = false
			p.note(func() { p.texts = append(p.texts, Text{From: user(from), Body: strings.TrimSuffix(body, `"`)}) })
		case inside:
			body += "\n" + line
		case key == "Content":
			inside, body = true, strings.TrimPrefix(value, `"`)
		case key == "From":
			from = value
		case slices.Contains([]string{"Status", "Reason", "State"}, key):
			p.note(func() { p.said = append(p.said, line) })
		}
	}
}

func (p *Phone) note(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	close(p.changed)
	p.changed = make(chan struct{})
}

// user is the user part of a SIP URI.
func user(uri string) string {
	_, rest, _ := strings.Cut(uri, "sip:")
	name, _, _ := strings.Cut(rest, "@")
	return name
}

// registered asks until the phone is registered. A phone that is asked after
// it was refused dies.
func (p *Phone) registered(ctx context.Context) error {
	for {
		said, err := p.command(ctx, "register-status ALL", "Status: Error", "State: ")
		switch {
		case err != nil:
			return fmt.Errorf("linphone was not registered: %w", err)
		case said == "State: LinphoneRegistrationOk":
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("linphone was not registered: %w", ctx.Err())
		}
	}
}

// command gives a command and waits for a line that begins in one of these
// ways.
func (p *Phone) command(ctx context.Context, line string, ends ...string) (string, error) {
	p.mu.Lock()
	from := len(p.said)
	p.mu.Unlock()
	if _, err := fmt.Fprintln(p.in, line); err != nil {
		return "", fmt.Errorf("linphone %s: %w", line, err)
	}
	for {
		p.mu.Lock()
		said, changed := p.said[from:], p.changed
		p.mu.Unlock()
		for _, s := range said {
			for _, end := range ends {
				if strings.HasPrefix(s, end) {
					return s, nil
				}
			}
		}
		select {
		case <-changed:
		case <-p.ended:
			return "", fmt.Errorf("linphone %s: it ended", line)
		case <-ctx.Done():
			return "", fmt.Errorf("linphone %s: %w; it said %q", line, ctx.Err(), said)
		}
	}
}

// Text sends a text message (one line) and tells whether it was accepted.
func (p *Phone) Text(ctx context.Context, to, body string) (bool, error) {
	const state = "State: LinphoneChatMessageState"
	said, err := p.command(ctx, fmt.Sprintf("message sip:%s@%s %s", to, p.cfg.Server.Addr(), body),
		"Status: Error", state+"Delivered", state+"NotDelivered")
	if err != nil {
		return false, err
	}
	if said == "Status: Error" {
		return false, fmt.Errorf("linphone sends no text to %s", to)
	}
	return said == state+"Delivered", nil
}

// Texts are the text messages that the phone has shown so far.
func (p *Phone) Texts() []Text {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.texts)
}

// Log is what the program wrote to its log, SIP messages included.
func (p *Phone) Log() string {
	b, err := os.ReadFile(filepath.Join(p.cfg.Dir, "log.txt"))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// Close ends the phone.
func (p *Phone) Close() error {
	_, _ = fmt.Fprintln(p.in, "quit")
	select {
	case <-p.ended:
	case <-time.After(5 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
	_ = p.cmd.Wait() // killed, or with a status that says nothing
	return nil
}
