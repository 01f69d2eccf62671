package wire

import (
	"io"
	"log/slog"
	"time"

	"github.com/emiago/sipgo/sip"
)

// sipgo tells of headers that it cannot read, with real numbers in them: nobody
// listens. It reads its logger from a package variable, so this is set before
// anything runs.
func init() {
	sip.SetDefaultLogger(slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError + 4})))
}

// pace sets T1 and the timers that are made of it, which transactions read
// while they run: they are written only if they change.
func pace(t1 time.Duration) {
	if t1 != 0 && t1 != sip.T1 {
		sip.SetTimers(t1, sip.T2, sip.T4)
	}
}
