package config

import "time"

// TrunkEarly is how calls over a trunk go until they are answered.
type TrunkEarly struct {
	Reliable1xx     string        `key:"reliable_1xx" help:"acknowledged provisional responses (RFC 3262): off, supported (with peers that can) or required (of the trunk that is called)"`
	EarlyMediaOK    bool          `key:"early_media_ok" help:"callers of the trunk hear audio before the answer; false: who is refused is answered for the prompt, then hung up"`
	PromptVsRinging string        `key:"prompt_vs_ringing" help:"when early media of the trunk begins, the pre-call prompt plays to its end (finish) or stops (cut)"`
	RingbackWait    time.Duration `key:"ringback_wait" help:"early SDP of the trunk without audio: our ring-back after so long, at most 30s; 0: sip.ringback_after"`
	EarlyHeader     bool          `key:"early_media_header" help:"send P-Early-Media (RFC 5009)"`
	EarlyDigits     bool          `key:"early_digits" help:"callers of the trunk are asked for the extension before they are answered; only where their keys are known to come through"`
}

func (t *TrunkEarly) fresh() {
	t.Reliable1xx, t.EarlyMediaOK, t.PromptVsRinging = "supported", true, "finish"
}

func (k *checker) trunkEarly(key string, t *TrunkEarly) {
	k.oneOf(key+".reliable_1xx", t.Reliable1xx, "off", "supported", "required")
	k.oneOf(key+".prompt_vs_ringing", t.PromptVsRinging, "finish", "cut")
	k.span(key+".ringback_wait", t.RingbackWait, 0, 30*time.Second)
}
