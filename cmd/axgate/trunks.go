package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"axgate/api/manage"
)

type trunksCmd struct {
	List trunksListCmd `cmd:"" default:"withargs" help:"List the trunks of the running node with their servers."`
}

type trunksListCmd struct{}

// Help tells more than the one line of the overview.
func (trunksListCmd) Help() string {
	return `The node that runs on the data directory is asked, so http.listen must not be off. STATE is that of a server: up; down, after 3 OPTIONS or calls in a row without an answer; resting, as long as it asked for no calls (Retry-After). A trunk that only calls us has no server. ANSWER is the status of its last final answer, HEARD when it said anything last.`
}

func (c *trunksListCmd) Run(p *program) error {
	n, err := p.runningNode()
	if err != nil {
		return err
	}
	defer n.close()
	var all manage.List[manage.Trunk]
	if err := n.get("/trunks", &all); err != nil {
		return fmt.Errorf("list the trunks: %w", err)
	}
	if p.cli.JSON {
		return p.answer(all)
	}
	err = p.table("TRUNK\tSTATE\tCALLS\tREGISTRATION\tSERVER\tANSWER\tHEARD", func(w *tabwriter.Writer) {
		for i := range all.Items {
			trunkRows(w, &all.Items[i])
		}
	})
	for i := range all.Items {
		if t := &all.Items[i]; t.Failure != "" {
			p.printf("%s: %s\n", t.Name, t.Failure)
		}
		for _, s := range all.Items[i].Servers {
			if s.Failure != "" {
				p.printf("%s: %s: %s\n", all.Items[i].Name, s.Address, s.Failure)
			}
		}
		if t := &all.Items[i]; t.Registration != nil && t.Registration.Failure != "" {
			p.printf("%s: %s (%d in a row)\n", t.Name, t.Registration.Failure, t.Registration.Failures)
		}
	}
	return err
}

// trunkRows are the servers of a trunk, or the trunk if it has none.
func trunkRows(w *tabwriter.Writer, t *manage.Trunk) {
	registration := "-"
	if r := t.Registration; r != nil {
		registration = r.State
		if !r.Until.IsZero() {
			registration += " until " + when(r.Until)
		}
	}
	if len(t.Servers) == 0 {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t-\t-\t-\n", t.Name, upOrDown(t.Up), t.Calls, registration)
	}
	for i := range t.Servers {
		s := &t.Servers[i]
		state, answer := upOrDown(s.Up), "-"
		if s.Rests.After(time.Now()) {
			state = "resting until " + when(s.Rests)
		}
		if s.Status > 0 {
			answer = fmt.Sprint(s.Status)
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%s\n", t.Name, state, t.Calls, registration, s.Address, answer, when(s.Heard))
	}
}

func upOrDown(up bool) string {
	if up {
		return "up"
	}
	return "down"
}
