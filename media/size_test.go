package media

import (
	"net/netip"
	"runtime"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"axgate/media/udp"
)

// There are thousands of calls: each takes a size class of Go's, of which this is one, and 8 bytes of it are Go's.
func TestCallIsSmall(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(Call{}), uintptr(3072-8))
}

// BenchmarkCallsUp tells what a call that is up takes of Go's memory, when both its phones were heard.
func BenchmarkCallsUp(b *testing.B) {
	const calls = 1000
	e := openEngine(b)
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	phone, packet := newCrowdPhone(b, 1), make([]byte, headerSize+160)
	var total uint64
	for b.Loop() {
		before, all := heap(), make([]*Call, calls)
		for i := range all {
			all[i] = e.NewCall()
			for _, side := range []Side{Caller, Callee} {
				port, err := all[i].Reserve(side)
				require.NoError(b, err)
				require.NoError(b, all[i].Point(side, Stream{RTP: phone.at, SendPT: 8, RecvPT: 8, Send: true, Receive: true}))
				settle(b, all[i])
				phone.to = udp.Addr(netip.AddrPortFrom(localhost, port))
				phone.talk(packet)
				received(b, all[i], side, 1)
			}
		}
		total += heap() - before
		for _, c := range all {
			c.Close()
		}
	}
	b.ReportMetric(float64(total)/float64(b.N)/calls, "B/call")
}
