// Package logging makes the process's logger and masks real numbers in what it
// writes: whoever reads logs must not learn who talked to whom.
package logging

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Format is how log lines look.
type Format string

// The formats: one JSON object per line for machines, or text for a terminal.
const (
	JSON Format = "json"
	Text Format = "text"
)

// New makes a logger that writes to w. The level is one of trace, debug, info,
// warn, error, the format JSON or Text; an error names what is right.
func New(w io.Writer, level string, format Format) (zerolog.Logger, error) {
	l, err := zerolog.ParseLevel(strings.ToLower(level))
	if err != nil || level == "" || l > zerolog.ErrorLevel {
		return zerolog.Nop(), fmt.Errorf("log level %q: use trace, debug, info, warn or error", level)
	}
	switch format {
	case JSON:
	case Text:
		w = zerolog.ConsoleWriter{Out: w, TimeFormat: time.TimeOnly, NoColor: true}
	default:
		return zerolog.Nop(), fmt.Errorf("log format %q: use json or text", string(format))
	}
	once.Do(setFields)
	return zerolog.New(w).Level(l).With().Timestamp().Logger(), nil
}

// Mask hides the middle of a real number: +86138****0001. What is too short to
// be told apart from its mask is hidden whole; an empty number stays empty.
func Mask(number string) string {
	const head, tail, least = 6, 4, 12
	switch {
	case number == "":
		return ""
	case len(number) < least:
		return "****"
	}
	return number[:head] + "****" + number[len(number)-tail:]
}

// once keeps zerolog's settings, which are the process's, from being written
// while another logger works.
var once sync.Once

func setFields() {
	zerolog.TimeFieldFormat = time.RFC3339Nano
	zerolog.DurationFieldUnit = time.Second
	zerolog.CallerFieldName = "source" // "caller" is who calls
}
