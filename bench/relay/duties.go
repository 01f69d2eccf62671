package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A masked call asks once for its binding and leaves a line that outlives the
// machine. duties does both as cheaply as it can be done: one command to Redis on
// a socket of its own, and lines that nobody waits for.

// lookup asks Redis, one command at a time.
type lookup struct {
	fd      int
	command []byte
	answer  [512]byte
}

func openLookup(at netip.AddrPort) (*lookup, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	if err == nil {
		err = unix.Connect(fd, &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()})
	}
	if err != nil {
		return nil, fmt.Errorf("reach Redis at %v: %w", at, err)
	}
	return &lookup{fd: fd}, nil
}

// ask waits for the answer to a GET.
func (l *lookup) ask(key []byte) error {
	l.command = fmt.Appendf(l.command[:0], "*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", len(key), key)
	if _, err := unix.Write(l.fd, l.command); err != nil {
		return fmt.Errorf("ask Redis: %w", err)
	}
	n, err := unix.Read(l.fd, l.answer[:])
	if err == nil && n == 0 {
		err = errors.New("it hung up")
	}
	if err != nil {
		return fmt.Errorf("hear Redis: %w", err)
	}
	return nil
}

// record is a file of lines, synced every syncEvery while there are any.
type record struct {
	file *os.File
	mu   sync.Mutex
	text []byte
}

const syncEvery = 20 * time.Millisecond

func openRecord(path string) (*record, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	r := &record{file: file}
	go r.keep()
	return r, nil
}

func (r *record) note(what string, call []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text = fmt.Appendf(r.text, "%d %s %s\n", time.Now().UnixNano(), what, call)
}

// keep writes and syncs until that fails, which ends the program.
func (r *record) keep() {
	var lines []byte
	for range time.Tick(syncEvery) {
		r.mu.Lock()
		lines, r.text = r.text, lines[:0]
		r.mu.Unlock()
		if len(lines) == 0 {
			continue
		}
		_, err := r.file.Write(lines)
		if err == nil {
			err = unix.Fdatasync(int(r.file.Fd()))
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "relay: keep the record:", err)
			os.Exit(1)
		}
	}
}
