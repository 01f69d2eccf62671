package udp

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Ring carries out sends and receives on many sockets with one system call: an io_uring(7) in which nothing ever waits.
// It needs Linux 5.6 and a system that allows it. It is used from one goroutine at a time.
type Ring struct {
	fd      int
	shared  []byte // both rings
	entries []byte // submission entries

	tail       *uint32 // of the submission ring; the kernel reads up to it
	mask       uint32
	todo       []submission
	held       []*byte // the buffers of todo, for Go's memory to keep
	queued     uint32
	head, done *uint32 // of the completion ring: what was taken, what is there
	doneMask   uint32
	results    []completion
}

// submission is struct io_uring_sqe.
type submission struct {
	op, flags uint8
	priority  uint16
	fd        int32
	offset    uint64
	addr      uint64
	size      uint32
	msgFlags  uint32
	tag       uint64
	_         [3]uint64
}

// completion is struct io_uring_cqe.
type completion struct {
	tag    uint64
	result int32
	_      uint32
}

// ringParams is struct io_uring_params.
type ringParams struct {
	sqEntries, cqEntries, flags, _, _, features, _ uint32
	_                                              [3]uint32
	sq                                             struct {
		head, tail, mask, entries, flags, dropped, array, _ uint32
		_                                                   uint64
	}
	cq struct {
		head, tail, mask, entries, overflow, cqes, flags, _ uint32
		_                                                   uint64
	}
}

// Of <linux/io_uring.h>.
const (
	opSend         = 26
	opReceive      = 27
	oneMapping     = 1 << 0 // IORING_FEAT_SINGLE_MMAP
	offsetRings    = 0
	offsetEntries  = 0x10000000
	enterGetEvents = 1
)

// OpenRing makes a ring for so many operations at a time, a power of two. The error is that of the kernel where it has no
// io_uring, or forbids it.
func OpenRing(operations uint32) (*Ring, error) {
	var p ringParams
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, uintptr(operations), uintptr(unsafe.Pointer(&p)), 0)
	if errno != 0 {
		return nil, fmt.Errorf("make an io_uring: %w", errno)
	}
	r := &Ring{fd: int(fd)}
	unix.CloseOnExec(r.fd)
	if p.features&oneMapping == 0 {
		return nil, fmt.Errorf("make an io_uring: %w", unix.ENOSYS)
	}
	if err := r.mapShared(&p); err != nil {
		_ = r.Close()
		return nil, fmt.Errorf("map an io_uring: %w", err)
	}
	return r, nil
}

func (r *Ring) mapShared(p *ringParams) (err error) {
	size := max(p.sq.array+4*p.sqEntries, p.cq.cqes+p.cqEntries*uint32(unsafe.Sizeof(completion{})))
	const protection, flags = unix.PROT_READ | unix.PROT_WRITE, unix.MAP_SHARED | unix.MAP_POPULATE
	if r.shared, err = unix.Mmap(r.fd, offsetRings, int(size), protection, flags); err != nil {
		return err
	}
	if r.entries, err = unix.Mmap(r.fd, offsetEntries, int(p.sqEntries)*int(unsafe.Sizeof(submission{})), protection, flags); err != nil {
		return err
	}
	word := func(offset uint32) *uint32 { return (*uint32)(unsafe.Pointer(&r.shared[offset])) }
	r.tail, r.mask = word(p.sq.tail), *word(p.sq.mask)
	r.todo = unsafe.Slice((*submission)(unsafe.Pointer(&r.entries[0])), p.sqEntries)
	r.held = make([]*byte, p.sqEntries)
	for i := range p.sqEntries { // each place of the ring has the entry of its number, for good
		*word(p.sq.array + 4*i) = i
	}
	r.head, r.done, r.doneMask = word(p.cq.head), word(p.cq.tail), *word(p.cq.mask)
	r.results = unsafe.Slice((*completion)(unsafe.Pointer(&r.shared[p.cq.cqes])), p.cqEntries)
	return nil
}

// Close frees the ring; nothing may be queued.
func (r *Ring) Close() error {
	if r.entries != nil {
		_ = unix.Munmap(r.entries)
	}
	if r.shared != nil {
		_ = unix.Munmap(r.shared)
	}
	return unix.Close(r.fd)
}

// Room is how many operations may still be queued.
func (r *Ring) Room() int { return len(r.todo) - int(r.queued) }

// Receive queues what [Socket.Receive] does; buf is written to in Submit.
func (r *Ring) Receive(s *Socket, buf []byte, tag uint64) {
	r.queue(opReceive, s, buf, unix.MSG_TRUNC, tag)
}

// Send queues what [Socket.Send] does; b is read in Submit.
func (r *Ring) Send(s *Socket, b []byte, tag uint64) { r.queue(opSend, s, b, unix.MSG_NOSIGNAL, tag) }

func (r *Ring) queue(op uint8, s *Socket, b []byte, flags uint32, tag uint64) {
	at := (*r.tail + r.queued) & r.mask
	r.held[at] = unsafe.SliceData(b)
	r.todo[at] = submission{op: op, fd: int32(s.fd), addr: uint64(uintptr(unsafe.Pointer(r.held[at]))),
		size: uint32(len(b)), msgFlags: flags | unix.MSG_DONTWAIT, tag: tag}
	r.queued++
}

// Submit carries out what is queued; afterwards Next has the result of each. An error is one of the ring, which is then of
// no more use.
func (r *Ring) Submit() error {
	left, before := r.queued, atomic.LoadUint32(r.done)
	atomic.StoreUint32(r.tail, *r.tail+left)
	want := left
	r.queued = 0
	for left > 0 || atomic.LoadUint32(r.done)-before < want {
		n, _, errno := unix.RawSyscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), uintptr(left), uintptr(left), enterGetEvents, 0, 0)
		if errno != 0 && errno != unix.EINTR {
			return fmt.Errorf("submit to an io_uring: %w", errno)
		}
		if errno == 0 {
			left -= uint32(n)
		}
	}
	return nil
}

// Next takes the next result: of a receive the length, as [Socket.Receive] gives it. false: there is none.
func (r *Ring) Next() (tag uint64, n int, errno unix.Errno, ok bool) {
	head := *r.head
	if head == atomic.LoadUint32(r.done) {
		return 0, 0, 0, false
	}
	c := r.results[head&r.doneMask]
	atomic.StoreUint32(r.head, head+1)
	if c.result < 0 {
		return c.tag, 0, unix.Errno(-c.result), true
	}
	return c.tag, int(c.result), 0, true
}
