package main

import (
	"encoding/csv"
	"errors"
	"io"
	"os"
)

// pageRows is how many rows an export reads at once.
const pageRows = 1000

// export writes a table as CSV, page by page as next gives them. A file is
// there only if it is whole.
func (p *program) export(file string, head []string, next func() (rows [][]string, more bool, err error)) error {
	if file == "" {
		_, err := table(p.stdout, head, next)
		return err
	}
	const part = ".part"
	f, err := os.OpenFile(file+part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) // it may hold real numbers
	if err != nil {
		return err
	}
	n, err := table(f, head, next)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(file+part, file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file+part))
	}
	if p.cli.JSON {
		return p.answer(map[string]any{"file": file, "rows": n})
	}
	p.printf("%s: %d rows\n", file, n)
	return nil
}

func table(to io.Writer, head []string, next func() ([][]string, bool, error)) (n int, err error) {
	out := csv.NewWriter(to)
	if err := out.Write(head); err != nil {
		return 0, err
	}
	for more := true; more; {
		var rows [][]string
		if rows, more, err = next(); err != nil {
			return n, err
		}
		if err := out.WriteAll(rows); err != nil {
			return n, err
		}
		n += len(rows)
	}
	return n, out.Error()
}
