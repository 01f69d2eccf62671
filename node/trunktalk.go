package node

import (
	"axgate/config"
	"axgate/sip/trunk"
)

// trunkTalk translates how talks over a trunk are kept alive, and put on hold.
func trunkTalk(c *config.TrunkTalk) (trunk.Timer, trunk.Hold) {
	t := trunk.Timer{Off: c.SessionExpires == 0, Refresher: trunk.Refresher(c.Refresher), NoUpdate: !c.Update}
	if !t.Off {
		t.Expires, t.MinSE = c.SessionExpires, c.MinSE
	}
	return t, trunk.Hold{Relay: c.Hold == "relay", Tone: c.HoldTone}
}
