package main

import (
	"fmt"
	"net/http"
	"net/url"
	"text/tabwriter"

	"axgate/api/manage"
)

type nodeCmd struct {
	List    nodeListCmd    `cmd:"" default:"withargs" help:"List the nodes of the system."`
	Show    nodeShowCmd    `cmd:"" help:"Show a node."`
	Drain   nodeDrainCmd   `cmd:"" help:"Have a node refuse new calls with 503, while its calls go on."`
	Undrain nodeUndrainCmd `cmd:"" help:"Have it take calls again."`
}

type nodeListCmd struct{}

func (c *nodeListCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		all, err := d.nodes()
		if err != nil {
			return err
		}
		if p.cli.JSON {
			return p.answer(manage.List[manage.Node]{Items: all})
		}
		return d.table("NODE\tSTATE\tINCARNATION\tSINCE\tHEARD\tCALLS\tSIP\tHTTP", func(w *tabwriter.Writer) {
			for _, n := range all {
				fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%d\t%s\t%s\n", n.Name, n.State, n.Incarnation, when(n.Since), when(n.Heard), n.Calls, or(n.UDP), or(n.HTTP))
			}
		})
	})
}

// nodes are those that the ledger knows.
func (d *desk) nodes() ([]manage.Node, error) {
	list, err := d.Ledger.Nodes(d.ctx)
	if err != nil {
		return nil, err
	}
	calls, err := d.Ledger.OpenCalls(d.ctx)
	if err != nil {
		return nil, err
	}
	all := make([]manage.Node, 0, len(list))
	for i := range list {
		all = append(all, manage.ShowNode(&list[i], calls[list[i].Node]))
	}
	return all, nil
}

type nodeShowCmd struct {
	Name string `arg:"" help:"The node."`
}

func (c *nodeShowCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		all, err := d.nodes()
		if err != nil {
			return err
		}
		for _, n := range all {
			if n.Name == c.Name {
				return p.showNode(n)
			}
		}
		return fmt.Errorf("there is no node %s: axgate node list shows which there are", c.Name)
	})
}

func (p *program) showNode(n manage.Node) error {
	if p.cli.JSON {
		return p.answer(n)
	}
	for _, l := range []struct{ name, value string }{
		{"node", n.Name}, {"state", n.State}, {"incarnation", fmt.Sprint(n.Incarnation)}, {"since", when(n.Since)}, {"heard", when(n.Heard)}, {"calls", fmt.Sprint(n.Calls)},
		{"SIP, UDP", or(n.UDP)}, {"SIP, TCP", or(n.TCP)}, {"SIP, TLS", or(n.TLS)}, {"HTTP", or(n.HTTP)},
	} {
		p.printf("%-12s %s\n", l.name, l.value)
	}
	return nil
}

// aNode is the node that a command is about.
type aNode struct {
	Name string `arg:"" optional:"" help:"The node; without it, the one that runs on the data directory."`
}

// ask has the running node tell the ledger what a node is to do.
func (a *aNode) ask(p *program, verb string) error {
	running, err := p.runningNode()
	if err != nil {
		return err
	}
	defer running.close()
	name := a.Name
	if name == "" {
		name = running.name
	}
	var n manage.Node
	if err := running.ask(http.MethodPost, "/nodes/"+url.PathEscape(name)+"/"+verb, &n); err != nil {
		return fmt.Errorf("%s node %s: %w", verb, name, err)
	}
	return p.showNode(n)
}

type nodeDrainCmd struct{ aNode }

// Help tells more than the one line of the overview.
func (nodeDrainCmd) Help() string {
	return `The node that runs on the data directory is asked, whatever node is to drain, so http.listen must not be off. The node refuses new calls and texts with 503 and Retry-After and answers OPTIONS so; what is up goes on; pushes and texts are left to other nodes, if there are any. It is over with axgate node undrain, or a restart. docs/operations.md tells how to upgrade node by node.`
}

func (c *nodeDrainCmd) Run(p *program) error { return c.ask(p, "drain") }

type nodeUndrainCmd struct{ aNode }

func (c *nodeUndrainCmd) Run(p *program) error { return c.ask(p, "undrain") }
