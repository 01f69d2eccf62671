package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	require.Zero(t, median(nil))
	require.InDelta(t, 2.0, median([]float64{2}), 0)
	require.InDelta(t, 2.5, median([]float64{3, 2}), 0)
	values := []float64{9, 1, 5}
	require.InDelta(t, 5.0, median(values), 0)
	require.Equal(t, []float64{9, 1, 5}, values, "they stay in the order of the rounds")
}

// three is a table of three rounds of two rows.
func three() *table {
	t := &table{}
	const cpu, once = perMinute + ", 300 calls", mostOnce
	for i, v := range []float64{0.06, 0.04, 0.05} {
		t.add(titleAxgate, cpu, "%.4f", v, sure)
		t.add(titleRecorded, cpu, "%.4f", 2*v, believe(i != 1))
		t.add(titleKamailio, cpu, "%.4f", 0.08, sure)
		t.add(titleAxgate, once, "%.0f", 1000, orMore)
	}
	return t
}

func TestTableOfSeveralSystems(t *testing.T) {
	var out strings.Builder
	require.NoError(t, three().print(&out))
	var got [][]string
	for line := range strings.Lines(out.String()) {
		var cells []string
		for cell := range strings.SplitSeq(strings.TrimRight(line, "\n"), "  ") {
			if cell = strings.TrimSpace(cell); cell != "" {
				cells = append(cells, cell)
			}
		}
		got = append(got, cells)
	}
	require.Equal(t, [][]string{
		{"axgate", "axgate, recorded", "Kamailio + rtpengine", "axgate / Kamailio", "axgate, recorded / Kamailio", "goal"},
		{"CPU s per call-minute, 300 calls", "0.0500", "0.1000 (INVALID)", "0.0800", "0.62", "1.25", "≤ 0.055 recorded"},
		{"calls at once at most, AXB", "1000 or more", "-", "-", "-", "-", "≥ 1,000 recorded"},
	}, got)
}

func TestTableOfOneSystemHasNoRatios(t *testing.T) {
	tab := &table{}
	tab.add(titleAxgate, "lost %", "%.4f", 0, sure)
	var out strings.Builder
	require.NoError(t, tab.print(&out))
	require.NotContains(t, out.String(), "Kamailio")
}

func TestLinesHaveAllRounds(t *testing.T) {
	var out strings.Builder
	require.NoError(t, three().lines(&out))
	var first struct {
		Row     string
		Medians map[string]float64
		Rounds  map[string][]float64
		Doubts  map[string]string
	}
	require.NoError(t, json.NewDecoder(strings.NewReader(out.String())).Decode(&first))
	require.Equal(t, "CPU s per call-minute, 300 calls", first.Row)
	require.Equal(t, []float64{0.06, 0.04, 0.05}, first.Rounds[titleAxgate])
	require.InDelta(t, 0.05, first.Medians[titleAxgate], 0)
	require.Equal(t, "(INVALID)", first.Doubts[titleRecorded])
	require.Empty(t, first.Doubts[titleAxgate])
}
