//go:build race

package media

// raced: with the race detector a sync.Pool, of which pion takes a buffer for each packet, forgets at random.
const raced = true
