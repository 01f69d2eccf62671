package provision_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/provision"
	"axgate/routing"
)

func pairOn(x string) provision.BindAXB {
	return provision.BindAXB{CallerNum: anna, CalleeNum: bert, RelationNum: x}
}

// TestBindAXBRefuses: the codes are those of codes.md section 1.
func TestBindAXBRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*provision.BindAXB)
		want string
	}{
		"right":                   {func(r *provision.BindAXB) {}, "0"},
		"everything":              {func(r *provision.BindAXB) { *r = whole() }, "0"},
		"fixed lines":             {func(r *provision.BindAXB) { r.CallerNum, r.CalleeNum = fixed, "+861028000001" }, "0"},
		"no A":                    {func(r *provision.BindAXB) { r.CallerNum = "" }, "1010002 callerNum"},
		"no B":                    {func(r *provision.BindAXB) { r.CalleeNum = "" }, "1010002 calleeNum"},
		"A without +86":           {func(r *provision.BindAXB) { r.CallerNum = "13800000001" }, "1010002 callerNum"},
		"A with 0086":             {func(r *provision.BindAXB) { r.CallerNum = "008613800000001" }, "1010002 callerNum"},
		"A with the area's zero":  {func(r *provision.BindAXB) { r.CallerNum = "+86075528000001" }, "1010002 callerNum"},
		"A of Hong Kong":          {func(r *provision.BindAXB) { r.CallerNum = "+85251234567" }, "1010002 callerNum"},
		"B is 400":                {func(r *provision.BindAXB) { r.CalleeNum = "+864001234567" }, "1010002 calleeNum"},
		"B is 95":                 {func(r *provision.BindAXB) { r.CalleeNum = "+8695588" }, "1010002 calleeNum"},
		"B is 110":                {func(r *provision.BindAXB) { r.CalleeNum = "+86110" }, "1010002 calleeNum"},
		"B is text":               {func(r *provision.BindAXB) { r.CalleeNum = strings.Repeat("9", 1000) }, "1010002 calleeNum"},
		"B is A":                  {func(r *provision.BindAXB) { r.CalleeNum = anna }, "1010002 calleeNum"},
		"B is this X":             {func(r *provision.BindAXB) { r.CalleeNum = x1 }, "1010002 calleeNum"},
		"A is another's X":        {func(r *provision.BindAXB) { r.CallerNum = xo }, "1010002 callerNum"},
		"X malformed":             {func(r *provision.BindAXB) { r.RelationNum = "+8612" }, "1012007 relationNum"},
		"X without +86":           {func(r *provision.BindAXB) { r.RelationNum = "17010000001" }, "1012007 relationNum"},
		"X unknown":               {func(r *provision.BindAXB) { r.RelationNum = "+8617010000077" }, "1012007 relationNum"},
		"X of another app":        {func(r *provision.BindAXB) { r.RelationNum = xo }, "1012007 relationNum"},
		"direction 3":             {func(r *provision.BindAXB) { r.CallDirection = 3 }, "1010002 callDirection"},
		"direction -1":            {func(r *provision.BindAXB) { r.CallDirection = -1 }, "1010002 callDirection"},
		"duration 90 days":        {func(r *provision.BindAXB) { r.Duration = 7776000 }, "0"},
		"duration more":           {func(r *provision.BindAXB) { r.Duration = 7776001 }, "1010002 duration"},
		"duration negative":       {func(r *provision.BindAXB) { r.Duration = -1 }, "1010002 duration"},
		"maxDuration a day":       {func(r *provision.BindAXB) { r.MaxDuration = 1440 }, "0"},
		"maxDuration more":        {func(r *provision.BindAXB) { r.MaxDuration = 1441 }, "1010002 maxDuration"},
		"maxDuration negative":    {func(r *provision.BindAXB) { r.MaxDuration = -1 }, "1010002 maxDuration"},
		"area":                    {func(r *provision.BindAXB) { r.RelationNum, r.AreaCode = "", "Shenzhen" }, "1010002 areaCode"},
		"area mode":               {func(r *provision.BindAXB) { r.AreaMatchMode = "2" }, "1010002 areaMatchMode"},
		"area without numbers":    {func(r *provision.BindAXB) { r.RelationNum, r.AreaCode = "", "0571" }, "1012008"},
		"userData too long":       {func(r *provision.BindAXB) { r.UserData = strings.Repeat("u", 257) }, "1010002 userData"},
		"userData with braces":    {func(r *provision.BindAXB) { r.UserData = "{}" }, "1010002 userData"},
		"userData in Chinese":     {func(r *provision.BindAXB) { r.UserData = "订单" }, "1010002 userData"},
		"prompt unknown":          {func(r *provision.BindAXB) { r.PreVoice.CallerHintTone = "none.wav" }, "1010002 preVoice.callerHintTone"},
		"prompt pending":          {func(r *provision.BindAXB) { r.PreVoice.CalleeHintTone = "new.wav" }, "1010002 preVoice.calleeHintTone"},
		"prompt rejected":         {func(r *provision.BindAXB) { r.LastMinVoice = "bad.wav" }, "1010002 lastMinVoice"},
		"prompt with a path":      {func(r *provision.BindAXB) { r.RecordHintTone = "../wait.wav" }, "1010002 recordHintTone"},
		"recording is off":        {func(r *provision.BindAXB) { r.RecordFlag = true }, "1012012 recordFlag"},
		"the first wrong is told": {func(r *provision.BindAXB) { r.CallDirection, r.RecordFlag = 9, true }, "1010002 callDirection"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, sqlite(t), routing.AXB)
			o.prompt("wait.wav", ledger.PromptApproved)
			o.prompt("new.wav", ledger.PromptPending)
			o.prompt("bad.wav", ledger.PromptRejected)
			r := pairOn(x1)
			c.edit(&r)
			_, err := o.BindAXB(o.ctx, "app", r)
			require.Equal(t, c.want, outcome(err), "%v", err)
			if c.want != "0" {
				list, err := o.ledger.BindingsOfX(o.ctx, x1, t0, "", 10)
				require.NoError(t, err)
				require.Empty(t, list, "what is refused leaves nothing")
				require.NotContains(t, outcome(err), "8000000", "no real number is told")
			}
		})
	}
}

// whole is a request with everything but recording.
func whole() provision.BindAXB {
	r := pairOn(x1)
	r.CallDirection, r.Duration, r.MaxDuration = 1, 3600, 30
	r.PreVoice = provision.PreVoice{CallerHintTone: "wait.wav", CalleeHintTone: "wait.wav"}
	r.LastMinVoice, r.RecordHintTone, r.UserData = "wait.wav", "wait.wav", "order=17"
	r.PrivateSMS = p(false)
	return r
}

// TestBindAXBStores everything, and the cache has it when it returns.
func TestBindAXBStores(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXB)
	o.prompt("wait.wav", ledger.PromptApproved)
	o.setting(func(a *ledger.App) { a.Recording = true })
	r := whole()
	r.RecordFlag = true
	require.Nil(t, o.facts(x1, anna).ByCaller)
	b, err := o.BindAXB(o.ctx, "app", r)
	require.NoError(t, err)
	require.NotEmpty(t, b.ID)
	want := routing.Binding{ID: b.ID, App: "app", Mode: routing.AXB, X: x1, A: anna, B: bert, Allowed: routing.OnlyFromA,
		CreatedAt: t0, Until: t0.Add(time.Hour), Record: true, RecordHint: "wait.wav", CallerTone: "wait.wav", CalleeTone: "wait.wav",
		MaxMinutes: 30, LastMinute: "wait.wav", NoSMS: true, UserData: "order=17", AreaCode: "0755", Sent: routing.Sent{Lasts: 3600}, Version: b.Version}
	require.Equal(t, want, b)
	stored, err := o.ledger.Binding(o.ctx, b.ID, t0)
	require.NoError(t, err)
	require.Equal(t, want, stored)
	want.CreatedAt, want.Sent = time.Time{}, routing.Sent{} // no call needs it
	require.Equal(t, &want, o.facts(x1, bert).ByCaller)
	o.agrees()
}

// TestAXBLimits: within one X no number is in two pairs, in either role.
func TestAXBLimits(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXB)
	bind := func(a, b, x string) string {
		_, err := o.BindAXB(o.ctx, "app", provision.BindAXB{CallerNum: a, CalleeNum: b, RelationNum: x})
		return outcome(err)
	}
	require.Equal(t, "0", bind(anna, bert, x1))
	for _, pair := range [][2]string{{anna, bert}, {bert, anna}, {anna, carl}, {carl, anna}, {bert, carl}, {carl, bert}} {
		require.Equal(t, "1012010", bind(pair[0], pair[1], x1), pair)
	}
	require.Equal(t, "0", bind(carl, dora, x1))
	require.Equal(t, "0", bind(anna, carl, x2), "the same A with another B needs another X")
	_, err := o.SetStatus(o.ctx, x3, routing.StatusFrozen, "")
	require.NoError(t, err)
	require.Equal(t, "1012102 relationNum", bind(anna, bert, x3))
}

func TestModifyAXB(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXB)
	o.prompt("wait.wav", ledger.PromptApproved)
	r := whole()
	b, err := o.BindAXB(o.ctx, "app", r)
	require.NoError(t, err)
	_, err = o.BindAXB(o.ctx, "app", provision.BindAXB{CallerNum: carl, CalleeNum: dora, RelationNum: x1})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		edit func(*provision.ModifyAXB)
		want string
	}{
		"no id":            {func(r *provision.ModifyAXB) { r.SubscriptionID = "" }, "1010002 subscriptionId"},
		"unknown id":       {func(r *provision.ModifyAXB) { r.SubscriptionID = "none" }, "1012007"},
		"A taken":          {func(r *provision.ModifyAXB) { r.CallerNum = p(carl) }, "1012010"},
		"B taken":          {func(r *provision.ModifyAXB) { r.CalleeNum = p(dora) }, "1012010"},
		"A is B":           {func(r *provision.ModifyAXB) { r.CallerNum = p(bert) }, "1010002 calleeNum"},
		"A is an X":        {func(r *provision.ModifyAXB) { r.CallerNum = p(x2) }, "1010002 callerNum"},
		"B is 400":         {func(r *provision.ModifyAXB) { r.CalleeNum = p("+864001234567") }, "1010002 calleeNum"},
		"B is empty":       {func(r *provision.ModifyAXB) { r.CalleeNum = p("") }, "1010002 calleeNum"},
		"direction":        {func(r *provision.ModifyAXB) { r.CallDirection = p(4) }, "1010002 callDirection"},
		"duration":         {func(r *provision.ModifyAXB) { r.Duration = p(7776001) }, "1010002 duration"},
		"maxDuration":      {func(r *provision.ModifyAXB) { r.MaxDuration = p(-5) }, "1010002 maxDuration"},
		"recording is off": {func(r *provision.ModifyAXB) { r.RecordFlag = p(true) }, "1012012 recordFlag"},
		"prompt": {func(r *provision.ModifyAXB) { r.PreVoice.CallerHintTone = p("none.wav") },
			"1010002 preVoice.callerHintTone"},
	} {
		m := provision.ModifyAXB{SubscriptionID: b.ID}
		c.edit(&m)
		_, err := o.ModifyAXB(o.ctx, "app", m)
		require.Equal(t, c.want, outcome(err), "%s: %v", name, err)
	}
	_, err = o.ModifyAXB(o.ctx, "other", provision.ModifyAXB{SubscriptionID: b.ID, MaxDuration: p(1)})
	refused(t, err, "1012007", "")

	o.pass(time.Minute)
	same, err := o.ModifyAXB(o.ctx, "app", provision.ModifyAXB{SubscriptionID: b.ID})
	require.NoError(t, err)
	same.ModifiedAt, same.Version = b.ModifiedAt, b.Version
	require.Equal(t, b, same, "what is absent is unchanged, the lifetime too")
	require.NotNil(t, o.facts(x1, bert).ByCaller)
	after, err := o.ModifyAXB(o.ctx, "app", provision.ModifyAXB{SubscriptionID: b.ID, CalleeNum: p(fixed), Duration: p(120),
		CallDirection: p(2), PreVoice: provision.PreVoiceChange{CallerHintTone: p(""), CalleeHintTone: p("")}, MaxDuration: p(0), PrivateSMS: p(true)})
	require.NoError(t, err)
	require.Equal(t, routing.Number(fixed), after.B)
	require.Equal(t, t0.Add(3*time.Minute), after.Until, "the lifetime begins anew")
	require.Equal(t, routing.OnlyToA, after.Allowed)
	require.Empty(t, after.CallerTone+after.CalleeTone)
	require.Zero(t, after.MaxMinutes)
	require.False(t, after.NoSMS)
	require.Nil(t, o.facts(x1, bert).ByCaller, "B was replaced")
	require.NotNil(t, o.facts(x1, fixed).ByCaller)
	_, err = o.BindAXB(o.ctx, "app", provision.BindAXB{CallerNum: bert, CalleeNum: "+8613800000008", RelationNum: x1})
	require.NoError(t, err, "the old B is free")
	o.agrees()
}

func TestUnbindAXB(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXB)
	b, err := o.BindAXB(o.ctx, "app", pairOn(x1))
	require.NoError(t, err)
	_, err = o.BindAXB(o.ctx, "app", provision.BindAXB{CallerNum: carl, CalleeNum: dora, RelationNum: x1})
	require.NoError(t, err)
	require.NotNil(t, o.facts(x1, anna).ByCaller)
	refused(t, o.UnbindAXB(o.ctx, "app", "", ""), "1012001", "subscriptionId")
	refused(t, o.UnbindAXB(o.ctx, "app", "", "17010000001"), "1012001", "relationNum")
	refused(t, o.UnbindAXB(o.ctx, "app", "", " 8617010000001"), "1012001", "relationNum") // + that was not escaped
	refused(t, o.UnbindAXB(o.ctx, "app", "", xo), "1012001", "relationNum")
	refused(t, o.UnbindAXB(o.ctx, "app", "", "+8617010000077"), "1012001", "relationNum")
	refused(t, o.UnbindAXB(o.ctx, "app", "none", ""), "1012007", "")
	refused(t, o.UnbindAXB(o.ctx, "other", b.ID, ""), "1012007", "")
	refused(t, o.UnbindAXB(o.ctx, "app", "", x2), "1012007", "relationNum")

	require.NoError(t, o.UnbindAXB(o.ctx, "app", b.ID, x1), "the id wins")
	require.Nil(t, o.facts(x1, anna).ByCaller)
	require.NotNil(t, o.facts(x1, carl).ByCaller)
	refused(t, o.UnbindAXB(o.ctx, "app", b.ID, ""), "1012007", "")
	_, err = o.BindAXB(o.ctx, "app", pairOn(x1))
	require.NoError(t, err)
	require.NoError(t, o.UnbindAXB(o.ctx, "app", "", x1), "all of X")
	for _, n := range []routing.Number{anna, bert, carl, dora} {
		require.Nil(t, o.facts(x1, n).ByCaller)
	}
	require.Zero(t, o.facts(x1, anna).Bindings)
	o.agrees()
}

func TestAXBExpires(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXB)
	r := pairOn(x1)
	r.Duration = 60
	b, err := o.BindAXB(o.ctx, "app", r)
	require.NoError(t, err)
	o.pass(59 * time.Second)
	page, err := o.QueryAXB(o.ctx, "app", provision.QueryAXB{RelationNum: x1})
	require.NoError(t, err)
	require.Equal(t, 1, page.Total)
	o.pass(time.Second)
	_, err = o.QueryAXB(o.ctx, "app", provision.QueryAXB{SubscriptionID: b.ID})
	refused(t, err, "1012007", "")
	_, err = o.QueryAXB(o.ctx, "app", provision.QueryAXB{RelationNum: x1})
	refused(t, err, "1012007", "relationNum")
	refused(t, o.UnbindAXB(o.ctx, "app", b.ID, ""), "1012007", "")
	_, err = o.BindAXB(o.ctx, "app", r)
	require.NoError(t, err, "nobody has to sweep first")
	o.pass(time.Hour)
	require.NoError(t, o.Tend(o.ctx))
	n, err := o.ledger.Number(o.ctx, x1)
	require.NoError(t, err)
	require.Zero(t, n.Bindings)
	require.Zero(t, o.facts(x1, anna).Bindings)
	o.agrees()
}

func TestQueryAXB(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXB)
	var ids []string
	for i := range 25 {
		b, err := o.BindAXB(o.ctx, "app", provision.BindAXB{CallerNum: tel(2 * i), CalleeNum: tel(2*i + 1), RelationNum: x1})
		require.NoError(t, err)
		ids = append(ids, b.ID)
	}
	ask := func(q provision.QueryAXB) ([]string, provision.Page) {
		t.Helper()
		page, err := o.QueryAXB(o.ctx, "app", q)
		require.NoError(t, err)
		var got []string
		for _, b := range page.Bindings {
			got = append(got, b.ID)
		}
		return got, page
	}
	got, page := ask(provision.QueryAXB{RelationNum: x1, PageIndex: 2, PageSize: 10})
	require.Equal(t, ids[10:20], got)
	require.Equal(t, []int{25, 2, 10}, []int{page.Total, page.PageIndex, page.PageSize})
	for _, size := range []int{0, 9, 101, -1} {
		got, page = ask(provision.QueryAXB{RelationNum: x1, PageSize: size, PageIndex: -3})
		require.Equal(t, ids, got)
		require.Equal(t, []int{1, 50}, []int{page.PageIndex, page.PageSize})
	}
	got, _ = ask(provision.QueryAXB{SubscriptionID: ids[3], RelationNum: x2})
	require.Equal(t, ids[3:4], got, "the id wins")
	for _, q := range []provision.QueryAXB{{CallerNum: tel(8)}, {CalleeNum: tel(9)}, {CallerNum: tel(8), CalleeNum: tel(9)}} {
		q.RelationNum = x1
		got, page = ask(q)
		require.Equal(t, ids[4:5], got)
		require.Equal(t, 1, page.Total)
	}
	for want, list := range map[string][]provision.QueryAXB{
		"1012007 relationNum": {{RelationNum: x2}, {RelationNum: xo}, {RelationNum: "17010000001"}, {RelationNum: x1, PageIndex: 4, PageSize: 10},
			{RelationNum: x1, PageIndex: 1 << 60}, {RelationNum: x1, CallerNum: tel(9)}, {RelationNum: x1, CallerNum: tel(8), CalleeNum: tel(11)}},
		"1012007":                {{SubscriptionID: "none"}},
		"1010002 subscriptionId": {{}, {CallerNum: anna}},
	} {
		for _, q := range list {
			_, err := o.QueryAXB(o.ctx, "app", q)
			require.Equal(t, want, outcome(err), "%+v", q)
		}
	}
	_, err := o.QueryAXB(o.ctx, "other", provision.QueryAXB{SubscriptionID: ids[0]})
	refused(t, err, "1012007", "")
}
