package binding_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/routing"
)

var axbBase = fields{"callerNum": anna, "calleeNum": bert, "relationNum": x(routing.AXB, 1)}

// TestBindAXBParameters is the table of API 3.1.
func TestBindAXBParameters(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		const badX = "1012007"
		undo := func(r reply) { w.unbind("AXB", pathAXB, r.id()) }
		w.judge("AXB", http.MethodPost, pathAXB, axbBase, map[string][]trial{
			"callerNum": numbers("callerNum", trial{nil, "1010002 callerNum"}, trial{bert, "1010002 calleeNum"}, trial{x(routing.AXB, 1), "1010002 callerNum"}),
			"calleeNum": numbers("calleeNum", trial{nil, "1010002 calleeNum"}, trial{anna, "1010002 calleeNum"}, trial{x(routing.AX, 1), "1010002 calleeNum"}),
			"relationNum": {{nil, "0"}, {"", "0"}, {x(routing.AXB, 1), "0"}, {"17020000001", badX}, {" 8617020000001", badX}, {x(routing.AXB, 1) + "2", badX},
				{carl, badX}, {fixed, badX}, {x(routing.AXB, 30), badX}, {x(routing.AX, 1), badX}, {"+8617020000777", badX}, {x(routing.AXB, 9), "1012102"}, {long(40), badX},
				{86170, badX}, {true, badX}, {fields{}, "1010002 relationNum"}, {[]any{}, "1010002 relationNum"}},
			"areaCode":       areaCodes("0"), // relationNum wins
			"areaMatchMode":  enums("areaMatchMode", "0", "1", 0, 1),
			"callDirection":  integers("callDirection", 0, 2),
			"duration":       append(integers("duration", 0, 7776000), trial{1, "0"}, trial{60, "0"}),
			"recordFlag":     flags("recordFlag", "1012012"),
			"recordHintTone": prompts("recordHintTone"),
			"preVoice":       preVoices(),
			"maxDuration":    integers("maxDuration", 0, 1440),
			"lastMinVoice":   prompts("lastMinVoice"),
			"privateSms":     flags("privateSms", "0"),
			"userData":       userData(),
			"unknown":        {{"x", "0"}, {fields{"deep": []any{1}}, "0"}},
		}, undo)
		byArea := fields{"callerNum": anna, "calleeNum": bert, "areaCode": "0755"}
		w.judge("AXB", http.MethodPost, pathAXB, byArea, map[string][]trial{
			"areaCode":      {{"010", "0"}, {"0755", "0"}, {"021", "1012008"}, {"0999", "1012008"}},
			"areaMatchMode": enums("areaMatchMode", "0", "1"),
		}, undo)
		w.judge("AXB", http.MethodPost, pathAXB, byArea.with("areaMatchMode", "1"), map[string][]trial{"areaCode": {{"021", "0"}, {"0755", "0"}}}, undo)
	})
}

// TestBindAXBPreconditions: whose X it is and who is on it already.
func TestBindAXBPreconditions(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		bind := func(app, a, b string, i int) string {
			return w.send(app, http.MethodPost, pathAXB, fields{"callerNum": a, "calleeNum": b, "relationNum": x(routing.AXB, i)}).outcome()
		}
		require.Equal(t, "0", bind("AXB", anna, bert, 1))
		for _, pair := range [][2]string{{anna, bert}, {bert, anna}, {anna, carl}, {carl, anna}, {bert, carl}, {carl, bert}} {
			require.Equal(t, "1012010", bind("AXB", pair[0], pair[1], 1), "no number twice on an X, on either side: %v", pair)
		}
		require.Equal(t, "0", bind("AXB", carl, dora, 1), "other pairs fit")
		require.Equal(t, "0", bind("AXB", anna, carl, 2), "another B by another X")
		require.Equal(t, "1012007", bind("AXB-other", carl, dora, 1), "another app's")
		require.Equal(t, "1012102", bind("AXB", anna, bert, 9), "paused")
		require.Equal(t, "1010029", bind("AXB-poor", anna, bert, 40), "the account is frozen")
		require.Equal(t, "1010008", bind("AXB-paused", anna, bert, 50), "the app is paused")
		w.done("AXB-recording", http.MethodPost, pathAXB, axbBase.with("relationNum", x(routing.AXB, 20)).with("recordFlag", "true"))
		r := w.done("AXB", http.MethodPost, pathAXB, fields{"callerNum": tel(1), "calleeNum": tel(2), "relationNum": x(routing.AXB, 3), "areaCode": "010"})
		require.Equal(t, x(routing.AXB, 3), r.fields["relationNum"], "relationNum before areaCode")
		r = w.done("AXB", http.MethodPost, pathAXB, fields{"callerNum": tel(1), "calleeNum": tel(2), "areaCode": "010"})
		require.Equal(t, x(routing.AXB, 4), r.fields["relationNum"])
	})
}

// TestAXBAnswers: what is bound is what is answered, queried and cached.
func TestAXBAnswers(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		whole := fields{"callerNum": anna, "calleeNum": fixed, "relationNum": x(routing.AXB, 20), "callDirection": "1", "duration": "3600",
			"recordFlag": true, "recordHintTone": "record_notice.wav", "preVoice": fields{"callerHintTone": "wait_a.wav", "calleeHintTone": "wait_b.wav"},
			"maxDuration": 30, "lastMinVoice": "wait_a.wav", "privateSms": false, "userData": "order=17"}
		b := w.done("AXB-recording", http.MethodPost, pathAXB, whole)
		require.Equal(t, `{"resultcode":"0","resultdesc":"Success","subscriptionId":"`+b.id()+`","relationNum":"`+x(routing.AXB, 20)+
			`","callDirection":1,"duration":3600,"maxDuration":30}`, b.text)
		page := w.done("AXB-recording", http.MethodGet, pathAXB, fields{"subscriptionId": b.id()})
		require.Equal(t, `{"resultcode":"0","resultdesc":"Success","totalCount":1,"pageIndex":1,"pageSize":50,"relationNumList":[{"subscriptionId":"`+b.id()+
			`","relationNum":"`+x(routing.AXB, 20)+`","callerNum":"`+anna+`","calleeNum":"`+fixed+`","subscribeTime":"`+t0.Format("2006-01-02 15:04:05")+
			`","callDirection":1,"duration":3600,"maxDuration":30,"recordFlag":"true","recordHintTone":"record_notice.wav",`+
			`"preVoice":{"callerHintTone":"wait_a.wav","calleeHintTone":"wait_b.wav"},"privateSms":"false","lastMinVoice":"wait_a.wav","userData":"order=17"}]}`, page.text)
		require.Equal(t, t0.Add(time.Hour), w.facts(x(routing.AXB, 20), anna).ByCaller.Until)

		bare := w.done("AXB", http.MethodPost, pathAXB, axbBase)
		require.Equal(t, `{"resultcode":"0","resultdesc":"Success","subscriptionId":"`+bare.id()+`","relationNum":"`+x(routing.AXB, 1)+
			`","callDirection":0,"duration":0,"maxDuration":0}`, bare.text)
		require.Equal(t, fields{"subscriptionId": bare.id(), "relationNum": x(routing.AXB, 1), "callerNum": anna, "calleeNum": bert,
			"subscribeTime": t0.Format("2006-01-02 15:04:05"), "callDirection": 0.0, "duration": 0.0, "maxDuration": 0.0, "recordFlag": "false", "privateSms": "true"},
			w.axbInfo(bare.id()))
		w.pass(time.Hour)
		require.Equal(t, "1012007", w.send("AXB-recording", http.MethodGet, pathAXB, fields{"subscriptionId": b.id()}).code, "its time is over")
	})
}

func (w *world) axbInfo(id string) fields {
	w.t.Helper()
	list := w.done("AXB", http.MethodGet, pathAXB, fields{"subscriptionId": id}).fields["relationNumList"].([]any)
	require.Len(w.t, list, 1)
	return list[0].(map[string]any)
}

// TestQueryAXB is API 3.4.
func TestQueryAXB(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		var ids []string
		for i := range 25 {
			r := w.done("AXB", http.MethodPost, pathAXB, fields{"callerNum": tel(2 * i), "calleeNum": tel(2*i + 1), "relationNum": x(routing.AXB, 1)})
			ids = append(ids, r.id())
		}
		other := w.done("AXB", http.MethodPost, pathAXB, axbBase.with("relationNum", x(routing.AXB, 2)))
		list := func(q fields) string {
			r := w.done("AXB", http.MethodGet, pathAXB, q)
			text := fmt.Sprintf("%v of %v, page %v of %v:", len(r.fields["relationNumList"].([]any)), r.fields["totalCount"], r.fields["pageIndex"], r.fields["pageSize"])
			for _, e := range r.fields["relationNumList"].([]any) {
				for i, id := range append(ids, other.id()) {
					if e.(map[string]any)["subscriptionId"] == id {
						text += fmt.Sprint(" ", i)
					}
				}
			}
			return text
		}
		onX := fields{"relationNum": x(routing.AXB, 1)}
		all := "25 of 25, page 1 of 50: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24"
		require.Equal(t, all, list(onX))
		for _, size := range []any{9, 101, 0, -1, "99999999999999999999", ""} { // no error: 50
			require.Equal(t, all, list(onX.with("pageSize", size)), size)
		}
		require.Equal(t, "10 of 25, page 1 of 10: 0 1 2 3 4 5 6 7 8 9", list(onX.with("pageSize", 10)))
		require.Equal(t, "10 of 25, page 2 of 10: 10 11 12 13 14 15 16 17 18 19", list(onX.with("pageSize", 10).with("pageIndex", 2)))
		require.Equal(t, "5 of 25, page 3 of 10: 20 21 22 23 24", list(onX.with("pageSize", 10).with("pageIndex", 3)))
		require.Equal(t, strings.Replace(all, "of 50", "of 100", 1), list(onX.with("pageSize", 100)))
		require.Equal(t, "1 of 1, page 1 of 50: 3", list(onX.with("callerNum", tel(6))))
		require.Equal(t, "1 of 1, page 1 of 50: 3", list(onX.with("calleeNum", tel(7)).with("pageIndex", "x")))
		require.Equal(t, "1 of 1, page 1 of 50: 3", list(onX.with("callerNum", tel(6)).with("calleeNum", tel(7)).with("pageIndex", 9)))
		require.Equal(t, "1 of 1, page 1 of 50: 25", list(onX.with("subscriptionId", other.id()).with("callerNum", tel(6)).with("pageSize", "x")), "the id before all")
		w.judge("AXB", http.MethodGet, pathAXB, onX, map[string][]trial{
			"relationNum": {{nil, "1010002 subscriptionId"}, {x(routing.AXB, 3), "1012007"}, {x(routing.AXB, 30), "1012007"}, {"+8617020000777", "1012007"},
				{"17020000001", "1012007"}, {" 8617020000001", "1012007"}, {"a\x00b", "1010002 relationNum"}},
			"callerNum":      {{tel(7), "1012007"}, {carl, "1012007"}, {"13900000006", "1012007"}, {long(200), "1012007"}},
			"calleeNum":      {{tel(6), "1012007"}, {carl, "1012007"}},
			"subscriptionId": {{"none", "1012007"}, {long(64), "1012007"}, {long(65), "1010002 subscriptionId"}},
			"pageIndex":      {{1, "0"}, {0, "0"}, {2, "1012007"}, {99999999999999, "1012007"}, {"x", "1010002 pageIndex"}, {1.5, "1010002 pageIndex"}},
			"pageSize":       {{10, "0"}, {"x", "1010002 pageSize"}},
		}, nil)
		require.Equal(t, "1012007", w.send("AXB", http.MethodGet, pathAXB, onX.with("callerNum", tel(6)).with("calleeNum", tel(9))).code, "A and B of different pairs")
		require.Equal(t, "1012007", w.send("AXB-other", http.MethodGet, pathAXB, onX).code)
		require.Equal(t, "1012007", w.send("AXB-other", http.MethodGet, pathAXB, fields{"subscriptionId": ids[0]}).code)
	})
}

// TestUnbindAXB is API 3.2.
func TestUnbindAXB(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		id := w.done("AXB", http.MethodPost, pathAXB, axbBase).id()
		w.done("AXB", http.MethodPost, pathAXB, fields{"callerNum": carl, "calleeNum": dora, "relationNum": x(routing.AXB, 1)})
		for _, c := range []struct {
			app  string
			q    fields
			want string
		}{
			{"AXB", fields{}, "1012001"},
			{"AXB", fields{"callerNum": anna}, "1012001"},
			{"AXB", fields{"subscriptionId": "none"}, "1012007"},
			{"AXB", fields{"subscriptionId": long(65)}, "1010002 subscriptionId"},
			{"AXB", fields{"relationNum": x(routing.AXB, 30)}, "1012001"},
			{"AXB", fields{"relationNum": "+8617020000777"}, "1012001"},
			{"AXB", fields{"relationNum": "17020000001"}, "1012001"},
			{"AXB", fields{"relationNum": x(routing.AXB, 2)}, "1012007"},
			{"AXB-other", fields{"subscriptionId": id}, "1012007"},
			{"AXB-other", fields{"relationNum": x(routing.AXB, 1)}, "1012001"},
			{"AXB-poor", fields{"subscriptionId": id}, "1010029"},
		} {
			require.Equal(t, c.want, w.send(c.app, http.MethodDelete, pathAXB, c.q).outcome(), "%v", c)
		}
		require.Equal(t, "1012001", w.raw("AXB", http.MethodDelete, pathAXB+"?relationNum="+x(routing.AXB, 1), nil).outcome(), "a + that was not escaped")
		require.NotNil(t, w.facts(x(routing.AXB, 1), anna).ByCaller, "none of these ended it")
		ok := w.done("AXB", http.MethodDelete, pathAXB, fields{"subscriptionId": id, "relationNum": x(routing.AXB, 1)})
		require.Equal(t, `{"resultcode":"0","resultdesc":"Success"}`, ok.text)
		require.Nil(t, w.facts(x(routing.AXB, 1), anna).ByCaller)
		require.NotNil(t, w.facts(x(routing.AXB, 1), carl).ByCaller, "the id wins: this pair alone")
		w.done("AXB", http.MethodPost, pathAXB, axbBase)
		w.done("AXB", http.MethodDelete, pathAXB, fields{"relationNum": x(routing.AXB, 1)})
		require.Nil(t, w.facts(x(routing.AXB, 1), carl).ByCaller)
		require.Nil(t, w.facts(x(routing.AXB, 1), anna).ByCaller, "all pairs of X")
	})
}

// TestModifyAXB is API 3.3.
func TestModifyAXB(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		id := w.done("AXB", http.MethodPost, pathAXB, axbBase.with("duration", 3600)).id()
		w.done("AXB", http.MethodPost, pathAXB, fields{"callerNum": carl, "calleeNum": dora, "relationNum": x(routing.AXB, 1)})
		base := fields{"subscriptionId": id}
		taken := []trial{{nil, "0"}, {carl, "1012010"}, {dora, "1012010"}}
		w.judge("AXB", http.MethodPut, pathAXB, base, map[string][]trial{
			"subscriptionId": append(ids(), trial{nil, "1010002 subscriptionId"}, trial{"", "1010002 subscriptionId"}, trial{"none", "1012007"}),
			"callerNum":      numbers("callerNum", append(taken, trial{bert, "1010002 calleeNum"}, trial{x(routing.AXB, 1), "1010002 callerNum"}, trial{anna, "0"})...),
			"calleeNum":      numbers("calleeNum", append(taken, trial{anna, "1010002 calleeNum"}, trial{x(routing.AXB, 1), "1010002 calleeNum"}, trial{bert, "0"})...),
			"callDirection":  integers("callDirection", 0, 2),
			"duration":       integers("duration", 0, 7776000),
			"preVoice":       preVoices(),
			"maxDuration":    integers("maxDuration", 0, 1440),
			"lastMinVoice":   prompts("lastMinVoice"),
			"privateSms":     flags("privateSms", "0"),
			"recordFlag":     flags("recordFlag", "1012012"),
			"recordHintTone": prompts("recordHintTone"),
			"relationNum":    {{x(routing.AXB, 2), "0"}, {fields{}, "0"}}, // X cannot be changed: unknown here
		}, nil)
		require.Equal(t, "1012007", w.send("AXB-other", http.MethodPut, pathAXB, base).code)
		require.Equal(t, "1010029", w.send("AXB-poor", http.MethodPut, pathAXB, base).code)
		w.pass(time.Minute)
		w.done("AXB", http.MethodPut, pathAXB, fields{"subscriptionId": id, "calleeNum": fixed, "callDirection": 2, "duration": 7200, "maxDuration": 5,
			"lastMinVoice": "wait_b.wav", "privateSms": "false", "recordHintTone": "record_notice.wav", "preVoice": fields{"calleeHintTone": "wait_b.wav", "callerHintTone": ""}})
		changed := fields{"subscriptionId": id, "relationNum": x(routing.AXB, 1), "callerNum": anna, "calleeNum": fixed,
			"subscribeTime": w.clock().Format("2006-01-02 15:04:05"), "callDirection": 2.0, "duration": 7200.0, "maxDuration": 5.0, "recordFlag": "false",
			"recordHintTone": "record_notice.wav", "preVoice": map[string]any{"calleeHintTone": "wait_b.wav"}, "privateSms": "false", "lastMinVoice": "wait_b.wav"}
		require.Equal(t, changed, w.axbInfo(id))
		require.Equal(t, w.clock().Add(2*time.Hour), w.facts(x(routing.AXB, 1), anna).ByCaller.Until, "the lifetime begins anew")
		require.Nil(t, w.facts(x(routing.AXB, 1), bert).ByCaller)
		w.pass(time.Minute)
		w.done("AXB", http.MethodPut, pathAXB, base)
		changed["subscribeTime"] = w.clock().Format("2006-01-02 15:04:05")
		require.Equal(t, changed, w.axbInfo(id), "absent is unchanged, the lifetime too")
	})
}
