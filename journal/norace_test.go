//go:build !race

package journal_test

// sequences is how many rows of processes a property is tried with.
const sequences = "100"
