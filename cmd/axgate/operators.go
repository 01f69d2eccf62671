package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/user"
	"text/tabwriter"
	"time"

	"axgate/ledger"
	"axgate/provision"
)

type operatorsCmd struct {
	List   operatorsListCmd   `cmd:"" default:"withargs" help:"List operators of the management API."`
	Add    operatorsAddCmd    `cmd:"" help:"Add an operator and print the token, this once."`
	Revoke operatorsRevokeCmd `cmd:"" help:"End the token of an operator."`
}

type operatorsListCmd struct{}

func (c *operatorsListCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		const most = 1000
		list, err := d.Ledger.Operators(d.ctx, "", most)
		if err != nil {
			return err
		}
		if p.cli.JSON {
			shown := make([]operatorShown, len(list))
			for i := range list {
				shown[i] = showOperator(&list[i])
			}
			return p.answer(shown)
		}
		return p.table("ID\tNAME\tROLE\tACCOUNT\tSTATE\tEXPIRES", func(w *tabwriter.Writer) {
			for i := range list {
				o := &list[i]
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", o.ID, o.Name, o.Role, or(o.SP), showOperator(o).State, when(o.Expires))
			}
		})
	})
}

// operatorShown is an operator in JSON.
type operatorShown struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Role     string    `json:"role"`
	SP       string    `json:"spId,omitempty"`
	Unmasked bool      `json:"unmasked,omitempty"`
	State    string    `json:"state"` // works, expired or revoked
	Created  time.Time `json:"created"`
	Expires  time.Time `json:"expires,omitzero"`
	Token    string    `json:"token,omitempty"`
}

func showOperator(o *ledger.Operator) operatorShown {
	state := "works"
	switch {
	case !o.Revoked.IsZero():
		state = "revoked"
	case !o.Works(time.Now()):
		state = "expired"
	}
	return operatorShown{ID: o.ID, Name: o.Name, Role: string(o.Role), SP: o.SP, Unmasked: o.Unmasked, State: state, Created: o.Created, Expires: o.Expires}
}

type operatorsAddCmd struct {
	Name     string        `arg:"" help:"Who it is."`
	Role     string        `required:"" enum:"operator,tenant,read-only" help:"operator: everything; tenant: the apps of an account; read-only: sees everything, or one account." placeholder:"ROLE"`
	SP       string        `name:"sp" help:"The account, for a tenant or for read-only." placeholder:"SPID"`
	Unmasked bool          `help:"read-only: real numbers are shown."`
	For      time.Duration `help:"How long the token works, such as 720h; without it until it is revoked." placeholder:"TIME"`
}

func (c *operatorsAddCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		e := ledger.AuditEntry{Operation: "addOperator", SP: c.SP, Detail: fmt.Sprintf("%.64s, %s, spId=%.64s, unmasked=%v", c.Name, c.Role, c.SP, c.Unmasked)}
		var o ledger.Operator
		var token provision.Token
		err := d.audited(&e, func() (err error) {
			o, token, err = d.Provision.AddOperator(d.ctx, provision.NewOperator{Name: c.Name, Role: ledger.Role(c.Role), SP: c.SP, Unmasked: c.Unmasked, For: c.For})
			e.Target = "id " + o.ID
			return err
		})
		if err != nil {
			return err
		}
		if p.cli.JSON {
			shown := showOperator(&o)
			shown.Token = string(token)
			return p.answer(shown)
		}
		p.printf("%s may use the management API as %s; this is shown once:\n%s\n", o.Name, o.Role, token)
		return nil
	})
}

type operatorsRevokeCmd struct {
	ID string `arg:"" help:"The operator's id, as listed."`
}

func (c *operatorsRevokeCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		e := ledger.AuditEntry{Operation: "revokeOperator", Target: fmt.Sprintf("id %.64s", c.ID)}
		var o ledger.Operator
		err := d.audited(&e, func() (err error) {
			o, err = d.Provision.RevokeOperator(d.ctx, c.ID)
			e.SP, e.Detail = o.SP, o.Name
			return err
		})
		if err != nil {
			return err
		}
		if p.cli.JSON {
			return p.answer(showOperator(&o))
		}
		p.printf("the token of %s has ended\n", o.Name)
		return nil
	})
}

// audited notes a change before it is made, and how it ended after it.
func (d *desk) audited(e *ledger.AuditEntry, change func() error) error {
	e.At, e.Name, e.Role, e.Source = time.Now(), osUser(), ledger.RoleOperator, "command line"
	var err error
	if e.Seq, err = d.Ledger.BeginAudit(d.ctx, *e); err != nil {
		return err
	}
	failed := change()
	e.Done, e.Status, e.Code = time.Now(), http.StatusOK, provision.Code(failed)
	var refused *provision.Error
	switch {
	case errors.As(failed, &refused):
		e.Status = refused.HTTP
	case failed != nil:
		e.Status = http.StatusInternalServerError
	}
	return errors.Join(failed, d.Ledger.FinishAudit(d.ctx, *e))
}

// osUser is who runs the command.
func osUser() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return fmt.Sprintf("uid %d", os.Getuid())
}
