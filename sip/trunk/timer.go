package trunk

import (
	"fmt"
	"time"
)

// Timer is how the sessions of calls with a trunk are kept alive (RFC 4028).
// The zero value is what phones have, too.
type Timer struct {
	Off bool // session timers are neither offered nor understood
	// Expires is how long a session lasts without a refresh, as we ask for; 0:
	// 30 minutes. MinSE is the shortest that we take; 0: 90 seconds.
	Expires, MinSE time.Duration
	Refresher      Refresher
	NoUpdate       bool // UPDATE is never sent, whatever the peer allows
}

// Refresher is who shall refresh a session.
type Refresher string

// The refreshers. Auto, also if empty, leaves it to who answers; where that is
// us, the peer refreshes if it can.
const (
	AutoRefresh Refresher = "auto"
	WeRefresh   Refresher = "us"
	PeerRefresh Refresher = "peer"
)

// The bounds of RFC 4028 section 4, and a day: longer sessions need no timer.
const (
	usualExpires = 30 * time.Minute
	leastExpires = 90 * time.Second
	mostExpires  = 24 * time.Hour
)

// Seconds is Expires and MinSE with their defaults, as they stand in headers.
func (t Timer) Seconds() (expires, least int) {
	expires, least = int(t.Expires/time.Second), int(t.MinSE/time.Second)
	if expires == 0 {
		expires = int(usualExpires / time.Second)
	}
	if least == 0 {
		least = int(leastExpires / time.Second)
	}
	return max(expires, least), least
}

func (t *Timer) complete() error {
	switch t.Refresher {
	case "":
		t.Refresher = AutoRefresh
	case AutoRefresh, WeRefresh, PeerRefresh:
	default:
		return fmt.Errorf("refresher %.20q: use auto, us or peer", string(t.Refresher))
	}
	for _, d := range []struct {
		name string
		is   time.Duration
	}{{"session_expires", t.Expires}, {"min_se", t.MinSE}} {
		if d.is != 0 && (d.is < leastExpires || d.is > mostExpires) {
			return fmt.Errorf("%s %v: use %v to %v", d.name, d.is, leastExpires, mostExpires)
		}
	}
	if t.MinSE > usualExpires && t.Expires == 0 || t.Expires != 0 && t.MinSE > t.Expires {
		return fmt.Errorf("min_se %v: use at most session_expires", t.MinSE)
	}
	return nil
}
