package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"

	"axgate/config"
	"axgate/lab"
	"axgate/logging"
)

const about = `axgate masks telephone numbers: two people talk through an X number and neither sees the other's.

Begin with "axgate lab": it needs nothing, makes a masked call, shows what happened, and lets two softphones call.`

// cli is the command line.
type cli struct {
	Config string `short:"c" help:"Configuration file. Without it: ./axgate.yaml; commands beside a lab read what it has left in the data directory." env:"AXGATE_CONFIG" placeholder:"FILE"`
	Data   string `short:"d" help:"Data directory, instead of the one that is configured." placeholder:"DIR"`
	JSON   bool   `name:"json" help:"Answer in JSON, for scripts, in the form of the management API."`

	Serve serveCmd `cmd:"" help:"Take calls until told to end."`
	Lab   labCmd   `cmd:"" help:"Everything on this machine: one masked call is made and shown, then softphones can call."`
	Call  callCmd  `cmd:"" help:"Place a test call through X and tell why it went as it did."`

	App       appCmd       `cmd:"" aliases:"apps" help:"Apps: list, show, create, change, pause, resume, and renew the secret."`
	Number    numberCmd    `cmd:"" aliases:"numbers" help:"X numbers: list, add, import, move, change, return, count and export."`
	Binding   bindingCmd   `cmd:"" aliases:"bindings" help:"Bindings: list, show, make, take back."`
	Bulk      bulkCmd      `cmd:"" help:"Many bindings at once, from a file."`
	Prompt    promptsCmd   `cmd:"" aliases:"prompts" help:"Prompts: list, check, convert, upload and review."`
	CDR       cdrCmd       `cmd:"" name:"cdr" aliases:"calls" help:"Call records: list, show, export."`
	SMS       smsCmd       `cmd:"" name:"sms" aliases:"texts" help:"Texts through X: list, show, export, explain, and send one to try."`
	Event     eventsCmd    `cmd:"" aliases:"events" help:"Events: list them with their pushes, or push them again."`
	Blacklist blacklistCmd `cmd:"" help:"Keep callers from X numbers."`
	Trunk     trunksCmd    `cmd:"" aliases:"trunks" help:"Trunks: how they and their servers are now."`
	Node      nodeCmd      `cmd:"" aliases:"nodes" help:"The nodes of the system: list, show, drain, undrain."`
	Ban       banCmd       `cmd:"" aliases:"bans" help:"Addresses of which the running node reads no SIP: list, remove."`
	Operator  operatorsCmd `cmd:"" aliases:"operators" help:"Tokens of the management API: list, add, revoke."`
	Explain   explainCmd   `cmd:"" help:"Why a call would go as it would, or why one went as it did."`

	// Short for the same verbs of binding.
	Bind   bindCmd   `cmd:"" hidden:"" help:"Make a binding (binding bind)."`
	Unbind unbindCmd `cmd:"" hidden:"" help:"Take a binding back (binding unbind)."`
	Temp   tempCmd   `cmd:"" hidden:"" help:"Set whom A of an AX binding reaches by dialling X (binding temp)."`

	Retention retentionCmd `cmd:"" help:"Deletion of what is too old: when it was done, or do it now."`

	Backup  backupCmd  `cmd:"" help:"Write all that is kept into one file, while nodes run."`
	Restore restoreCmd `cmd:"" help:"Make a system of a backup."`

	Keys keysCmd `cmd:"" help:"Keys that secrets and recordings are encrypted with: make, list, change to the newest."`

	Health  healthCmd  `cmd:"" help:"How the running node is, and what is not well."`
	Doctor  doctorCmd  `cmd:"" help:"Look for everything that could keep calls from working."`
	Conf    configCmd  `cmd:"" name:"config" help:"Check, print, and explain the configuration."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

type versionCmd struct{}

func (versionCmd) Run(p *program) error {
	_, err := fmt.Fprintln(p.stdout, "axgate", version())
	return err
}

// version is the module's version and commit as the build knows them.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	text := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 8 {
			text += " " + s.Value[:8]
		}
	}
	return text + " " + info.GoVersion
}

// serverFile is the file that the server reads; empty: none.
func (p *program) serverFile() string {
	const usual = "axgate.yaml"
	if p.cli.Config != "" {
		return p.cli.Config
	}
	if _, err := os.Stat(usual); err == nil {
		return usual
	}
	return ""
}

// configFile is the file that commands read: the server's, or else what a lab
// has left.
func (p *program) configFile() string {
	if file := p.serverFile(); file != "" {
		return file
	}
	data := p.cli.Data
	if data == "" {
		data = config.Default().Data
	}
	left := filepath.Join(data, lab.ConfigFile)
	if _, err := os.Stat(left); err == nil {
		return left
	}
	return ""
}

// load reads the configuration of a command.
func (p *program) load() (config.Config, error) {
	return p.loadOver(config.Default(), p.configFile())
}

func (p *program) loadOver(base config.Config, file string) (config.Config, error) {
	cfg, err := config.Load(base, file, p.environ)
	if err != nil {
		return cfg, err
	}
	if p.cli.Data != "" {
		cfg.Data = p.cli.Data
	}
	return cfg, nil
}

// logger writes to standard error: text to a terminal, line by line, and JSON,
// several lines at once, to whatever else there is, unless the configuration
// wants one of them. What it holds is written by the second result.
func (p *program) logger(cfg *config.Config) (zerolog.Logger, func() error, error) {
	format, terminal := logging.Format(cfg.Log.Format), false
	if f, ok := p.stderr.(*os.File); ok {
		terminal = isatty.IsTerminal(f.Fd())
	}
	switch {
	case format != config.AutoLog:
	case terminal:
		format = logging.Text
	default:
		format = logging.JSON
	}
	if terminal {
		log, err := logging.New(p.stderr, cfg.Log.Level, format)
		return log, func() error { return nil }, err
	}
	lines := logging.Gather(p.stderr)
	log, err := logging.New(lines, cfg.Log.Level, format)
	return log, lines.Close, err
}

// quiet is the log of commands: what matters to them is their answer.
func (p *program) quiet() zerolog.Logger {
	log, err := logging.New(p.stderr, "warn", logging.Text)
	if err != nil {
		return zerolog.Nop()
	}
	return log
}

// untilSignal ends the context at the first order to end.
func (p *program) untilSignal() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(p.ctx)
	go func() {
		select {
		case <-p.signals:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// listed is a list in JSON, as the management API has it.
type listed[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"` // --after of the next page
}

// list shows each of some values, for JSON.
func list[F, T any](from []F, next string, show func(*F) T) listed[T] {
	out := listed[T]{Items: make([]T, len(from)), Next: next}
	for i := range from {
		out.Items[i] = show(&from[i])
	}
	return out
}

// more tells people how the list goes on.
func (p *program) more(next string) {
	if next != "" {
		p.printf("more: --after %s\n", next)
	}
}

// answer prints a value as indented JSON.
func (p *program) answer(v any) error {
	enc := json.NewEncoder(p.stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func (p *program) printf(format string, args ...any) {
	fmt.Fprintf(p.stdout, format, args...)
}
