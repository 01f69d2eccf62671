package main

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"text/tabwriter"

	"axgate/api/manage"
)

type banCmd struct {
	List   banListCmd   `cmd:"" default:"withargs" help:"List the addresses of which the running node reads no SIP."`
	Remove banRemoveCmd `cmd:"" help:"Hear an address again."`
}

type banListCmd struct{}

func (c *banListCmd) Run(p *program) error {
	n, err := p.runningNode()
	if err != nil {
		return err
	}
	defer n.close()
	list := manage.List[manage.Ban]{Items: []manage.Ban{}}
	for next := ""; ; next = list.Next {
		var page manage.List[manage.Ban]
		if err := n.get("/bans?limit=500&after="+url.QueryEscape(next), &page); err != nil {
			return fmt.Errorf("list the bans: %w", err)
		}
		list.Items, list.Next = append(list.Items, page.Items...), page.Next
		if list.Next == "" {
			break
		}
	}
	if p.cli.JSON {
		return p.answer(list)
	}
	return p.table("ADDRESS\tSINCE\tUNTIL\tREFUSALS\tDROPPED", func(w *tabwriter.Writer) {
		for _, b := range list.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\n", b.Source, when(b.Since), when(b.Until), b.Refusals, b.Dropped)
		}
	})
}

type banRemoveCmd struct {
	Address netip.Addr `arg:"" help:"The address, or of IPv6 any of its network."`
}

func (c *banRemoveCmd) Run(p *program) error {
	n, err := p.runningNode()
	if err != nil {
		return err
	}
	defer n.close()
	if err := n.ask(http.MethodDelete, "/bans/"+url.PathEscape(c.Address.String()), nil); err != nil {
		return fmt.Errorf("hear an address again: %w", err)
	}
	if p.cli.JSON {
		return p.answer(map[string]any{"address": c.Address, "banned": false})
	}
	p.printf("%s is heard again\n", c.Address)
	return nil
}
