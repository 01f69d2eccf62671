package binding_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/routing"
)

var axeBase = fields{"bindNum": anna, "virtualNum": x(routing.AXE, 1)}

// TestBindAXEParameters is the table of API 5.1.
func TestBindAXEParameters(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		undo := func(r reply) { w.unbind("AXE", pathAXE, r.id()) }
		const badX, badE = "1010002 virtualNum", "1010002 extendNum"
		w.judge("AXE", http.MethodPost, pathAXE, axeBase, map[string][]trial{
			"bindNum": numbers("bindNum", trial{nil, "1010002 bindNum"}, trial{x(routing.AXE, 1), "1010002 bindNum"}),
			"virtualNum": {{nil, badX}, {"", badX}, {x(routing.AXE, 1), "0"}, {"17030000001", badX}, {" 8617030000001", badX}, {x(routing.AXE, 1) + "2", badX},
				{carl, "1012001"}, {fixed, badX}, {x(routing.AXE, 30), "1012001"}, {x(routing.AX, 1), "1012001"}, {"+8617030000777", "1012001"}, {x(routing.AXE, 9), "1012102"},
				{long(40), badX}, {86170, badX}, {true, badX}, {fields{}, badX}, {[]any{}, badX}},
			"areaCode":      areaCodes("0"), // virtualNum wins
			"areaMatchMode": enums("areaMatchMode", "0", "1", 0, 1),
			"extendNum": optional(trial{"0001", "0"}, trial{"9999", "0"}, trial{1234, "0"}, trial{"0000", badE}, trial{"1", badE}, trial{"123", badE}, trial{"12345", badE},
				trial{12345, badE}, trial{"12a4", badE}, trial{"-123", badE}, trial{1.23, badE}, trial{true, badE}, trial{fields{}, badE}, trial{[]any{}, badE}),
			"displayNumMode": optional(trial{"0", "0"}, trial{0, "0"}, trial{"1", "1010002 displayNumMode"}, trial{1, "1010002 displayNumMode"}, trial{"x", "1010002 displayNumMode"}),
			"recordFlag":     flags("recordFlag", "1012012"),
			"recordHintTone": prompts("recordHintTone"),
			"callbackTone":   prompts("callbackTone"),
			"callbackNum": optional(trial{bert, "0"}, trial{fixed, "0"}, trial{anna, "1010002 callbackNum"}, trial{"13800000002", "1010002 callbackNum"},
				trial{"+8695588", "1010002 callbackNum"}, trial{x(routing.AXE, 1), "1010002 callbackNum"}, trial{long(40), "1010002 callbackNum"}, trial{fields{}, "1010002 callbackNum"}),
			"timeUnit":            enums("timeUnit", "0", "1", 0, 1),
			"bindExpiredTime":     integers("bindExpiredTime", 0, 720),
			"callbackExpiredTime": integers("callbackExpiredTime", 0, 720),
			"userData":            userData(),
			"privateSms":          {{"x", "0"}}, // unknown here
			"maxDuration":         {{"x", "0"}},
		}, undo)
		w.judge("AXE", http.MethodPost, pathAXE, axeBase.with("timeUnit", "1"), map[string][]trial{
			"bindExpiredTime":     integers("bindExpiredTime", 0, 43200),
			"callbackExpiredTime": integers("callbackExpiredTime", 0, 43200),
		}, undo)
		w.judge("AXE", http.MethodPost, pathAXE, axeBase.with("bindExpiredTime", 10), map[string][]trial{
			"callbackExpiredTime": {{nil, "0"}, {0, "0"}, {9, "0"}, {10, "0"}, {11, "1010002 bindExpiredTime"}},
		}, undo)
		w.judge("AXE", http.MethodPost, pathAXE, axeBase.with("callbackNum", bert), map[string][]trial{
			"callbackTone": {{nil, "0"}, {"", "0"}, {"no_record.wav", "1010002 callbackTone"}},
		}, undo)
		w.judge("AXE", http.MethodPost, pathAXE, fields{"bindNum": anna}, map[string][]trial{
			"areaCode": {{"010", "0"}, {"021", "1012008"}, {"0999", "1012008"}, {nil, badX}},
		}, undo)
		w.judge("AXE", http.MethodPost, pathAXE, fields{"bindNum": anna, "areaCode": "021"}, map[string][]trial{
			"areaMatchMode": {{nil, "1012008"}, {"0", "1012008"}, {"1", "0"}, {1, "0"}, {"2", "1010002 areaMatchMode"}},
		}, undo)
	})
}

// TestBindAXEPreconditions: whose X it is, and which extensions and A are on it.
func TestBindAXEPreconditions(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		bind := func(app, a, ext string, i int) string {
			return w.send(app, http.MethodPost, pathAXE, fields{"bindNum": a, "extendNum": ext, "virtualNum": x(routing.AXE, i)}).outcome()
		}
		require.Equal(t, "0", bind("AXE", anna, "0007", 1))
		require.Equal(t, "1012010", bind("AXE", anna, "", 1), "one extension per A and X")
		require.Equal(t, "1012010", bind("AXE", anna, "0008", 1))
		require.Equal(t, "1012010", bind("AXE", bert, "0007", 1), "the extension is taken")
		require.Equal(t, "0", bind("AXE", bert, "", 1))
		require.Equal(t, "0", bind("AXE", anna, "0007", 2), "by another X")
		require.Equal(t, "1012001", bind("AXE-other", carl, "", 1), "another app's")
		require.Equal(t, "1012102", bind("AXE", carl, "", 9), "paused")
		require.Equal(t, "1010029", bind("AXE-poor", carl, "", 40), "the account is frozen")
		require.Equal(t, "1010008", bind("AXE-paused", carl, "", 50), "the app is paused")
		w.done("AXE-recording", http.MethodPost, pathAXE, fields{"bindNum": anna, "virtualNum": x(routing.AXE, 20), "recordFlag": "true"})
		_, err := w.ChangeApp(t.Context(), "AXE-other", func(a *ledger.App) error { a.ExtDigits = 1; return nil })
		require.NoError(t, err)
		for i := range 9 {
			require.Equal(t, "0", bind("AXE-other", tel(i), "", 30))
		}
		require.Equal(t, "1012009", bind("AXE-other", tel(9), "", 30), "all nine extensions are used")
		require.Equal(t, "1012008", w.send("AXE-other", http.MethodPost, pathAXE, fields{"bindNum": tel(9), "areaCode": "0755"}).outcome())
	})
}

// TestAXEAnswers: what is bound is what is answered, queried and cached.
func TestAXEAnswers(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		b := w.done("AXE-recording", http.MethodPost, pathAXE, fields{"bindNum": anna, "virtualNum": x(routing.AXE, 20), "extendNum": "1234", "displayNumMode": 0,
			"recordFlag": true, "recordHintTone": "record_notice.wav", "callbackNum": bert, "timeUnit": 1, "bindExpiredTime": "120", "callbackExpiredTime": 60, "userData": "u"})
		require.Equal(t, `{"resultcode":"0","resultdesc":"Success","subscriptionId":"`+b.id()+`","virtualNum":"`+x(routing.AXE, 20)+
			`","extendNum":"1234","bindExpiredTime":120,"callbackExpiredTime":60,"userData":"u"}`, b.text)
		info := `"subscriptionId":"` + b.id() + `","virtualNum":"` + x(routing.AXE, 20) + `","extendNum":"1234","bindNum":"` + anna +
			`","displayNumMode":"0","recordFlag":"true","recordHintTone":"record_notice.wav","callbackNum":"` + bert +
			`","timeUnit":"1","bindExpiredTime":120,"callbackExpiredTime":60,"userData":"u"}`
		one := w.done("AXE-recording", http.MethodGet, pathAXE, fields{"subscriptionId": b.id()})
		require.Equal(t, `{"resultcode":"0","resultdesc":"Success",`+info, one.text, "flat")
		list := w.done("AXE-recording", http.MethodGet, pathAXEList, fields{"subscriptionId": b.id(), "cursor": "x", "limit": "x"})
		require.Equal(t, `{"resultcode":"0","resultdesc":"Success","extendNumList":[{`+info+`]}`, list.text)
		f := w.facts(x(routing.AXE, 20), anna)
		require.Equal(t, t0.Add(2*time.Hour), f.ByCaller.Until)
		require.Equal(t, time.Hour, f.ByCaller.CallbackFor)

		bare := w.done("AXE", http.MethodPost, pathAXE, axeBase.with("callbackTone", "no_record.wav"))
		require.Equal(t, `{"resultcode":"0","resultdesc":"Success","subscriptionId":"`+bare.id()+`","virtualNum":"`+x(routing.AXE, 1)+
			`","extendNum":"0001","bindExpiredTime":0,"callbackExpiredTime":0}`, bare.text)
		require.Equal(t, fields{"resultcode": "0", "resultdesc": "Success", "subscriptionId": bare.id(), "virtualNum": x(routing.AXE, 1), "extendNum": "0001",
			"bindNum": anna, "displayNumMode": "0", "recordFlag": "false", "callbackTone": "no_record.wav", "timeUnit": "0", "bindExpiredTime": 0.0, "callbackExpiredTime": 0.0},
			w.done("AXE", http.MethodGet, pathAXE, fields{"subscriptionId": bare.id()}).fields)
	})
}

// notThere are selectors of API 5.2 to 5.5 that name no binding.
func notThere(id string) []struct {
	app  string
	q    fields
	want string
} {
	return []struct {
		app  string
		q    fields
		want string
	}{
		{"AXE", fields{"extendNum": "0001"}, "1010002 subscriptionId"},
		{"AXE", fields{"subscriptionId": "none"}, "1012007"},
		{"AXE", fields{"subscriptionId": long(65)}, "1010002 subscriptionId"},
		{"AXE", fields{"virtualNum": x(routing.AXE, 1), "extendNum": "0099"}, "1012007"},
		{"AXE", fields{"virtualNum": x(routing.AXE, 1), "extendNum": long(50)}, "1012007"},
		{"AXE", fields{"virtualNum": x(routing.AXE, 30), "extendNum": "0001"}, "1012001"},
		{"AXE", fields{"virtualNum": "+8617030000777", "extendNum": "0001"}, "1012001"},
		{"AXE", fields{"virtualNum": "17030000001", "extendNum": "0001"}, "1010002 virtualNum"},
		{"AXE", fields{"virtualNum": " 8617030000001", "extendNum": "0001"}, "1012001"}, // a + that was not escaped
		{"AXE-other", fields{"subscriptionId": id}, "1012007"},
		{"AXE-other", fields{"virtualNum": x(routing.AXE, 1), "extendNum": "0001"}, "1012001"},
	}
}

// TestUnbindAXE is API 5.2.
func TestUnbindAXE(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		id := w.done("AXE", http.MethodPost, pathAXE, axeBase).id()
		for _, c := range notThere(id) {
			require.Equal(t, c.want, w.send(c.app, http.MethodDelete, pathAXE, c.q).outcome(), "%v", c)
		}
		require.Equal(t, "1010002 subscriptionId", w.send("AXE", http.MethodDelete, pathAXE, fields{}).outcome())
		require.Equal(t, "1010002 subscriptionId", w.send("AXE", http.MethodDelete, pathAXE, fields{"virtualNum": x(routing.AXE, 1)}).outcome())
		require.Equal(t, "1010029", w.send("AXE-poor", http.MethodDelete, pathAXE, fields{"subscriptionId": id}).outcome())
		require.NotNil(t, w.facts(x(routing.AXE, 1), anna).ByCaller, "none of these ended it")
		ok := w.done("AXE", http.MethodDelete, pathAXE, fields{"subscriptionId": id, "virtualNum": x(routing.AXE, 2)})
		require.Equal(t, `{"resultcode":"0","resultdesc":"Success"}`, ok.text)
		require.Nil(t, w.facts(x(routing.AXE, 1), anna).ByCaller)
		w.done("AXE", http.MethodPost, pathAXE, axeBase)
		w.done("AXE", http.MethodDelete, pathAXE, fields{"virtualNum": x(routing.AXE, 1), "extendNum": "0001"})
		require.Nil(t, w.facts(x(routing.AXE, 1), anna).ByCaller)
	})
}

// TestModifyAXE is API 5.3.
func TestModifyAXE(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		id := w.done("AXE", http.MethodPost, pathAXE, axeBase).id()
		base := fields{"subscriptionId": id}
		for _, c := range notThere(id) {
			require.Equal(t, c.want, w.send(c.app, http.MethodPut, pathAXE, c.q).outcome(), "%v", c)
		}
		w.judge("AXE", http.MethodPut, pathAXE, base, map[string][]trial{
			"subscriptionId":      append(ids(), trial{nil, "1010002 subscriptionId"}),
			"timeUnit":            enums("timeUnit", "0", "1", 0, 1),
			"bindExpiredTime":     append(integers("bindExpiredTime", 0, 720), trial{0, "0"}),
			"callbackExpiredTime": append(integers("callbackExpiredTime", 0, 720), trial{0, "0"}),
			"callbackTone":        prompts("callbackTone"),
			"callbackNum": {{bert, "0"}, {"", "0"}, {anna, "1010002 callbackNum"}, {"13800000002", "1010002 callbackNum"}, {"+8695588", "1010002 callbackNum"},
				{x(routing.AXE, 1), "1010002 callbackNum"}, {fields{}, "1010002 callbackNum"}},
			"recordFlag":     flags("recordFlag", "1012012"),
			"recordHintTone": append(prompts("recordHintTone"), trial{"", "0"}),
			"bindNum":        {{"x", "0"}}, // not to be modified, hence unknown
			"extendNum":      {{"0009", "0"}},
		}, nil)
		require.Equal(t, "1010002 callbackTone", w.send("AXE", http.MethodPut, pathAXE, base.with("callbackTone", "no_record.wav").with("callbackNum", bert)).outcome())
		w.done("AXE", http.MethodPut, pathAXE, base.with("callbackNum", bert))
		require.Equal(t, routing.Number(bert), w.facts(x(routing.AXE, 1), anna).ByCaller.CallbackNum)
		w.done("AXE", http.MethodPut, pathAXE, base.with("callbackTone", "no_record.wav"))
		require.Equal(t, "no_record.wav", w.facts(x(routing.AXE, 1), anna).ByCaller.NoCallback)
		require.Empty(t, w.facts(x(routing.AXE, 1), anna).ByCaller.CallbackNum, "the prompt replaced the number")
		require.Equal(t, "1010029", w.send("AXE-poor", http.MethodPut, pathAXE, base).code)

		timed := w.done("AXE", http.MethodPost, pathAXE, fields{"bindNum": bert, "virtualNum": x(routing.AXE, 1), "timeUnit": "1", "bindExpiredTime": 120, "callbackExpiredTime": 60}).id()
		w.done("AXE", http.MethodPut, pathAXE, fields{"virtualNum": x(routing.AXE, 1), "extendNum": "0002", "timeUnit": "0", "bindExpiredTime": 48, "callbackNum": carl})
		f := w.facts(x(routing.AXE, 1), bert)
		require.Equal(t, t0.Add(48*time.Hour), f.ByCaller.Until, "counted from the bind")
		one := w.done("AXE", http.MethodGet, pathAXE, fields{"subscriptionId": timed}).fields
		require.Equal(t, []any{"1", 120.0, 60.0, carl}, []any{one["timeUnit"], one["bindExpiredTime"], one["callbackExpiredTime"], one["callbackNum"]},
			"queries show the times of the bind, and what else was changed")
		w.pass(50 * time.Minute)
		require.Equal(t, "1010002 bindExpiredTime", w.send("AXE", http.MethodPut, pathAXE, fields{"subscriptionId": timed, "timeUnit": "1", "bindExpiredTime": 49}).outcome())
	})
}

// TestQueryAXE is API 5.4 and, for one binding, 5.5.
func TestQueryAXE(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		id := w.done("AXE", http.MethodPost, pathAXE, axeBase).id()
		for _, path := range []string{pathAXE, pathAXEList} {
			for _, c := range notThere(id) {
				require.Equal(t, c.want, w.send(c.app, http.MethodGet, path, c.q).outcome(), "%s %v", path, c)
			}
			for _, q := range []fields{{"subscriptionId": id}, {"virtualNum": x(routing.AXE, 1), "extendNum": "0001"},
				{"subscriptionId": id, "virtualNum": "x", "extendNum": "9"}, {"virtualNum": x(routing.AXE, 1), "extendNum": "0001", "subscriptionId": ""}} {
				require.Contains(t, w.done("AXE", http.MethodGet, path, q).text, id)
			}
		}
		require.Equal(t, "1010002 subscriptionId", w.send("AXE", http.MethodGet, pathAXE, fields{"virtualNum": x(routing.AXE, 1)}).outcome())
	})
}

// TestListAXE is API 5.5 for all bindings of an X.
func TestListAXE(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		onX := fields{"virtualNum": x(routing.AXE, 1)}
		require.Equal(t, `{"resultcode":"0","resultdesc":"Success","extendNumList":[]}`, w.done("AXE", http.MethodGet, pathAXEList, onX).text)
		var want []any
		for i := range 23 {
			want = append(want, w.done("AXE", http.MethodPost, pathAXE, fields{"bindNum": tel(i), "virtualNum": x(routing.AXE, 1)}).id())
			if i%5 == 0 {
				w.pass(time.Millisecond)
			}
		}
		for _, limit := range []any{nil, 1, 7, 23, 100} {
			var got []any
			q := onX.with("limit", limit).with("cursor", "0000000000000_0")
			for {
				page := w.done("AXE", http.MethodGet, pathAXEList, q)
				list := page.fields["extendNumList"].([]any)
				for _, e := range list {
					got = append(got, e.(map[string]any)["subscriptionId"])
				}
				require.LessOrEqual(t, len(got), len(want), "no binding comes twice")
				next, more := page.fields["nextCursor"].(string)
				require.Equal(t, page.fields["nextCusor"], page.fields["nextCursor"], "under both names")
				if !more {
					break
				}
				require.Len(t, list, limit.(int))
				require.Regexp(t, `^\d{13}_\d{1,20}$`, next)
				q["cursor"] = next
			}
			require.Equal(t, want, got, "limit %v", limit)
		}
		const bad = "1010002 cursor"
		w.judge("AXE", http.MethodGet, pathAXEList, onX, map[string][]trial{
			"virtualNum": {{nil, "1010002 virtualNum"}, {x(routing.AXE, 30), "1012001"}, {"17030000001", "1010002 virtualNum"}, {" 8617030000001", "1012001"}},
			"cursor": {{nil, "0"}, {"", "0"}, {"0", bad}, {"0000000000000", bad}, {"0000000000000_", bad}, {"000000000000_0", bad}, {"0000000000000_x", bad},
				{"0000000000000_99999999999999999999", bad}, {"9999999999999_18446744073709551615", "0"}, {"0000000000000_0_0", bad}, {"x", bad}},
			"limit": {{0, "1010002 limit"}, {101, "1010002 limit"}, {-1, "1010002 limit"}, {1, "0"}, {100, "0"}, {"x", "1010002 limit"}, {"99999999999999999999", "1010002 limit"}},
		}, nil)
		require.Equal(t, "1012001", w.send("AXE-other", http.MethodGet, pathAXEList, onX).code)
	})
}

// TestCountAXE is API 5.6.
func TestCountAXE(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for i := range 3 {
			w.done("AXE", http.MethodPost, pathAXE, fields{"bindNum": tel(i), "virtualNum": x(routing.AXE, 2)})
		}
		one := w.done("AXE", http.MethodGet, pathAXECount, fields{"number": x(routing.AXE, 2), "cursor": "x", "limit": "x"})
		require.Equal(t, `{"resultcode":"0","resultdesc":"Success","virtualNumList":[{"virtualNum":"`+x(routing.AXE, 2)+`","bindingCount":3}]}`, one.text)
		for _, limit := range []any{nil, 1, 4, 9, 100} {
			var got []any
			q := fields{"cursor": "0"}.with("limit", limit)
			for {
				page := w.done("AXE", http.MethodGet, pathAXECount, q)
				for _, e := range page.fields["virtualNumList"].([]any) {
					got = append(got, e.(map[string]any)["virtualNum"], e.(map[string]any)["bindingCount"])
				}
				require.LessOrEqual(t, len(got), 18, "no X comes twice")
				next, more := page.fields["nextCursor"].(string)
				if !more {
					break
				}
				require.Regexp(t, `^\d{1,20}$`, next)
				q["cursor"] = next
			}
			require.Len(t, got, 18, "limit %v", limit)
			require.Equal(t, []any{x(routing.AXE, 1), 0.0, x(routing.AXE, 2), 3.0}, got[:4])
		}
		w.judge("AXE", http.MethodGet, pathAXECount, fields{}, map[string][]trial{
			"number": {{nil, "0"}, {"", "0"}, {x(routing.AXE, 3), "0"}, {x(routing.AXE, 30), "1012001"}, {"+8617030000777", "1012001"}, {"17030000001", "1010002 number"},
				{" 8617030000001", "1012001"}, {long(50), "1010002 number"}},
			"cursor": {{nil, "0"}, {"0", "0"}, {"+8617030000001", "1010002 cursor"}, {"x", "1010002 cursor"}, {strings.Repeat("1", 21), "1010002 cursor"}, {strings.Repeat("1", 20), "0"}},
			"limit":  {{1, "0"}, {100, "0"}, {0, "1010002 limit"}, {101, "1010002 limit"}, {"x", "1010002 limit"}},
		}, nil)
		require.Equal(t, "1012001", w.send("AXE-other", http.MethodGet, pathAXECount, fields{"number": x(routing.AXE, 2)}).code)
	})
}
