package record

import (
	"sync"

	"golang.org/x/sys/unix"
)

// buffers keeps what recordings are laid into, by the number of channels. It lies outside Go's heap: there is a buffer for
// every call, and in the heap the collector would keep room for as much again. It is not given back to the system.
var buffers [2]stock

// stock is buffers of one size that nobody uses.
type stock struct {
	mu   sync.Mutex
	free [][]byte
}

// perMapping is how many buffers are asked of the system at a time.
const perMapping = 32

// take gives a buffer of a size, with anything in it.
func (s *stock) take(size int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.free) == 0 {
		all, err := unix.Mmap(-1, 0, perMapping*size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
		if err != nil { // a limit that is none of the heap
			return make([]byte, size)
		}
		for ; len(all) > 0; all = all[size:] {
			s.free = append(s.free, all[:size:size])
		}
	}
	last := len(s.free) - 1
	b := s.free[last]
	s.free = s.free[:last]
	return b
}

// back takes a buffer that nobody uses any more.
func (s *stock) back(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, b)
}
