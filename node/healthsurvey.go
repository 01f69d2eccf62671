package node

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"axgate/health"
)

// What the survey tells of a node's health.

func (n *Node) diskHealth() (health.Level, string) {
	var bad []string
	for _, d := range n.watching.survey.get().Disks {
		switch {
		case d.Err != nil:
			bad = append(bad, d.Err.Error())
		case d.Free>>20 < int64(n.cfg.Health.DiskFree):
			bad = append(bad, fmt.Sprintf("%d MiB are free for %s", d.Free>>20, d.Of))
		}
	}
	return allOf(bad)
}

func (n *Node) clockHealth() (health.Level, string) {
	if off := n.watching.survey.get().Ahead; off.Abs() > n.cfg.Health.ClockOff {
		return degraded("the ledger's clock is %v ahead of this machine's", off.Round(time.Millisecond))
	}
	return fine()
}

func (n *Node) outboxHealth() (health.Level, string) {
	if o := n.watching.survey.get().Owed; o.Oldest > n.cfg.Health.OutboxAge {
		return degraded("%d events wait for their receivers, the oldest for %v; %d were refused at least once", o.Events, o.Oldest.Round(time.Second), o.Failed)
	}
	return fine()
}

func (n *Node) certificateHealth() (health.Level, string) {
	var bad []string
	for _, c := range n.watching.survey.get().Certs {
		switch left := time.Until(c.Until); {
		case c.Err != nil:
			bad = append(bad, fmt.Sprintf("that for %s: %v", c.Use, c.Err))
		case left <= 0:
			bad = append(bad, fmt.Sprintf("that for %s has expired", c.Use))
		case left < n.cfg.Health.Certificate:
			bad = append(bad, fmt.Sprintf("that for %s expires on %s", c.Use, c.Until.UTC().Format("2006-01-02 15:04 MST")))
		}
	}
	slices.Sort(bad)
	return allOf(bad)
}

// allOf is degraded if anything is bad.
func allOf(bad []string) (health.Level, string) {
	if len(bad) == 0 {
		return fine()
	}
	return degraded("%s", strings.Join(bad, "; "))
}
