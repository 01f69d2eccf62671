package logging

import (
	"io"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Lines gathers log lines and writes them together: a system call per line is
// a good part of what a call costs. A line waits 50 ms at most, and one that
// warns takes all before it along at once; only a process that is killed owes
// its last lines.
type Lines struct {
	mu    sync.Mutex
	w     io.Writer
	held  []byte
	timer *time.Timer // runs while something is held
}

const (
	linesWait = 50 * time.Millisecond
	linesHeld = 64 << 10 // bytes
)

// Gather makes a writer of lines to w. Close writes what it holds.
func Gather(w io.Writer) *Lines {
	l := &Lines{w: w}
	l.timer = time.AfterFunc(time.Hour, func() { _ = l.flush() })
	l.timer.Stop()
	return l
}

// Write takes a line. An error is that of writing lines, this one or earlier
// ones; they are lost then.
func (l *Lines) Write(line []byte) (int, error) { return l.WriteLevel(zerolog.InfoLevel, line) }

// WriteLevel takes a line of a level.
func (l *Lines) WriteLevel(level zerolog.Level, line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.held) == 0 {
		l.timer.Reset(linesWait)
	}
	l.held = append(l.held, line...)
	if level < zerolog.WarnLevel && len(l.held) < linesHeld {
		return len(line), nil
	}
	return len(line), l.out()
}

// Close writes what is held. Lines that come later are held and written as
// before.
func (l *Lines) Close() error { return l.flush() }

func (l *Lines) flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out()
}

func (l *Lines) out() error {
	l.timer.Stop()
	if len(l.held) == 0 {
		return nil
	}
	_, err := l.w.Write(l.held)
	l.held = l.held[:0]
	return err
}
