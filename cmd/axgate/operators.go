package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/user"
	"text/tabwriter"
	"time"

	"axgate/api/manage"
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
			shown := manage.List[manage.Operator]{Items: make([]manage.Operator, len(list))}
			for i := range list {
				shown.Items[i] = manage.ShowOperator(&list[i], time.Now())
			}
			return p.answer(shown)
		}
		return p.table("ID\tNAME\tROLE\tACCOUNT\tSTATE\tEXPIRES", func(w *tabwriter.Writer) {
			for i := range list {
				o := &list[i]
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", o.ID, o.Name, o.Role, or(o.SP), operatorState(o), when(o.Expires))
			}
		})
	})
}

// operatorState is that of the token.
func operatorState(o *ledger.Operator) string {
	switch {
	case !o.Revoked.IsZero():
		return "revoked"
	case !o.Works(time.Now()):
		return "expired"
	}
	return "works"
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
			return p.answer(manage.OperatorToken{Operator: manage.ShowOperator(&o, time.Now()), Token: string(token)})
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
			return p.answer(manage.ShowOperator(&o, time.Now()))
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
