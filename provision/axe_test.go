package provision_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/provision"
	"axgate/routing"
)

func TestBindAXERefuses(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXE) // 4 digits
	o.prompt("none.wav", ledger.PromptApproved)
	_, err := o.BindAXE(o.ctx, "app", provision.BindAXE{BindNum: carl, VirtualNum: x1, ExtendNum: "0777"})
	require.NoError(t, err)
	_, err = o.SetStatus(o.ctx, x3, routing.StatusTransfer, "")
	require.NoError(t, err)
	for name, c := range map[string]struct {
		edit func(*provision.BindAXE)
		want string
	}{
		"right":                  {func(r *provision.BindAXE) {}, "0"},
		"no A":                   {func(r *provision.BindAXE) { r.BindNum = "" }, "1010002 bindNum"},
		"A is 400":               {func(r *provision.BindAXE) { r.BindNum = "+864001234567" }, "1010002 bindNum"},
		"neither X nor area":     {func(r *provision.BindAXE) { r.VirtualNum = "" }, "1010002 virtualNum"},
		"X malformed":            {func(r *provision.BindAXE) { r.VirtualNum = "17010000001" }, "1010002 virtualNum"},
		"X unknown":              {func(r *provision.BindAXE) { r.VirtualNum = "+8617010000077" }, "1012001 virtualNum"},
		"X of another app":       {func(r *provision.BindAXE) { r.VirtualNum = xo }, "1012001 virtualNum"},
		"X in transfer":          {func(r *provision.BindAXE) { r.VirtualNum = x3 }, "1012102 virtualNum"},
		"area without numbers":   {func(r *provision.BindAXE) { r.VirtualNum, r.AreaCode = "", "0571" }, "1012008"},
		"this A again":           {func(r *provision.BindAXE) { r.BindNum = carl }, "1012010"},
		"this extension again":   {func(r *provision.BindAXE) { r.ExtendNum = "0777" }, "1012010"},
		"extension too short":    {func(r *provision.BindAXE) { r.ExtendNum = "777" }, "1010002 extendNum"},
		"extension too long":     {func(r *provision.BindAXE) { r.ExtendNum = "00777" }, "1010002 extendNum"},
		"extension of zeros":     {func(r *provision.BindAXE) { r.ExtendNum = "0000" }, "1010002 extendNum"},
		"extension with letters": {func(r *provision.BindAXE) { r.ExtendNum = "07a7" }, "1010002 extendNum"},
		"the caller's number":    {func(r *provision.BindAXE) { r.DisplayNumMode = "1" }, "1010002 displayNumMode"},
		"both callbacks":         {func(r *provision.BindAXE) { r.CallbackTone, r.CallbackNum = "none.wav", bert }, "1010002 callbackTone"},
		"callback to A":          {func(r *provision.BindAXE) { r.CallbackNum = anna }, "1010002 callbackNum"},
		"callback to an X":       {func(r *provision.BindAXE) { r.CallbackNum = x1 }, "1010002 callbackNum"},
		"callback to 95":         {func(r *provision.BindAXE) { r.CallbackNum = "+8695588" }, "1010002 callbackNum"},
		"tone unknown":           {func(r *provision.BindAXE) { r.CallbackTone = "x.wav" }, "1010002 callbackTone"},
		"unit":                   {func(r *provision.BindAXE) { r.TimeUnit = "2" }, "1010002 timeUnit"},
		"721 hours":              {func(r *provision.BindAXE) { r.BindExpiredTime = 721 }, "1010002 bindExpiredTime"},
		"43201 minutes":          {func(r *provision.BindAXE) { r.TimeUnit, r.BindExpiredTime = "1", 43201 }, "1010002 bindExpiredTime"},
		"callback 721 hours":     {func(r *provision.BindAXE) { r.CallbackExpiredTime = 721 }, "1010002 callbackExpiredTime"},
		"callback negative":      {func(r *provision.BindAXE) { r.CallbackExpiredTime = -1 }, "1010002 callbackExpiredTime"},
		"callback outlives":      {func(r *provision.BindAXE) { r.BindExpiredTime, r.CallbackExpiredTime = 1, 2 }, "1010002 bindExpiredTime"},
		"callback for ever":      {func(r *provision.BindAXE) { r.BindExpiredTime, r.CallbackExpiredTime = 1, 0 }, "0"},
		"both for ever":          {func(r *provision.BindAXE) { r.CallbackExpiredTime = 720 }, "0"},
		"userData":               {func(r *provision.BindAXE) { r.UserData = strings.Repeat("x", 300) }, "1010002 userData"},
		"recording is off":       {func(r *provision.BindAXE) { r.RecordFlag = true }, "1012012 recordFlag"},
	} {
		r := provision.BindAXE{BindNum: anna, VirtualNum: x1}
		c.edit(&r)
		b, err := o.BindAXE(o.ctx, "app", r)
		require.Equal(t, c.want, outcome(err), "%s: %v", name, err)
		if err == nil {
			require.Equal(t, routing.Extension("0001"), b.Ext, "the lowest free one is given")
			require.NotNil(t, o.facts(x1, anna).ByCaller)
			require.NoError(t, o.UnbindAXE(o.ctx, "app", provision.AXE{SubscriptionID: b.ID}))
		}
	}
	o.agrees()
}

// TestExtensions: 9, 99, 999 or 9999 per X; given ones are all different.
func TestExtensions(t *testing.T) {
	for digits, room := range map[int]int{1: 9, 2: 99} {
		for _, random := range []bool{false, true} {
			t.Run(fmt.Sprint(digits, random), func(t *testing.T) {
				o := newOffice(t, sqlite(t), routing.AXE)
				o.setting(func(a *ledger.App) { a.ExtDigits, a.RandomExt = digits, random })
				seen := map[routing.Extension]bool{}
				for i := range room {
					b, err := o.BindAXE(o.ctx, "app", provision.BindAXE{BindNum: tel(i), VirtualNum: x1})
					require.NoError(t, err)
					require.Len(t, string(b.Ext), digits)
					require.NotEqual(t, strings.Repeat("0", digits), string(b.Ext))
					seen[b.Ext] = true
				}
				require.Len(t, seen, room)
				_, err := o.BindAXE(o.ctx, "app", provision.BindAXE{BindNum: anna, VirtualNum: x1})
				refused(t, err, "1012009", "virtualNum")
				b, err := o.BindAXE(o.ctx, "app", provision.BindAXE{BindNum: anna, Area: provision.Area{AreaCode: "0755"}})
				require.NoError(t, err)
				require.Equal(t, routing.X(x2), b.X, "another X of the area has room")
			})
		}
	}
}

// TestChooseForExtension: an X on which the extension is taken is not chosen.
func TestChooseForExtension(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXE)
	var answers []string
	for i := range 3 {
		b, err := o.BindAXE(o.ctx, "app", provision.BindAXE{BindNum: tel(i), ExtendNum: "0007", TimeUnit: "1", BindExpiredTime: 1, Area: provision.Area{AreaCode: "0755"}})
		answers = append(answers, string(b.X)+" "+outcome(err))
	}
	require.ElementsMatch(t, []string{x1 + " 0", x2 + " 0"}, answers[:2])
	require.Equal(t, " 1012008", answers[2])
	o.pass(time.Minute)
	_, err := o.BindAXE(o.ctx, "app", provision.BindAXE{BindNum: tel(3), ExtendNum: "0007", Area: provision.Area{AreaCode: "0755"}})
	require.NoError(t, err, "the others have ended, whether swept or not")
	o.agrees()
}

func TestModifyAXE(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXE)
	o.prompt("none.wav", ledger.PromptApproved)
	b, err := o.BindAXE(o.ctx, "app", provision.BindAXE{BindNum: anna, VirtualNum: x1, TimeUnit: "1", BindExpiredTime: 120, CallbackExpiredTime: 60})
	require.NoError(t, err)
	require.Equal(t, t0.Add(2*time.Hour), b.Until)
	require.Equal(t, time.Hour, b.CallbackFor)
	toned, err := o.BindAXE(o.ctx, "app", provision.BindAXE{BindNum: bert, VirtualNum: x1, CallbackTone: "none.wav"})
	require.NoError(t, err)
	which := provision.AXE{SubscriptionID: b.ID}
	o.pass(90 * time.Minute)
	for name, c := range map[string]struct {
		r    provision.ModifyAXE
		want string
	}{
		"nothing named":      {provision.ModifyAXE{AXE: provision.AXE{VirtualNum: x1}}, "1010002 subscriptionId"},
		"unknown id":         {provision.ModifyAXE{AXE: provision.AXE{SubscriptionID: "none"}}, "1012007"},
		"unknown extension":  {provision.ModifyAXE{AXE: provision.AXE{VirtualNum: x1, ExtendNum: "0009"}}, "1012007 extendNum"},
		"another app's X":    {provision.ModifyAXE{AXE: provision.AXE{VirtualNum: xo, ExtendNum: "0001"}}, "1012001 virtualNum"},
		"callback outlives":  {provision.ModifyAXE{AXE: which, CallbackExpiredTime: p(3)}, "1010002 bindExpiredTime"},
		"binding too short":  {provision.ModifyAXE{AXE: which, TimeUnit: "1", BindExpiredTime: p(59)}, "1010002 bindExpiredTime"},
		"over already":       {provision.ModifyAXE{AXE: which, TimeUnit: "1", BindExpiredTime: p(90)}, "1010002 bindExpiredTime"},
		"too long":           {provision.ModifyAXE{AXE: which, BindExpiredTime: p(721)}, "1010002 bindExpiredTime"},
		"callback to A":      {provision.ModifyAXE{AXE: which, CallbackNum: p(anna)}, "1010002 callbackNum"},
		"callback and tone":  {provision.ModifyAXE{AXE: which, CallbackNum: p(carl), CallbackTone: p("none.wav")}, "1010002 callbackTone"},
		"tone to callback":   {provision.ModifyAXE{AXE: provision.AXE{SubscriptionID: toned.ID}, CallbackNum: p(carl)}, "0"},
		"callback malformed": {provision.ModifyAXE{AXE: which, CallbackNum: p("carl")}, "1010002 callbackNum"},
		"recording is off":   {provision.ModifyAXE{AXE: which, RecordFlag: p(true)}, "1012012 recordFlag"},
	} {
		_, err := o.ModifyAXE(o.ctx, "app", c.r)
		require.Equal(t, c.want, outcome(err), "%s: %v", name, err)
	}
	after, err := o.ModifyAXE(o.ctx, "app", provision.ModifyAXE{AXE: provision.AXE{VirtualNum: x1, ExtendNum: string(b.Ext)},
		BindExpiredTime: p(48), CallbackExpiredTime: p(2), CallbackNum: p(carl)})
	require.NoError(t, err)
	require.Equal(t, t0.Add(48*time.Hour), after.Until, "counted from the bind")
	require.Equal(t, []any{2 * time.Hour, routing.Number(carl)}, []any{after.CallbackFor, after.CallbackNum})
	require.Equal(t, routing.Number(carl), o.facts(x1, anna).ByCaller.CallbackNum)
	after, err = o.ModifyAXE(o.ctx, "app", provision.ModifyAXE{AXE: which, BindExpiredTime: p(0), CallbackNum: p("")})
	require.NoError(t, err)
	require.True(t, after.Until.IsZero())
	require.Empty(t, after.CallbackNum)
	after, err = o.ModifyAXE(o.ctx, "app", provision.ModifyAXE{AXE: provision.AXE{SubscriptionID: toned.ID}})
	require.NoError(t, err)
	require.Equal(t, []any{"", routing.Number(carl)}, []any{after.NoCallback, after.CallbackNum}, "the number has replaced the prompt")
	after, err = o.ModifyAXE(o.ctx, "app", provision.ModifyAXE{AXE: provision.AXE{SubscriptionID: toned.ID}, CallbackTone: p("none.wav")})
	require.NoError(t, err)
	require.Equal(t, []any{"none.wav", routing.Number("")}, []any{after.NoCallback, after.CallbackNum}, "and the prompt the number")
	o.agrees()
}

func TestUnbindAndQueryAXE(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXE)
	var all []routing.Binding
	for i := range 5 {
		b, err := o.BindAXE(o.ctx, "app", provision.BindAXE{BindNum: tel(i), VirtualNum: x1})
		require.NoError(t, err)
		all = append(all, b)
	}
	for want, which := range map[string]provision.AXE{
		"1010002 subscriptionId": {ExtendNum: "0001"},
		"1012007":                {SubscriptionID: "none"},
		"1012007 extendNum":      {VirtualNum: x1, ExtendNum: "0099"},
		"1012001 virtualNum":     {VirtualNum: xo, ExtendNum: "0001"},
		"1010002 virtualNum":     {VirtualNum: "17010000001", ExtendNum: "0001"},
	} {
		require.Equal(t, want, outcome(o.UnbindAXE(o.ctx, "app", which)))
		_, err := o.QueryAXE(o.ctx, "app", which)
		require.Equal(t, want, outcome(err))
	}
	b, err := o.QueryAXE(o.ctx, "app", provision.AXE{VirtualNum: x1, ExtendNum: "0002"})
	require.NoError(t, err)
	require.Equal(t, all[1], b)
	list, next, err := o.ListAXE(o.ctx, "app", x1, "", 2)
	require.NoError(t, err)
	require.Equal(t, all[:2], list)
	list, next, err = o.ListAXE(o.ctx, "app", x1, next, 3)
	require.NoError(t, err)
	require.Equal(t, all[2:], list)
	require.Empty(t, next)
	_, _, err = o.ListAXE(o.ctx, "app", xo, "", 0)
	refused(t, err, "1012001", "virtualNum")

	counts, after, err := o.CountAXE(o.ctx, "app", "", "", 2)
	require.NoError(t, err)
	require.Equal(t, []provision.Count{{X: x1, Bindings: 5}, {X: x2}}, counts)
	counts, after, err = o.CountAXE(o.ctx, "app", "", after, 2)
	require.NoError(t, err)
	require.Equal(t, []provision.Count{{X: x3}, {X: x4}}, counts)
	require.Empty(t, after)
	counts, _, err = o.CountAXE(o.ctx, "app", x1, "", 0)
	require.NoError(t, err)
	require.Equal(t, []provision.Count{{X: x1, Bindings: 5}}, counts)
	_, _, err = o.CountAXE(o.ctx, "app", xo, "", 0)
	refused(t, err, "1012001", "number")

	require.NoError(t, o.UnbindAXE(o.ctx, "app", provision.AXE{VirtualNum: x1, ExtendNum: "0002"}))
	require.NoError(t, o.UnbindAXE(o.ctx, "app", provision.AXE{SubscriptionID: all[0].ID}))
	require.Nil(t, o.facts(x1, routing.Number(tel(1))).ByCaller)
	b, err = o.BindAXE(o.ctx, "app", provision.BindAXE{BindNum: anna, VirtualNum: x1})
	require.NoError(t, err)
	require.Equal(t, routing.Extension("0001"), b.Ext, "the lowest free one")
	o.agrees()
}
