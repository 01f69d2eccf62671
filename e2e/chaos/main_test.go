//go:build e2e

// Package chaos breaks what surrounds running nodes of axgate, and the nodes
// themselves, while calls and changes of bindings go on, and holds what came of it
// against a model: who was bound to whom, and what each phone saw of its calls.
//
// By itself it is short. With AXGATE_CHAOS=full (make chaos) every fault is tried,
// for minutes. AXGATE_CHAOS_SEED repeats a row of random faults.
package chaos

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"axgate/e2e/gate"
	"axgate/e2e/verdict"
)

// program is the axgate under test; its clock can be shifted.
var program string

// table is what the suite prints in the end.
var table verdict.Table

// full has every fault tried.
var full = os.Getenv("AXGATE_CHAOS") == "full"

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	if !full { // two worlds are what two cores can carry beside other tests
		if err := flag.Set("test.parallel", "2"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
	}
	dir, err := os.MkdirTemp("", "axgate-chaos-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute) // a first build of all libraries on a busy machine
	defer cancel()
	if program, err = build(ctx, dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	fmt.Print(&table)
	return code
}

// build compiles axgate with a clock that can be shifted: files of ours are laid
// beside those of its command, none is changed.
func build(ctx context.Context, dir string) (string, error) {
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	command := filepath.Join(here, "../../cmd/axgate")
	files := filepath.Join(here, "testdata/clock")
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {
		filepath.Join(command, "zz_clock_amd64.go"): filepath.Join(files, "clock.go"),
		filepath.Join(command, "zz_clock_amd64.s"):  filepath.Join(files, "clock_amd64.s"),
	}})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, overlay, 0o600); err != nil {
		return "", err
	}
	return gate.Build(ctx, dir, "-overlay", path, "-ldflags=-checklinkname=0") // it reads a variable of the runtime
}
