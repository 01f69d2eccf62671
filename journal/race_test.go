//go:build race

package journal_test

// sequences is how many rows of processes a property is tried with. They are one after
// the other, of which the race detector learns little.
const sequences = "25"
