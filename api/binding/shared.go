package binding

import (
	"axgate/provision"
	"axgate/routing"
)

// What bindings of several modes have (API 2.9).

func (p *params) area() provision.Area {
	return provision.Area{AreaCode: p.text("areaCode"), AreaMatchMode: p.text("areaMatchMode")}
}

func (p *params) options() provision.Options {
	record := p.flag("recordFlag")
	return provision.Options{RecordFlag: record != nil && *record, RecordHintTone: p.text("recordHintTone"), UserData: p.text("userData")}
}

func (p *params) voice() provision.Voice {
	v := p.preVoice()
	return provision.Voice{PreVoice: provision.PreVoice{CallerHintTone: orEmpty(v.CallerHintTone), CalleeHintTone: orEmpty(v.CalleeHintTone)},
		MaxDuration: p.integer("maxDuration"), LastMinVoice: p.text("lastMinVoice"), PrivateSMS: p.flag("privateSms")}
}

func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// flag is a boolean as the API writes it: "true" or "false".
type flag bool

// MarshalText writes it.
func (f flag) MarshalText() ([]byte, error) {
	if f {
		return []byte("true"), nil
	}
	return []byte("false"), nil
}

// playInfo is an ApiPlayInfo.
type playInfo struct {
	CallerHintTone string `json:"callerHintTone,omitempty"`
	CalleeHintTone string `json:"calleeHintTone,omitempty"`
}

// newPlayInfo is nil for a binding without such prompts.
func newPlayInfo(b *routing.Binding) *playInfo {
	if b.CallerTone == "" && b.CalleeTone == "" {
		return nil
	}
	return &playInfo{b.CallerTone, b.CalleeTone}
}
