package config

import (
	"strings"
	"time"
)

// TrunkTalk is how talks over a trunk are kept alive, and put on hold.
type TrunkTalk struct {
	SessionExpires time.Duration `key:"session_expires" help:"session timer (RFC 4028): how long a session lasts without a refresh, 90s to 24h; 0: session timers are neither offered nor understood"`
	MinSE          time.Duration `key:"min_se" help:"the shortest session that is taken, at least 90s; who asks for less gets 422"`
	Refresher      string        `key:"refresher" help:"who refreshes sessions: us, peer or auto (who is called decides; where that is us, the peer if it can)"`
	Update         bool          `key:"update" help:"UPDATE may be sent to it where it allows that; false: sessions are refreshed by re-INVITE"`

	Hold     string `key:"hold" help:"when its side puts the other on hold: absorb (the other is not told) or relay (it is, by a re-INVITE)"`
	HoldTone string `key:"hold_tone" help:"with absorb, what the other side hears meanwhile: off (what the holding side sends), tone, or the file name of a prompt of the app"`
}

func (t *TrunkTalk) fresh() {
	t.SessionExpires, t.MinSE, t.Refresher, t.Update = 30*time.Minute, 90*time.Second, "auto", true
	t.Hold, t.HoldTone = "absorb", "off"
}

func (k *checker) trunkTalk(key string, t *TrunkTalk) {
	const least, most = 90 * time.Second, 24 * time.Hour
	if t.SessionExpires != 0 {
		k.span(key+".session_expires", t.SessionExpires, least, most)
		k.span(key+".min_se", t.MinSE, least, max(t.SessionExpires, least))
	}
	k.oneOf(key+".refresher", t.Refresher, "auto", "us", "peer")
	k.oneOf(key+".hold", t.Hold, "absorb", "relay")
	switch {
	case t.HoldTone == "" || len(t.HoldTone) > 128 || strings.ContainsAny(t.HoldTone, "/\\\x00"):
		k.wrong(key+".hold_tone", "%.40q: use off, tone or the file name of a prompt", t.HoldTone)
	case t.Hold == "relay" && t.HoldTone != "off":
		k.wrong(key+".hold_tone", "with hold: relay the other side has its own: use off")
	}
}
