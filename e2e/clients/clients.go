// Package clients runs clients of the binding API that are written in the
// languages of its users, each by the means that its language brings.
package clients

import (
	"bufio"
	"context"
	"embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

//go:embed testdata
var files embed.FS

// Languages names the clients.
var Languages = []string{"go", "java", "node", "php", "python"}

var commands = map[string]struct{ program, file string }{
	"java":   {"java", "Client.java"},
	"node":   {"node", "client.js"},
	"php":    {"php", "client.php"},
	"python": {"python3", "client.py"},
}

// Account is who a client is, and how it signs: WSSE or AKSK.
type Account struct{ Base, Key, Secret, Scheme string }

// Client sends requests one after the other.
type Client interface {
	// Send gives the status of the answer and its body, or for a redirect its
	// Location. body may be empty.
	Send(method, target, body string) (status int, answer string, err error)
	Close() error
}

// Start starts the client of a language. dir is for its files.
func Start(ctx context.Context, language, dir string, a Account) (Client, error) {
	if language == "go" {
		return newNative(ctx, a), nil
	}
	c, ok := commands[language]
	if !ok {
		return nil, fmt.Errorf("there is no client in %q", language)
	}
	text, err := files.ReadFile("testdata/" + c.file)
	if err != nil {
		return nil, fmt.Errorf("read the %s client: %w", language, err)
	}
	path := filepath.Join(dir, c.file)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return nil, fmt.Errorf("write the %s client: %w", language, err)
	}
	p := &process{language: language, cmd: exec.CommandContext(ctx, c.program, path, a.Base, a.Key, a.Secret, a.Scheme)}
	p.cmd.Stderr = &p.complaints
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		p.in, err = p.cmd.StdinPipe()
	}
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start the %s client: %w", language, err)
	}
	p.out = bufio.NewReader(out)
	return p, nil
}

// process is a client in a process of its own: requests and answers are lines.
type process struct {
	language   string
	cmd        *exec.Cmd
	in         io.WriteCloser
	out        *bufio.Reader
	complaints strings.Builder
}

func (p *process) Send(method, target, body string) (int, string, error) {
	_, err := fmt.Fprintf(p.in, "%s %s %s\n", method, target, body)
	if err != nil {
		return 0, "", p.failed(err)
	}
	line, err := p.out.ReadString('\n')
	if err != nil {
		return 0, "", p.failed(err)
	}
	number, answer, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	status, err := strconv.Atoi(number)
	if err != nil {
		return 0, "", p.failed(fmt.Errorf("it printed %.200q", line))
	}
	return status, answer, nil
}

func (p *process) failed(err error) error {
	_ = p.in.Close()
	_ = p.cmd.Wait() // its complaints are complete then
	return fmt.Errorf("the %s client: %w: %s", p.language, err, p.complaints.String())
}

func (p *process) Close() error {
	_ = p.in.Close()
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("end the %s client: %w: %s", p.language, err, p.complaints.String())
	}
	return nil
}
