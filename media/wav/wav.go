// Package wav reads WAV files and writes A-law ones: RIFF with a fmt chunk as
// Microsoft's "Multimedia Programming Interface and Data Specifications 1.0"
// and RFC 2361 have it.
package wav

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// Format is the encoding of the samples, as the fmt chunk numbers it.
type Format uint16

// The encodings that Read tells by name.
const (
	PCM   Format = 1 // integers, 8 bits unsigned, 16 to 32 bits signed, little-endian
	Float Format = 3 // IEEE 754, little-endian
	ALaw  Format = 6 // G.711 A-law
	MuLaw Format = 7 // G.711 µ-law

	extensible Format = 0xFFFE // the encoding is the beginning of a GUID
)

// String is the name of the encoding.
func (f Format) String() string {
	switch f {
	case PCM:
		return "PCM"
	case Float:
		return "floating point"
	case ALaw:
		return "A-law"
	case MuLaw:
		return "µ-law"
	}
	return fmt.Sprintf("encoding %d", uint16(f))
}

// File is a WAV file that was read.
type File struct {
	Format   Format
	Bits     int // of a sample
	Rate     int // samples per second and channel
	Channels int
	Data     []byte // samples, those of the channels in turn
}

// frame is the number of bytes of one sample of all channels.
func (f *File) frame() int { return f.Bits / 8 * f.Channels }

// Duration is the playing time.
func (f *File) Duration() time.Duration {
	if f.frame() == 0 || f.Rate == 0 {
		return 0
	}
	return time.Duration(len(f.Data)/f.frame()) * time.Second / time.Duration(f.Rate)
}

// Bounds of what a fmt chunk may say; more is not audio of telephones.
const (
	maxChannels = 16
	maxRate     = 384_000
	maxChunks   = 64 // before the samples
)

// Read reads a WAV file of at most max bytes. An error tells what is wrong. A
// data chunk that is longer than the file is an error too; one whose length is
// unknown (0xFFFFFFFF) goes to the end.
func Read(r io.Reader, max int64) (File, error) {
	b, err := io.ReadAll(io.LimitReader(r, max+1))
	if err != nil {
		return File{}, fmt.Errorf("read a WAV file: %w", err)
	}
	if int64(len(b)) > max {
		return File{}, fmt.Errorf("the file is larger than %d bytes", max)
	}
	return Parse(b)
}

// Parse is Read for a file that is in memory already; Data is a part of b.
func Parse(b []byte) (File, error) {
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return File{}, fmt.Errorf("not a WAV file: it does not begin with RIFF and WAVE")
	}
	var f File
	known := false
	rest := b[12:]
	for range maxChunks {
		if len(rest) < 8 {
			return File{}, fmt.Errorf("the WAV file ends after %d bytes without a data chunk", len(b))
		}
		id, size := string(rest[:4]), int64(binary.LittleEndian.Uint32(rest[4:]))
		rest = rest[8:]
		if id == "data" && size == 0xFFFFFFFF {
			size = int64(len(rest))
		}
		if size > int64(len(rest)) {
			return File{}, fmt.Errorf("the %q chunk says it has %d bytes, but the file has only %d more", id, size, len(rest))
		}
		switch id {
		case "fmt ":
			if err := f.format(rest[:size]); err != nil {
				return File{}, err
			}
			known = true
		case "data":
			if !known {
				return File{}, fmt.Errorf("the WAV file has samples before its fmt chunk")
			}
			f.Data = rest[:size-size%int64(f.frame())]
			return f, nil
		}
		rest = rest[min(size+size&1, int64(len(rest))):] // chunks begin at even places
	}
	return File{}, fmt.Errorf("the WAV file has more than %d chunks before its samples", maxChunks)
}

// format reads a fmt chunk.
func (f *File) format(b []byte) error {
	if len(b) < 16 {
		return fmt.Errorf("the fmt chunk has %d bytes, at least 16 are needed", len(b))
	}
	f.Format = Format(binary.LittleEndian.Uint16(b))
	if f.Format == extensible && len(b) >= 26 {
		f.Format = Format(binary.LittleEndian.Uint16(b[24:]))
	}
	f.Channels = int(binary.LittleEndian.Uint16(b[2:]))
	f.Rate = int(binary.LittleEndian.Uint32(b[4:]))
	f.Bits = int(binary.LittleEndian.Uint16(b[14:]))
	switch {
	case f.Channels < 1 || f.Channels > maxChannels:
		return fmt.Errorf("the WAV file has %d channels, 1 to %d are possible", f.Channels, maxChannels)
	case f.Rate < 1 || f.Rate > maxRate:
		return fmt.Errorf("the WAV file has %d samples per second, 1 to %d are possible", f.Rate, maxRate)
	case f.Bits != 8 && f.Bits != 16 && f.Bits != 24 && f.Bits != 32 && f.Bits != 64:
		return fmt.Errorf("the WAV file has samples of %d bits, 8, 16, 24, 32 or 64 are possible", f.Bits)
	}
	return nil
}

// HeaderSize is the length in bytes of what Header makes.
const HeaderSize = 58

// Rate is the sampling rate of telephones, in Hz.
const Rate = 8000

// Header is all that stands before the samples of an A-law file of 8 kHz: RIFF,
// fmt, fact and the head of the data chunk. frames counts the samples of one
// channel; what is too much for the format is cut.
func Header(channels int, frames int64) [HeaderSize]byte {
	data := min(frames*int64(channels), 0xFFFFFFFF-HeaderSize)
	var h [HeaderSize]byte
	put16 := func(at int, v int) { binary.LittleEndian.PutUint16(h[at:], uint16(v)) }
	put32 := func(at int, v int64) { binary.LittleEndian.PutUint32(h[at:], uint32(v)) }
	copy(h[0:], "RIFF")
	put32(4, HeaderSize-8+data+data&1)
	copy(h[8:], "WAVEfmt ")
	put32(16, 18)
	put16(20, int(ALaw))
	put16(22, channels)
	put32(24, Rate)
	put32(28, Rate*int64(channels))
	put16(32, channels)
	put16(34, 8)
	copy(h[38:], "fact")
	put32(42, 4)
	put32(46, data/int64(channels))
	copy(h[50:], "data")
	put32(54, data)
	return h
}

// Write writes an A-law file of 8 kHz; the samples of the channels come in
// turn.
func Write(w io.Writer, channels int, alaw []byte) error {
	h := Header(channels, int64(len(alaw)/channels))
	b := append(h[:], alaw...)
	if len(alaw)%2 == 1 {
		b = append(b, 0) // chunks have an even length
	}
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("write a WAV file: %w", err)
	}
	return nil
}
