package record

import (
	"errors"
	"path/filepath"
	"time"

	"axgate/media/wav"
)

// A buffer holds a piece that goes to the disk when the talk is a window
// beyond it: so late a packet may come, or one leg be behind the other.
const (
	pieceFrames  = 4 << 10
	windowFrames = 8 << 10
	bufferFrames = pieceFrames + windowFrames
)

// longest bounds the length of a file against a clock that was set: twice what
// a call may last.
const longest = 48 * time.Hour

// Recording is the recording of one call. Write and Close belong to one
// goroutine at a time, the call's media worker until Close.
type Recording struct {
	writer   *Writer
	queue    *queue
	file     *file
	start    time.Time
	begun    time.Time // of the first part; zero: this is it
	talk     time.Time
	minTalk  time.Duration
	channels int

	lanes [2]lane
	buf   []byte // frames from base on
	base  int64
	owed  int64 // silent frames to be written before the next piece
	lost  int64 // of them, those that were to be audio
	ended bool
}

func hush(b []byte) {
	for n := copy(b, quiet); n < len(b); {
		n += copy(b[n:], quiet)
	}
}

// Write takes the audio of one packet of a side: 0 the caller, 1 the callee.
// It never waits.
func (r *Recording) Write(side int, ssrc, rtpTime uint32, arrival time.Time, alaw []byte) {
	if side < 0 || side > 1 || r.ended || len(alaw) == 0 || len(alaw) > windowFrames {
		return
	}
	now := int64(arrival.Sub(r.start)) * wav.Rate / int64(time.Second)
	at := r.lanes[side].place(ssrc, rtpTime, now, len(alaw))
	r.reach(at + int64(len(alaw)))
	for _, f := range r.lanes[side].take(at, at+int64(len(alaw))) {
		r.lay(side, f.from, alaw[f.from-at:f.to-at])
	}
}

// lay puts samples of a side into the buffer; what is too late is left out.
func (r *Recording) lay(side int, at int64, alaw []byte) {
	if at < r.base {
		alaw = alaw[min(int64(len(alaw)), r.base-at):]
		at = r.base
	}
	to := r.buf[(at-r.base)*int64(r.channels):]
	if r.channels == 1 {
		mix(to, alaw)
		return
	}
	for i, s := range alaw {
		to[2*i+side] = s
	}
}

// reach makes room in the buffer for the frames before end.
func (r *Recording) reach(end int64) {
	for handed := int64(0); end > r.base+bufferFrames; handed += pieceFrames {
		if handed >= bufferFrames { // nobody was heard for long, and the buffer has nothing any more
			gap := end - windowFrames - r.base
			r.owed += gap
			r.base += gap
			return
		}
		r.piece()
	}
}

// piece hands the first piece of the buffer to the disk, as a copy: while that waits, the buffer goes on with the rest. A
// disk that is too slow gets silence to write instead.
func (r *Recording) piece() {
	stock := &pieces[r.channels-1]
	piece := stock.take()
	copy(piece, r.buf)
	hush(r.buf[copy(r.buf, r.buf[len(piece):]):])
	r.base += pieceFrames
	if r.writer.offer(r.queue, job{file: r.file, silence: r.owed, piece: piece}) {
		r.owed = 0
		return
	}
	stock.back(piece)
	r.owed, r.lost = r.owed+pieceFrames, r.lost+pieceFrames
}

// Close ends the recording at an instant: the file is made as long as the talk
// was from the first sample on, or removed if the talk was too short. It waits
// for the disk.
func (r *Recording) Close(end time.Time) (Result, error) {
	if r.ended {
		return Result{}, errors.New("the recording was ended already")
	}
	r.ended = true
	r.writer.open.Add(-1)
	r.writer.locked.closes(r.file.f)
	total := int64(min(max(end.Sub(r.start), 0), longest)) * wav.Rate / int64(time.Second)
	r.reach(total)
	last := r.buf[:max(total-r.base, 0)*int64(r.channels)]
	done := make(chan struct{})
	err := r.writer.put(r.queue, job{file: r.file, silence: r.owed, piece: last, done: done})
	if err != nil { // what was queued before is still written, and is Repair's
		r.free()
		r.writer.workers.Wait()
		return Result{}, errors.Join(err, r.file.f.Close())
	}
	<-done
	r.free()
	r.writer.finishing <- struct{}{}
	result, err := r.file.finish(end.Sub(r.talk) >= r.minTalk && (total > 0 || r.file.further))
	<-r.writer.finishing
	if r.writer.sync && result.Path != "" {
		err = errors.Join(err, r.writer.directories.keep(filepath.Dir(result.Path)))
	}
	if result.Path != "" {
		result.Start, result.Lost = r.start, span(r.lost)
		if !r.begun.IsZero() {
			result.Start = r.begun.Add(result.Missing)
		}
	}
	return result, err
}

// Abandon leaves the recording as it stands on the disk, since another process goes
// on with it.
func (r *Recording) Abandon() {
	if r.ended {
		return
	}
	r.ended = true
	r.writer.open.Add(-1)
	r.writer.locked.closes(r.file.f)
	r.free()
	done := make(chan struct{})
	if err := r.writer.put(r.queue, job{file: r.file, done: done}); err != nil {
		r.writer.workers.Wait()
	} else {
		<-done
	}
	_ = r.file.f.Close() // what is in it is the other's concern
}

// free gives the buffer back.
func (r *Recording) free() {
	buffers[r.channels-1].back(r.buf)
	r.buf = nil
}
