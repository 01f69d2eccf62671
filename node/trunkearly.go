package node

import (
	"axgate/config"
	"axgate/sip/trunk"
)

func trunkEarly(c *config.TrunkEarly) trunk.Early {
	return trunk.Early{Reliable: trunk.Reliable(c.Reliable1xx), NoMedia: !c.EarlyMediaOK, CutPrompt: c.PromptVsRinging == "cut",
		RingbackWait: c.RingbackWait, Header: c.EarlyHeader, Digits: c.EarlyDigits}
}
