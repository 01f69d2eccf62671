package provision

import (
	"axgate/routing"
)

// PreVoice names what the caller hears before the callee is rung (API 2.9).
type PreVoice struct {
	CallerHintTone string // when A calls X
	CalleeHintTone string // when anybody else does
}

// PreVoiceChange changes PreVoice: nil leaves as it is, empty is no prompt.
type PreVoiceChange struct {
	CallerHintTone *string
	CalleeHintTone *string
}

// Options are what bindings of several modes can have (API 2.9). Zero values
// are the API's defaults.
type Options struct {
	RecordFlag     bool
	RecordHintTone string
	UserData       string
}

// Voice is what AX and AXB bindings can have besides (API 2.9).
type Voice struct {
	PreVoice     PreVoice
	MaxDuration  int    // minutes, 0 to 1440; 0: no limit
	LastMinVoice string // counts only with a MaxDuration
	PrivateSMS   *bool  // nil: true
}

// Area is the choice of an X by its area, where the request names none.
type Area struct {
	AreaCode      string // with its leading 0, for example 0755
	AreaMatchMode string // "0" (default): this area alone; "1": else its province, else any X of the app
}

// most minutes of a call, and seconds of an AXB binding.
const (
	mostMinutes  = 1440
	mostDuration = 7_776_000 // 90 days
)

func (c *check) options(o *Options, b *routing.Binding) {
	b.Record = c.record(o.RecordFlag)
	b.RecordHint = c.prompt("recordHintTone", o.RecordHintTone)
	b.UserData = c.userData(o.UserData)
}

func (c *check) voice(v *Voice, b *routing.Binding) {
	b.CallerTone = c.prompt("preVoice.callerHintTone", v.PreVoice.CallerHintTone)
	b.CalleeTone = c.prompt("preVoice.calleeHintTone", v.PreVoice.CalleeHintTone)
	c.between("maxDuration", v.MaxDuration, 0, mostMinutes)
	b.MaxMinutes = v.MaxDuration
	b.LastMinute = c.prompt("lastMinVoice", v.LastMinVoice)
	b.NoSMS = v.PrivateSMS != nil && !*v.PrivateSMS
}

// preVoice checks prompts that are to be changed.
func (c *check) preVoice(v *PreVoiceChange) {
	c.newPrompt("preVoice.callerHintTone", v.CallerHintTone)
	c.newPrompt("preVoice.calleeHintTone", v.CalleeHintTone)
}

func (v *PreVoiceChange) apply(b *routing.Binding) {
	set(&b.CallerTone, v.CallerHintTone)
	set(&b.CalleeTone, v.CalleeHintTone)
}

func (c *check) direction(n int) routing.Allowed {
	c.between("callDirection", n, int(routing.BothWays), int(routing.OnlyToA))
	return routing.Allowed(n)
}

func (c *check) area(a *Area) {
	c.areaCode(a.AreaCode)
	c.oneOf("areaMatchMode", a.AreaMatchMode, "0", "1")
}
