package meter_test

import (
	"os"
	"slices"
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

func TestUseOfThisProcess(t *testing.T) {
	t.Parallel()
	p := meter.Process{Name: "test", PID: os.Getpid()}
	before, err := p.Use()
	require.NoError(t, err)
	require.Greater(t, before.Resident, int64(1<<20))
	require.GreaterOrEqual(t, before.Peak, before.Resident)
	sum := 0
	require.Eventually(t, func() bool {
		for i := range 10_000_000 {
			sum += i * i
		}
		after, err := p.Use()
		return err == nil && after.CPU() >= before.CPU()+20*time.Millisecond
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
