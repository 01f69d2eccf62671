package journal_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
)

// TestKilledProcess: whatever a process was told is written survives its kill
// in the middle of other writes, and its calls are closed by the next one.
func TestKilledProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "axgate.db")
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelperWrites$", "-test.short")
	cmd.Env = append(os.Environ(), "AXGATE_TEST_LEDGER="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var told []string
	lines := bufio.NewScanner(out)
	for len(told) < 100 && lines.Scan() {
		told = append(told, lines.Text())
	}
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	require.Len(t, told, 100, lines.Err())

	l := openLedger(t, path)
	j := open(t, filepath.Dir(path)+"/journal", l)
	require.NoError(t, j.Flush(t.Context()))
	died := ledger.Dead{Life: ledger.Life{Node: "n", Incarnation: 1}, AliveAt: t0.Add(time.Minute)}
	closed, err := l.CloseOpen(t.Context(), died, true, nil)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(closed), len(told))
	for _, session := range told {
		kinds, disconnect, fee := story(t, l, session)
		require.Equal(t, []events.Kind{events.CallIn, events.Answer, events.Disconnect, events.Fee}, kinds)
		require.EqualValues(t, 8020, disconnect["stateCode"])
		require.EqualValues(t, 8020, fee["ulFailReason"])
		require.EqualValues(t, 60, fee["callDuration"])
	}
}

func openLedger(t testing.TB, path string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(t.Context(), ledger.Config{Path: path})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

// story reads the kinds of a session's events, and the bodies of the last two.
func story(t *testing.T, l *ledger.Ledger, session string) (kinds []events.Kind, disconnect, fee map[string]any) {
	t.Helper()
	page, err := l.Events(t.Context(), ledger.EventFilter{Session: session})
	require.NoError(t, err)
	for i, e := range page.Events {
		kinds = append(kinds, e.Kind)
		switch len(page.Events) - i {
		case 2:
			require.NoError(t, json.Unmarshal(e.Body, &disconnect))
		case 1:
			require.NoError(t, json.Unmarshal(e.Body, &fee))
		}
	}
	return kinds, disconnect, fee
}

// TestHelperWrites is the process that is killed: it names each call that it
// was told is durable.
func TestHelperWrites(t *testing.T) {
	path := os.Getenv("AXGATE_TEST_LEDGER")
	if path == "" {
		t.Skip("it is run by TestKilledProcess")
	}
	l := openLedger(t, path)
	j := open(t, filepath.Dir(path)+"/journal", l)
	for i := range 100_000 {
		c := call(fmt.Sprint("call", i))
		c.Out, c.Answered = t0, t0
		written := j.Write(c, events.NewCallEvent(c, 1, events.CallIn, t0, ""), events.NewCallEvent(c, 2, events.Answer, t0, ""))
		j.Hurry()
		require.NoError(t, <-written)
		fmt.Println(c.Session)
	}
}
