package media

import (
	"golang.org/x/sys/unix"

	"axgate/media/udp"
)

const (
	// inBatch is how many datagrams are received with one system call, outBatch and outBytes what is sent with one at most.
	inBatch  = 64
	outBatch = 128
	outBytes = 64 << 10
)

// batch has many datagrams received, and many sent, with one system call each. What is sent waits in it for [batch.flush],
// within the same round of the worker. Without a ring each datagram is a call of its own, at once.
type batch struct {
	ring *udp.Ring // nil: the kernel has none

	from [inBatch]*endpoint
	got  [inBatch]int32 // the length, or less than 0
	in   [inBatch][datagramSize]byte

	to     [outBatch]outgoing
	queued int
	used   int // of out
	out    [outBytes]byte
}

// outgoing is a datagram that waits.
type outgoing struct {
	endpoint *endpoint
	bytes    []byte
}

// receive reads a datagram of each of the first n sockets in from and hands it over.
func (b *batch) receive(w *worker, n int) {
	if n == 0 {
		return
	}
	b.flush(w)
	if b.ring == nil {
		return // level-triggered epoll comes back for them
	}
	for i := range n {
		b.got[i] = -1
		b.ring.Receive(b.from[i].sock, b.in[i][:], uint64(i))
	}
	if err := b.ring.Submit(); err != nil {
		b.abandon(w, err)
		return
	}
	for tag, size, errno, ok := b.ring.Next(); ok; tag, size, errno, ok = b.ring.Next() {
		if errno == 0 { // else it was that of an earlier send, such as ECONNREFUSED: the peer may listen yet
			b.got[tag] = int32(size)
		}
	}
	now := w.now()
	for i := range n {
		if e := b.from[i]; b.got[i] >= 0 {
			e.take(w, b.in[i][:], int(b.got[i]), e.source, now)
		}
	}
}

// send queues a datagram to the peer that the endpoint is connected to; its bytes are copied.
func (b *batch) send(w *worker, e *endpoint, datagram []byte) {
	if b.queued == len(b.to) || b.used+len(datagram) > len(b.out) {
		b.flush(w)
	}
	place := b.out[b.used : b.used+copy(b.out[b.used:], datagram)]
	b.used += len(place)
	b.to[b.queued] = outgoing{e, place}
	b.ring.Send(e.sock, place, uint64(b.queued))
	b.queued++
}

// flush sends what is queued.
func (b *batch) flush(w *worker) {
	if b.queued == 0 {
		return
	}
	if err := b.ring.Submit(); err != nil {
		b.abandon(w, err)
		return
	}
	for tag, _, errno, ok := b.ring.Next(); ok; tag, _, errno, ok = b.ring.Next() {
		o := &b.to[tag]
		if errno == unix.ECONNREFUSED { // tells of an earlier packet; this one was not sent
			errno = o.endpoint.sock.Send(o.bytes)
		}
		if errno != 0 {
			o.endpoint.leg.count.sendErrors++
		}
	}
	clear(b.to[:b.queued])
	b.queued, b.used = 0, 0
}

// abandon goes on without the ring.
func (b *batch) abandon(w *worker, err error) {
	w.log.Error().Err(err).Msg("media packets are sent one by one from now on")
	_ = b.ring.Close()
	clear(b.to[:b.queued])
	b.ring, b.queued, b.used = nil, 0, 0
}
