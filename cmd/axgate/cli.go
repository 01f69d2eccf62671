package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

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
	JSON   bool   `name:"json" help:"Answer in JSON, for scripts."`

	Serve serveCmd `cmd:"" help:"Take calls until told to end."`
	Lab   labCmd   `cmd:"" help:"Everything on this machine: one masked call is made and shown, then softphones can call."`
	Call  callCmd  `cmd:"" help:"Place a test call through X and tell why it went as it did."`

	Bind      bindCmd      `cmd:"" help:"Make a binding."`
	Unbind    unbindCmd    `cmd:"" help:"Take a binding back; from then on nobody is reached through it."`
	Bindings  bindingsCmd  `cmd:"" help:"List bindings."`
	Temp      tempCmd      `cmd:"" help:"Set whom A of an AX binding reaches by dialling X."`
	Apps      appsCmd      `cmd:"" help:"List apps, or show one."`
	Numbers   numbersCmd   `cmd:"" help:"List, add, and change X numbers."`
	Blacklist blacklistCmd `cmd:"" help:"Keep callers from X numbers."`
	Operators operatorsCmd `cmd:"" help:"Tokens of the management API: list, add, revoke."`

	Calls   callsCmd   `cmd:"" help:"List calls, or show one with its events."`
	Events  eventsCmd  `cmd:"" help:"List events and their pushes, or push them again."`
	Prompts promptsCmd `cmd:"" help:"List, check, convert, upload and review prompts."`

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

// logger writes to standard error.
func (p *program) logger(cfg *config.Config) (zerolog.Logger, error) {
	return logging.New(p.stderr, cfg.Log.Level, logging.Format(cfg.Log.Format))
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
