package record

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// buffers keeps what recordings are laid into, and pieces what of it waits for the disk, by the number of channels. They lie
// outside Go's heap: there is a buffer for every call, and in the heap the collector would keep room for as much again.
var (
	buffers = [2]stock{{size: bufferFrames}, {size: 2 * bufferFrames}}
	pieces  = [2]stock{{size: pieceFrames}, {size: 2 * pieceFrames}}
)

// stock is memory of one size that nobody uses.
type stock struct {
	size int
	mu   sync.Mutex
	warm [][]byte // mostWarm bytes of them at most
	cold [][]byte // take no memory
}

const (
	// perMapping is how many are asked of the system at a time.
	perMapping = 32
	// mostWarm bounds what a stock keeps for the next to come, where pages are of 4 KiB. The rest is given back to the system: a disk that stood
	// still for seconds leaves thousands of pieces.
	mostWarm = 1 << 20
)

// take gives memory with anything in it.
func (s *stock) take() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := &s.warm
	if len(s.warm) == 0 {
		from = &s.cold
	}
	if len(*from) == 0 {
		all, err := unix.Mmap(-1, 0, perMapping*s.size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
		if err != nil { // a limit that is none of the heap
			return make([]byte, s.size)
		}
		for ; len(all) > 0; all = all[s.size:] {
			s.cold = append(s.cold, all[:s.size:s.size])
		}
	}
	last := len(*from) - 1
	b := (*from)[last]
	*from = (*from)[:last]
	return b
}

// back takes what nobody uses any more.
func (s *stock) back(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if (len(s.warm)+1)*s.size > mostWarm && s.size%os.Getpagesize() == 0 && unix.Madvise(b, unix.MADV_DONTNEED) == nil {
		s.cold = append(s.cold, b)
		return
	}
	s.warm = append(s.warm, b)
}
