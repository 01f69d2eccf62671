// Package ports finds free ports on loopback for programs that must be told
// theirs.
package ports

import (
	"fmt"
	"net"
	"os"
	"sync"
)

// The ports that are given out lie below the range from which the kernel
// takes ports by itself (32768 and up on Linux), so that nobody else gets one
// between its choice and its use.
const (
	first = 12000
	last  = 32000
)

var (
	mu   sync.Mutex
	next = first + os.Getpid()*64%(last-first) // another process begins elsewhere
)

// Take gives the first of n consecutive ports, even, that are free for UDP and
// TCP on 127.0.0.1 and that no other caller in this process was given.
func Take(n int) (int, error) {
	mu.Lock()
	defer mu.Unlock()
	for range last - first {
		start := next + next%2
		if start+n > last {
			next = first
			continue
		}
		if busy := taken(start, n); busy >= 0 {
			next = busy + 1
			continue
		}
		next = start + n
		return start, nil
	}
	return 0, fmt.Errorf("no %d free ports in a row between %d and %d", n, first, last)
}

// taken gives the first port of the run that is in use, or -1.
func taken(start, n int) int {
	for port := start; port < start+n; port++ {
		u, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4zero, Port: port})
		if err != nil {
			return port
		}
		_ = u.Close()
		l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4zero, Port: port})
		if err != nil {
			return port
		}
		_ = l.Close()
	}
	return -1
}
