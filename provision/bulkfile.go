package provision

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The columns of a list of bindings, in their order if no first line names them.
var bindingColumns = []string{"x", "a", "b", "ext", "direction", "duration", "maxDuration", "record", "userData"}

// BindingReader reads a list of bindings: CSV of any length, of which it keeps
// nothing. The columns are x, a, b, ext, direction, duration, maxDuration,
// record (true or false) and userData, in this order or as a first line names
// them. Empty lines and those that begin with # are skipped.
type BindingReader struct {
	csv     *csv.Reader
	columns []string
}

// NewBindingReader reads from a file.
func NewBindingReader(from io.Reader) *BindingReader {
	r := csv.NewReader(&noMark{r: from})
	r.Comment, r.FieldsPerRecord, r.TrimLeadingSpace, r.ReuseRecord = '#', -1, true, true
	return &BindingReader{csv: r}
}

// Next appends the next line; io.EOF if there is none. One that cannot be read
// carries what is wrong with it; another error is one of the list as a whole.
func (r *BindingReader) Next(lines []BindingLine) ([]BindingLine, error) {
	for {
		record, err := r.csv.Read()
		var broken *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return lines, io.EOF
		case errors.As(err, &broken):
			return append(lines, BindingLine{Line: broken.StartLine, Wrong: "it is no line of CSV: " + broken.Err.Error()}), nil
		case err != nil:
			return lines, fmt.Errorf("read the list of bindings: %w", err)
		}
		line, _ := r.csv.FieldPos(0)
		if r.columns == nil {
			named, err := bindingHead(record)
			if err != nil {
				return lines, err
			}
			if r.columns = named; named != nil {
				continue
			}
			r.columns = bindingColumns
		}
		return append(lines, bindingLine(line, r.columns, record)), nil
	}
}

// bindingHead are the names in a first line, nil if it is a binding's.
func bindingHead(record []string) ([]string, error) {
	if strings.ContainsFunc(record[0], unicode.IsDigit) {
		return nil, nil
	}
	names := make([]string, len(record))
	for i, text := range record {
		names[i] = strings.TrimSpace(text)
		if !slices.Contains(bindingColumns, names[i]) {
			return nil, Invalid("lines", "the first line names a column %.40q: the columns are %s", names[i], strings.Join(bindingColumns, ", "))
		}
	}
	return names, nil
}

func bindingLine(line int, columns, record []string) BindingLine {
	l := BindingLine{Line: line}
	if len(record) > len(columns) {
		l.Wrong = fmt.Sprintf("it has %d columns instead of at most %d", len(record), len(columns))
		return l
	}
	for i, text := range record {
		text = strings.TrimSpace(text)
		if !utf8.ValidString(text) {
			l.Wrong = "it is not in UTF-8"
			return l
		}
		switch text = strings.Clone(text); columns[i] {
		case "x":
			l.X = text
		case "a":
			l.A = text
		case "b":
			l.B = text
		case "ext":
			l.Ext = text
		case "direction":
			l.Direction = l.count("direction", text)
		case "duration":
			l.Duration = l.count("duration", text)
		case "maxDuration":
			l.Minutes = l.count("maxDuration", text)
		case "record":
			l.Record = l.flag("record", text)
		case "userData":
			l.UserData = text
		}
	}
	return l
}

func (l *BindingLine) count(column, text string) int {
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		l.Wrong = column + ": it is no number"
	}
	return n
}

func (l *BindingLine) flag(column, text string) bool {
	switch strings.ToLower(text) {
	case "true", "1", "yes":
		return true
	case "", "false", "0", "no":
		return false
	}
	l.Wrong = column + ": it is neither true nor false"
	return false
}
