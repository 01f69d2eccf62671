// Command axgate is a number-masking call gateway and the commands around it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	p := &program{name: os.Args[0], stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ(), signals: make(chan os.Signal, 4)}
	signal.Notify(p.signals, syscall.SIGINT, syscall.SIGTERM)
	os.Exit(p.run(context.Background(), os.Args[1:]))
}

// program is what commands use of the process.
type program struct {
	name           string // as it was called
	stdout, stderr io.Writer
	environ        []string
	signals        chan os.Signal // orders to end
	ctx            context.Context
	cli            cli
}

// errUnsaid makes the exit code 1 without a further message: what is wrong was
// printed already.
var errUnsaid = errors.New("see above")

// stopped carries a request to end out of the parser, which would exit.
type stopped struct{ code int }

// run parses the arguments and runs their command. It returns the exit code.
func (p *program) run(ctx context.Context, args []string) (code int) {
	defer func() {
		switch s := recover().(type) {
		case nil:
		case stopped:
			code = s.code
		default:
			panic(s)
		}
	}()
	p.ctx = ctx
	parser, err := kong.New(&p.cli,
		kong.Name("axgate"),
		kong.Description(about),
		kong.Writers(p.stdout, p.stderr),
		kong.Exit(func(code int) { panic(stopped{code}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100, NoExpandSubcommands: true}),
		kong.Vars{"version": version()},
		kong.Bind(p),
	)
	if err != nil {
		return p.fail(err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	at, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(p.stderr, "axgate: %v\n", err)
		fmt.Fprintf(p.stderr, "Try: axgate %s--help\n", commandOf(err))
		return exitUsage
	}
	if err := at.Run(); err != nil {
		return p.fail(err)
	}
	return 0
}

// commandOf is the command in whose arguments a mistake is, with a blank.
func commandOf(err error) string {
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil {
		var words []string
		for _, t := range parse.Context.Path {
			if t.Command != nil {
				words = append(words, t.Command.Name)
			}
		}
		if len(words) > 0 {
			return strings.Join(words, " ") + " "
		}
	}
	return ""
}

func (p *program) fail(err error) int {
	if errors.Is(err, errUnsaid) {
		return exitFailed
	}
	var usage *usageError
	if errors.As(err, &usage) {
		fmt.Fprintf(p.stderr, "axgate: %v\n", err)
		return exitUsage
	}
	for line := range strings.Lines(strings.TrimSpace(err.Error()) + "\n") {
		fmt.Fprint(p.stderr, "axgate: ", line)
	}
	return exitFailed
}

// usageError is a wrong use of a command that the parser cannot see.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usage(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }
