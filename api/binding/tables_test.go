package binding_test

import (
	"strconv"
	"strings"
)

// longName is a prompt's name of 128 characters, the most that there can be.
var longName = strings.Repeat("n", 124) + ".wav"

func long(n int) string { return strings.Repeat("u", n) }

// numbers are trials of a parameter that names an A or B.
func numbers(name string, more ...trial) []trial {
	bad := "1010002 " + name
	return append([]trial{
		{fixed, "0"}, {tel(1), "0"}, {"+861028000001", "0"}, {"+8675528000001", "0"}, {"+86755280000", bad},
		{"", bad}, {"123", bad}, {"13800000001", bad}, {"8613800000001", bad}, {" 8613800000001", bad}, {"+86 13800000001", bad},
		{"+861380000000", bad}, {"+86138000000012", bad}, {"+860755280001", bad}, {"+85251234567", bad}, {"+14155550100", bad},
		{"+864001234567", bad}, {"+8695588", bad}, {"+86110", bad}, {"+" + long(40), bad}, {long(5000), bad},
		{13800000001, bad}, {true, bad}, {fields{"a": 1}, bad}, {[]any{anna}, bad}, {"+8613800000001\x00", bad}, {"\u202e+8613800000001", bad},
	}, more...)
}

// texts are trials of a parameter that may be left out or empty.
func optional(list ...trial) []trial { return append([]trial{{nil, "0"}, {"", "0"}}, list...) }

// flags are trials of a "true"/"false", of which yes is what true comes to.
func flags(name, yes string) []trial {
	bad := "1010002 " + name
	return optional([]trial{{"false", "0"}, {false, "0"}, {"true", yes}, {true, yes},
		{"yes", bad}, {"TRUE", bad}, {1, bad}, {0, bad}, {"0", bad}, {fields{}, bad}, {[]any{}, bad}}...)
}

// integers are trials of an Integer between two bounds.
func integers(name string, least, most int) []trial {
	bad := "1010002 " + name
	return []trial{{nil, "0"}, {least, "0"}, {most, "0"}, {least - 1, bad}, {most + 1, bad}, {strconv.Itoa(least), "0"}, {strconv.Itoa(most), "0"}, {strconv.Itoa(most + 1), bad},
		{float64(most) + 0.5, bad}, {"", bad}, {"x", bad}, {"1 ", bad}, {"0x1", bad}, {1e300, bad}, {"99999999999999999999", bad}, {"-99999999999999999999", bad},
		{true, bad}, {fields{}, bad}, {[]any{1}, bad}}
}

// enums are trials of a String enum; numbers stand for their digits.
func enums(name string, values ...any) []trial {
	bad := "1010002 " + name
	list := optional()
	for _, v := range values {
		list = append(list, trial{v, "0"})
	}
	return append(list, trial{"2x", bad}, trial{9, bad}, trial{"-1", bad}, trial{fields{}, bad}, trial{[]any{"0"}, bad}, trial{long(300), bad})
}

// prompts are trials of a parameter that names a prompt file.
func prompts(name string) []trial {
	bad := "1010002 " + name
	return optional([]trial{{"wait_a.wav", "0"}, {longName, "0"}, {"n" + longName, bad}, {"none.wav", bad}, {"new.wav", bad}, {"../etc/passwd", bad},
		{"\u4e2d.wav", bad}, {7, bad}, {fields{}, bad}, {[]any{"wait_a.wav"}, bad}}...)
}

// preVoices are trials of preVoice.
func preVoices() []trial {
	const bad, caller, callee = "1010002 preVoice", "1010002 preVoice.callerHintTone", "1010002 preVoice.calleeHintTone"
	return []trial{{nil, "0"}, {fields{}, "0"}, {[]any{}, "0"}, {fields{"callerHintTone": "wait_a.wav", "calleeHintTone": "wait_b.wav"}, "0"},
		{fields{"callerHintTone": ""}, "0"}, {fields{"other": 1}, "0"}, {fields{"callerHintTone": nil}, "0"},
		{[]any{fields{"callerHintTone": "wait_a.wav"}, fields{"calleeHintTone": "wait_b.wav"}}, "0"},
		{[]any{fields{"callerHintTone": "wait_a.wav"}, fields{"callerHintTone": "wait_b.wav"}}, caller},
		{fields{"callerHintTone": "none.wav"}, caller}, {fields{"calleeHintTone": "new.wav"}, callee}, {fields{"calleeHintTone": longName + "n"}, callee},
		{fields{"callerHintTone": 1}, caller}, {fields{"callerHintTone": fields{}}, caller},
		{"wait_a.wav", bad}, {1, bad}, {true, bad}, {[]any{"wait_a.wav"}, bad}, {[]any{[]any{}}, bad}}
}

// userData are trials of userData.
func userData() []trial {
	const bad = "1010002 userData"
	return optional([]trial{{"a", "0"}, {long(256), "0"}, {long(257), bad}, {"{", bad}, {"}", bad}, {"\u4e2d\u6587", bad}, {"line\nline", bad}, {"5LiA", "0"},
		{"<a href='x'>&", "0"}, {5, "0"}, {true, "0"}, {fields{}, bad}, {[]any{}, bad}}...)
}

func areaCodes(x string) []trial {
	const bad = "1010002 areaCode"
	return optional([]trial{{"0755", "0"}, {"021", x}, {strings.Repeat("0", 33), bad}, {"7x", bad}, {"+755", bad}, {fields{}, bad}}...)
}

func ids() []trial {
	const bad = "1010002 subscriptionId"
	return []trial{{long(65), bad}, {fields{}, bad}, {[]any{}, bad}, {"a\x00b", bad}}
}
