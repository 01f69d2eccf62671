package lookup_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/provision"
	"axgate/routing"
)

const control = "http://192.0.2.1/control"

// textApp makes an app with texts, of an account of its own.
func (f *fleet) textApp(key string, mode routing.Mode, edit func(*ledger.App)) {
	f.t.Helper()
	office := f.peers[0].office
	require.NoError(f.t, office.EnsureAccount(f.ctx, ledger.Account{SP: key}))
	a := ledger.App{App: routing.App{Key: key, SP: key, Mode: mode, SMS: mode != routing.AXE, ExtDigits: 4}, SMSControlURL: control}
	if edit != nil {
		edit(&a)
	}
	_, err := office.CreateApp(f.ctx, a)
	require.NoError(f.t, err)
}

func (f *fleet) textNumber(x routing.X, app string) {
	f.t.Helper()
	_, err := f.peers[0].office.AddNumber(f.ctx, ledger.Number{XNumber: routing.XNumber{X: x, App: app, SMS: true}})
	require.NoError(f.t, err)
}

// textPair makes an app with an AXB X on which anna and bert are a pair.
func (f *fleet) textPair(key string, x routing.X, edit func(*ledger.App)) routing.Binding {
	f.t.Helper()
	f.textApp(key, routing.AXB, edit)
	f.textNumber(x, key)
	b, err := f.peers[0].office.BindAXB(f.ctx, key, provision.BindAXB{CallerNum: anna, CalleeNum: bert, RelationNum: string(x)})
	require.NoError(f.t, err)
	return b
}

// textAX makes an app with an AX X that is anna's.
func (f *fleet) textAX(key string, x routing.X) {
	f.t.Helper()
	f.textApp(key, routing.AX, nil)
	f.textNumber(x, key)
	_, err := f.peers[0].office.BindAX(f.ctx, key, provision.BindAX{OrigNum: anna, PrivateNum: string(x)})
	require.NoError(f.t, err)
}

// switchSMS switches an X, and waits until that is acknowledged.
func (f *fleet) switchSMS(x routing.X, on bool) {
	f.t.Helper()
	office := f.peers[0].office
	task, err := office.SwitchSMS(f.ctx, "", "", []string{string(x)}, on)
	require.NoError(f.t, err)
	task, err = office.FinishTask(f.ctx, task.ID, nil)
	require.NoError(f.t, err)
	require.Equal(f.t, 1, task.Done)
}

// becomes tells what a node makes of a text: who gets what, or why not.
func (f *fleet) becomes(node int, x routing.X, sender routing.Number, text string) string {
	f.t.Helper()
	d, err := f.peers[node].router.DecideMessage(f.ctx, routing.Message{X: x, Sender: sender, Text: text, At: f.now()})
	require.NoError(f.t, err)
	return outcome(d)
}

func outcome(d routing.MessageDecision) string {
	switch {
	case d.UnknownX:
		return "unknown"
	case d.Step == routing.AskText:
		return "ask"
	case d.Step == routing.ForwardText:
		return string(d.Receiver) + " " + d.Text
	}
	return fmt.Sprint(int(d.Result))
}

// TestTextsByCacheAndLedger looks at every row of the table through Redis and
// then without it.
func TestTextsByCacheAndLedger(t *testing.T) {
	onBothLedgers(t, func(t *testing.T, f *fleet) {
		office := f.peers[0].office
		type row struct {
			name, app string
			x         routing.X
			sender    routing.Number
			text      string
			want      string
		}
		var rows []row
		n := 0
		next := func() routing.X { n++; return routing.X(fmt.Sprintf("+86170100001%02d", n)) }
		// each is a text of anna to bert with something in its way.
		each := func(name, want string, edit func(*ledger.App), spoil func(app string, x routing.X, b routing.Binding) error) {
			x := next()
			b := f.textPair(name, x, edit)
			if spoil != nil {
				require.NoError(t, spoil(name, x, b), name)
			}
			rows = append(rows, row{name, name, x, anna, "hello", want})
		}
		account := func(edit func(*ledger.Account)) func(string, routing.X, routing.Binding) error {
			return func(app string, _ routing.X, _ routing.Binding) error { return office.ChangeAccount(f.ctx, app, edit) }
		}
		app := func(edit func(*ledger.App)) func(string, routing.X, routing.Binding) error {
			return func(key string, _ routing.X, _ routing.Binding) error {
				_, err := office.ChangeApp(f.ctx, key, func(a *ledger.App) error { edit(a); return nil })
				return err
			}
		}
		status := func(s routing.NumberStatus) func(string, routing.X, routing.Binding) error {
			return func(_ string, x routing.X, _ routing.Binding) error {
				_, err := office.SetStatus(f.ctx, string(x), s, "")
				return err
			}
		}
		block := func(who string) func(string, routing.X, routing.Binding) error {
			return func(app string, x routing.X, _ routing.Binding) error {
				return office.Block(f.ctx, app, string(x), []string{who}, true)
			}
		}
		each("nothing", bert+" hello", nil, nil)
		each("number-frozen", bert+" hello", nil, status(routing.StatusFrozen))
		each("number-paused", "3", nil, status(routing.StatusPaused))
		each("number-unavailable", "3", nil, status(routing.StatusUnavailable))
		each("number-returned", "3", nil, status(routing.StatusReturned))
		each("account-frozen", "1", nil, account(func(a *ledger.Account) { a.Frozen = true }))
		each("account-off", "4", nil, account(func(a *ledger.Account) { a.NoSMS = true }))
		each("app-paused", "4", nil, app(func(a *ledger.App) { a.Paused = true }))
		each("app-off", "4", nil, app(func(a *ledger.App) { a.SMS = false }))
		each("number-off", "11", nil, func(_ string, x routing.X, _ routing.Binding) error { f.switchSMS(x, false); return nil })
		each("binding-off", "11", nil, func(app string, _ routing.X, b routing.Binding) error {
			_, err := office.ModifyAXB(f.ctx, app, provision.ModifyAXB{SubscriptionID: b.ID, PrivateSMS: new(false)})
			return err
		})
		each("sender-blocked", "8", nil, block(anna))
		each("receiver-blocked", "8", nil, block(bert))
		each("unbound", "2", nil, func(app string, _ routing.X, b routing.Binding) error { return office.UnbindAXB(f.ctx, app, b.ID, "") })
		each("no-keyword", "12", func(a *ledger.App) { a.Keywords = routing.NewWords("code", "two words") }, nil)
		each("keyword", bert+" hello", func(a *ledger.App) { a.Keywords = routing.NewWords("code", "HELLO") }, nil)
		each("forbidden", "13", nil, app(func(a *ledger.App) { a.Forbidden = routing.NewWords("hell") }))

		pair, ax, axe, xmode := rows[0].x, next(), next(), next()
		f.textAX("ax", ax)
		require.NoError(t, office.Block(f.ctx, "ax", string(ax), []string{dora}, true))
		_, err := office.SetTemporary(f.ctx, "ax", provision.TemporaryCallee{AX: provision.AX{PrivateNum: string(ax)}, CalleeNum: dora})
		require.NoError(t, err)
		f.textApp("axe", routing.AXE, nil)
		_, err = office.AddNumber(f.ctx, ledger.Number{XNumber: routing.XNumber{X: axe, App: "axe", SMS: true}})
		require.NoError(t, err)
		f.textApp("x", routing.XMode, nil)
		f.textNumber(xmode, "x")
		nobody := next()
		rows = append(rows, []row{
			{"the other way", "nothing", pair, bert, "hello", anna + " hello"},
			{"a stranger", "nothing", pair, carl, "hello", "2"},
			{"to A", "ax", ax, bert, "hello", anna + " hello[From" + bert + "]"},
			{"from A", "ax", ax, anna, "hello@13800000002", bert + " hello"},
			{"from A to one on the blacklist", "ax", ax, anna, "hello@13800000004", "8"},
			{"from A to an X", "ax", ax, anna, "hello@" + string(pair), "10"},
			{"from A to this X", "ax", ax, anna, "hello@" + string(ax), "10"},
			{"from A to A", "ax", ax, anna, "hello@" + anna, "10"},
			{"from A to nobody", "ax", ax, anna, "hello", "ask"},
			{"from an X", "ax", ax, routing.Number(pair), "hello", "10"},
			{"from a fixed line", "ax", ax, "+8675528000001", "hello", "10"},
			{"from nobody", "ax", ax, "", "hello", "10"},
			{"from one on the blacklist", "ax", ax, dora, "hello", "8"},
			{"AXE", "axe", axe, bert, "hello", "11"},
			{"X mode", "x", xmode, bert, "hello", "ask"},
			{"not ours", "", nobody, bert, "hello", "unknown"},
		}...)
		check := func(how string) {
			for node := range f.peers {
				for _, r := range rows {
					require.Equal(t, r.want, f.becomes(node, r.x, r.sender, r.text), "%s: %s, node %d", how, r.name, node)
				}
			}
		}
		check("cold")
		check("from the cache")
		f.redis.Kill()
		check("from the ledger")
	})
}

// TestSwitchedOffTextsAreHeldAtOnce: what one node has acknowledged, the other
// one goes by with the next text.
func TestSwitchedOffTextsAreHeldAtOnce(t *testing.T) {
	onBothLedgers(t, func(t *testing.T, f *fleet) {
		const x routing.X = "+8617010000101"
		b := f.textPair("axb", x, nil)
		office := f.peers[0].office
		must := func(err error) { t.Helper(); require.NoError(t, err) }
		app := func(edit func(*ledger.App)) {
			_, err := office.ChangeApp(f.ctx, "axb", func(a *ledger.App) error { edit(a); return nil })
			must(err)
		}
		for _, c := range []struct {
			name, want string
			set        func(on bool)
		}{
			{"number, by a task", "11", func(on bool) { f.switchSMS(x, on) }},
			{"number, by its attributes", "11", func(on bool) {
				_, err := office.AddNumber(f.ctx, ledger.Number{XNumber: routing.XNumber{X: x, App: "axb", SMS: on}})
				must(err)
			}},
			{"binding", "11", func(on bool) {
				_, err := office.ModifyAXB(f.ctx, "axb", provision.ModifyAXB{SubscriptionID: b.ID, PrivateSMS: &on})
				must(err)
			}},
			{"app", "4", func(on bool) { app(func(a *ledger.App) { a.SMS = on }) }},
			{"app paused", "4", func(on bool) { app(func(a *ledger.App) { a.Paused = !on }) }},
			{"account", "4", func(on bool) {
				must(office.ChangeAccount(f.ctx, "axb", func(a *ledger.Account) { a.NoSMS = !on }))
			}},
			{"account frozen", "1", func(on bool) {
				must(office.ChangeAccount(f.ctx, "axb", func(a *ledger.Account) { a.Frozen = !on }))
			}},
			{"a forbidden word", "13", func(on bool) {
				app(func(a *ledger.App) {
					if a.Forbidden = routing.NewWords("hello"); on {
						a.Forbidden = routing.Words{}
					}
				})
			}},
			{"blacklist", "8", func(on bool) { must(office.Block(f.ctx, "axb", string(x), []string{bert}, !on)) }},
			{"status", "3", func(on bool) {
				s := map[bool]routing.NumberStatus{true: routing.StatusNormal, false: routing.StatusPaused}[on]
				_, err := office.SetStatus(f.ctx, string(x), s, "")
				must(err)
			}},
		} {
			for range 3 {
				require.Equal(t, bert+" hello", f.becomes(1, x, anna, "hello"), c.name)
				c.set(false)
				require.Equal(t, c.want, f.becomes(1, x, anna, "hello"), c.name)
				require.Equal(t, c.want, f.becomes(0, x, anna, "hello"), c.name)
				c.set(true)
			}
		}
		must(office.UnbindAXB(f.ctx, "axb", b.ID, ""))
		require.Equal(t, "2", f.becomes(1, x, anna, "hello"))
	})
}

// TestTextOfOneRoundTrip: what is stored about X and sender is found at once.
func TestTextOfOneRoundTrip(t *testing.T) {
	w := newWorld(t)
	w.pair(anna, bert)
	_, err := w.office.ChangeApp(w.ctx, "AXB", func(a *ledger.App) error { a.SMS = true; return nil })
	require.NoError(t, err)
	_, err = w.office.AddNumber(w.ctx, ledger.Number{XNumber: routing.XNumber{X: xAXB, App: "AXB", AreaCode: "0755", SMS: true}})
	require.NoError(t, err)
	decide := func() {
		d, err := w.router.DecideMessage(w.ctx, routing.Message{X: xAXB, Sender: anna, Text: "hello", At: time.Now()})
		require.NoError(t, err)
		require.Equal(t, bert+" hello", outcome(d), d.Why)
		require.Equal(t, []any{routing.FromA, "0755", "AXB"}, []any{d.Direction, d.AreaCode, d.App.Key})
	}
	decide()
	w.loaded(xAXB)
	require.EqualValues(t, 1, w.cost(decide))
}
