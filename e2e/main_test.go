//go:build e2e

// Package e2e makes calls through the real axgate, over real sockets, with
// softphones and SIPp as the parties, and checks every side of them: SIP
// messages, what each party hears, Redis, events and fee events, recordings,
// and that no real number reaches the other side.
package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"axgate/e2e/gate"
)

// program is the axgate under test.
var program string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	// Calls take time but hardly any work: several run at once.
	if err := flag.Set("test.parallel", "16"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	dir, err := os.MkdirTemp("", "axgate-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute) // a first build of all libraries on a busy machine
	defer cancel()
	if program, err = gate.Build(ctx, dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if code == 0 && unseen() {
		return 1
	}
	return code
}

// scenarios are those that share one world.
func scenarios() []scenario {
	return slices.Concat(axScenarios(), axbScenarios(), axybScenarios(), axeScenarios(), axeBackScenarios(), xScenarios(), anyScenarios(), calleeScenarios(),
		recordingScenarios(), peerScenarios(), tripScenarios(), badMessageScenarios())
}

// TestCalls makes every kind of call, all at the same time.
func TestCalls(t *testing.T) {
	t.Parallel()
	w := openWorld(t, numbersOf)
	t.Run("scenario", func(t *testing.T) {
		for _, sc := range scenarios() {
			w.play(t, sc)
		}
	})
	w.close(t)
}
