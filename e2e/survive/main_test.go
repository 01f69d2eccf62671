//go:build e2e

// Package survive kills nodes while calls talk through them, behind a Kamailio
// that outlives them, and looks for what everybody hears then.
package survive

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"axgate/e2e/gate"
	"axgate/e2e/verdict"
)

// program is the axgate under test.
var program string

func TestMain(m *testing.M) { os.Exit(run(m)) }

// table is what is printed in the end.
var table verdict.Table

// many is how many calls a node that is killed has.
var many = few

func run(m *testing.M) int {
	if text := os.Getenv("AXGATE_SURVIVE_CALLS"); text != "" {
		var err error
		if many, err = strconv.Atoi(text); err != nil {
			fmt.Fprintln(os.Stderr, "AXGATE_SURVIVE_CALLS:", err)
			return 2
		}
		again, watched = 5*time.Second, 9*time.Second // it is measured, on a machine that does nothing else
	}
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
	code := m.Run()
	fmt.Print(&table)
	return code
}
