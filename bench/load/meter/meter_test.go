package meter_test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"axgate/bench/load/meter"
)

func TestDelaysKeepTheirOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.Int64Range(-5, 100_000_000_000), 1, 200).Draw(t, "ns")
		var d meter.Delays
		for _, ns := range list {
			d.Add(time.Duration(ns))
		}
		slices.Sort(list)
		for _, share := range []float64{0, 0.5, 0.99, 1} {
			want := time.Duration(max(0, list[min(int(share*float64(len(list))), len(list)-1)]))
			got := d.At(share)
			if got > want || want-got > max(time.Microsecond, want/1000) {
				t.Fatalf("%v of %v is %v, not %v", share, list, got, want)
			}
		}
		if d.Most() != time.Duration(max(0, list[len(list)-1])) || d.N() != len(list) {
			t.Fatalf("%v of %d, want those of %v", d.Most(), d.N(), list)
		}
	})
}

// TestUseOfThisProcess runs while no other test begins a child: until it is another program, that has this one's memory.
func TestUseOfThisProcess(t *testing.T) {
	p := meter.Process{Name: "test", PID: os.Getpid()}
	before, err := p.Use()
	require.NoError(t, err)
	require.Greater(t, before.Memory, int64(1<<20))
	require.GreaterOrEqual(t, before.Peak, before.Memory)
	sum := 0
	require.Eventually(t, func() bool {
		for i := range 10_000_000 {
			sum += i * i
		}
		after, err := p.Use()
		return err == nil && after.CPU() >= before.CPU()+20*time.Millisecond
	}, 15*time.Second, time.Millisecond, "%d", sum)
}

// TestUseBesideTheDead: a child that has ended, which its parent does not know yet, is nobody's use.
func TestUseBesideTheDead(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("sh", "-c", `sh -c 'echo $$' & exec sleep 100`)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() {
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait()
	}()
	var child int
	_, err = fmt.Fscan(out, &child)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child))
		return err == nil && strings.Contains(string(text), ") Z ")
	}, 15*time.Second, time.Millisecond)
	_, err = meter.Process{Name: "parent", PID: cmd.Process.Pid}.Use()
	require.NoError(t, err)
}

// TestUseOfDescendants has a child of a child work.
func TestUseOfDescendants(t *testing.T) {
	t.Parallel()
	const script = `sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo; read end; :'; :`
	cmd := exec.Command("sh", "-c", script)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = out.Read(make([]byte, 1))
	require.NoError(t, err)
	used, err := meter.Process{Name: "shell", PID: cmd.Process.Pid}.Use()
	require.NoError(t, err)
	require.GreaterOrEqual(t, used.CPU(), 20*time.Millisecond)
	require.NoError(t, in.Close())
	require.NoError(t, cmd.Wait())
}

// TestMachineKnowsAll: what a process uses that nobody told of is seen.
func TestMachineKnowsAll(t *testing.T) {
	t.Parallel()
	before, err := meter.LookAtMachine()
	require.NoError(t, err)
	sum := 0
	require.Eventually(t, func() bool {
		for i := range 10_000_000 {
			sum += i * i
		}
		after, err := meter.LookAtMachine()
		return err == nil && after.Since(before) >= 20*time.Millisecond && after.Stolen >= before.Stolen
	}, 15*time.Second, time.Millisecond, "%d", sum)
}

func TestNoProcess(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "axgate", "axgate=", "=12", "axgate=0", "axgate=x"} {
		require.Error(t, new(meter.Process).UnmarshalText([]byte(text)), text)
	}
	var p meter.Process
	require.NoError(t, p.UnmarshalText([]byte("redis=12")))
	require.Equal(t, meter.Process{Name: "redis", PID: 12}, p)
	_, err := meter.Overflows()
	require.NoError(t, err)
}
