package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"axgate/config"
	"axgate/ledger"
	"axgate/prompts"
	"axgate/provision"
	"axgate/routing"
)

// seed brings what the configuration says about accounts, apps, numbers and
// bindings into the ledger. What stands there besides is left alone.
func (n *Node) seed(ctx context.Context) error {
	for _, step := range []func(context.Context) error{n.seedAccounts, n.seedApps, n.seedNumbers} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	// A binding that cannot be made any more, because others were made since,
	// is no reason not to start.
	for i := range n.cfg.Bindings {
		if err := n.seedBinding(ctx, &n.cfg.Bindings[i]); err != nil {
			n.log.Warn().Err(err).Msgf("bindings[%d] is not made", i)
		}
	}
	for i, t := range n.cfg.Temporary {
		if err := n.seedTemporary(ctx, t); err != nil {
			n.log.Warn().Err(err).Msgf("temporary[%d] is not set", i)
		}
	}
	return nil
}

func (n *Node) seedAccounts(ctx context.Context) error {
	listed := map[string]bool{}
	for i, a := range n.cfg.Accounts {
		listed[a.Name] = true
		acc := ledger.Account{SP: a.Name, Name: a.Name, Frozen: a.Frozen, NoSMS: !a.SMS, MaxApps: a.MaxApps}
		err := n.office.EnsureAccount(ctx, acc)
		if err == nil {
			err = n.office.ChangeAccount(ctx, acc.SP, func(is *ledger.Account) {
				is.Name, is.Frozen, is.NoSMS, is.MaxApps = acc.Name, acc.Frozen, acc.NoSMS, acc.MaxApps
			})
		}
		if err != nil {
			return fmt.Errorf("accounts[%d]: %w", i, err)
		}
	}
	for i, a := range n.cfg.Apps {
		if listed[a.Account] {
			continue
		}
		listed[a.Account] = true
		const most = 100 // apps that stand in a file are wanted
		if err := n.office.EnsureAccount(ctx, ledger.Account{SP: a.Account, Name: a.Account, MaxApps: most}); err != nil {
			return fmt.Errorf("apps[%d].account: %w", i, err)
		}
	}
	return nil
}

func (n *Node) seedApps(ctx context.Context) error {
	for i := range n.cfg.Apps {
		if _, err := n.office.EnsureApp(ctx, appOf(&n.cfg.Apps[i])); err != nil {
			return fmt.Errorf("apps[%d]: %w", i, err)
		}
	}
	return nil
}

// appOf is an app with the settings of a configuration.
func appOf(c *config.App) ledger.App {
	a := ledger.App{
		App: routing.App{Key: c.Key, SP: c.Account, Mode: routing.Mode(c.Mode), Paused: c.Paused, NoCalls: c.NoCalls, ExtDigits: c.ExtDigits, Retries: c.Retries,
			Recording: c.Recording, Stereo: c.Stereo, Informs: c.Informs, KeepCallee: c.KeepCallee, NoForeign: c.NoForeign,
			SMS: c.SMS, SMSContent: c.SMSContent, Keywords: routing.NewWords(c.SMSKeywords...), Forbidden: routing.NewWords(c.SMSForbidden...),
			Fallback: routing.Number(c.Fallback), AnswerIn: c.AnswerTimeout,
			Prompts: map[routing.Scene]string{}, Defaults: map[routing.Scene]bool{}},
		Name: c.Name, Secret: c.Secret, RandomExt: c.RandomExt,
		StatusURL: c.StatusURL, CallInURL: c.CallInURL, FeeURL: c.FeeURL, SMSURL: c.SMSURL, SMSControlURL: c.SMSControlURL, NumberURL: c.NumberURL, PushNumbers: c.PushNumbers, Signing: ledger.Signing(c.Signing),
		SendDuration: c.SendDuration, SendReleasedBy: c.SendReleasedBy, SendAreaCode: c.SendAreaCode, SendRecordURL: c.SendRecordURL,
		Access:  ledger.Access{Rate: c.Rate, Networks: c.Networks, OnceNonce: c.OnceNonce},
		Keeping: ledger.Keeping{RecordingsDays: c.RecordingsDays, ListsDays: c.ListsDays},
	}
	for scene, file := range c.Prompts {
		a.Prompts[routing.Scene(scene)] = file
	}
	for _, e := range prompts.Catalogue() {
		if e.Ships != prompts.Never && (slices.Contains(c.Defaults, "all") || slices.Contains(c.Defaults, string(e.Scene))) {
			a.Defaults[e.Scene] = true
		}
	}
	return a
}

func (n *Node) seedNumbers(ctx context.Context) error {
	for i := range n.cfg.Numbers {
		c := &n.cfg.Numbers[i]
		if err := n.seedNumber(ctx, c); err != nil {
			return fmt.Errorf("numbers[%d]: %w", i, err)
		}
	}
	return nil
}

func (n *Node) seedNumber(ctx context.Context, c *config.Number) error {
	want := ledger.Number{XNumber: routing.XNumber{X: routing.X(c.X), App: c.App, AreaCode: c.AreaCode, City: c.City, Province: c.Province}, Carrier: c.Carrier, Voice: true}
	is, err := n.ledger.Number(ctx, want.X)
	if err != nil && !errors.Is(err, ledger.ErrUnknownX) {
		return err
	}
	want.SMS = c.SMS == "true" || c.SMS == "" && err == nil && is.App == c.App && is.SMS
	if err != nil || !sameNumber(&is, &want) {
		if is, err = n.office.AddNumber(ctx, want); err != nil {
			return err
		}
	}
	if status := routing.NumberStatus(c.Status); status != "" && status != is.Status {
		_, err = n.office.SetStatus(ctx, c.X, status, is.Cause)
	}
	return err
}

// sameNumber tells whether an X has nothing to be changed, so that a start does
// not touch thousands of them.
func sameNumber(is, want *ledger.Number) bool {
	return is.App == want.App && is.AreaCode == want.AreaCode && is.City == want.City && is.Province == want.Province &&
		is.Carrier == want.Carrier && is.SMS == want.SMS && is.Status != routing.StatusReturned
}

func (n *Node) seedBinding(ctx context.Context, c *config.Binding) error {
	a, err := n.ledger.App(ctx, c.App)
	if err != nil {
		return err
	}
	bound, err := n.ledger.Bound(ctx, routing.X(c.X), routing.Number(c.A), "", time.Now())
	if err != nil {
		return err
	}
	if bound != nil && bound.App == c.App && bound.A == routing.Number(c.A) && bound.B == routing.Number(c.B) {
		return nil
	}
	options := provision.Options{RecordFlag: c.Record}
	switch a.Mode {
	case routing.AX:
		_, err = n.office.BindAX(ctx, c.App, provision.BindAX{OrigNum: c.A, PrivateNum: c.X, CallDirection: c.Direction,
			Options: options, Voice: provision.Voice{MaxDuration: c.MaxMinutes}})
	case routing.AXB:
		_, err = n.office.BindAXB(ctx, c.App, provision.BindAXB{CallerNum: c.A, CalleeNum: c.B, RelationNum: c.X, CallDirection: c.Direction,
			Duration: int(c.Duration.Seconds()), Options: options, Voice: provision.Voice{MaxDuration: c.MaxMinutes}})
	case routing.AXE:
		_, err = n.office.BindAXE(ctx, c.App, provision.BindAXE{BindNum: c.A, VirtualNum: c.X, ExtendNum: c.Ext, CallbackNum: c.CallbackNum,
			TimeUnit: inMinutes, BindExpiredTime: int(c.Duration.Minutes()), Options: options})
	default:
		err = fmt.Errorf("app %s is of mode %s, whose bindings cannot be configured", c.App, a.Mode)
	}
	return err
}

// inMinutes is the unit of AXE lifetimes.
const inMinutes = "1"

func (n *Node) seedTemporary(ctx context.Context, c config.Callee) error {
	number, err := n.ledger.Number(ctx, routing.X(c.X))
	if err != nil {
		return err
	}
	r := provision.TemporaryCallee{AX: provision.AX{PrivateNum: c.X}, CalleeNum: c.Callee}
	if seconds := int(c.Duration.Seconds()); seconds > 0 {
		r.Duration = &seconds
	}
	_, err = n.office.SetTemporary(ctx, number.App, r)
	return err
}
