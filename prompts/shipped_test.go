package prompts

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/zaf/g711"

	"axgate/media/wav"
	"axgate/phone/hear"
	"axgate/routing"
)

// TestShipped: the files of section 4 are there and no others, right by their
// own rules, short, and as loud as announcements are.
func TestShipped(t *testing.T) {
	want := []string{"no_permission.wav", "no_binding.wav", "service_exception.wav", "enter_extension.wav", "extension_wrong.wav",
		"no_callback.wav", "record_hint.wav", "busy.wav"}
	var names []string
	for _, s := range Defaults() {
		names = append(names, s.Name)
		f, err := Check(s.Name, s.WAV)
		require.NoError(t, err)
		require.Equal(t, s.ALaw, f.Data)
		sounds(t, s.Name, &f, 10*time.Second)

		name, alaw, ok := Default(s.Scene)
		require.True(t, ok)
		require.Equal(t, s.Name, name)
		require.Equal(t, s.ALaw, alaw)
	}
	require.Equal(t, want, names)
	files, err := embedded.ReadDir("shipped")
	require.NoError(t, err)
	require.Len(t, files, len(want), "a file that no scene has")
	for _, none := range []routing.Scene{routing.SceneWrongAgain, routing.SceneNothing, routing.SceneWaiting, routing.SceneNone} {
		_, _, ok := Default(none)
		require.False(t, ok, none)
	}
}

// TestSamples: what labs may upload as pre-call and last-minute prompts. A
// pre-call prompt is cut after 5 s (codes section 7).
func TestSamples(t *testing.T) {
	files, err := filepath.Glob("samples/*.wav")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, path := range files {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		f, err := Check(filepath.Base(path), b)
		require.NoError(t, err)
		sounds(t, path, &f, 5*time.Second)
	}
}

func sounds(t *testing.T, name string, f *wav.File, most time.Duration) {
	t.Helper()
	require.Greater(t, f.Duration(), 2*time.Second, name)
	require.LessOrEqual(t, f.Duration(), most, name)
	sum := 0.0
	for _, b := range f.Data {
		v := float64(g711.DecodeAlawFrame(b)) / 32768
		sum += v * v
	}
	require.InDelta(t, -16, 10*math.Log10(sum/float64(len(f.Data))), 3, "%s: level in dB below full scale", name)
}

// TestPromptsAreTold: who hears one prompt does not take it for another, nor
// for a part of another.
func TestPromptsAreTold(t *testing.T) {
	clips := map[string][]byte{}
	for _, s := range Defaults() {
		clips[s.Name] = s.ALaw
	}
	for _, name := range []string{"please_wait.wav", "last_minute.wav"} {
		b, err := os.ReadFile("samples/" + name)
		require.NoError(t, err)
		f, err := wav.Parse(b)
		require.NoError(t, err)
		clips[name] = f.Data
	}
	for a, heard := range clips {
		for b, said := range clips {
			if a < b {
				peak, _ := hear.Correlate(heard, said)
				require.Less(t, peak, 0.4, "%s and %s: from 0.6 on they count as the same", a, b)
			}
		}
	}
}

// TestAliases: names that clients bring from the service they knew.
func TestAliases(t *testing.T) {
	for alias, name := range map[string]string{"extendNumInputDefault.wav": "enter_extension.wav", "extendNumErrorDefault.wav": "extension_wrong.wav"} {
		s, ok := ByName(alias)
		require.True(t, ok)
		require.Equal(t, name, s.Name)
	}
	_, ok := ByName("other.wav")
	require.False(t, ok)
}
