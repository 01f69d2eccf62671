//go:build e2e

package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRestore brings back a Redis from an append-only file that is older than an
// unbind: the calls after it are refused on both nodes, from the first one on.
func TestRestore(t *testing.T) {
	t.Parallel()
	if !full {
		t.Skip("the package lookup tries it; make chaos does here")
	}
	w := newWorld(t, plan{redis: "kept"})
	w.play(fault{name: "redis restored from a file older than an unbind", heals: true, begin: (*world).restoreOld})
}

func (w *world) restoreOld() error {
	c := w.clerks
	p := w.model.pair(xNumber(trafficX+clerkX-1), "+8613600000001", "+8613700000001")
	id := c.bind(p, 0)
	c.callAll(p, true)
	where, _ := w.redis.Ask("config", "get", "dir").([]any)
	if len(where) != 2 {
		return fmt.Errorf("where Redis keeps its file: %v", where)
	}
	now, old := filepath.Join(fmt.Sprint(where[1]), "appendonlydir"), filepath.Join(w.t.TempDir(), "old")
	if err := os.CopyFS(old, os.DirFS(now)); err != nil {
		return err
	}
	if !c.unbind(p, id, 1) {
		return fmt.Errorf("no unbind")
	}
	c.callAll(p, false)
	w.redis.Kill()
	require.NoError(w.t, os.RemoveAll(now))
	if err := os.CopyFS(now, os.DirFS(old)); err != nil {
		return err
	}
	w.redis.Run()
	for range 5 {
		c.callAll(p, false)
	}
	return nil
}
