// Package wave reads WAV files for tests, so that what the product writes is
// not judged by the product's own code.
package wave

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ALaw is the format tag of G.711 A-law.
const ALaw = 6

// File is a WAV file.
type File struct {
	Format, Channels, Rate, Bits int
	Data                         []byte
}

// Parse takes a whole file apart. Every size in it has to be right.
func Parse(b []byte) (File, error) {
	var f File
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return f, errors.New("no RIFF WAVE")
	}
	if size := int(binary.LittleEndian.Uint32(b[4:])); size != len(b)-8 {
		return f, fmt.Errorf("RIFF size %d in a file of %d bytes", size, len(b))
	}
	for rest := b[12:]; len(rest) > 0; {
		if len(rest) < 8 {
			return f, errors.New("a chunk is cut off")
		}
		name, size := string(rest[:4]), int(binary.LittleEndian.Uint32(rest[4:]))
		rest = rest[8:]
		if size > len(rest) {
			return f, fmt.Errorf("chunk %q of %d bytes is cut off", name, size)
		}
		switch name {
		case "fmt ":
			if size < 16 {
				return f, errors.New("a fmt chunk is too short")
			}
			f.Format = int(binary.LittleEndian.Uint16(rest))
			f.Channels = int(binary.LittleEndian.Uint16(rest[2:]))
			f.Rate = int(binary.LittleEndian.Uint32(rest[4:]))
			f.Bits = int(binary.LittleEndian.Uint16(rest[14:]))
		case "data":
			f.Data = rest[:size]
		}
		rest = rest[min(size+size%2, len(rest)):]
	}
	if f.Format == 0 || f.Data == nil {
		return f, errors.New("no fmt or no data")
	}
	return f, nil
}

// Channel gives one channel of 8-bit audio.
func (f File) Channel(n int) []byte {
	out := make([]byte, 0, len(f.Data)/f.Channels)
	for i := n; i < len(f.Data); i += f.Channels {
		out = append(out, f.Data[i])
	}
	return out
}
