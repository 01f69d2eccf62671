package main

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Where the system under test is, and the phones.
var (
	target  = netip.MustParseAddrPort("127.0.1.1:5060")
	callers = netip.MustParseAddrPort("127.0.2.1:5060")
	callees = netip.MustParseAddrPort("127.0.2.2:5060")
)

// The RTP ports of the system under test: a port rests after each call, and at
// 2,000 calls per second more of them rest than talk.
const (
	firstRTP = 10000
	lastRTP  = 59999
)

// system is what calls are made through.
type system interface {
	// start runs its processes anew, with so many pairs of a kind bound; stop
	// ends them.
	start(ctx context.Context, k kind, pairs int) error
	stop(ctx context.Context) error
	// processes are those whose CPU and memory count, as name=pid; what they
	// have started counts too.
	processes() []string
	// close ends what start found: its Redis and its files.
	close(ctx context.Context) error
}

// kind is what calls are: a mode, with or without recording.
type kind struct {
	mode   string // AXB, AX or AXE
	record bool
}

func (k kind) app() string {
	if k.record {
		return strings.ToLower(k.mode) + "-recorded"
	}
	return strings.ToLower(k.mode)
}

// firstX is that of the kind's X: apart from those of other kinds by more than
// any set has.
func (k kind) firstX() int {
	n := 17_010_000_000 + 10_000_000*map[string]int{"AXB": 0, "AX": 2, "AXE": 4}[k.mode]
	if k.record {
		n += 10_000_000
	}
	return n
}

// perX is how many bindings an X of the kind has.
func (k kind) perX() int {
	if k.mode == "AX" {
		return 1
	}
	return 1000
}

var modes = []string{"AXB", "AX", "AXE"}

// The numbers of pair i: see kind.firstX for its X.
const (
	firstCaller = 13_800_000_000
	firstCallee = 13_900_000_000
	country     = "+86"
)

// column is a column of the table: a system, and whether its calls are recorded.
type column struct {
	title string
	system
	record bool
	does   []string // the rows that it can do
	modes  []string // the modes that it can do
}

// The systems as --systems names them.
const (
	nameAxgate   = "axgate"
	nameKamailio = "kamailio"
	nameRelay    = "relay"
)

const (
	titleAxgate   = "axgate"
	titleRecorded = "axgate, recorded"
	titleKamailio = "Kamailio + rtpengine"
	titleRelay    = "relay"
)

// columns opens the systems that are wanted. Those that it could open are
// there even if it fails.
func columns(ctx context.Context, o *options, dir string) (list []column, err error) {
	calls := []string{"media", "signal", "speed", "once"}
	for _, s := range []struct {
		name string
		open func(context.Context, *options, string) (system, error)
		list []column
	}{
		{nameAxgate, openAxgate, []column{{title: titleAxgate, does: append(calls, "sets"), modes: modes}, {title: titleRecorded, record: true, does: calls, modes: modes}}},
		{nameKamailio, openKamailio, []column{{title: titleKamailio, does: calls, modes: modes[:1]}}},
		{nameRelay, openRelay, []column{{title: titleRelay, does: calls, modes: modes[:1]}}},
	} {
		if !slices.Contains(o.Systems, s.name) {
			continue
		}
		opened, err := s.open(ctx, o, dir)
		if err != nil {
			return list, fmt.Errorf("%s: %w", s.name, err)
		}
		for _, c := range s.list {
			if s.name == nameAxgate && (c.record && o.Record == "no" || !c.record && o.Record == "yes") {
				continue
			}
			c.system = opened
			list = append(list, c)
		}
	}
	return list, nil
}
