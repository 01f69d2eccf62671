package provision_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"axgate/ledger"
	"axgate/provision"
	"axgate/routing"
)

// crowd is who binds; few, so that they meet.
var crowd = []string{anna, bert, carl, dora, fixed, "+8613800000005", "+8613800000006", "+8613800000007"}

// drive is a sequence of requests on some X that nobody else uses.
type drive struct {
	*office
	mode  routing.Mode
	area  string
	xs    []string
	bound map[string]routing.Binding // as the answers said
	last  routing.X                  // on which the last request was
}

// TestInvariants: whatever is asked in whatever order, the limits of section 1
// hold, the ledger has what the answers said, and cache and ledger agree.
func TestInvariants(t *testing.T) {
	for _, mode := range []routing.Mode{routing.AX, routing.AXB, routing.AXE} {
		t.Run(string(mode), func(t *testing.T) {
			o := newOffice(t, sqlite(t), mode)
			if mode == routing.AXE {
				o.setting(func(a *ledger.App) { a.ExtDigits = 1 })
			}
			runs, made := 0, 0
			rapid.Check(t, func(t *rapid.T) {
				runs++
				made += o.drive(t, mode, runs)
			})
			require.True(t, made > 0 || testing.Short(), "nothing was bound") // few sequences may bind nobody
			o.agrees()
		})
	}
}

// drive makes requests on X of this run, and tells how many bindings it made.
func (o *office) drive(t *rapid.T, mode routing.Mode, run int) (made int) {
	d := &drive{office: o, mode: mode, area: fmt.Sprintf("09%05d", run), bound: map[string]routing.Binding{}}
	many := 3
	if mode == routing.AX {
		many = 6 // one more than an A may have
	}
	for i := range many {
		x := fmt.Sprintf("+86700%011d%d", run, i)
		d.xs = append(d.xs, x)
		d.number(routing.X(x), "app", d.area, "")
	}
	t.Repeat(map[string]func(*rapid.T){
		"":        func(t *rapid.T) { d.check(t, d.last) },
		"bind":    d.bind,
		"rebind":  d.bind,
		"lines":   d.lines,
		"unbind":  d.unbind,
		"modify":  d.modify,
		"returns": d.giveBack,
		"time": func(t *rapid.T) {
			d.pass(time.Duration(rapid.IntRange(1, 90).Draw(t, "seconds")) * time.Second)
		},
		"sweep": func(t *rapid.T) { require.NoError(t, d.Tend(d.ctx)) },
	})
	for _, x := range d.xs {
		d.check(t, routing.X(x))
	}
	d.shares(t)
	made = len(d.bound)
	for _, id := range d.standing() { // an A has only so many X
		require.NoError(t, d.end(id))
	}
	return made
}

func (d *drive) bind(t *rapid.T) {
	a := rapid.SampledFrom(crowd).Draw(t, "a")
	x, area := rapid.SampledFrom(d.xs).Draw(t, "x"), provision.Area{}
	if rapid.IntRange(0, 3).Draw(t, "named") == 0 {
		x, area = "", provision.Area{AreaCode: d.area}
	}
	var b routing.Binding
	var err error
	switch d.mode {
	case routing.AX:
		b, err = d.BindAX(d.ctx, "app", provision.BindAX{OrigNum: a, PrivateNum: x, Area: area})
	case routing.AXB:
		b, err = d.BindAXB(d.ctx, "app", provision.BindAXB{CallerNum: a, CalleeNum: rapid.SampledFrom(crowd).Draw(t, "b"), RelationNum: x, Area: area,
			Duration: rapid.SampledFrom([]int{0, 0, 30, 60}).Draw(t, "duration")})
	default:
		b, err = d.BindAXE(d.ctx, "app", provision.BindAXE{BindNum: a, VirtualNum: x, Area: area, TimeUnit: "1",
			ExtendNum: rapid.SampledFrom([]string{"", "", "3", "9", "0"}).Draw(t, "ext"), BindExpiredTime: rapid.SampledFrom([]int{0, 1}).Draw(t, "minutes")})
	}
	d.last = b.X
	if err == nil {
		d.bound[b.ID] = b
		return
	}
	require.NotContains(t, []string{"", "1010001"}, provision.Code(err), "%v", err)
}

func (d *drive) pick(t *rapid.T) (string, bool) {
	ids := d.standing()
	if len(ids) == 0 {
		return "", false
	}
	return rapid.SampledFrom(ids).Draw(t, "which"), true
}

// standing are the ids of what stands, in order.
func (d *drive) standing() []string {
	var ids []string
	for id, b := range d.bound {
		if !b.Ended(d.clock()) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (d *drive) end(id string) error {
	switch d.mode {
	case routing.AX:
		return d.UnbindAX(d.ctx, "app", provision.AX{SubscriptionID: id})
	case routing.AXB:
		return d.UnbindAXB(d.ctx, "app", id, "")
	default:
		return d.UnbindAXE(d.ctx, "app", provision.AXE{SubscriptionID: id})
	}
}

func (d *drive) unbind(t *rapid.T) {
	if id, ok := d.pick(t); ok {
		d.last = d.bound[id].X
		require.NoError(t, d.end(id))
		delete(d.bound, id)
		require.Error(t, d.end(id), "once is enough")
	}
}

func (d *drive) modify(t *rapid.T) {
	id, ok := d.pick(t)
	if !ok {
		return
	}
	var b routing.Binding
	var err error
	switch d.mode {
	case routing.AX:
		b, err = d.ModifyAX(d.ctx, "app", provision.ModifyAX{AX: provision.AX{SubscriptionID: id}, MaxDuration: p(rapid.IntRange(0, 1440).Draw(t, "minutes"))})
	case routing.AXB:
		b, err = d.ModifyAXB(d.ctx, "app", provision.ModifyAXB{SubscriptionID: id, CalleeNum: p(rapid.SampledFrom(crowd).Draw(t, "b")), Duration: p(60)})
	default:
		b, err = d.ModifyAXE(d.ctx, "app", provision.ModifyAXE{AXE: provision.AXE{SubscriptionID: id}, CallbackNum: p(rapid.SampledFrom(crowd).Draw(t, "callback"))})
	}
	d.last = d.bound[id].X
	if err == nil {
		d.bound[id] = b
		return
	}
	require.Contains(t, []string{"1010002", "1012010"}, provision.Code(err), "%v", err)
}

// giveBack returns an X and gets it anew.
func (d *drive) giveBack(t *rapid.T) {
	if rapid.IntRange(0, 4).Draw(t, "seldom") != 0 {
		return
	}
	x := rapid.SampledFrom(d.xs).Draw(t, "x")
	d.last = routing.X(x)
	_, err := d.SetStatus(d.ctx, x, routing.StatusReturned, "")
	require.NoError(t, err)
	d.number(routing.X(x), "app", d.area, "")
	for id, b := range d.bound {
		if b.X == routing.X(x) {
			delete(d.bound, id)
		}
	}
}

// check looks at one X.
func (d *drive) check(t *rapid.T, x routing.X) {
	if x == "" {
		return
	}
	now := d.clock()
	want := map[string]routing.Binding{}
	for id, b := range d.bound {
		if b.X == x && !b.Ended(now) {
			want[id] = b
		}
	}
	list, err := d.ledger.BindingsOfX(d.ctx, x, now, "", 100)
	require.NoError(t, err)
	stands := map[string]routing.Binding{}
	of, extensions := map[routing.Number]string{}, map[routing.Extension]bool{}
	for _, b := range list {
		stands[b.ID] = b
		for _, n := range []routing.Number{b.A, b.B} {
			require.False(t, n != "" && of[n] != "", "a number is twice on X")
			of[n] = b.ID
		}
		require.False(t, b.Ext != "" && extensions[b.Ext], "an extension is given twice")
		extensions[b.Ext] = true
	}
	require.Equal(t, want, stands, "the ledger has what the answers said")
	require.False(t, extensions["0"])
	if d.mode == routing.AX {
		require.LessOrEqual(t, len(list), 1)
	}
	for _, n := range crowd {
		f := d.facts(x, routing.Number(n))
		require.LessOrEqual(t, len(list), f.Bindings)
		switch b := f.ByCaller; {
		case of[routing.Number(n)] != "":
			require.NotNil(t, b, "the cache has what stands")
			require.Equal(t, of[routing.Number(n)], b.ID)
		default:
			require.True(t, b == nil || b.Ended(now), "the cache has what does not stand")
		}
	}
}

// shares counts the X of each A.
func (d *drive) shares(t *rapid.T) {
	shares := map[routing.Number]int{}
	for _, id := range d.standing() {
		shares[d.bound[id].A]++
	}
	for _, n := range shares {
		require.True(t, d.mode != routing.AX || n <= 5, "an A has 5 X at most")
	}
}
