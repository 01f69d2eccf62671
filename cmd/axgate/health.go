package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"axgate/health"
	"axgate/node"
)

type healthCmd struct{}

// Help tells more than the one line of the overview.
func (healthCmd) Help() string {
	return `The node that runs on the data directory is asked, at http.listen or metrics.listen: one of them must not be off. It is ok; degraded: calls go on, somebody has to look; down: it takes no new calls; or stuck: it has to be restarted. The exit code is 0 if it is ok or degraded, else 1. What to do about each is in docs/operations.md.`
}

func (healthCmd) Run(p *program) error {
	n, err := p.watchedNode()
	if err != nil {
		return err
	}
	defer n.close()
	r, err := n.health()
	if err != nil {
		return err
	}
	if p.cli.JSON {
		err = p.answer(r)
	} else {
		err = p.printHealth(&r)
	}
	if err == nil && r.Status >= health.Down {
		err = errUnsaid
	}
	return err
}

func (p *program) printHealth(r *health.Report) error {
	p.printf("%s is %s since %s\n", r.Node, r.Status, when(r.Since))
	if len(r.Reasons) == 0 {
		p.printf("all is well with: %s\n", strings.Join(r.Checks, ", "))
		return nil
	}
	return p.table("CHECK\tLEVEL\tSINCE\tWHY", func(w *tabwriter.Writer) {
		for _, one := range r.Reasons {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", one.Check, one.Level, when(one.Since), one.Text)
		}
	})
}

// health has a running node say what it is not well with.
func (x *patient) health(r node.Running) {
	if r.HTTP == "" && r.Figures == "" {
		x.note(fine, "health", "set http.listen or metrics.listen to have it asked", "the node is not asked how it is")
		return
	}
	n, err := x.watchedNode()
	if err != nil {
		x.note(odd, "health", "", "%v", err)
		return
	}
	defer n.close()
	is, err := n.health()
	if err != nil {
		x.note(odd, "health", "look at its log", "%v", err)
		return
	}
	if len(is.Reasons) == 0 {
		x.note(fine, "health", "", "the node finds itself well")
	}
	for _, one := range is.Reasons {
		level := odd
		if one.Level >= health.Down {
			level = wrong
		}
		x.note(level, "health", "see docs/operations.md", "%s: %s, since %s", one.Check, one.Text, when(one.Since))
	}
}
