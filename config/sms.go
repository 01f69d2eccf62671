package config

import "time"

// SMS is how texts through X are taken and sent.
type SMS struct {
	PerSender int           `key:"per_sender" help:"texts of one sender per minute, over all nodes; each part of a long one counts; 0: no limit"`
	PerX      int           `key:"per_x" help:"texts to one X per minute, over all nodes; each part of a long one counts; 0: no limit"`
	MaxParts  int           `key:"max_parts" help:"how many parts a text may have, at most 255"`
	Validity  time.Duration `key:"validity" help:"how long a text is tried while its receiver cannot be reached"`
	Assemble  time.Duration `key:"assemble" help:"how long the missing parts of a long text are waited for"`

	AnswerTimeout time.Duration `key:"answer_timeout" help:"how long an app's server may take to say what to do with a text"`

	Gateways []SMSGateway `key:"gateways" help:"networks that bring and take texts by HTTP; see docs/sms-gateway.md"`
}

func (k *checker) sms(s *SMS) {
	k.count("sms.per_sender", s.PerSender, 0, 1_000_000)
	k.count("sms.per_x", s.PerX, 0, 1_000_000)
	k.count("sms.max_parts", s.MaxParts, 1, 255)
	k.span("sms.validity", s.Validity, 10*time.Second, 72*time.Hour)
	k.span("sms.assemble", s.Assemble, 10*time.Second, 24*time.Hour)
	k.span("sms.answer_timeout", s.AnswerTimeout, 100*time.Millisecond, 30*time.Second)
}
