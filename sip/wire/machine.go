package wire

import (
	"io"
	"log/slog"
	"time"

	"github.com/emiago/sipgo/sip"
)

// quiet takes what sipgo has to say: it logs messages raw, with real numbers.
var quiet = slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError + 4}))

// sipgo reads its timers and its logger from package variables, so these are
// set before anything runs. The machine of an accepted INVITE is ended by hand,
// and its timer M cannot be stopped: the shortest one keeps the least memory.
func init() {
	sip.Timer_M = time.Millisecond
	sip.SetDefaultLogger(quiet)
}

// pace sets T1 and the timers that are made of it, which sipgo's machines read
// while they run: they are written only if they change.
func pace(t1 time.Duration) {
	if t1 == 0 || t1 == sip.T1 {
		return
	}
	sip.SetTimers(t1, sip.T2, sip.T4)
	sip.Timer_M = time.Millisecond
}
