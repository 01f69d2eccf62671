//go:build !race

package provision_test

// sequences is how many rows of requests a mode is given.
const sequences = "10"
