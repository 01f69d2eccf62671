//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/wave"
	"axgate/phone"
	"axgate/phone/hear"
)

// shipped is where the default prompts are, a file per scene.
const shipped = "../prompts/shipped"

// clips are the shipped prompts by scene: A-law, read from their files and not
// through the product's code.
var clips = sync.OnceValues(func() (map[string][]byte, error) {
	files, err := filepath.Glob(filepath.Join(shipped, "*.wav"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no prompts in %s: %w", shipped, err)
	}
	all := make(map[string][]byte)
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		w, err := wave.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if w.Format != wave.ALaw || w.Channels != 1 || w.Rate != 8000 {
			return nil, fmt.Errorf("%s is not A-law, mono, 8 kHz", path)
		}
		all[strings.TrimSuffix(filepath.Base(path), ".wav")] = w.Data
	}
	return all, nil
})

func (s *scene) clip(name string) []byte {
	s.Helper()
	all, err := clips()
	require.NoError(s, err)
	require.Contains(s, all, name)
	return all[name]
}

// thirds are the parts of clips, by the clip's name and 0, 1 or 2: a program
// that had to wait for the CPU leaves a gap, which is in one of them.
func thirds(clips map[string][]byte) map[string][]byte {
	parts := make(map[string][]byte)
	for name, clip := range clips {
		for i := range 3 {
			parts[fmt.Sprint(name, i)] = clip[i*len(clip)/3 : (i+1)*len(clip)/3]
		}
	}
	return parts
}

// playing is a prompt in what was heard: where it begins and ends, in samples.
type playing struct {
	name       string
	begin, end int
}

// played finds the prompts of which two parts of three were heard, in their places
// or later, if the program had to wait: by less than any prompt lasts, so that two
// playings are not one.
func played(heard []byte, clips map[string][]byte) []playing {
	var all []playing
	count := make(map[int]int) // parts by index in all
	for _, f := range hear.Recognise(heard, thirds(clips)) {
		name, part := f.Name[:len(f.Name)-1], int(f.Name[len(f.Name)-1]-'0')
		p := playing{name: name, begin: samples(f.At) - part*len(clips[name])/3}
		p.end = p.begin + len(clips[name])
		if n := len(all) - 1; n >= 0 && all[n].name == name && p.begin >= all[n].begin && p.begin < all[n].begin+samples(3*time.Second) {
			all[n].end = p.end
			count[n]++
			continue
		}
		all = append(all, p)
		count[len(all)-1] = 1
	}
	var whole []playing
	for i, p := range all {
		if count[i] >= 2 {
			whole = append(whole, p)
		}
	}
	return whole
}

// hearsPrompt waits until a party heard a prompt to its end.
func (s *scene) hearsPrompt(c *phone.Call, since time.Time, name string) {
	s.Helper()
	clip := s.clip(name)
	require.Eventually(s, func() bool {
		heard := c.Heard().Since(since)
		if len(heard) < len(clip) {
			return false
		}
		found := played(heard, map[string][]byte{name: clip})
		return len(found) > 0 && found[0].end <= len(heard)+samples(100*time.Millisecond)
	}, 2*step, 250*time.Millisecond, "the prompt %s is not heard", name)
}

// hint waits until a party heard the record hint.
func (s *scene) hint(c *phone.Call, since time.Time) {
	s.Helper()
	s.hearsPrompt(c, since, "record_hint")
}

// prompted checks which prompts a party heard in a call that is over, all of
// them in order and the last to its end.
func (s *scene) prompted(c *phone.Call, names ...string) {
	s.Helper()
	all, err := clips()
	require.NoError(s, err)
	heard := c.Heard().Audio
	var found []string
	end := 0
	for _, p := range played(heard, all) {
		found = append(found, p.name)
		end = p.end
	}
	require.Equal(s, names, found, "prompts in %.1f s of audio", float64(len(heard))/8000)
	require.LessOrEqual(s, end, len(heard)+samples(200*time.Millisecond), "the last prompt was cut short")
}

func samples(d time.Duration) int { return int(d * 8000 / time.Second) }

func duration(alaw []byte) time.Duration { return time.Duration(len(alaw)) * time.Second / 8000 }
