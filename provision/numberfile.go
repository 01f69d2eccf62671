package provision

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MostNumberFile is how many bytes a list of numbers may have.
const MostNumberFile = 6 << 20

// The columns of a list of numbers, as an export names them. Those that an
// import cannot set are skipped.
var (
	importColumns = []string{"number", "areaCode", "city", "province", "carrier", "voice", "sms"}
	exportColumns = []string{"app", "mode", "status", "cause", "bindings", "room", "roomLeft", "granted", "released"}
)

// ReadNumbers reads a list of X numbers, at most MostNumbers: one of a line, or
// CSV. The columns are number, areaCode, city, province, carrier, voice and sms
// (true or false), in this order or as a first line names them; an exported
// list can be read. Empty lines and those that begin with # are skipped. A line
// that cannot be read carries what is wrong with it; an error is one of the
// list as a whole.
func ReadNumbers(from io.Reader) ([]ImportLine, error) {
	text := &io.LimitedReader{R: from, N: MostNumberFile + 1}
	r := csv.NewReader(&noMark{r: text})
	r.Comment, r.FieldsPerRecord, r.TrimLeadingSpace, r.ReuseRecord = '#', -1, true, true
	var columns []string
	var lines []ImportLine
	for {
		record, err := r.Read()
		var broken *csv.ParseError
		switch {
		case text.N == 0:
			return nil, Invalid("numbers", "the list is larger than %d MiB: import it in parts", MostNumberFile>>20)
		case errors.Is(err, io.EOF):
			return lines, nil
		case errors.As(err, &broken):
			lines = append(lines, ImportLine{Line: broken.StartLine, Wrong: "it is no line of CSV: " + broken.Err.Error()})
		case err != nil:
			return nil, fmt.Errorf("read the list of numbers: %w", err)
		default:
			line, _ := r.FieldPos(0)
			if columns == nil {
				if columns, err = header(record); err != nil {
					return nil, err
				}
				if columns != nil {
					continue
				}
				columns = importColumns
			}
			lines = append(lines, importLine(line, columns, record))
		}
		if len(lines) > MostNumbers {
			return nil, Invalid("numbers", "the list has more than %d numbers: import it in parts", MostNumbers)
		}
	}
}

// header are the names in a first line, nil if it is a number's.
func header(record []string) ([]string, error) {
	if strings.ContainsFunc(record[0], unicode.IsDigit) {
		return nil, nil
	}
	names := make([]string, len(record))
	for i, text := range record {
		names[i] = strings.TrimSpace(text)
		if !slices.Contains(importColumns, names[i]) && !slices.Contains(exportColumns, names[i]) {
			return nil, Invalid("numbers", "the first line names a column %.40q: the columns are %s", names[i], strings.Join(importColumns, ", "))
		}
	}
	if !slices.Contains(names, "number") {
		return nil, Invalid("numbers", "the first line names no column number")
	}
	return names, nil
}

func importLine(line int, columns, record []string) ImportLine {
	l := ImportLine{Line: line}
	if len(record) > len(columns) {
		l.Number, l.Wrong = record[0], fmt.Sprintf("it has %d columns instead of at most %d", len(record), len(columns))
		return l
	}
	for i, text := range record {
		text = strings.TrimSpace(text)
		if !utf8.ValidString(text) {
			l.Wrong = "it is not in UTF-8"
			text = strings.ToValidUTF8(text, "")
		}
		switch columns[i] {
		case "number":
			l.Number = strings.Clone(text)
		case "areaCode":
			l.AreaCode = strings.Clone(text)
		case "city":
			l.City = strings.Clone(text)
		case "province":
			l.Province = strings.Clone(text)
		case "carrier":
			l.Carrier = strings.Clone(text)
		case "voice":
			l.NoVoice = !l.flag("voice", text, true)
		case "sms":
			if text != "" {
				l.SMS = new(l.flag("sms", text, false))
			}
		}
	}
	return l
}

// flag reads true or false, or what is usual for nothing.
func (l *ImportLine) flag(column, text string, usual bool) bool {
	switch strings.ToLower(text) {
	case "":
		return usual
	case "true", "1", "yes":
		return true
	case "false", "0", "no":
		return false
	}
	l.Wrong = column + ": it is neither true nor false"
	return usual
}

// noMark leaves out the byte order mark that spreadsheets write first.
type noMark struct {
	r     io.Reader
	begun bool
}

func (m *noMark) Read(p []byte) (int, error) {
	if m.begun {
		return m.r.Read(p)
	}
	m.begun = true
	const mark = "\ufeff"
	first := make([]byte, len(mark))
	n, err := io.ReadFull(m.r, first)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil
	}
	if string(first[:n]) != mark {
		m.r = io.MultiReader(strings.NewReader(string(first[:n])), m.r)
	}
	if err != nil {
		return 0, err
	}
	return m.r.Read(p)
}
