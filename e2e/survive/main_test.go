//go:build e2e

// Package survive kills nodes while calls talk through them, behind a Kamailio
// that outlives them, and looks for what everybody hears then.
package survive

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"axgate/e2e/gate"
)

// program is the axgate under test.
var program string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "axgate-survive-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	if program, err = gate.Build(ctx, dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
