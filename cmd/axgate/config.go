package main

import (
	"fmt"
	"text/tabwriter"

	"axgate/config"
	"axgate/node"
)

type configCmd struct {
	Check configCheckCmd `cmd:"" help:"Tell all that is wrong with it."`
	Print configPrintCmd `cmd:"" help:"Print what counts: defaults, file and variables together, secrets masked."`
	Keys  configKeysCmd  `cmd:"" help:"List every key with its variable, default and meaning."`

	Profiles configProfilesCmd `cmd:"" help:"Print the trunk profiles that come with the program, as a configuration can have its own."`
}

type configProfilesCmd struct{}

func (configProfilesCmd) Run(p *program) error { return config.PrintShipped(p.stdout) }

type configCheckCmd struct{}

func (configCheckCmd) Run(p *program) error {
	cfg, err := p.load()
	if err != nil {
		return err
	}
	if err := node.Check(&cfg); err != nil {
		return err
	}
	for _, n := range cfg.Notes() {
		p.printf("note: %s\n", n)
	}
	from := p.configFile()
	if from == "" {
		from = "no file: the defaults"
	}
	p.printf("the configuration is right (%s)\n", from)
	return nil
}

type configPrintCmd struct{}

func (configPrintCmd) Run(p *program) error {
	cfg, err := p.load()
	if err != nil {
		return err
	}
	return cfg.Print(p.stdout)
}

type configKeysCmd struct{}

func (configKeysCmd) Run(p *program) error {
	if p.cli.JSON {
		return p.answer(config.Keys())
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KEY\tVARIABLE\tDEFAULT\tMEANING")
	for _, k := range config.Keys() {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", k.Path, k.Variable, k.Default, k.Help)
	}
	return w.Flush()
}
