//go:build e2e

package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/gate"
	"axgate/e2e/sipp"
	"axgate/phone"
)

// diskSize is that of the disk of a node's journal: three segments and a little.
const diskSize = 28 << 20

// TestDisk fills the disk on which one node keeps its journal.
func TestDisk(t *testing.T) {
	t.Parallel()
	if !full {
		t.Skip("a journal's segments take a while to fill: the package journal tries it; make chaos does here")
	}
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, fmt.Sprintf("size=%d", diskSize)); err != nil {
		t.Skipf("a small disk cannot be mounted here (root is needed, or unshare -Urm make chaos): %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(disk, syscall.MNT_DETACH)) })
	w := newWorld(t, plan{alter: func(i int, cfg *gate.Config) {
		if i == 1 {
			cfg.More["journal"] = map[string]any{"dir": filepath.Join(disk, "journal")}
		}
	}})
	w.play(diskFull(disk, 1))
}

// diskFull fills what is left of a disk, has the node write until its journal can make
// no more segments, and makes room again. Calls that it has then end with their records.
func diskFull(disk string, node int) fault {
	filler := filepath.Join(disk, "filler")
	return fault{name: "disk full", lasts: 5 * time.Second, node: node, remark: "those of the full node that got 503 not counted",
		begin: func(w *world) error {
			w.clerks.goTo(1 - node)
			if err := fill(filler); err != nil {
				return err
			}
			flood := w.sipp(sipp.Config{Scenario: "testdata/caller.xml", Values: map[string]any{"Refusals": refusals}, Local: w.at(callersAt+5, sipPort),
				Target: w.nodes[node].SIP(), Service: "x", Lines: []string{"+8613555555555;" + xNumber(0) + ";0;"}, Rate: 250})
			defer flood.Close()
			return w.refuses(node)
		},
		mend: func(w *world) error {
			err := os.Remove(filler)
			time.Sleep(2 * time.Second) // it looks for room once a second
			w.clerks.goTo()
			return err
		},
		excuses: func(p *played, c *call) bool {
			return c.node == p.node && c.status == 503 && c.sent.Before(p.mended.Add(2*time.Second))
		}}
}

// fill writes a file until the disk has no room.
func fill(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	block := make([]byte, 64<<10)
	for err == nil {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}

// refuses waits until a node takes no calls.
func (w *world) refuses(node int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	for {
		out, err := w.clerks.phones[node].Dial(ctx, xNumber(0), phone.From("+8613555555556"))
		if err != nil {
			return err
		}
		if end, err := out.WaitEnd(ctx); err != nil || end.Status == 503 {
			return err
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return errors.New("a node whose disk is full takes calls")
		}
	}
}
