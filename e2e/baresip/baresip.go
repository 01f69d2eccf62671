// Package baresip runs the softphone baresip (Debian package baresip-core,
// version 1.0) as a party of test calls and steers it over its control socket.
package baresip

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/zaf/g711"
)

// modules is where Debian puts baresip's modules.
const modules = "/usr/lib/baresip/modules"

// Config says who the phone is. All fields but Display, Speech and
// Contacts are needed.
type Config struct {
	Dir      string // for its configuration, empty
	Number   string
	Display  string
	Password string   // empty: it does not register
	Server   string   // host:port of its registrar and proxy
	TCP      bool     // SIP over TCP; else UDP
	IP       string   // loopback address for SIP and RTP
	SIPPort  int      // free, as are the next one (TLS), Control and Console
	RTPPort  int      // the first of RTPPorts free ports, even
	Control  int      // TCP port of the control socket
	Console  int      // TCP port of the console
	Speech   []byte   // A-law at 8 kHz that it sends once answered; empty: silence
	Contacts []string // the numbers that it can write to

	CA    string // PEM file of the authority of its server; not empty: SIP over TLS, not UDP or TCP
	Media string // srtp: it can encrypt, srtp-mand: it does nothing else; empty: it cannot
}

// RTPPorts is how many ports for media a phone needs.
const RTPPorts = 20

// Event is something that happened in the phone, as it tells it.
type Event struct {
	Type      string `json:"type"` // REGISTER_OK, CALL_INCOMING, CALL_ESTABLISHED, CALL_CLOSED ...
	Direction string `json:"direction"`
	Peer      string `json:"peeruri"`
	ID        string `json:"id"`
	Param     string `json:"param"` // of CALL_CLOSED: the reason
}

// Phone is a running baresip. One goroutine at a time may use it.
type Phone struct {
	cfg     Config
	cmd     *exec.Cmd
	conn    net.Conn
	console console
	events  chan Event
	answers chan response
	wait    sync.WaitGroup
	seen    []Event
	current int // the contact that texts go to
}

type response struct {
	Response bool   `json:"response"`
	OK       bool   `json:"ok"`
	Data     string `json:"data"`
}

// Start runs a phone and waits until it takes commands. It registers if it has
// a password; wait for REGISTER_OK.
func Start(ctx context.Context, cfg Config) (*Phone, error) {
	if err := configure(cfg); err != nil {
		return nil, fmt.Errorf("configure baresip: %w", err)
	}
	path, err := exec.LookPath("baresip")
	if err != nil {
		return nil, fmt.Errorf("baresip is needed (apt-get install baresip-core): %w", err)
	}
	out, err := os.Create(filepath.Join(cfg.Dir, "out.txt"))
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p := &Phone{cfg: cfg, events: make(chan Event, 256), answers: make(chan response, 1)}
	p.cmd = exec.Command(path, "-f", cfg.Dir, "-s", "-v")
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start baresip: %w", err)
	}
	if p.conn, err = connect(ctx, cfg.Control); err == nil {
		p.console.conn, err = connect(ctx, cfg.Console)
	}
	if err != nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		return nil, fmt.Errorf("baresip does not take commands: %w; it said:\n%s", err, p.Output())
	}
	p.wait.Go(p.read)
	p.wait.Go(p.console.read)
	return p, nil
}

func configure(cfg Config) error {
	source := ""
	if len(cfg.Speech) > 0 {
		file := filepath.Join(cfg.Dir, "speech.wav")
		if err := os.WriteFile(file, wave(cfg.Speech), 0o600); err != nil {
			return err
		}
		source = "audio_source aufile," + file + "\n"
	} else {
		source = "audio_source aubridge,silence\n"
	}
	text := fmt.Sprintf(`poll_method epoll
sip_listen %s:%d
net_interface %s
call_local_timeout 120
call_max_calls 4
audio_player aubridge,nobody
%saudio_alert aubridge,alert
audio_level no
audio_srate 8000
audio_channels 1
ausrc_srate 8000
auplay_srate 8000
rtp_ports %d-%d
rtp_stats no
jitter_buffer_delay 1-5
module_path %s
module g711.so
module aufile.so
module aubridge.so
module_tmp account.so
module_app menu.so
module_app contact.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:%d
module_app cons.so
cons_listen 127.0.0.1:%d
module srtp.so
module sndfile.so
snd_path %s
`, cfg.IP, cfg.SIPPort, cfg.IP, source, cfg.RTPPort, cfg.RTPPort+RTPPorts, modules, cfg.Control, cfg.Console, cfg.Dir)
	if cfg.CA != "" {
		text += "sip_cafile " + cfg.CA + "\n"
	}
	registering := ";regint=0"
	if cfg.Password != "" {
		registering = ";regint=300;auth_user=" + cfg.Number + ";auth_pass=" + cfg.Password
	}
	media := ""
	if cfg.Media != "" {
		media = ";mediaenc=" + cfg.Media
	}
	display := ""
	if cfg.Display != "" {
		display = strconv.Quote(cfg.Display) + " "
	}
	account := fmt.Sprintf("%s<%s>%s;audio_codecs=PCMA/8000/1,PCMU/8000/1;answermode=manual%s\n", display, cfg.uri(cfg.Number), registering, media)
	contacts := ""
	for _, number := range cfg.Contacts {
		contacts += fmt.Sprintf("%q <%s>\n", number, cfg.uri(number))
	}
	for name, body := range map[string]string{"config": text, "accounts": account, "contacts": contacts} {
		if err := os.WriteFile(filepath.Join(cfg.Dir, name), []byte(body), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// uri is a number at the phone's server.
func (c Config) uri(number string) string {
	uri := "sip:" + number + "@" + c.Server
	switch {
	case c.CA != "":
		uri += ";transport=tls"
	case c.TCP:
		uri += ";transport=tcp"
	}
	return uri
}

// wave is speech as the 16-bit WAV file that baresip reads.
func wave(alaw []byte) []byte {
	pcm := g711.DecodeAlaw(alaw)
	u32 := func(n int) string { return string([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}) }
	head := "RIFF" + u32(36+len(pcm)) + "WAVEfmt " + u32(16) + "\x01\x00\x01\x00" + u32(8000) + u32(16000) + "\x02\x00\x10\x00data" + u32(len(pcm))
	return append([]byte(head), pcm...)
}

func connect(ctx context.Context, port int) (net.Conn, error) {
	var last error
	for ctx.Err() == nil {
		conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err == nil {
			return conn, nil
		}
		last = err
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	return nil, errors.Join(last, ctx.Err())
}

// read takes events and answers from the control socket: JSON in netstrings.
func (p *Phone) read() {
	defer close(p.events)
	r := bufio.NewReader(p.conn)
	for {
		head, err := r.ReadString(':')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(head, ":"))
		if err != nil || n < 0 || n > 1<<20 {
			return
		}
		body := make([]byte, n+1) // and the comma
		for at := 0; at < len(body); {
			m, err := r.Read(body[at:])
			if err != nil {
				return
			}
			at += m
		}
		body = body[:n]
		var a response
		if json.Unmarshal(body, &a) == nil && a.Response {
			select {
			case p.answers <- a:
			default:
			}
			continue
		}
		var e Event
		if json.Unmarshal(body, &e) == nil && e.Type != "" {
			select {
			case p.events <- e:
			default: // nobody listens
			}
		}
	}
}

// Command gives a menu command, for example "reginfo", and returns its answer.
func (p *Phone) Command(ctx context.Context, name, params string) (string, error) {
	body, err := json.Marshal(map[string]string{"command": name, "params": params})
	if err != nil {
		return "", err
	}
	if _, err := fmt.Fprintf(p.conn, "%d:%s,", len(body), body); err != nil {
		return "", fmt.Errorf("baresip %s: %w", name, err)
	}
	select {
	case a := <-p.answers:
		if !a.OK {
			return "", fmt.Errorf("baresip %s: %s", name, a.Data)
		}
		return a.Data, nil
	case <-ctx.Done():
		return "", fmt.Errorf("baresip %s: %w", name, ctx.Err())
	}
}

// Dial calls a number through the phone's server.
func (p *Phone) Dial(ctx context.Context, number string) error {
	_, err := p.Command(ctx, "dial", p.cfg.uri(number))
	return err
}

// Accept answers the call that rings.
func (p *Phone) Accept(ctx context.Context) error {
	_, err := p.Command(ctx, "accept", "")
	return err
}

// Hangup ends, cancels or refuses the current call.
func (p *Phone) Hangup(ctx context.Context) error {
	_, err := p.Command(ctx, "hangup", "")
	return err
}

// Press types digits in the current call, as telephone events if the other
// side takes them, a key every 300 ms.
func (p *Phone) Press(ctx context.Context, digits string) error {
	for _, d := range digits {
		if _, err := p.Command(ctx, "sndcode", string(d)); err != nil {
			return err
		}
		select {
		case <-time.After(300 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Wait waits for an event of one of the types; events before it are passed by.
func (p *Phone) Wait(ctx context.Context, types ...string) (Event, error) {
	for {
		select {
		case e, ok := <-p.events:
			if !ok {
				return Event{}, fmt.Errorf("baresip ended while waiting for %v; it said:\n%s", types, p.Output())
			}
			p.seen = append(p.seen, e)
			for _, t := range types {
				if e.Type == t {
					return e, nil
				}
			}
		case <-ctx.Done():
			return Event{}, fmt.Errorf("wait for baresip's %v: %w; seen: %v; it said:\n%s", types, ctx.Err(), p.seen, p.Output())
		}
	}
}

// Output is what the program printed, SIP messages included.
func (p *Phone) Output() string {
	b, err := os.ReadFile(filepath.Join(p.cfg.Dir, "out.txt"))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// Heard is what the phone has played of its last call so far, A-law; nil if
// there was nothing. It is written out now and then.
func (p *Phone) Heard() ([]byte, error) {
	files, err := filepath.Glob(filepath.Join(p.cfg.Dir, "dump-*-dec.wav"))
	if err != nil || len(files) == 0 {
		return nil, err
	}
	b, err := os.ReadFile(files[len(files)-1])
	const head = 44 // of a WAV file of 16-bit samples
	if err != nil || len(b) < head {
		return nil, err
	}
	return g711.EncodeAlaw(b[head : len(b)-len(b)%2]), nil
}

// Close ends the phone.
func (p *Phone) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_, _ = p.Command(ctx, "quit", "")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = p.cmd.Wait()
	}()
	select {
	case <-ended:
	case <-time.After(3 * time.Second):
		_ = p.cmd.Process.Kill()
		<-ended
	}
	err := errors.Join(p.conn.Close(), p.console.conn.Close())
	p.wait.Wait()
	return err
}
