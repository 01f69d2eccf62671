package provision_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/provision"
	"axgate/routing"
)

func TestBindAXRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*provision.BindAX)
		want string
	}{
		"right":                 {func(r *provision.BindAX) {}, "0"},
		"a fixed line":          {func(r *provision.BindAX) { r.OrigNum = fixed }, "0"},
		"off":                   {func(r *provision.BindAX) { r.TurnFlag = "off" }, "0"},
		"by area":               {func(r *provision.BindAX) { r.PrivateNum, r.AreaCode, r.PrivateNumType = "", "0755", "mobile-virtual" }, "0"},
		"X wins over area":      {func(r *provision.BindAX) { r.AreaCode = "0571" }, "0"},
		"no A":                  {func(r *provision.BindAX) { r.OrigNum = "" }, "1010002 origNum"},
		"A is 95":               {func(r *provision.BindAX) { r.OrigNum = "+8695588" }, "1010002 origNum"},
		"A is an X":             {func(r *provision.BindAX) { r.OrigNum = x2 }, "1010002 origNum"},
		"neither X nor area":    {func(r *provision.BindAX) { r.PrivateNum = "" }, "1010002 privateNum"},
		"X malformed":           {func(r *provision.BindAX) { r.PrivateNum = "1" }, "1011001 privateNum"},
		"X unknown":             {func(r *provision.BindAX) { r.PrivateNum = "+8617010000077" }, "1011001 privateNum"},
		"X of another app":      {func(r *provision.BindAX) { r.PrivateNum = xo }, "1011001 privateNum"},
		"type":                  {func(r *provision.BindAX) { r.PrivateNumType = "fixed" }, "1010002 privateNumType"},
		"area without numbers":  {func(r *provision.BindAX) { r.PrivateNum, r.AreaCode = "", "0571" }, "1011002"},
		"the caller's number":   {func(r *provision.BindAX) { r.CalleeNumDisplay = "1" }, "1010002 calleeNumDisplay"},
		"X is shown":            {func(r *provision.BindAX) { r.CalleeNumDisplay = "0" }, "0"},
		"turnFlag":              {func(r *provision.BindAX) { r.TurnFlag = "maybe" }, "1010002 turnFlag"},
		"direction":             {func(r *provision.BindAX) { r.CallDirection = 3 }, "1010002 callDirection"},
		"maxDuration":           {func(r *provision.BindAX) { r.MaxDuration = 1441 }, "1010002 maxDuration"},
		"recording is off":      {func(r *provision.BindAX) { r.RecordFlag = true }, "1012012 recordFlag"},
		"prompt":                {func(r *provision.BindAX) { r.LastMinVoice = "none.wav" }, "1010002 lastMinVoice"},
		"this A again":          {func(r *provision.BindAX) { r.OrigNum, r.PrivateNum = carl, x2 }, "1016002"},
		"another A":             {func(r *provision.BindAX) { r.PrivateNum = x2 }, "1011005 privateNum"},
		"a paused X":            {func(r *provision.BindAX) { r.PrivateNum = x3 }, "1012102 privateNum"},
		"a sixth X of dora":     {func(r *provision.BindAX) { r.OrigNum = dora }, "1011003 origNum"},
		"a sixth, chosen for A": {func(r *provision.BindAX) { r.OrigNum, r.PrivateNum, r.AreaCode = dora, "", "0755" }, "1011003 origNum"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, sqlite(t), routing.AX)
			_, err := o.BindAX(o.ctx, "app", provision.BindAX{OrigNum: carl, PrivateNum: x2})
			require.NoError(t, err)
			_, err = o.SetStatus(o.ctx, x3, routing.StatusPaused, "2")
			require.NoError(t, err)
			for i := range 5 {
				x := "+861701000002" + string(rune('0'+i))
				o.number(routing.X(x), "app", "021", "Shanghai")
				_, err := o.BindAX(o.ctx, "app", provision.BindAX{OrigNum: dora, PrivateNum: x})
				require.NoError(t, err)
			}
			r := provision.BindAX{OrigNum: anna, PrivateNum: x1}
			c.edit(&r)
			b, err := o.BindAX(o.ctx, "app", r)
			require.Equal(t, c.want, outcome(err), "%v", err)
			if err == nil {
				require.Equal(t, &b.A, &o.facts(b.X, carl).ToX.A)
				require.Equal(t, r.TurnFlag == "off", b.Off)
				o.agrees()
			}
		})
	}
}

func TestModifyAX(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AX)
	b, err := o.BindAX(o.ctx, "app", provision.BindAX{OrigNum: anna, PrivateNum: x1, Voice: provision.Voice{MaxDuration: 7}})
	require.NoError(t, err)
	for want, which := range map[string]provision.AX{
		"1010002 subscriptionId": {OrigNum: anna},
		"1016001":                {SubscriptionID: "none"},
		"1016001 privateNum":     {PrivateNum: x2},
	} {
		_, err := o.ModifyAX(o.ctx, "app", provision.ModifyAX{AX: which})
		require.Equal(t, want, outcome(err))
	}
	_, err = o.ModifyAX(o.ctx, "app", provision.ModifyAX{AX: provision.AX{PrivateNum: x1, OrigNum: bert}})
	refused(t, err, "1016001", "privateNum")
	_, err = o.ModifyAX(o.ctx, "app", provision.ModifyAX{AX: provision.AX{SubscriptionID: b.ID}, MaxDuration: p(1441)})
	refused(t, err, "1010002", "maxDuration")
	_, err = o.ModifyAX(o.ctx, "app", provision.ModifyAX{AX: provision.AX{SubscriptionID: b.ID}, RecordFlag: p(true)})
	refused(t, err, "1012012", "recordFlag")
	o.setting(func(a *ledger.App) { a.Recording = true })
	after, err := o.ModifyAX(o.ctx, "app", provision.ModifyAX{AX: provision.AX{PrivateNum: x1, OrigNum: anna}, RecordFlag: p(true), PrivateSMS: p(false)})
	require.NoError(t, err)
	require.Equal(t, []any{true, true, 7, b.A}, []any{after.Record, after.NoSMS, after.MaxMinutes, after.A})
	require.True(t, o.facts(x1, bert).ToX.Record)
	o.agrees()
}

func TestUnbindAX(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AX)
	bind := func(x string) routing.Binding {
		b, err := o.BindAX(o.ctx, "app", provision.BindAX{OrigNum: anna, PrivateNum: x})
		require.NoError(t, err)
		require.NotNil(t, o.facts(routing.X(x), bert).ToX)
		return b
	}
	b := bind(x1)
	for _, c := range []struct {
		which provision.AX
		want  string
	}{
		{provision.AX{}, "1011004 subscriptionId"},
		{provision.AX{OrigNum: anna}, "1011004 subscriptionId"},
		{provision.AX{PrivateNum: x2}, "1011004 privateNum"},
		{provision.AX{PrivateNum: xo}, "1011004 privateNum"},
		{provision.AX{PrivateNum: " 8617010000001"}, "1011004 privateNum"},
		{provision.AX{PrivateNum: x1, OrigNum: bert}, "1011004 privateNum"},
		{provision.AX{SubscriptionID: "none", PrivateNum: x1}, "1016001"},
	} {
		require.Equal(t, c.want, outcome(o.UnbindAX(o.ctx, "app", c.which)), "%+v", c.which)
	}
	refused(t, o.UnbindAX(o.ctx, "other", provision.AX{SubscriptionID: b.ID}), "1016001", "")
	refused(t, o.UnbindAX(o.ctx, "other", provision.AX{PrivateNum: x1}), "1011004", "privateNum")
	for _, which := range []provision.AX{{PrivateNum: x1}, {PrivateNum: x1, OrigNum: anna}, {SubscriptionID: b.ID}} {
		if which.SubscriptionID == "" {
			require.NoError(t, o.UnbindAX(o.ctx, "app", which))
			require.Nil(t, o.facts(x1, bert).ToX)
			b = bind(x1)
			continue
		}
		which.SubscriptionID = b.ID
		require.NoError(t, o.UnbindAX(o.ctx, "app", which))
	}
	require.Nil(t, o.facts(x1, bert).ToX)
	o.agrees()
}

func TestQueryAX(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AX)
	b1, err := o.BindAX(o.ctx, "app", provision.BindAX{OrigNum: anna, PrivateNum: x1})
	require.NoError(t, err)
	b2, err := o.BindAX(o.ctx, "app", provision.BindAX{OrigNum: anna, PrivateNum: x2})
	require.NoError(t, err)
	b3, err := o.BindAX(o.ctx, "app", provision.BindAX{OrigNum: bert, PrivateNum: x3})
	require.NoError(t, err)
	for _, c := range []struct {
		which provision.AX
		want  []routing.Binding
	}{
		{provision.AX{OrigNum: anna, PrivateNum: x3}, []routing.Binding{b1, b2}}, // A wins over X
		{provision.AX{PrivateNum: x3}, []routing.Binding{b3}},
		{provision.AX{SubscriptionID: b2.ID, OrigNum: bert}, []routing.Binding{b2}},
	} {
		list, err := o.QueryAX(o.ctx, "app", c.which)
		require.NoError(t, err)
		require.Equal(t, c.want, list)
	}
	for _, c := range []struct {
		which provision.AX
		want  string
	}{
		{provision.AX{}, "1010002 subscriptionId"},
		{provision.AX{SubscriptionID: "none"}, "1016001"},
		{provision.AX{OrigNum: carl}, "1016001 origNum"},
		{provision.AX{PrivateNum: x4}, "1016001 privateNum"},
		{provision.AX{PrivateNum: xo}, "1016001 privateNum"},
	} {
		_, err := o.QueryAX(o.ctx, "app", c.which)
		require.Equal(t, c.want, outcome(err), "%+v", c.which)
	}
	_, err = o.QueryAX(o.ctx, "other", provision.AX{OrigNum: anna})
	refused(t, err, "1016001", "origNum")
}

func TestSetTemporary(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AX)
	b, err := o.BindAX(o.ctx, "app", provision.BindAX{OrigNum: anna, PrivateNum: x1})
	require.NoError(t, err)
	which := provision.AX{SubscriptionID: b.ID}
	for want, r := range map[string]provision.TemporaryCallee{
		"1010002 calleeNum":      {AX: which},
		"1010002 subscriptionId": {CalleeNum: bert},
		"1016001":                {AX: provision.AX{SubscriptionID: "none"}, CalleeNum: bert},
		"1016001 privateNum":     {AX: provision.AX{PrivateNum: x2}, CalleeNum: bert},
		"1010002 userData":       {AX: which, CalleeNum: bert, UserData: "{"},
		"1010002 duration":       {AX: which, CalleeNum: bert, Duration: p(259201)},
	} {
		_, err := o.SetTemporary(o.ctx, "app", r)
		require.Equal(t, want, outcome(err))
	}
	for _, callee := range []string{anna, x1, xo, "+86110", "+85251234567", "bert"} {
		_, err := o.SetTemporary(o.ctx, "app", provision.TemporaryCallee{AX: which, CalleeNum: callee})
		refused(t, err, "1010002", "calleeNum")
	}
	for _, d := range []int{0, -1} {
		_, err := o.SetTemporary(o.ctx, "app", provision.TemporaryCallee{AX: which, CalleeNum: bert, Duration: p(d)})
		refused(t, err, "1010002", "duration")
	}
	_, err = o.SetTemporary(o.ctx, "other", provision.TemporaryCallee{AX: which, CalleeNum: bert})
	refused(t, err, "1016001", "")
	require.Nil(t, o.facts(x1, anna).Temporary)

	set, err := o.SetTemporary(o.ctx, "app", provision.TemporaryCallee{AX: which, CalleeNum: bert})
	require.NoError(t, err)
	require.Equal(t, routing.TemporaryCallee{Callee: bert, Until: t0.Add(60 * time.Second)}, set, "60 s unless told otherwise")
	require.Equal(t, &set, o.facts(x1, anna).Temporary)
	for _, callee := range []string{"+864001234567", "+8695588", fixed} {
		set, err = o.SetTemporary(o.ctx, "app", provision.TemporaryCallee{AX: provision.AX{PrivateNum: x1}, CalleeNum: callee, Duration: p(259200), UserData: "u"})
		require.NoError(t, err)
		require.Equal(t, &set, o.facts(x1, anna).Temporary)
	}
	require.Equal(t, t0.Add(72*time.Hour), set.Until)
	require.NoError(t, o.UnbindAX(o.ctx, "app", which))
	_, err = o.BindAX(o.ctx, "app", provision.BindAX{OrigNum: anna, PrivateNum: x1})
	require.NoError(t, err)
	require.Nil(t, o.facts(x1, anna).Temporary, "it went with its binding")
	o.agrees()
}
