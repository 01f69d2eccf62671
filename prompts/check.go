package prompts

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"axgate/media/wav"
)

// Bounds of files, in bytes.
const (
	MaxSize   = 2 << 20 // of a prompt (codes section 7)
	MaxSource = 6 << 20 // of a file to be converted
	maxName   = 128     // the API gives names String(1-128)
)

// MaxLength is what a prompt of MaxSize plays.
const MaxLength = (MaxSize - wav.HeaderSize) * time.Second / wav.Rate

const nameRule = `letters, digits and "- _ . @" only, ending in .wav`

// CheckName tells what is wrong with the name of a prompt file.
func CheckName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("the file has no name: use %s", nameRule)
	case len(name) > maxName:
		return fmt.Errorf("the name %.40q… has %d bytes: at most %d are allowed", name, len(name), maxName)
	case !plain(name):
		return fmt.Errorf("the name %q has other characters than it may: use %s", name, nameRule)
	case !strings.HasSuffix(name, ".wav") || name == ".wav":
		return fmt.Errorf("the name %q does not end in .wav: use %s", name, nameRule)
	}
	return nil
}

// plain tells whether a name consists of the allowed characters. No such name
// but "." and ".." leads out of its directory.
func plain(name string) bool {
	for _, c := range name {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.ContainsRune("-_.@", c):
		default:
			return false
		}
	}
	return true
}

// Check reads a prompt file as it must be: A-law, 8000 Hz, 64 kbit/s, mono,
// WAV, at most MaxSize, with a right name. An error begins with the name and
// tells what is wrong and what is right.
func Check(name string, b []byte) (wav.File, error) {
	if err := CheckName(name); err != nil {
		return wav.File{}, err
	}
	f, err := parse(b)
	if err != nil {
		return wav.File{}, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

func parse(b []byte) (wav.File, error) {
	if len(b) > MaxSize {
		return wav.File{}, fmt.Errorf("it has %d bytes: at most %d (2 MB) are allowed", len(b), MaxSize)
	}
	f, err := wav.Parse(b)
	if err != nil {
		return f, err
	}
	var wrong []string
	if f.Format != wav.ALaw {
		wrong = append(wrong, fmt.Sprintf("its encoding is %s, not A-law", f.Format))
	}
	if f.Rate != wav.Rate {
		wrong = append(wrong, fmt.Sprintf("its rate is %d Hz, not %d", f.Rate, wav.Rate))
	}
	if f.Channels != 1 {
		wrong = append(wrong, fmt.Sprintf("it has %d channels, not 1", f.Channels))
	}
	if f.Bits != 8 {
		wrong = append(wrong, fmt.Sprintf("its samples have %d bits, not 8", f.Bits))
	}
	if len(wrong) > 0 {
		return f, fmt.Errorf("%s: a prompt is A-law, %d Hz, 64 kbit/s, mono (it can be converted)", strings.Join(wrong, "; "), wav.Rate)
	}
	if len(f.Data) == 0 {
		return f, errors.New("there is no sound in it")
	}
	return f, nil
}
