package binding_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/routing"
)

// TestBindAXYBParameters is the POST of appendix A, first step.
func TestBindAXYBParameters(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		base := fields{"origNum": anna, "areaCode": "0755"}
		undo := func(r reply) { w.unbind("AXYB", pathAXYB, r.id()) }
		w.judge("AXYB", http.MethodPost, pathAXYB, base, map[string][]trial{
			"origNum":        numbers("origNum", trial{nil, "1010002 origNum"}, trial{x(routing.AXYB, 1), "1010002 origNum"}),
			"areaCode":       {{nil, "1010002 areaCode"}, {"", "1010002 areaCode"}, {"010", "0"}, {"021", "1012008"}, {"x", "1010002 areaCode"}, {fields{}, "1010002 areaCode"}},
			"areaMatchMode":  enums("areaMatchMode", "0", "1", 0, 1),
			"callDirection":  integers("callDirection", 0, 2),
			"duration":       {{nil, "0"}, {0, "0"}, {60, "0"}, {7776000, "0"}, {"60", "0"}, {59, "1010002 duration"}, {7776001, "1010002 duration"}, {-60, "1010002 duration"}, {"x", "1010002 duration"}},
			"recordFlag":     flags("recordFlag", "1012012"),
			"recordHintTone": prompts("recordHintTone"),
			"preVoiceX":      prompts("preVoiceX"),
			"userData":       userData(),
			"subscriptionId": {{"", "0"}},
		}, undo)
		w.judge("AXYB", http.MethodPost, pathAXYB, base.with("areaCode", "021"), map[string][]trial{"areaMatchMode": {{"1", "0"}, {"0", "1012008"}}}, undo)
		for i := range 5 {
			w.done("AXYB", http.MethodPost, pathAXYB, base.with("areaMatchMode", "1").with("userData", i))
		}
		require.Equal(t, "1011003", w.send("AXYB", http.MethodPost, pathAXYB, base.with("areaMatchMode", "1")).code, "A has 5 X")
	})
}

// TestBindYBParameters is the second step.
func TestBindYBParameters(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		id := w.done("AXYB", http.MethodPost, pathAXYB, fields{"origNum": anna, "areaCode": "0755"}).id()
		base := fields{"origNum": bert, "subscriptionId": id}
		undo := func(r reply) {
			w.done("AXYB", http.MethodDelete, pathAXYB, fields{"subscriptionId": id, "yNum": r.fields["relationNumber"]})
		}
		w.judge("AXYB", http.MethodPost, pathAXYB, base, map[string][]trial{
			"origNum":        numbers("origNum", trial{nil, "1010002 origNum"}, trial{anna, "1010002 origNum"}, trial{x(routing.AXYB, 1), "1010002 origNum"}),
			"subscriptionId": append(ids(), trial{"none", "1012007"}),
			"areaCode":       {{nil, "0"}, {"", "0"}, {"010", "0"}, {"021", "1012008"}, {"x", "1010002 areaCode"}},
			"areaMatchMode":  enums("areaMatchMode", "0", "1", 0, 1),
			"ybDuration":     {{nil, "0"}, {0, "0"}, {60, "0"}, {7776000, "0"}, {59, "1010002 ybDuration"}, {7776001, "1010002 ybDuration"}, {"x", "1010002 ybDuration"}},
			"preVoiceY":      prompts("preVoiceY"),
		}, undo)
		w.done("AXYB", http.MethodPost, pathAXYB, base)
		require.Equal(t, "1012010", w.send("AXYB", http.MethodPost, pathAXYB, base).code, "B is on X already")
		require.Equal(t, "1010002 subscriptionId", w.send("AXYB", http.MethodPost, pathAXYB, fields{"origNum": bert, "ybDuration": 60, "areaCode": "0755"}).outcome(), "no first step")
		require.Equal(t, "1012007", w.send("AXYB-other", http.MethodPost, pathAXYB, base).code)
		require.Equal(t, "1010029", w.send("AXYB-poor", http.MethodPost, pathAXYB, base).code)
	})
}

// TestAXYBNamesTheApp: the URL has to, on every method.
func TestAXYBNamesTheApp(t *testing.T) {
	w := newWorld(t)
	body := []byte(`{"origNum":"` + anna + `","areaCode":"0755"}`)
	for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodDelete} {
		for query, want := range map[string]string{
			"":                                "1010002 app_key",
			"?app_key=":                       "1010002 app_key",
			"?app_key=" + long(128):           "1010003",
			"?app_key=" + long(129):           "1010002 app_key",
			"?app_key=AXYB-other":             "1010003",
			"?APP_KEY=AXYB":                   "1010002 app_key",
			"?app_key=AXYB&app_key=AXYB":      "1010002 app_key",
			"?app_key=AXYB&subscriptionId=%z": "1010002 query",
		} {
			r := w.raw("AXYB", method, pathAXYB+query, body)
			require.Equal(t, want, r.outcome(), "%s %s", method, query)
		}
	}
	require.Equal(t, "0", w.raw("AXYB", http.MethodPost, pathAXYB+"?app_key=AXYB", body).code)
}

// TestAXYBAnswers: what is bound, queried and ended.
func TestAXYBAnswers(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		part := w.done("AXYB", http.MethodPost, pathAXYB, fields{"origNum": anna, "areaCode": "0755", "callDirection": 1, "duration": 3600,
			"recordHintTone": "record_notice.wav", "preVoiceX": "wait_a.wav", "userData": "u"})
		x := part.fields["relationNumber"].(string)
		require.Equal(t, `{"resultcode":"0","resultdesc":"Success","subscriptionId":"`+part.id()+`","relationNumber":"`+x+`"}`, part.text)
		list := func(q fields) string { return w.done("AXYB", http.MethodGet, pathAXYB, q).text }
		const begin = `{"resultcode":"0","resultdesc":"Success","xyRelationNumList":[`
		time0 := t0.Format("2006-01-02 15:04:05")
		require.Equal(t, begin+`{"bindId":"`+part.id()+`","numA":"`+anna+`","numX":"`+x+`","recordFlag":"false","recordHintTone":"record_notice.wav","subscribeTime":"`+time0+
			`","callDirection":1,"duration":"3600","preVoiceX":"wait_a.wav","userData":"u"}]}`, list(fields{"subscriptionId": part.id()}))
		w.pass(time.Second)
		yb := w.done("AXYB", http.MethodPost, pathAXYB, fields{"origNum": bert, "subscriptionId": part.id(), "ybDuration": 60, "preVoiceY": "wait_b.wav"})
		y := yb.fields["relationNumber"].(string)
		require.Equal(t, part.id(), yb.id())
		require.NotEqual(t, x, y)
		second := w.done("AXYB", http.MethodPost, pathAXYB, fields{"origNum": carl, "subscriptionId": part.id()})
		text := list(fields{"subscriptionId": part.id(), "relationNum": "x"})
		require.Equal(t, text, list(fields{"relationNum": x}))
		require.Contains(t, text, `"numA":"`+anna+`","numX":"`+x+`","numY":"`+y+`","numB":"`+bert+`","recordFlag":"false","recordHintTone":"record_notice.wav","subscribeTime":"`+
			w.clock().Format("2006-01-02 15:04:05")+`","callDirection":1,"duration":"3600","ybDuration":"60","preVoiceX":"wait_a.wav","preVoiceY":"wait_b.wav","userData":"u"}`)
		require.Contains(t, text, `"numB":"`+carl+`"`)
		require.Contains(t, text, `"ybDuration":"0"`)
		w.judge("AXYB", http.MethodGet, pathAXYB, fields{}, map[string][]trial{
			"":               {{nil, "1010002 subscriptionId"}},
			"subscriptionId": append(ids()[:1], trial{"none", "1012007"}),
			"relationNum":    {{y, "0"}, {x[1:], "1012007"}, {" " + x[1:], "1012007"}, {"+8617040000777", "1012007"}},
		}, nil)
		for _, c := range []struct {
			app  string
			q    fields
			want string
		}{
			{"AXYB", fields{}, "1010002 subscriptionId"},
			{"AXYB", fields{"yNum": y}, "1010002 subscriptionId"},
			{"AXYB", fields{"subscriptionId": "none"}, "1012007"},
			{"AXYB", fields{"subscriptionId": part.id(), "yNum": x}, "1012007"},
			{"AXYB", fields{"subscriptionId": part.id(), "yNum": y[1:]}, "1012007"},
			{"AXYB", fields{"subscriptionId": part.id(), "bNum": dora}, "1012007"},
			{"AXYB-other", fields{"subscriptionId": part.id()}, "1012007"},
			{"AXYB-poor", fields{"subscriptionId": part.id()}, "1010029"},
		} {
			require.Equal(t, c.want, w.send(c.app, http.MethodDelete, pathAXYB, c.q).outcome(), "%v", c)
		}
		w.done("AXYB", http.MethodDelete, pathAXYB, fields{"subscriptionId": part.id(), "yNum": y, "bNum": carl})
		text = list(fields{"relationNum": x})
		require.NotContains(t, text, bert, "yNum wins")
		require.Contains(t, text, carl)
		w.done("AXYB", http.MethodDelete, pathAXYB, fields{"subscriptionId": part.id(), "bNum": carl})
		require.NotContains(t, list(fields{"relationNum": x}), second.fields["relationNumber"])
		require.Equal(t, `{"resultcode":"0","resultdesc":"Success"}`, w.done("AXYB", http.MethodDelete, pathAXYB, fields{"subscriptionId": part.id()}).text)
		require.Equal(t, "1012007", w.send("AXYB", http.MethodGet, pathAXYB, fields{"relationNum": x}).code)
	})
}
