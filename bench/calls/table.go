package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// row is a figure of all columns, with a value of each round.
type row struct {
	name   string
	format string // of a value
	values map[string][]float64
	doubts map[string]doubt // the worst of the rounds
}

// doubt is what the generator says against a value.
type doubt int

const (
	sure     doubt = iota
	orMore         // it doubts that more would have failed
	doubtful       // it doubts the value
)

// believe is the doubt of a result that the generator calls valid, or not.
func believe(valid bool) doubt {
	if valid {
		return sure
	}
	return doubtful
}

func (d doubt) String() string { return [...]string{"", " or more", " (INVALID)"}[d] }

// table is what is printed at the end.
type table struct {
	columns []string
	rows    []*row
}

// add adds the value of a round.
func (t *table) add(column, name, format string, value float64, d doubt) {
	i := slices.IndexFunc(t.rows, func(r *row) bool { return r.name == name })
	if i < 0 {
		i = len(t.rows)
		t.rows = append(t.rows, &row{name, format, make(map[string][]float64), make(map[string]doubt)})
	}
	if !slices.Contains(t.columns, column) {
		t.columns = append(t.columns, column)
	}
	r := t.rows[i]
	r.values[column] = append(r.values[column], value)
	r.doubts[column] = max(r.doubts[column], d)
	fmt.Fprintf(os.Stderr, "%s, %s: "+format+"%s\n", column, name, value, d)
}

// median is the value in the middle, of an even number the mean of the two.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// cell is the median of a column's rounds; a dash stands for none.
func (r *row) cell(column string) string {
	if len(r.values[column]) == 0 {
		return "-"
	}
	return fmt.Sprintf(r.format, median(r.values[column])) + r.doubts[column].String()
}

// ratio is that of two columns' medians; a dash stands for none.
func (r *row) ratio(of, to string) string {
	a, b := median(r.values[of]), median(r.values[to])
	if len(r.values[of]) == 0 || b == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", a/b)
}

// The rows that have goals. All but the last three go on with a comma and which
// calls they are of.
const (
	perMinute   = "CPU s per call-minute"
	addedMedian = "added delay ms p50"
	addedMost   = "added delay ms p99"
	memory      = "memory per call KiB"
	perThousand = "CPU s per 1,000 calls"
	dialMedian  = "post-dial delay ms p50"
	dialMost    = "post-dial delay ms p99"
	mostSpeed   = "calls per second at most, AXB"
	mostLate    = mostSpeed + ", however late"
	mostOnce    = "calls at once at most, AXB"
)

// Rows without goals, which go on likewise.
const (
	idleCPU      = "of it CPU s per s without calls"
	idleMemory   = "memory without calls MiB"
	answerMedian = "answer after INVITE ms p50"
	answerMost   = "answer after INVITE ms p99"
)

// goalRate is the calls per second that the goals of setting up are of.
const goalRate = 100

// goals are what calls through axgate may cost.
var goals = map[string]string{
	perMinute + ", 300 calls":   "≤ 0.055 recorded",
	perMinute + ", 1000 calls":  "≤ 0.038 recorded",
	addedMedian + ", 300 calls": "≤ 0.2",
	addedMost + ", 300 calls":   "≤ 0.6",
	memory + ", 300 calls":      "≤ 50 recorded",
	memory + ", 1000 calls":     "≤ 50 recorded",
	perThousand + ", AXB":       "≤ 1.2, recorded 1.5",
	dialMedian + ", AXB":        "≤ 0.5",
	dialMost + ", AXB":          "≤ 1.2",
	mostSpeed:                   "≥ 2,000, recorded 1,200",
	mostLate:                    "≥ 2,000, recorded 1,200",
	mostOnce:                    "≥ 1,000 recorded",
}

// print writes the medians and, if there are others than axgate, the goals and
// what part axgate's are of Kamailio's.
func (t *table) print(out io.Writer) error {
	ours := slices.DeleteFunc([]string{titleAxgate, titleRecorded}, func(c string) bool { return !slices.Contains(t.columns, c) })
	if !slices.Contains(t.columns, titleKamailio) {
		ours = nil
	}
	head := slices.Concat([]string{""}, t.columns)
	for _, c := range ours {
		head = append(head, c+" / Kamailio")
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(append(head, "goal"), "\t"))
	for _, r := range t.rows {
		cells := []string{r.name}
		for _, c := range t.columns {
			cells = append(cells, r.cell(c))
		}
		for _, c := range ours {
			cells = append(cells, r.ratio(c, titleKamailio))
		}
		fmt.Fprintln(w, strings.Join(append(cells, goals[r.name]), "\t"))
	}
	return w.Flush()
}

// lines writes a line of JSON for each row: the values of all rounds and their
// medians.
func (t *table) lines(out io.Writer) error {
	enc := json.NewEncoder(out)
	for _, r := range t.rows {
		medians, doubts := make(map[string]float64), make(map[string]string)
		for column, values := range r.values {
			medians[column], doubts[column] = median(values), strings.TrimSpace(r.doubts[column].String())
		}
		err := enc.Encode(map[string]any{"row": r.name, "goal": goals[r.name], "medians": medians, "rounds": r.values, "doubts": doubts})
		if err != nil {
			return err
		}
	}
	return nil
}
