// Package speech holds two short speeches for test calls, spoken by different
// voices, so that each can be told from the other in what a party heard.
// They were made with espeak-ng and sox.
package speech

import (
	"bytes"
	_ "embed" // the speeches
)

//go:embed first.wav
var first []byte

//go:embed second.wav
var second []byte

// First is the first speech: A-law at 8 kHz, six seconds.
func First() []byte { return samples(first) }

// Second is the second speech: A-law at 8 kHz, six seconds.
func Second() []byte { return samples(second) }

// samples gives the data chunk, the last one of both files.
func samples(file []byte) []byte {
	_, data, _ := bytes.Cut(file, []byte("data"))
	return bytes.Clone(data[4:])
}
