// Package verdict is the table of what faults did to calls.
package verdict

import (
	"fmt"
	"strings"
	"sync"
)

// Row is what one fault did.
type Row struct {
	Fault           string
	Offered, Failed int     // calls that should go through
	Lost            int     // records
	Normal          float64 // seconds until all went well again
	Remark          string
}

// Table gathers rows; many may write to it at a time.
type Table struct {
	mu   sync.Mutex
	rows []Row
}

// Add has rows stand in the table.
func (t *Table) Add(rows ...Row) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows = append(t.rows, rows...)
}

// String is empty if no fault was.
func (t *Table) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.rows) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%-58s %13s %12s %12s %17s\n", "fault", "calls offered", "calls failed", "records lost", "seconds to normal")
	for _, r := range t.rows {
		fmt.Fprintf(&b, "%-58s %13d %12d %12d %17.1f  %s\n", r.Fault, r.Offered, r.Failed, r.Lost, r.Normal, r.Remark)
	}
	return b.String()
}
