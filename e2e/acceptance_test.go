//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// acceptance is one scenario that a carrier's switch on each side plays with
// axgate between them (sip-interop section 7). Each has an X, numbers, agents
// and audio of its own.
type acceptance struct {
	name  string
	play  func(*ladder)
	on    string // the transports it is of; empty: all
	mode  string // of its binding: AXB if empty, or AXE
	from  string // the trunk that its caller is of; empty: the one with defaults
	to    string // the trunk that its callee is of; likewise
	slow  bool   // it waits for timers
	phone bool   // its callee has an account as a phone
}

// transports are the columns of the table.
var transports = []string{"UDP", "TCP", "TLS"}

// acceptances are all scenarios, those that take long first.
func acceptances() []acceptance {
	return slices.Concat(slowAcceptances(), setupAcceptances(), cancelAcceptances(), earlyAcceptances(), prackAcceptances(), talkAcceptances(), refreshAcceptances(), audioAcceptances(), digitAcceptances(),
		wireAcceptances(), wayAcceptances(), sippAcceptances())
}

// TestAcceptance plays every scenario over every transport against the real
// axgate, all at the same time. After each, every byte that either side was
// sent over SIP, RTP and RTCP is searched for the other's real number, and the
// fee event is held against what happened. It runs before all others: with
// theirs, more audio would be under way than a small machine plays in time.
func TestAcceptance(t *testing.T) {
	table := &results{cell: make(map[string]string)}
	list := acceptances()
	t.Run("over", func(t *testing.T) {
		for _, transport := range transports {
			t.Run(transport, func(t *testing.T) {
				t.Parallel()
				w := openField(t, transport, list)
				t.Run("scenario", func(t *testing.T) { w.playAll(t, list, table) })
				w.close(t)
			})
		}
	})
	t.Log(table.print(list))
}

// atOnce is how many scenarios of a field run at a time, beside the slow ones.
const atOnce = 8

// playAll plays the scenarios of a field beside each other. They mostly wait,
// and the slow ones do nothing else: they take no place from others.
func (f *field) playAll(t *testing.T, list []acceptance, table *results) {
	var all sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for i, sc := range list {
		if sc.on != "" && !strings.Contains(sc.on, f.transport) {
			continue
		}
		all.Go(func() {
			if !sc.slow {
				places <- struct{}{}
				defer func() { <-places }()
			}
			f.ladder(t, i, sc, table)
		})
	}
	all.Wait()
}

// results is the table of scenarios and transports.
type results struct {
	sync.Mutex
	cell map[string]string
}

func (r *results) set(name, transport string, ok bool) {
	r.Lock()
	defer r.Unlock()
	r.cell[name+transport] = map[bool]string{true: "ok", false: "FAIL"}[ok]
}

func (r *results) print(list []acceptance) string {
	r.Lock()
	defer r.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "acceptance scenarios of sip-interop section 7\n%-62s %-5s %-5s %-5s\n", "", "UDP", "TCP", "TLS")
	for _, sc := range list {
		fmt.Fprintf(&b, "%-62s", sc.name)
		for _, transport := range transports {
			cell := r.cell[sc.name+transport]
			if cell == "" {
				cell = "-"
			}
			fmt.Fprintf(&b, " %-5s", cell)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// TestAcceptanceNames: no two scenarios have one name, so each has its line.
func TestAcceptanceNames(t *testing.T) {
	seen := make(map[string]bool)
	for _, sc := range acceptances() {
		require.False(t, seen[sc.name], sc.name)
		seen[sc.name] = true
	}
}
