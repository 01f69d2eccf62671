package record

import "time"

type WriterOptions struct {
	Workers int
	Backlog int
	Sync    bool
}
type Writer struct{}

func Open(o WriterOptions) *Writer                     { panic("declaration only") }
func (w *Writer) Create(o Options) (*Recording, error) { panic("declaration only") }
func (w *Writer) Close() error                         { panic("declaration only") }

type Options struct {
	Dir, Name string
	Start     time.Time // when the talk began; zero: now
	Stereo    bool
	MinTalk   time.Duration
}
type Recording struct{}

func (r *Recording) Write(side int, ssrc, rtpTime uint32, arrival time.Time, alaw []byte) {
	panic("declaration only")
}
func (r *Recording) Close(end time.Time) (Result, error) { panic("declaration only") }

type Result struct {
	Path     string
	Start    time.Time
	Duration time.Duration
	Bytes    int64
	Lost     time.Duration
}

func Repair(dir string) ([]Result, error) { panic("declaration only") }
