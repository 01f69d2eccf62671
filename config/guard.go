package config

import (
	"errors"
	"strings"
	"time"
	_ "time/tzdata" // guard.zone names the same everywhere, whatever the host has
)

// Guard is how much callers and tenants may do before it is taken for an attack.
type Guard struct {
	WrongExtensions int           `key:"wrong_extensions" help:"wrong extensions that one caller may type at one X within wrong_window, over all nodes; after that every extension is wrong to it until a window has passed; callers without a number share a count; 0: any number"`
	WrongWindow     time.Duration `key:"wrong_window" help:"how long they count"`
	WrongDelay      time.Duration `key:"wrong_delay" help:"how long a caller waits after its second wrong extension of a window, twice as long after each further one, eight times at most; 0: not at all"`

	AccountCalls   int `key:"account_calls" help:"calls of an account that may be put through at a time, over all nodes; more end with 7109; 0: no limit"`
	AccountRate    int `key:"account_rate" help:"calls of an account that may be put through within a minute; more end with 7001; 0: no limit"`
	AccountMinutes int `key:"account_minutes" help:"minutes that an account may talk in a day, all calls together; new calls after that end with 8044; 0: no limit"`
	XCalls         int `key:"x_calls" help:"as account_calls, for each X; more end with 8049"`
	XRate          int `key:"x_rate" help:"as account_rate, for each X; more end with 7003"`
	XMinutes       int `key:"x_minutes" help:"as account_minutes, for each X"`

	Night             string `key:"night" help:"from-to by the clock of zone, such as 23:00-06:00; empty: there is no night"`
	Zone              string `key:"zone" help:"where days and the night begin: a name such as Asia/Shanghai, or the distance from UTC such as +08:00"`
	NightAccountCalls int    `key:"night_account_calls" help:"as account_calls, at night; more end with 8050"`
	NightXCalls       int    `key:"night_x_calls" help:"as x_calls, at night; more end with 8050"`

	JumpFactor int `key:"jump_factor" help:"the log is warned if calls of an account or X within a minute are more than so many times what was usual in the last hour; 0: never"`
	JumpFloor  int `key:"jump_floor" help:"and more than this"`
}

func (k *checker) guard(g *Guard) {
	k.count("guard.wrong_extensions", g.WrongExtensions, 0, 9999)
	k.span("guard.wrong_window", g.WrongWindow, time.Second, 24*time.Hour)
	k.span("guard.wrong_delay", g.WrongDelay, 0, time.Minute)
	for _, l := range []struct {
		key  string
		n    int
		most int
	}{
		{"account_calls", g.AccountCalls, 1_000_000}, {"account_rate", g.AccountRate, 10_000_000}, {"account_minutes", g.AccountMinutes, 1_000_000_000},
		{"x_calls", g.XCalls, 1_000_000}, {"x_rate", g.XRate, 10_000_000}, {"x_minutes", g.XMinutes, 1_000_000_000},
		{"night_account_calls", g.NightAccountCalls, 1_000_000}, {"night_x_calls", g.NightXCalls, 1_000_000},
		{"jump_factor", g.JumpFactor, 1_000_000}, {"jump_floor", g.JumpFloor, 10_000_000},
	} {
		k.count("guard."+l.key, l.n, 0, l.most)
	}
	from, to, err := g.NightSpan()
	if err != nil {
		k.wrong("guard.night", "%.40q: %v", g.Night, err)
	} else if from == to && (g.NightAccountCalls > 0 || g.NightXCalls > 0) {
		k.wrong("guard.night", "it is empty, and there are limits at night: use from-to, such as 23:00-06:00")
	}
	if _, err := g.Location(); err != nil {
		k.wrong("guard.zone", "%.40q: %v", g.Zone, err)
	}
}

// NightSpan is when night begins and ends, since midnight. Both are equal if
// there is no night.
func (g *Guard) NightSpan() (from, to time.Duration, err error) {
	if g.Night == "" {
		return 0, 0, nil
	}
	wrong := errors.New("use from-to, such as 23:00-06:00")
	a, b, ok := strings.Cut(g.Night, "-")
	start, errA := time.Parse("15:04", strings.TrimSpace(a))
	end, errB := time.Parse("15:04", strings.TrimSpace(b))
	if !ok || errA != nil || errB != nil {
		return 0, 0, wrong
	}
	since := func(at time.Time) time.Duration {
		return time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute
	}
	from, to = since(start), since(end)
	if from == to {
		return 0, 0, wrong
	}
	return from, to, nil
}

// Location is the time zone of nights and days.
func (g *Guard) Location() (*time.Location, error) {
	wrong := errors.New("use a time zone such as Asia/Shanghai, or a distance from UTC such as +08:00")
	if strings.HasPrefix(g.Zone, "+") || strings.HasPrefix(g.Zone, "-") {
		at, err := time.Parse("-07:00", g.Zone)
		if err != nil {
			return nil, wrong
		}
		_, offset := at.Zone()
		return time.FixedZone(g.Zone, offset), nil
	}
	if g.Zone == "" || strings.EqualFold(g.Zone, "local") { // the host's would differ from node to node
		return nil, wrong
	}
	zone, err := time.LoadLocation(g.Zone)
	if err != nil {
		return nil, wrong
	}
	return zone, nil
}
