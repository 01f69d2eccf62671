package node

import (
	"fmt"
	"time"

	"axgate/config"
	"axgate/lookup/usage"
	"axgate/routing"
)

// limits are those of toll fraud, and when the log is warned of it.
func limits(g *config.Guard) (usage.Config, error) {
	c := usage.Config{
		Limits: routing.Limits{
			Account: routing.Limit{Calls: g.AccountCalls, NightCalls: g.NightAccountCalls, Rate: g.AccountRate, Talk: time.Duration(g.AccountMinutes) * time.Minute},
			X:       routing.Limit{Calls: g.XCalls, NightCalls: g.NightXCalls, Rate: g.XRate, Talk: time.Duration(g.XMinutes) * time.Minute},
		},
		Jump: usage.Jump{Factor: g.JumpFactor, Floor: g.JumpFloor},
	}
	night := &c.Limits.Night
	var err error
	if night.From, night.To, err = g.NightSpan(); err != nil {
		return c, fmt.Errorf("guard.night: %w", err)
	}
	if night.Zone, err = g.Location(); err != nil {
		return c, fmt.Errorf("guard.zone: %w", err)
	}
	return c, nil
}
