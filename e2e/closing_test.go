//go:build e2e

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/capture"
	"axgate/e2e/leak"
)

// close ends axgate and checks what holds over all scenarios: no leak, no
// malformed push, each call billed once, a clean end.
func (w *world) close(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	require.NoError(t, w.gate.Stop(ctx), "axgate ends cleanly")
	packets, err := w.capture.Stop()
	require.NoError(t, err)
	if t.Failed() {
		w.keep(t)
	}
	t.Run("no leak", func(t *testing.T) { w.searchLeaks(t, packets) })
	t.Run("pushes", func(t *testing.T) {
		require.Empty(t, w.customer.Wrong())
		for _, c := range w.customer.All() {
			require.Equal(t, 1, c.Fees, "fee events of %s: %v", c.Session, c.Types())
			for kind, n := range c.Counts() {
				require.True(t, n == 1 || kind == "collectInfo", "%d %s events of %s", n, kind, c.Session)
			}
		}
	})
	t.Run("no panic", func(t *testing.T) {
		log, err := w.gate.Log()
		require.NoError(t, err)
		for _, word := range []string{"panic", "DATA RACE", "goroutine "} {
			require.NotContains(t, string(log), word)
		}
	})
}

// keep saves the log and the capture of a failed run in e2e/out.
func (w *world) keep(t *testing.T) {
	t.Helper()
	if err := os.MkdirAll("out", 0o755); err != nil {
		t.Log(err)
		return
	}
	log, err := w.gate.Log()
	if err == nil {
		err = os.WriteFile(filepath.Join("out", "axgate.log"), log, 0o600)
	}
	if err != nil {
		t.Log(err)
	}
	pcap, err := os.ReadFile(w.capture.Path())
	if err == nil {
		err = os.WriteFile(filepath.Join("out", "capture.pcap"), pcap, 0o600)
	}
	if err != nil {
		t.Log(err)
	}
}

// searchLeaks looks for real numbers in every byte that each party got and in
// the log.
func (w *world) searchLeaks(t *testing.T, packets []capture.Packet) {
	w.mu.Lock()
	defer w.mu.Unlock()
	numbers := make(map[string][]string) // of a scenario
	var all []string
	for _, p := range w.parties {
		for _, n := range p.own {
			if !slices.Contains(numbers[p.scene], n) {
				numbers[p.scene] = append(numbers[p.scene], n)
				all = append(all, n)
			}
		}
	}
	var parties []leak.Party
	for _, p := range w.parties {
		for _, n := range numbers[p.scene] {
			if !slices.Contains(p.own, n) {
				p.Secret = append(p.Secret, n)
			}
		}
		parties = append(parties, p.Party)
	}
	leaks, err := leak.Sent(packets, parties)
	require.NoError(t, err)
	log, err := w.gate.Log()
	require.NoError(t, err)
	leaks = append(leaks, leak.Text("axgate.log", log, all)...)
	for _, l := range leaks {
		t.Error(l)
	}
	t.Logf("searched %d packets for %d numbers of %d parties, and %d bytes of log", len(packets), len(all), len(parties), len(log))
}
