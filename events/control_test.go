package events

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseControl(t *testing.T) {
	full := Control{Display: "+8616500000009", Callee: "+8613800000002", MaxDuration: 60, WaitVoice: "wait.wav", Record: true,
		RecordHint: "rec.wav", LastMinute: "last.wav", UserData: "order42"}
	const info = `{"displayCalleeNum":"+8616500000009","calleeNum":"+8613800000002","maxDuration":60,
		"waitVoice":"wait.wav","recordFlag":"true","recordHintTone":"rec.wav","lastMinVoice":"last.wav","userData":"order42"}`
	record := func(flag string) string {
		return `{"operation":"connect","connectInfo":{"calleeNum":"+8613800000002","recordFlag":` + flag + `}}`
	}
	minutes := func(n string) string { return `{"operation":"connect","connectInfo":{"maxDuration":` + n + `}}` }
	for name, c := range map[string]struct {
		body string
		want Control
	}{
		"the contract's example":  {`{"operation":"connect","connectInfo":` + info + `}`, full},
		"an array of one":         {`{"operation":"connect","connectInfo":[` + info + `]}`, full},
		"a byte order mark":       {"\xef\xbb\xbf" + `{"operation":"connect","connectInfo":` + info + `}`, full},
		"capitals and blanks":     {` { "operation" : " CONNECT " , "connectInfo": ` + info + `, "more": [{}] } `, full},
		"numbers as numbers":      {`{"operation":"connect","connectInfo":{"displayCalleeNum":null,"calleeNum":8613800000002,"userData":42}}`, Control{Callee: "8613800000002", UserData: "42"}},
		"close":                   {`{"operation":"close","closeInfo":{"closeHintTone":"bye.wav","userData":"order42"}}`, Control{Close: true, CloseHint: "bye.wav", UserData: "order42"}},
		"close, an array":         {`{"operation":"close","closeInfo":[{"closeHintTone":"bye.wav"}]}`, Control{Close: true, CloseHint: "bye.wav"}},
		"close and no more":       {`{"operation":"close"}`, Control{Close: true}},
		"close with null":         {`{"operation":"close","closeInfo":null,"connectInfo":[{}]}`, Control{Close: true}},
		"recorded: true":          {record(`true`), Control{Callee: "+8613800000002", Record: true}},
		"recorded: 1":             {record(`1`), Control{Callee: "+8613800000002", Record: true}},
		"recorded: TRUE":          {record(`"TRUE"`), Control{Callee: "+8613800000002", Record: true}},
		"not recorded: false":     {record(`false`), Control{Callee: "+8613800000002"}},
		"not recorded: empty":     {record(`""`), Control{Callee: "+8613800000002"}},
		"not recorded: nonsense":  {record(`"yes please"`), Control{Callee: "+8613800000002"}},
		"minutes as text":         {minutes(`"60"`), Control{MaxDuration: 60}},
		"minutes, empty":          {minutes(`""`), Control{}},
		"minutes beyond":          {minutes(`1441`), Control{MaxDuration: 1441}},
		"minutes below":           {minutes(`-7`), Control{MaxDuration: -7}},
		"half minutes":            {minutes(`1.5`), Control{MaxDuration: -1}},
		"minutes without measure": {minutes(`99999999999999999999`), Control{MaxDuration: -1}},
		"minutes in words":        {minutes(`"an hour"`), Control{MaxDuration: -1}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseControl([]byte(c.body))
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	for name, body := range map[string]string{
		"nothing": "", "no JSON": "<html>", "half": `{"operation":"connect"`, "a text": `"connect"`, "a list": `[]`, "null": `null`, "no operation": `{"connectInfo":{}}`,
		"another operation": `{"operation":"forward"}`, "connect without info": `{"operation":"connect"}`, "connect with null": `{"operation":"connect","connectInfo":null}`,
		"no object": `{"operation":"connect","connectInfo":[]}`, "two objects": `{"operation":"connect","connectInfo":[{},{}]}`,
		"info is a text": `{"operation":"connect","connectInfo":"+8613800000002"}`, "callee is an object": `{"operation":"connect","connectInfo":{"calleeNum":{}}}`,
		"more behind it": `{"operation":"close"} {"operation":"close"}`, "deep": `{"operation":"connect","connectInfo":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseControl([]byte(body))
			require.Error(t, err)
			require.Less(t, len(err.Error()), 200)
		})
	}
}

func FuzzParseControl(f *testing.F) {
	f.Add([]byte(`{"operation":"connect","connectInfo":[{"calleeNum":"+8613800000002","maxDuration":"60"}]}`))
	f.Add([]byte(`{"operation":"close","closeInfo":{"closeHintTone":1}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := ParseControl(body)
		if err == nil && c.Close && (c.Callee != "" || c.Display != "" || c.MaxDuration != 0) {
			t.Fatalf("close connects nobody: %+v", c)
		}
	})
}
