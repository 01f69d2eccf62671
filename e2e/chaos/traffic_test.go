//go:build e2e

package chaos

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/ports"
	"axgate/e2e/sipp"
)

// call is one that was offered to a node, by the caller's own clock.
type call struct {
	node      int
	traffic   bool // one of many that begin all the time, a few in each second
	caller, x string
	bound     bool // it should go through; else it should be refused
	sent      time.Time
	answered  time.Time // zero: it was not
	ended     time.Time // of an answered one: when the caller hung up, or was hung up on
	status    int       // final, 0: none came
	confirmed bool      // that it was ended by the caller
	cut       bool      // the other side ended it, or did not know of it when it was ended
	row       *row      // what the ledger has of it
}

func (c *call) String() string {
	return fmt.Sprintf("%s node %d: %s to %s (bound: %v): status %d, answered %v, cut %v", c.sent.Format("15:04:05.000"), c.node, c.caller, c.x, c.bound, c.status, !c.answered.IsZero(), c.cut)
}

// refusals are the statuses with which a call may end.
var refusals = []int{302, 400, 403, 404, 408, 410, 480, 481, 482, 483, 484, 486, 487, 488, 500, 501, 502, 503, 504, 600, 603, 604, 606}

// talks are how long callers talk, in ms, one after the other.
var talks = []int{1000, 2000, 1500, 6000, 1000, 3000}

func (w *world) sipp(cfg sipp.Config) *sipp.Process {
	w.t.Helper()
	var err error
	cfg.Dir = w.t.TempDir()
	cfg.Media, err = ports.Take(sipp.MediaPorts)
	require.NoError(w.t, err)
	p, err := sipp.Start(cfg)
	require.NoError(w.t, err)
	w.t.Cleanup(p.Close)
	return p
}

// startNetwork runs the phones that are called, and tells where.
func (w *world) startNetwork() netip.AddrPort {
	w.t.Helper()
	at := w.at(networkAt, sipPort)
	w.network = w.sipp(sipp.Config{Scenario: "testdata/callee.xml", Values: nil, Local: at})
	return at
}

// startTraffic has every node called, by half of the pairs each.
func (w *world) startTraffic(rate int) {
	w.t.Helper()
	if rate == 0 {
		rate = 2
		if full {
			rate = 4
		}
	}
	for i, n := range w.nodes {
		var lines []string
		for k, p := range w.model.pairs {
			if k%len(w.nodes) == i {
				lines = append(lines, fmt.Sprintf("%s;%s;%d;", p.a, p.x, talks[len(lines)%len(talks)]))
			}
		}
		w.callers = append(w.callers, w.sipp(sipp.Config{Scenario: "testdata/caller.xml", Values: map[string]any{"Refusals": refusals},
			Local: w.at(callersAt+byte(i), sipPort), Target: n.SIP(), Service: "x", Lines: lines, Rate: rate}))
	}
}

// stopTraffic waits for the last calls.
func (w *world) stopTraffic(ctx context.Context) {
	w.t.Helper()
	for _, p := range w.callers {
		require.NoError(w.t, p.Quit(ctx))
	}
}

// offered are the calls of the traffic, as their callers saw them.
func (w *world) offered() (all []*call) {
	w.t.Helper()
	for i, p := range w.callers {
		messages, err := p.Messages()
		require.NoError(w.t, err)
		by := map[string]*call{}
		for _, m := range messages {
			id := m.Header("Call-ID")
			c := by[id]
			if c == nil {
				if !m.Sent || !strings.HasPrefix(m.Text, "INVITE ") {
					continue
				}
				c = &call{node: i, traffic: true, caller: user(m.Header("From")), x: user(m.StartLine()), bound: true, sent: m.At}
				by[id] = c
				all = append(all, c)
			}
			c.saw(m)
		}
		for _, c := range by {
			c.cut = c.cut || !c.answered.IsZero() && !c.confirmed
		}
	}
	slices.SortFunc(all, func(a, b *call) int { return a.sent.Compare(b.sent) })
	return all
}

// saw notes what a message says of the call.
func (c *call) saw(m sipp.Message) {
	_, method, _ := strings.Cut(m.Header("CSeq"), " ")
	status := 0
	if rest, ok := strings.CutPrefix(m.StartLine(), "SIP/2.0 "); ok {
		status, _ = strconv.Atoi(rest[:3])
	}
	switch {
	case !m.Sent && method == "INVITE" && status >= 200 && c.status == 0:
		if c.status = status; status == 200 {
			c.answered = m.At
		}
	case status == 0 && method == "BYE" && c.ended.IsZero():
		c.ended, c.cut = m.At, !m.Sent
	case !m.Sent && method == "BYE" && status == 200:
		c.confirmed = true
	}
}

var inURI = regexp.MustCompile(`(?:sip|tel):(\+?[0-9]+)`)

// user is the number in a line with a URI.
func user(line string) string {
	if m := inURI.FindStringSubmatch(line); m != nil {
		return m[1]
	}
	return ""
}
