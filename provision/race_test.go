//go:build race

package provision_test

// sequences is how many rows of requests a mode is given. They are made one after the
// other, of which the race detector learns little, and takes it three times as long.
const sequences = "4"
