package provision_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/provision"
	"axgate/routing"
)

func ofA(a string) provision.BindAXYB {
	return provision.BindAXYB{OrigNum: a, Area: provision.Area{AreaCode: "0755"}}
}

func toB(part routing.Binding, b string) provision.BindYB {
	return provision.BindYB{SubscriptionID: part.ID, OrigNum: b, Area: provision.Area{AreaCode: "0755"}}
}

// relate binds an A with some B: the AX part and the relations.
func (o *office) relate(a string, bs ...string) (part routing.Binding, all []routing.Binding) {
	o.t.Helper()
	part, err := o.BindAXYB(o.ctx, "app", ofA(a))
	require.NoError(o.t, err)
	for _, b := range bs {
		r, err := o.BindYB(o.ctx, "app", provision.BindYB{SubscriptionID: part.ID, OrigNum: b})
		require.NoError(o.t, err)
		all = append(all, r)
	}
	return part, all
}

// routes tells by the cache alone whom a call reaches, and what is shown; or
// why it reaches nobody.
func (o *office) routes(x routing.X, caller string) string {
	o.t.Helper()
	plan := routing.ChinaPlan()
	d := routing.Decide(&plan, &routing.App{Key: "app", Mode: routing.AXYB},
		routing.Question{Session: "s", X: x, Caller: routing.Number(caller), At: o.clock()}, o.facts(x, routing.Number(caller)))
	if d.Step == routing.Dial {
		return fmt.Sprintf("%s sees %s", d.Callee, d.Shown)
	}
	return d.End.Word
}

func sees(callee string, shown routing.X) string { return fmt.Sprintf("%s sees %s", callee, shown) }

func TestBindAXYB(t *testing.T) {
	for name, change := range map[string]struct {
		change func(*provision.BindAXYB)
		want   string
	}{
		"all there has to be":      {func(*provision.BindAXYB) {}, "0"},
		"no A":                     {func(r *provision.BindAXYB) { r.OrigNum = "" }, "1010002 origNum"},
		"A of a foreign country":   {func(r *provision.BindAXYB) { r.OrigNum = "+12125550100" }, "1010002 origNum"},
		"A is an X":                {func(r *provision.BindAXYB) { r.OrigNum = xo }, "1010002 origNum"},
		"A is a service number":    {func(r *provision.BindAXYB) { r.OrigNum = "+864001234567" }, "1010002 origNum"},
		"a fixed-line A":           {func(r *provision.BindAXYB) { r.OrigNum = fixed }, "0"},
		"no area":                  {func(r *provision.BindAXYB) { r.AreaCode = "" }, "1010002 areaCode"},
		"an area without a number": {func(r *provision.BindAXYB) { r.AreaCode = "0571" }, "1012008"},
		"any area will do":         {func(r *provision.BindAXYB) { r.AreaCode, r.AreaMatchMode = "0571", "1" }, "0"},
		"an impossible match":      {func(r *provision.BindAXYB) { r.AreaMatchMode = "2" }, "1010002 areaMatchMode"},
		"direction 2":              {func(r *provision.BindAXYB) { r.CallDirection = 2 }, "0"},
		"direction 3":              {func(r *provision.BindAXYB) { r.CallDirection = 3 }, "1010002 callDirection"},
		"direction -1":             {func(r *provision.BindAXYB) { r.CallDirection = -1 }, "1010002 callDirection"},
		"the shortest duration":    {func(r *provision.BindAXYB) { r.Duration = 60 }, "0"},
		"the longest":              {func(r *provision.BindAXYB) { r.Duration = 7776000 }, "0"},
		"too short a duration":     {func(r *provision.BindAXYB) { r.Duration = 59 }, "1010002 duration"},
		"too long a duration":      {func(r *provision.BindAXYB) { r.Duration = 7776001 }, "1010002 duration"},
		"a negative one":           {func(r *provision.BindAXYB) { r.Duration = -60 }, "1010002 duration"},
		"an unknown prompt":        {func(r *provision.BindAXYB) { r.PreVoiceX = "none.wav" }, "1010002 preVoiceX"},
		"recording":                {func(r *provision.BindAXYB) { r.RecordFlag = true }, "1012012 recordFlag"},
		"user data with braces":    {func(r *provision.BindAXYB) { r.UserData = "{}" }, "1010002 userData"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, sqlite(t), routing.AXYB)
			r := ofA(anna)
			change.change(&r)
			b, err := o.BindAXYB(o.ctx, "app", r)
			require.Equal(t, change.want, outcome(err))
			if err != nil {
				return
			}
			require.Equal(t, b.ID, b.Subscription())
			require.Equal(t, r.Duration, b.Sent.Lasts)
			require.Equal(t, r.Duration > 0, !b.Until.IsZero())
		})
	}
}

func TestBindYB(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*provision.BindYB)
		want   string
	}{
		"all there has to be":       {func(*provision.BindYB) {}, "0"},
		"no id":                     {func(r *provision.BindYB) { r.SubscriptionID = "" }, "1010002 subscriptionId"},
		"an unknown id":             {func(r *provision.BindYB) { r.SubscriptionID = "nobody" }, "1012007"},
		"no B":                      {func(r *provision.BindYB) { r.OrigNum = "" }, "1010002 origNum"},
		"B is A":                    {func(r *provision.BindYB) { r.OrigNum = anna }, "1010002 origNum"},
		"B is an X":                 {func(r *provision.BindYB) { r.OrigNum = x4 }, "1010002 origNum"},
		"an emergency number as B":  {func(r *provision.BindYB) { r.OrigNum = "+86110" }, "1010002 origNum"},
		"a fixed-line B":            {func(r *provision.BindYB) { r.OrigNum = fixed }, "0"},
		"no area":                   {func(r *provision.BindYB) { r.AreaCode = "" }, "0"},
		"an area without a number":  {func(r *provision.BindYB) { r.AreaCode = "0571" }, "1012008"},
		"another area of the app":   {func(r *provision.BindYB) { r.AreaCode = "010" }, "0"},
		"the shortest duration":     {func(r *provision.BindYB) { r.Duration = 60 }, "0"},
		"too short a duration":      {func(r *provision.BindYB) { r.Duration = 59 }, "1010002 ybDuration"},
		"too long a duration":       {func(r *provision.BindYB) { r.Duration = 7776001 }, "1010002 ybDuration"},
		"an unknown prompt":         {func(r *provision.BindYB) { r.PreVoiceY = "none.wav" }, "1010002 preVoiceY"},
		"an area of another format": {func(r *provision.BindYB) { r.AreaCode = "a" }, "1010002 areaCode"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, sqlite(t), routing.AXYB)
			part, _ := o.relate(anna)
			r := toB(part, bert)
			c.change(&r)
			b, err := o.BindYB(o.ctx, "app", r)
			require.Equal(t, c.want, outcome(err))
			if err == nil {
				require.Equal(t, part.ID, b.Subscription())
				require.NotEqual(t, part.ID, b.ID)
				require.NotEqual(t, part.X, b.Y)
				require.Equal(t, r.Duration, b.Sent.Lasts)
			}
		})
	}
}

// TestAXYBApart: an AXYB app has its own interface, and ids of others are
// nobody's.
func TestAXYBApart(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXYB)
	part, rs := o.relate(anna, bert)
	_, err := o.BindAXB(o.ctx, "app", pairOn(x1))
	refused(t, err, "1010040", "")
	_, err = o.BindYB(o.ctx, "other", toB(part, carl))
	refused(t, err, "1012007", "")
	_, err = o.BindYB(o.ctx, "app", provision.BindYB{SubscriptionID: rs[0].ID, OrigNum: carl})
	refused(t, err, "1012007", "subscriptionId")
	refused(t, o.UnbindAXYB(o.ctx, "other", provision.AXYB{SubscriptionID: part.ID}), "1012007", "")
	_, err = o.QueryAXYB(o.ctx, "other", provision.QueryAXYB{SubscriptionID: part.ID})
	refused(t, err, "1012007", "")
	_, err = o.BindYB(o.ctx, "app", toB(part, bert))
	refused(t, err, "1012010", "origNum")
	p := newOffice(t, sqlite(t), routing.AXB)
	_, err = p.BindAXYB(p.ctx, "app", ofA(anna))
	refused(t, err, "1010040", "")
}

// TestAXYBAtOnce: what is bound is routed on both numbers when the answer comes,
// what is unbound on none, whether the numbers were in the cache or not.
func TestAXYBAtOnce(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXYB)
	o.setting(func(a *ledger.App) { a.Recording = true })
	for _, x := range []routing.X{x1, x2, x3, x4} { // the cache has them all, and has to be told
		require.Equal(t, "no_binding_axyb", o.routes(x, anna))
	}
	r := ofA(anna)
	r.UserData, r.RecordFlag = "order 7", true
	part, err := o.BindAXYB(o.ctx, "app", r)
	require.NoError(t, err)
	require.Contains(t, []routing.X{x1, x2}, part.X)
	require.Equal(t, "own_number", o.routes(part.X, anna))
	require.Equal(t, "no_binding_axyb", o.routes(part.X, bert))

	b, err := o.BindYB(o.ctx, "app", toB(part, bert))
	require.NoError(t, err)
	require.Equal(t, sees(bert, part.X), o.routes(b.Y, anna))
	require.Equal(t, sees(anna, b.Y), o.routes(part.X, bert))
	require.Equal(t, "no_binding_axyb", o.routes(b.Y, bert))
	require.True(t, o.facts(b.Y, anna).ByCaller.Record)
	require.Equal(t, "order 7", o.facts(b.Y, anna).ByCaller.UserData, "what the AX part says counts for its relations")
	c, err := o.BindYB(o.ctx, "app", provision.BindYB{SubscriptionID: part.ID, OrigNum: carl})
	require.NoError(t, err)
	require.NotEqual(t, b.Y, c.Y, "by one Y A reaches one B")
	require.Equal(t, sees(anna, c.Y), o.routes(part.X, carl))
	o.agrees()

	require.NoError(t, o.UnbindAXYB(o.ctx, "app", provision.AXYB{SubscriptionID: part.ID, BNum: bert}))
	require.Equal(t, "no_binding_axyb", o.routes(b.Y, anna))
	require.Equal(t, "no_binding_axyb", o.routes(part.X, bert))
	require.Equal(t, sees(carl, part.X), o.routes(c.Y, anna))
	o.agrees()

	require.NoError(t, o.UnbindAXYB(o.ctx, "app", provision.AXYB{SubscriptionID: part.ID}))
	for x, who := range map[routing.X]string{c.Y: anna, part.X: carl, b.Y: anna} {
		require.Equal(t, "no_binding_axyb", o.routes(x, who))
	}
	require.Equal(t, "no_binding_axyb", o.routes(part.X, anna), "it is no longer A's own")
	o.agrees()
}

func TestUnbindAXYBNames(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXYB)
	part, rs := o.relate(anna, bert)
	for name, c := range map[string]struct {
		which provision.AXYB
		want  string
	}{
		"nothing":         {provision.AXYB{}, "1010002 subscriptionId"},
		"a number alone":  {provision.AXYB{BNum: bert}, "1010002 subscriptionId"},
		"an unknown id":   {provision.AXYB{SubscriptionID: "nobody"}, "1012007"},
		"a malformed Y":   {provision.AXYB{SubscriptionID: part.ID, YNum: strings.TrimPrefix(string(rs[0].Y), "+")}, "1012007 yNum"},
		"a Y of nobody's": {provision.AXYB{SubscriptionID: part.ID, YNum: xo}, "1012007"},
		"yNum wins":       {provision.AXYB{SubscriptionID: part.ID, YNum: xo, BNum: bert}, "1012007"},
		"a B of nobody's": {provision.AXYB{SubscriptionID: part.ID, BNum: carl}, "1012007"},
		"A as B":          {provision.AXYB{SubscriptionID: part.ID, BNum: anna}, "1012007"},
		"X as Y":          {provision.AXYB{SubscriptionID: part.ID, YNum: string(part.X)}, "1012007"},
	} {
		require.Equal(t, c.want, outcome(o.UnbindAXYB(o.ctx, "app", c.which)), name)
	}
	require.Equal(t, sees(bert, part.X), o.routes(rs[0].Y, anna), "nothing of it was done")
	require.NoError(t, o.UnbindAXYB(o.ctx, "app", provision.AXYB{SubscriptionID: part.ID, YNum: string(rs[0].Y), BNum: carl}))
	require.Equal(t, "1012007", outcome(o.UnbindAXYB(o.ctx, "app", provision.AXYB{SubscriptionID: part.ID, YNum: string(rs[0].Y)})))
}

func TestQueryAXYB(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXYB)
	part, rs := o.relate(anna, bert, carl)
	o.number("+8617010000108", "app", "0755", "Guangdong")
	alone, _ := o.relate(dora)
	names := func(list []provision.Relation) (all []string) {
		for i := range list {
			all = append(all, list[i].BindID())
			require.Equal(t, list[i].Part.ID, list[i].Part.Subscription())
		}
		return all
	}
	for name, c := range map[string]struct {
		r    provision.QueryAXYB
		want []string
	}{
		"by id":            {provision.QueryAXYB{SubscriptionID: part.ID, RelationNum: string(alone.X)}, []string{rs[0].ID, rs[1].ID}},
		"by a relation":    {provision.QueryAXYB{SubscriptionID: rs[1].ID}, []string{rs[1].ID}},
		"by X":             {provision.QueryAXYB{RelationNum: string(part.X)}, []string{rs[0].ID, rs[1].ID}},
		"by Y":             {provision.QueryAXYB{RelationNum: string(rs[1].Y)}, []string{rs[1].ID}},
		"an AX part alone": {provision.QueryAXYB{RelationNum: string(alone.X)}, []string{alone.ID}},
	} {
		list, err := o.QueryAXYB(o.ctx, "app", c.r)
		require.NoError(t, err, name)
		require.Equal(t, c.want, names(list), name)
	}
	list, err := o.QueryAXYB(o.ctx, "app", provision.QueryAXYB{SubscriptionID: rs[0].ID})
	require.NoError(t, err)
	require.Equal(t, part.X, list[0].Part.X)
	require.Equal(t, []any{rs[0].Y, routing.Number(bert)}, []any{list[0].YB.Y, list[0].YB.B})
	for want, r := range map[string]provision.QueryAXYB{
		"1010002 subscriptionId": {}, "1012007": {SubscriptionID: "nobody"}, "1012007 relationNum": {RelationNum: xo},
	} {
		_, err := o.QueryAXYB(o.ctx, "app", r)
		require.Equal(t, want, outcome(err))
	}
	require.NoError(t, o.UnbindAXYB(o.ctx, "app", provision.AXYB{SubscriptionID: part.ID}))
	_, err = o.QueryAXYB(o.ctx, "app", provision.QueryAXYB{RelationNum: string(rs[0].Y)})
	refused(t, err, "1012007", "relationNum")
}

// TestAXYBLifetimes: a relation ends with its AX part, or before it; then all
// of it is free again at once.
func TestAXYBLifetimes(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXYB)
	r := ofA(anna)
	r.Duration = 120
	part, err := o.BindAXYB(o.ctx, "app", r)
	require.NoError(t, err)
	short := toB(part, bert)
	short.Duration = 60
	b, err := o.BindYB(o.ctx, "app", short)
	require.NoError(t, err)
	o.facts(b.Y, anna) // loads Y
	o.pass(60 * time.Second)
	require.Equal(t, "no_binding_axyb", o.routes(b.Y, anna))
	require.Equal(t, "no_binding_axyb", o.routes(part.X, bert))
	require.Equal(t, "1012007", outcome(o.UnbindAXYB(o.ctx, "app", provision.AXYB{SubscriptionID: part.ID, BNum: bert})))

	long := toB(part, bert)
	long.Duration = 7776000
	c, err := o.BindYB(o.ctx, "app", long)
	require.NoError(t, err, "nobody has swept, and B is free on X all the same")
	require.Equal(t, part.Until, c.Until)
	require.Equal(t, 7776000, c.Sent.Lasts)
	o.pass(60 * time.Second)
	require.Equal(t, "no_binding_axyb", o.routes(c.Y, anna))
	require.Equal(t, "1012007", outcome(o.UnbindAXYB(o.ctx, "app", provision.AXYB{SubscriptionID: part.ID})))
	_, err = o.BindYB(o.ctx, "app", toB(part, bert))
	refused(t, err, "1012007", "")
	for range 2 { // both numbers of the area can be X again
		_, err = o.BindAXYB(o.ctx, "app", ofA(anna))
		require.NoError(t, err)
	}
	o.agrees()
}

func TestAXYBHasFiveX(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXYB)
	for i := range 6 {
		o.number(routing.X(fmt.Sprintf("+861701000010%d", i)), "app", "0592", "Fujian")
	}
	r := provision.BindAXYB{OrigNum: anna, Duration: 60, Area: provision.Area{AreaCode: "0592"}}
	for range 5 {
		_, err := o.BindAXYB(o.ctx, "app", r)
		require.NoError(t, err)
	}
	_, err := o.BindAXYB(o.ctx, "app", r)
	refused(t, err, "1011003", "origNum")
	o.pass(time.Minute)
	_, err = o.BindAXYB(o.ctx, "app", r)
	require.NoError(t, err, "those whose time has come do not count, though nobody has swept")
}

// TestAXYBReturned: what a number takes with it is not routed on the other
// number either.
func TestAXYBReturned(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXYB)
	part, rs := o.relate(anna, bert, carl)
	for _, r := range rs {
		require.Equal(t, sees(string(r.B), part.X), o.routes(r.Y, anna))
	}
	_, err := o.SetStatus(o.ctx, string(rs[0].Y), routing.StatusReturned, "")
	require.NoError(t, err)
	require.Equal(t, "no_binding_axyb", o.routes(part.X, bert))
	require.Equal(t, sees(anna, rs[1].Y), o.routes(part.X, carl))
	_, err = o.SetStatus(o.ctx, string(part.X), routing.StatusReturned, "")
	require.NoError(t, err)
	require.Equal(t, "no_binding_axyb", o.routes(rs[1].Y, anna))
	o.agrees()
}

// deaf is a cache that can be made to hear nothing.
type deaf struct {
	provision.Cache
	mu  sync.Mutex
	bad routing.X // of which it hears nothing
}

func (d *deaf) hears(x routing.X) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if x == d.bad {
		return errors.New("nobody listens")
	}
	return nil
}

func (d *deaf) set(x routing.X) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bad = x
}

func (d *deaf) PutBinding(ctx context.Context, n routing.XNumber, b routing.Binding) error {
	if err := d.hears(n.X); err != nil {
		return err
	}
	return d.Cache.PutBinding(ctx, n, b)
}

func (d *deaf) DropBinding(ctx context.Context, n routing.XNumber, b routing.Binding, version int64) error {
	if err := d.hears(n.X); err != nil {
		return err
	}
	return d.Cache.DropBinding(ctx, n, b, version)
}

// TestAXYBWithACacheThatHearsHalf: where the cache hears of one number of a
// relation alone, it is made void before the answer.
func TestAXYBWithACacheThatHearsHalf(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXYB)
	cache := &deaf{Cache: o.cache}
	var err error
	o.Service, err = provision.New(provision.Config{Ledger: o.ledger, Cache: cache, Plan: routing.ChinaPlan(), Now: o.clock, Log: zerolog.Nop()})
	require.NoError(t, err)
	part, rs := o.relate(anna, bert, carl)
	o.routes(rs[0].Y, anna)
	o.routes(rs[1].Y, anna)
	cache.set(rs[0].Y)
	require.NoError(t, o.UnbindAXYB(o.ctx, "app", provision.AXYB{SubscriptionID: part.ID, BNum: bert}))
	require.Equal(t, "no_binding_axyb", o.routes(rs[0].Y, anna))
	require.Equal(t, "no_binding_axyb", o.routes(part.X, bert))
	o.routes(rs[1].Y, anna)
	cache.set(rs[1].Y)
	require.NoError(t, o.UnbindAXYB(o.ctx, "app", provision.AXYB{SubscriptionID: part.ID}))
	require.Equal(t, "no_binding_axyb", o.routes(rs[1].Y, anna))
}

// TestARefusalOfAXYBIsTrueOfTheCacheToo: a process ends a relation in the
// ledger and dies before the cache hears of it. Who is told by another process
// that there is none may rely on it, on both numbers.
func TestARefusalOfAXYBIsTrueOfTheCacheToo(t *testing.T) {
	for name, which := range map[string]func(part, r routing.Binding) provision.AXYB{
		"all of it": func(part, _ routing.Binding) provision.AXYB { return provision.AXYB{SubscriptionID: part.ID} },
		"one by B": func(part, r routing.Binding) provision.AXYB {
			return provision.AXYB{SubscriptionID: part.ID, BNum: string(r.B)}
		},
		"one by its own id": func(_, r routing.Binding) provision.AXYB { return provision.AXYB{SubscriptionID: r.ID} },
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, sqlite(t), routing.AXYB)
			part, rs := o.relate(anna, bert)
			o.routes(part.X, bert)
			o.routes(rs[0].Y, anna)
			w := which(part, rs[0])
			_, err := o.ledger.UnbindAXYB(o.ctx, "app", w.SubscriptionID, routing.X(w.YNum), routing.Number(w.BNum), o.clock())
			require.NoError(t, err)
			require.Equal(t, sees(bert, part.X), o.routes(rs[0].Y, anna), "the cache does not know")
			refused(t, o.UnbindAXYB(o.ctx, "app", w), "1012007", "")
			require.Equal(t, "no_binding_axyb", o.routes(rs[0].Y, anna))
			require.Equal(t, "no_binding_axyb", o.routes(part.X, bert))
		})
	}
}

// TestAXYBRequestIDs: the repetition of a named request changes nothing.
func TestAXYBRequestIDs(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXYB)
	named := func(id string) context.Context { return provision.WithRequestID(o.ctx, id) }
	part, err := o.BindAXYB(named("1"), "app", ofA(anna))
	require.NoError(t, err)
	again, err := o.BindAXYB(named("1"), "app", ofA(anna))
	require.NoError(t, err)
	require.Equal(t, part.ID, again.ID)
	b, err := o.BindYB(named("2"), "app", toB(part, bert))
	require.NoError(t, err)
	again, err = o.BindYB(named("2"), "app", toB(part, bert))
	require.NoError(t, err)
	require.Equal(t, b, again)
	which := provision.AXYB{SubscriptionID: part.ID, BNum: bert}
	require.NoError(t, o.UnbindAXYB(named("3"), "app", which))
	require.NoError(t, o.UnbindAXYB(named("3"), "app", which))
	require.Equal(t, "1012007", outcome(o.UnbindAXYB(o.ctx, "app", which)))
	again, err = o.BindYB(named("2"), "app", toB(part, bert))
	require.NoError(t, err)
	require.Equal(t, b.ID, again.ID, "as it was at its end")
	require.Equal(t, "no_binding_axyb", o.routes(part.X, bert))
}
