package binding_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/routing"
)

var axBase = fields{"origNum": anna, "privateNum": x(routing.AX, 1)}

// TestBindAXParameters is the table of API 4.1.
func TestBindAXParameters(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		const badX = "1011001"
		undo := func(r reply) { w.unbind("AX", pathAX, r.id()) }
		w.judge("AX", http.MethodPost, pathAX, axBase, map[string][]trial{
			"origNum": numbers("origNum", trial{nil, "1010002 origNum"}, trial{x(routing.AX, 1), "1010002 origNum"}, trial{x(routing.AXB, 1), "1010002 origNum"}),
			"privateNum": {{nil, "1010002 privateNum"}, {"", "1010002 privateNum"}, {x(routing.AX, 1), "0"}, {"17010000001", badX}, {" 8617010000001", badX},
				{"+86170100000012", badX}, {anna, badX}, {fixed, badX}, {x(routing.AX, 30), badX}, {x(routing.AXB, 1), badX}, {"+8617010000777", badX}, {x(routing.AX, 9), "1012102"},
				{long(40), badX}, {86170, badX}, {true, badX}, {fields{}, "1010002 privateNum"}, {[]any{}, "1010002 privateNum"}},
			"privateNumType":   optional(trial{"mobile-virtual", "0"}, trial{"fixed", "1010002 privateNumType"}, trial{1, "1010002 privateNumType"}, trial{fields{}, "1010002 privateNumType"}),
			"areaCode":         areaCodes("0"), // privateNum wins
			"areaMatchMode":    enums("areaMatchMode", "0", "1", 0, 1),
			"calleeNumDisplay": optional(trial{"0", "0"}, trial{0, "0"}, trial{"1", "1010002 calleeNumDisplay"}, trial{1, "1010002 calleeNumDisplay"}, trial{fields{}, "1010002 calleeNumDisplay"}),
			"recordFlag":       flags("recordFlag", "1012012"),
			"recordHintTone":   prompts("recordHintTone"),
			"privateSms":       flags("privateSms", "0"),
			"callDirection":    integers("callDirection", 0, 2),
			"turnFlag":         optional(trial{"on", "0"}, trial{"off", "0"}, trial{"true", "1010002 turnFlag"}, trial{1, "1010002 turnFlag"}, trial{fields{}, "1010002 turnFlag"}),
			"preVoice":         preVoices(),
			"maxDuration":      integers("maxDuration", 0, 1440),
			"lastMinVoice":     prompts("lastMinVoice"),
			"userData":         userData(),
			"unknown":          {{"x", "0"}, {fields{"deep": []any{1}}, "0"}},
		}, undo)
		byArea := fields{"origNum": anna, "areaCode": "0755", "privateNumType": "mobile-virtual"}
		w.judge("AX", http.MethodPost, pathAX, byArea, map[string][]trial{
			"areaCode":      {{"010", "0"}, {"0755", "0"}, {"021", "1011002"}, {"0999", "1011002"}, {"99", "1010002 areaCode"}, {"", "1010002 privateNum"}, {nil, "1010002 privateNum"}},
			"areaMatchMode": enums("areaMatchMode", "0", "1"),
		}, undo)
		w.judge("AX", http.MethodPost, pathAX, byArea.with("areaMatchMode", "1"), map[string][]trial{"areaCode": {{"021", "0"}, {"0755", "0"}}}, undo)
	})
}

// TestBindAXPreconditions: whose X it is and what is bound already.
func TestBindAXPreconditions(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		bind := func(app, a string, i int) string {
			return w.send(app, http.MethodPost, pathAX, fields{"origNum": a, "privateNum": x(routing.AX, i)}).outcome()
		}
		require.Equal(t, "0", bind("AX", anna, 1))
		require.Equal(t, "1016002", bind("AX", anna, 1), "bound to this A")
		require.Equal(t, "1011005", bind("AX", bert, 1), "bound to another A")
		require.Equal(t, "1011001", bind("AX-other", bert, 1), "another app's")
		require.Equal(t, "1012102", bind("AX", bert, 9), "paused")
		require.Equal(t, "1010029", bind("AX-poor", bert, 40), "the account is frozen")
		require.Equal(t, "1010008", bind("AX-paused", bert, 50), "the app is paused")
		for i := 2; i <= 5; i++ {
			require.Equal(t, "0", bind("AX", anna, i))
		}
		require.Equal(t, "1011003", bind("AX", anna, 6), "A has 5 X")
		require.Equal(t, "1011003", w.send("AX", http.MethodPost, pathAX, fields{"origNum": anna, "areaCode": "0571"}).code)
		require.Equal(t, "0", bind("AX-other", anna, 30), "5 in each app")
		for status, want := range map[routing.NumberStatus]string{routing.StatusFrozen: "1012102", routing.StatusTransfer: "1012102",
			routing.StatusUnavailable: "1012102", routing.StatusReturned: "1012102", routing.StatusNormal: "0"} {
			_, err := w.SetStatus(t.Context(), x(routing.AX, 6), status, "")
			require.NoError(t, err)
			require.Equal(t, want, bind("AX", bert, 6), status)
			_, err = w.AddNumber(t.Context(), ledger.Number{XNumber: routing.XNumber{X: routing.X(x(routing.AX, 6)), App: "AX"}})
			require.NoError(t, err)
			if want == "0" {
				break
			}
		}
		record := fields{"origNum": anna, "privateNum": x(routing.AX, 20), "recordFlag": "true", "recordHintTone": "record_notice.wav"}
		w.done("AX-recording", http.MethodPost, pathAX, record)
	})
}

// TestAXAnswers: what is bound is what is answered, queried and cached.
func TestAXAnswers(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		whole := fields{"origNum": anna, "privateNum": x(routing.AX, 20), "privateNumType": "mobile-virtual", "calleeNumDisplay": "0",
			"recordFlag": true, "recordHintTone": "record_notice.wav", "privateSms": "false", "callDirection": 0, "turnFlag": "on",
			"preVoice":    []any{fields{"callerHintTone": "wait_a.wav"}, fields{"calleeHintTone": "wait_b.wav"}},
			"maxDuration": "30", "lastMinVoice": "wait_a.wav", "userData": "a&b"}
		b := w.done("AX-recording", http.MethodPost, pathAX, whole)
		require.Equal(t, `{"resultcode":"0","resultdesc":"Success","origNum":"`+anna+`","privateNum":"`+x(routing.AX, 20)+`","subscriptionId":"`+b.id()+`"}`, b.text)
		info := `{"origNum":"` + anna + `","privateNum":"` + x(routing.AX, 20) + `","subscriptionId":"` + b.id() + `","privateNumType":"mobile-virtual",` +
			`"recordFlag":"true","recordHintTone":"record_notice.wav","calleeNumDisplay":"0","privateSms":"false","callDirection":0,"turnFlag":"on",` +
			`"preVoice":{"callerHintTone":"wait_a.wav","calleeHintTone":"wait_b.wav"},"maxDuration":30,"lastMinVoice":"wait_a.wav","userData":"a&b"}`
		one := w.done("AX-recording", http.MethodGet, pathAX, fields{"subscriptionId": b.id()})
		require.Equal(t, `{"resultcode":"0","resultdesc":"Success","privateNumList":[`+info+`]}`, one.text)
		require.True(t, w.facts(x(routing.AX, 20), bert).ToX.Record)

		bare := w.done("AX", http.MethodPost, pathAX, axBase)
		info = `{"origNum":"` + anna + `","privateNum":"` + x(routing.AX, 1) + `","subscriptionId":"` + bare.id() +
			`","recordFlag":"false","calleeNumDisplay":"0","privateSms":"true","turnFlag":"on"}`
		one = w.done("AX", http.MethodGet, pathAX, fields{"privateNum": x(routing.AX, 1)})
		require.Equal(t, `{"resultcode":"0","resultdesc":"Success","privateNumList":[`+info+`]}`, one.text, "what was never set is left out")
		require.Equal(t, routing.Number(anna), w.facts(x(routing.AX, 1), bert).ToX.A)
	})
}

// TestQueryAX is API 4.4: the precedence of the selectors, and what is not found.
func TestQueryAX(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		first := w.done("AX", http.MethodPost, pathAX, axBase)
		second := w.done("AX", http.MethodPost, pathAX, axBase.with("privateNum", x(routing.AX, 2)))
		third := w.done("AX", http.MethodPost, pathAX, fields{"origNum": bert, "privateNum": x(routing.AX, 3)})
		found := func(q fields) (ids []string) {
			for _, e := range w.done("AX", http.MethodGet, pathAX, q).fields["privateNumList"].([]any) {
				ids = append(ids, e.(map[string]any)["subscriptionId"].(string))
			}
			return ids
		}
		require.Equal(t, []string{first.id(), second.id()}, found(fields{"origNum": anna}))
		require.Equal(t, []string{third.id()}, found(fields{"origNum": bert, "privateNum": x(routing.AX, 1)}), "origNum before privateNum")
		require.Equal(t, []string{first.id()}, found(fields{"subscriptionId": first.id(), "origNum": bert, "privateNum": x(routing.AX, 3)}), "the id before all")
		require.Equal(t, []string{second.id()}, found(fields{"privateNum": x(routing.AX, 2), "subscriptionId": "", "pageIndex": "x"}))
		w.judge("AX", http.MethodGet, pathAX, fields{}, map[string][]trial{
			"":               {{nil, "1010002 subscriptionId"}},
			"subscriptionId": {{"none", "1016001"}, {long(64), "1016001"}, {long(65), "1010002 subscriptionId"}, {"a\x00b", "1010002 subscriptionId"}},
			"origNum":        {{carl, "1016001"}, {"13800000001", "1016001"}, {" 8613800000001", "1016001"}, {long(40), "1016001"}, {"a\x00b", "1010002 origNum"}},
			"privateNum":     {{x(routing.AX, 4), "1016001"}, {x(routing.AX, 30), "1016001"}, {"17010000001", "1016001"}, {" " + x(routing.AX, 1)[1:], "1016001"}},
		}, nil)
		require.Equal(t, "1016001", w.send("AX-other", http.MethodGet, pathAX, fields{"subscriptionId": first.id()}).code)
		require.Equal(t, "1016001", w.send("AX-other", http.MethodGet, pathAX, fields{"origNum": anna}).code)
		require.Equal(t, "1016001", w.send("AX-other", http.MethodGet, pathAX, fields{"privateNum": x(routing.AX, 1)}).code)
		require.Equal(t, "1016001", w.send("AX-poor", http.MethodGet, pathAX, fields{"origNum": anna}).code, "who cannot pay may look")
	})
}

// TestUnbindAX is API 4.2 as codes.md decides it.
func TestUnbindAX(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		bind := func() string { return w.done("AX", http.MethodPost, pathAX, axBase).id() }
		id := bind()
		for _, c := range []struct {
			app  string
			q    fields
			want string
		}{
			{"AX", fields{}, "1011004"},
			{"AX", fields{"origNum": anna}, "1011004"},
			{"AX", fields{"subscriptionId": "none"}, "1016001"},
			{"AX", fields{"subscriptionId": long(65)}, "1010002 subscriptionId"},
			{"AX", fields{"privateNum": x(routing.AX, 2)}, "1011004"},
			{"AX", fields{"privateNum": x(routing.AX, 30)}, "1011004"},
			{"AX", fields{"privateNum": "17010000001"}, "1011004"},
			{"AX", fields{"privateNum": x(routing.AX, 1), "origNum": bert}, "1011004"},
			{"AX-other", fields{"subscriptionId": id}, "1016001"},
			{"AX-other", fields{"privateNum": x(routing.AX, 1)}, "1011004"},
			{"AX-poor", fields{"subscriptionId": id}, "1010029"},
			{"AX-paused", fields{"subscriptionId": id}, "1010008"},
		} {
			require.Equal(t, c.want, w.send(c.app, http.MethodDelete, pathAX, c.q).outcome(), "%v", c)
		}
		require.Equal(t, "1011004", w.raw("AX", http.MethodDelete, pathAX+"?privateNum="+x(routing.AX, 1), nil).outcome(), "a + that was not escaped")
		require.NotNil(t, w.facts(x(routing.AX, 1), bert).ToX, "none of these ended it")
		ok := w.done("AX", http.MethodDelete, pathAX, fields{"subscriptionId": id, "privateNum": x(routing.AX, 2)})
		require.Equal(t, `{"resultcode":"0","resultdesc":"Success"}`, ok.text)
		require.Nil(t, w.facts(x(routing.AX, 1), bert).ToX)
		require.Equal(t, "1016001", w.send("AX", http.MethodDelete, pathAX, fields{"subscriptionId": id}).outcome())
		bind()
		w.done("AX", http.MethodDelete, pathAX, fields{"privateNum": x(routing.AX, 1)})
		bind()
		w.done("AX", http.MethodDelete, pathAX, fields{"origNum": anna, "privateNum": x(routing.AX, 1)})
		require.Equal(t, "1011004", w.send("AX", http.MethodDelete, pathAX, fields{"privateNum": x(routing.AX, 1)}).outcome())
	})
}

// TestModifyAX is API 4.3.
func TestModifyAX(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		id := w.done("AX", http.MethodPost, pathAX, axBase).id()
		base := fields{"subscriptionId": id}
		w.judge("AX", http.MethodPut, pathAX, base, map[string][]trial{
			"subscriptionId": append(ids(), trial{nil, "1010002 subscriptionId"}, trial{"", "1010002 subscriptionId"}, trial{"none", "1016001"}),
			"callDirection":  integers("callDirection", 0, 2),
			"turnFlag":       optional(trial{"off", "0"}, trial{"on", "0"}, trial{"x", "1010002 turnFlag"}),
			"preVoice":       preVoices(),
			"maxDuration":    integers("maxDuration", 0, 1440),
			"lastMinVoice":   prompts("lastMinVoice"),
			"privateSms":     flags("privateSms", "0"),
			"recordFlag":     flags("recordFlag", "1012012"),
			"recordHintTone": prompts("recordHintTone"),
			"origNum":        {{bert, "0"}, {"x", "0"}, {nil, "0"}, {fields{}, "1010002 origNum"}}, // the id wins
			"userData":       {{"{}", "0"}},                                                        // not to be modified, hence unknown
		}, nil)
		byNumbers := fields{"origNum": anna, "privateNum": x(routing.AX, 1)}
		w.judge("AX", http.MethodPut, pathAX, byNumbers, map[string][]trial{
			"origNum":    {{anna, "0"}, {nil, "0"}, {bert, "1016001"}},
			"privateNum": {{nil, "1010002 subscriptionId"}, {x(routing.AX, 2), "1016001"}, {x(routing.AX, 30), "1016001"}, {"17010000001", "1016001"}},
		}, nil)
		require.Equal(t, "1016001", w.send("AX-other", http.MethodPut, pathAX, base).code)
		require.Equal(t, "1010029", w.send("AX-poor", http.MethodPut, pathAX, base).code)
		require.Equal(t, anna, w.axInfo(id)["origNum"], "origNum only selects")
		w.done("AX", http.MethodPut, pathAX, fields{"subscriptionId": id, "callDirection": 1, "turnFlag": "off", "maxDuration": 7, "lastMinVoice": "wait_b.wav",
			"privateSms": false, "recordHintTone": "record_notice.wav", "preVoice": fields{"callerHintTone": "wait_a.wav", "calleeHintTone": "wait_b.wav"}})
		changed := fields{"origNum": anna, "privateNum": x(routing.AX, 1), "subscriptionId": id, "recordFlag": "false", "recordHintTone": "record_notice.wav",
			"calleeNumDisplay": "0", "privateSms": "false", "callDirection": 1.0, "turnFlag": "off", "maxDuration": 7.0, "lastMinVoice": "wait_b.wav",
			"preVoice": map[string]any{"callerHintTone": "wait_a.wav", "calleeHintTone": "wait_b.wav"}}
		require.Equal(t, changed, w.axInfo(id))
		w.done("AX", http.MethodPut, pathAX, base)
		require.Equal(t, changed, w.axInfo(id), "absent is unchanged")
		w.done("AX", http.MethodPut, pathAX, fields{"subscriptionId": id, "preVoice": fields{"callerHintTone": ""}, "recordHintTone": "", "lastMinVoice": ""})
		after := w.axInfo(id)
		require.Equal(t, map[string]any{"calleeHintTone": "wait_b.wav"}, after["preVoice"], "each prompt by itself")
		require.NotContains(t, after, "recordHintTone")
		require.NotContains(t, after, "lastMinVoice")
		f := w.facts(x(routing.AX, 1), bert)
		require.True(t, f.ToX.Off)
		require.Equal(t, routing.OnlyFromA, f.ToX.Allowed)
	})
}

func (w *world) axInfo(id string) fields {
	w.t.Helper()
	list := w.done("AX", http.MethodGet, pathAX, fields{"subscriptionId": id}).fields["privateNumList"].([]any)
	require.Len(w.t, list, 1)
	return list[0].(map[string]any)
}

// TestTemporaryCallee is API 4.5.
func TestTemporaryCallee(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		id := w.done("AX", http.MethodPost, pathAX, axBase).id()
		base := fields{"subscriptionId": id, "calleeNum": bert}
		const bad = "1010002 calleeNum"
		w.judge("AX", http.MethodPut, pathTemporary, base, map[string][]trial{
			"subscriptionId": append(ids(), trial{nil, "1010002 subscriptionId"}, trial{"none", "1016001"}),
			"calleeNum": {{nil, bad}, {"", bad}, {bert, "0"}, {fixed, "0"}, {"+864001234567", "0"}, {"+8695588", "0"}, {anna, bad}, {"13800000002", bad},
				{"+85251234567", bad}, {"+86110", bad}, {x(routing.AX, 2), bad}, {long(40), bad}, {1, bad}, {fields{}, bad}},
			"duration": {{nil, "0"}, {1, "0"}, {259200, "0"}, {0, "1010002 duration"}, {259201, "1010002 duration"}, {-1, "1010002 duration"},
				{"120", "0"}, {"x", "1010002 duration"}, {true, "1010002 duration"}},
			"userData": userData(),
		}, nil)
		w.judge("AX", http.MethodPut, pathTemporary, fields{"privateNum": x(routing.AX, 1), "calleeNum": bert}, map[string][]trial{
			"origNum":    {{nil, "0"}, {anna, "0"}, {carl, "1016001"}},
			"privateNum": {{nil, "1010002 subscriptionId"}, {x(routing.AX, 2), "1016001"}, {x(routing.AX, 30), "1016001"}},
		}, nil)
		require.Equal(t, "1016001", w.send("AX-other", http.MethodPut, pathTemporary, base).code)
		require.Equal(t, "1010029", w.send("AX-poor", http.MethodPut, pathTemporary, base).code)
		require.Equal(t, `{"resultcode":"0","resultdesc":"Success"}`, w.done("AX", http.MethodPut, pathTemporary, base.with("userData", "call")).text)
		got := w.facts(x(routing.AX, 1), anna).Temporary
		require.Equal(t, &routing.TemporaryCallee{Callee: bert, Until: w.clock().Add(time.Minute), UserData: "call"}, got, "60 s unless said otherwise")
		w.done("AX", http.MethodPut, pathTemporary, fields{"subscriptionId": id, "calleeNum": carl, "duration": 120})
		got = w.facts(x(routing.AX, 1), anna).Temporary
		require.Equal(t, &routing.TemporaryCallee{Callee: carl, Until: w.clock().Add(2 * time.Minute)}, got, "the second replaces the first")
	})
}
