package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"axgate/ledger"
	"axgate/routing"
)

// wordList is a list of words from a file, one on each line; lines that begin
// with # and empty ones are none.
type wordList []string

// UnmarshalText reads the file that a flag names.
func (l *wordList) UnmarshalText(path []byte) error {
	from := io.Reader(os.Stdin)
	if string(path) != "-" {
		f, err := os.Open(string(path))
		if err != nil {
			return err
		}
		defer f.Close()
		from = f
	}
	*l = wordList{}
	const most = 10_000 // lines; how many words there may be is for others to say
	lines := bufio.NewScanner(from)
	for n := 0; lines.Scan(); n++ {
		if n == most {
			return fmt.Errorf("%s has more than %d lines", path, most)
		}
		word := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if word != "" && !strings.HasPrefix(word, "#") {
			*l = append(*l, word)
		}
	}
	return lines.Err()
}

// textsOf tells how an app has texts; empty: its mode has none.
func textsOf(a *ledger.App) string {
	switch {
	case a.Mode != routing.AX && a.Mode != routing.AXB && a.Mode != routing.XMode:
		return ""
	case a.SMSBarred:
		return "off for the account"
	case !a.SMS:
		return "off"
	}
	text := "on, notices go to " + or(a.SMSURL)
	if a.Mode != routing.AXB {
		text += ", questions to " + or(a.SMSControlURL)
	}
	if n := len(a.Keywords.List()); n > 0 {
		text += fmt.Sprintf(", %d keywords", n)
	}
	if n := len(a.Forbidden.List()); n > 0 {
		text += fmt.Sprintf(", %d forbidden words", n)
	}
	return text
}
