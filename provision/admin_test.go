package provision_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/provision"
	"axgate/routing"
)

// TestWhoMay: every operation is refused alike by what the app and its account
// are.
func TestWhoMay(t *testing.T) {
	operations := map[routing.Mode]map[string]func(o *office, app string) error{
		routing.AX: {
			"bind":   func(o *office, app string) error { _, err := o.BindAX(o.ctx, app, provision.BindAX{}); return err },
			"modify": func(o *office, app string) error { _, err := o.ModifyAX(o.ctx, app, provision.ModifyAX{}); return err },
			"unbind": func(o *office, app string) error { return o.UnbindAX(o.ctx, app, provision.AX{}) },
			"query":  func(o *office, app string) error { _, err := o.QueryAX(o.ctx, app, provision.AX{}); return err },
			"temporary": func(o *office, app string) error {
				_, err := o.SetTemporary(o.ctx, app, provision.TemporaryCallee{})
				return err
			},
		},
		routing.AXB: {
			"bind": func(o *office, app string) error { _, err := o.BindAXB(o.ctx, app, provision.BindAXB{}); return err },
			"modify": func(o *office, app string) error {
				_, err := o.ModifyAXB(o.ctx, app, provision.ModifyAXB{})
				return err
			},
			"unbind": func(o *office, app string) error { return o.UnbindAXB(o.ctx, app, "", "") },
			"query":  func(o *office, app string) error { _, err := o.QueryAXB(o.ctx, app, provision.QueryAXB{}); return err },
		},
		routing.AXE: {
			"bind": func(o *office, app string) error { _, err := o.BindAXE(o.ctx, app, provision.BindAXE{}); return err },
			"modify": func(o *office, app string) error {
				_, err := o.ModifyAXE(o.ctx, app, provision.ModifyAXE{})
				return err
			},
			"unbind": func(o *office, app string) error { return o.UnbindAXE(o.ctx, app, provision.AXE{}) },
			"query":  func(o *office, app string) error { _, err := o.QueryAXE(o.ctx, app, provision.AXE{}); return err },
			"list":   func(o *office, app string) error { _, _, err := o.ListAXE(o.ctx, app, "", "", 0); return err },
			"count":  func(o *office, app string) error { _, _, err := o.CountAXE(o.ctx, app, xo, "", 0); return err },
		},
	}
	reads := map[string]bool{"query": true, "list": true, "count": true}
	for mode, list := range operations {
		for name, operation := range list {
			t.Run(string(mode)+" "+name, func(t *testing.T) {
				o := newOffice(t, sqlite(t), mode)
				require.Equal(t, "1010003", outcome(operation(o, "nobody")))
				other := map[routing.Mode]routing.Mode{routing.AX: routing.AXB, routing.AXB: routing.AXE, routing.AXE: routing.AX}[mode]
				_, err := o.CreateApp(o.ctx, ledger.App{App: routing.App{Key: "wrong", SP: "demo", Mode: other}})
				require.NoError(t, err)
				require.Equal(t, "1010040", outcome(operation(o, "wrong")))
				within := outcome(operation(o, "app"))
				require.NotContains(t, []string{"1010003", "1010040", "1010008", "1010029"}, within)
				require.NoError(t, o.ChangeAccount(o.ctx, "demo", func(acc *ledger.Account) { acc.Frozen = true }))
				if reads[name] {
					require.Equal(t, within, outcome(operation(o, "app")))
				} else {
					require.Equal(t, "1010029", outcome(operation(o, "app")))
				}
				o.setting(func(a *ledger.App) { a.Paused = true })
				require.Equal(t, "1010008", outcome(operation(o, "app")))
			})
		}
	}
}

func TestNumbers(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXB)
	add := func(n routing.XNumber) string {
		_, err := o.AddNumber(o.ctx, ledger.Number{XNumber: n})
		return outcome(err)
	}
	require.Equal(t, "1010002 number", add(routing.XNumber{X: "17010000001", App: "app"}))
	require.Equal(t, "1010002 number", add(routing.XNumber{X: "+8675528000001", App: "app"}))
	require.Equal(t, "1010002 areaCode", add(routing.XNumber{X: "+8617010000031", App: "app", AreaCode: "SZ"}))
	require.Equal(t, "1010003 app_key", add(routing.XNumber{X: "+8617010000031", App: "nobody"}))
	require.Equal(t, "1012001 number", add(routing.XNumber{X: xo, App: "app"}))
	require.Equal(t, "0", add(routing.XNumber{X: "+86700123456789012", App: "app"}), "15 digits beginning with 700")

	_, err := o.BindAXB(o.ctx, "app", pairOn(x1))
	require.NoError(t, err)
	require.Equal(t, "0", add(routing.XNumber{X: x1, App: "app", AreaCode: "0756"}), "attributes may change")
	f := o.facts(x1, anna)
	require.Equal(t, "0756", f.AreaCode)
	require.NotNil(t, f.ByCaller)

	for want, c := range map[string]struct {
		x      string
		status routing.NumberStatus
	}{
		"1010002 status": {x1, "asleep"}, "1010002 number": {"1", "normal"}, "1012001 number": {"+8617010000077", "normal"},
	} {
		_, err := o.SetStatus(o.ctx, c.x, c.status, "")
		require.Equal(t, want, outcome(err))
	}
	_, err = o.SetStatus(o.ctx, x1, routing.StatusPaused, "2")
	require.NoError(t, err)
	require.Equal(t, routing.StatusPaused, o.facts(x1, anna).Status, "the cache knows")
	_, err = o.SetStatus(o.ctx, x1, routing.StatusReturned, "1")
	require.NoError(t, err)
	f = o.facts(x1, anna)
	require.Equal(t, routing.StatusReturned, f.Status)
	require.Nil(t, f.ByCaller)
	_, err = o.SetStatus(o.ctx, x1, routing.StatusNormal, "")
	refused(t, err, "1012001", "number")
	require.Equal(t, "0", add(routing.XNumber{X: x1, App: "other"}), "another app may have it now")
	f = o.facts(x1, anna)
	require.Equal(t, "other", f.App)
	require.Nil(t, f.ByCaller)
	o.agrees()
}

func TestBlock(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXB)
	require.False(t, o.facts(x1, anna).Blacklisted)
	require.Equal(t, "1012001 number", outcome(o.Block(o.ctx, "app", xo, []string{anna}, true)))
	require.Equal(t, "1010002 number", outcome(o.Block(o.ctx, "app", "x", []string{anna}, true)))
	require.Equal(t, "1010002 callers", outcome(o.Block(o.ctx, "app", x1, nil, true)))
	require.Equal(t, "1010002 callers", outcome(o.Block(o.ctx, "app", x1, make([]string, 1001), true)))
	require.Equal(t, "1010002 callers", outcome(o.Block(o.ctx, "app", x1, []string{anna, "bert"}, true)))
	require.False(t, o.facts(x1, anna).Blacklisted)
	require.NoError(t, o.Block(o.ctx, "app", x1, []string{anna, "+85251234567"}, true))
	require.True(t, o.facts(x1, anna).Blacklisted)
	require.True(t, o.facts(x1, "+85251234567").Blacklisted)
	require.False(t, o.facts(x2, anna).Blacklisted)
	require.NoError(t, o.Block(o.ctx, "app", x1, []string{anna}, false))
	require.False(t, o.facts(x1, anna).Blacklisted)
	o.agrees()
	for at := range 5 {
		list := make([]string, 1000)
		for i := range list {
			list[i] = fmt.Sprintf("+86137%08d", at*1000+i)
		}
		if at == 4 { // with the one that is on it
			require.Equal(t, "1012009 callers", outcome(o.Block(o.ctx, "app", x1, list, true)))
			list = list[1:]
		}
		require.NoError(t, o.Block(o.ctx, "app", x1, list, true))
	}
	require.True(t, o.facts(x1, "+8613700004999").Blacklisted)
	o.agrees()
}

func TestApps(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXE)
	right := func() ledger.App { return ledger.App{App: routing.App{Key: "new", SP: "demo", Mode: routing.AXE}} }
	for want, edit := range map[string]func(*ledger.App){
		"1010002 app_key":        func(a *ledger.App) { a.Key = "with blank" },
		"1010002 mode":           func(a *ledger.App) { a.Mode = "AXZ" },
		"1010002 spId":           func(a *ledger.App) { a.SP = "nobody" },
		"1010002 extDigits":      func(a *ledger.App) { a.ExtDigits = 5 },
		"1010002 retries":        func(a *ledger.App) { a.Retries = 10 },
		"1010002 signing":        func(a *ledger.App) { a.Signing = "md5" },
		"1010002 statusUrl":      func(a *ledger.App) { a.StatusURL = "ftp://host/" },
		"1010002 feeUrl":         func(a *ledger.App) { a.FeeURL = "http:///path" },
		"1010002 prompts":        func(a *ledger.App) { a.Prompts = map[routing.Scene]string{"nap": "a.wav"} },
		"1010002 defaultPrompts": func(a *ledger.App) { a.Defaults = map[routing.Scene]bool{routing.SceneWaiting: true} },
		"1010002 prompts.no_permission": func(a *ledger.App) {
			a.Prompts = map[routing.Scene]string{routing.SceneNoPermission: "none.wav"}
		},
	} {
		a := right()
		edit(&a)
		_, err := o.CreateApp(o.ctx, a)
		require.Equal(t, want, outcome(err), "%v", err)
	}
	made, err := o.CreateApp(o.ctx, right())
	require.NoError(t, err)
	require.Equal(t, []any{4, ledger.SignWSSE}, []any{made.ExtDigits, made.Signing})
	require.GreaterOrEqual(t, len(made.Secret), 26)
	_, err = o.CreateApp(o.ctx, right())
	require.Equal(t, "1010002 app_key", outcome(err))
	require.ErrorIs(t, err, ledger.ErrAppExists)
	a := right()
	a.Key = ""
	generated, err := o.CreateApp(o.ctx, a)
	require.NoError(t, err)
	require.NotEmpty(t, generated.Key)
	a.Key = "five"
	_, err = o.CreateApp(o.ctx, a)
	require.NoError(t, err)
	a.Key = "six"
	_, err = o.CreateApp(o.ctx, a)
	require.ErrorIs(t, err, ledger.ErrTooManyApps, "an account has 5 apps unless it was given more")

	secret, err := o.RenewSecret(o.ctx, "new")
	require.NoError(t, err)
	require.NotEqual(t, made.Secret, secret)
	after, err := o.ChangeApp(o.ctx, "new", func(a *ledger.App) error {
		a.Mode, a.Key, a.Name = routing.AX, "other", "renamed"
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, []any{routing.AXE, "new", "renamed", secret}, []any{after.Mode, after.Key, after.Name, after.Secret})
	_, err = o.ChangeApp(o.ctx, "nobody", func(*ledger.App) error { return nil })
	require.Equal(t, "1010003", outcome(err))
	_, err = o.ChangeApp(o.ctx, "new", func(a *ledger.App) error { a.FeeURL = "x"; return nil })
	require.Equal(t, "1010002 feeUrl", outcome(err))
	_, err = o.BindAXE(o.ctx, "app", provision.BindAXE{BindNum: anna, VirtualNum: x1})
	require.NoError(t, err)
	_, err = o.ChangeApp(o.ctx, "app", func(a *ledger.App) error { a.ExtDigits = 2; return nil })
	require.ErrorIs(t, err, ledger.ErrNumbersBound)
}

func TestEnsureApp(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXB)
	a := ledger.App{App: routing.App{Key: "app", SP: "demo", Mode: routing.AXB, Recording: true}, FeeURL: "http://127.0.0.1:9/fee"}
	before, err := o.ledger.App(o.ctx, "app")
	require.NoError(t, err)
	after, err := o.EnsureApp(o.ctx, a)
	require.NoError(t, err)
	require.Equal(t, []any{true, a.FeeURL, before.Secret, before.Created}, []any{after.Recording, after.FeeURL, after.Secret, after.Created})
	a.Mode = routing.AX
	_, err = o.EnsureApp(o.ctx, a)
	require.Equal(t, "1010002 mode", outcome(err))
	a.Key = "made"
	made, err := o.EnsureApp(o.ctx, a)
	require.NoError(t, err)
	require.Equal(t, routing.AX, made.Mode)
}

// TestFailureIsOurs: what the client did not do wrong is 1010001 with status
// 500, and may be repeated.
func TestFailureIsOurs(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXB)
	ctx, cancel := context.WithCancel(o.ctx)
	cancel()
	_, err := o.BindAXB(ctx, "app", pairOn(x1))
	var e *provision.Error
	require.True(t, errors.As(err, &e))
	require.Equal(t, []any{"1010001", 500}, []any{e.Code, e.HTTP})
	require.ErrorIs(t, err, context.Canceled)
}
