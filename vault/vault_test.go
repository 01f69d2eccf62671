package vault

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func line(t require.TestingT, id string) string {
	text, err := NewKey(id)
	require.NoError(t, err)
	return text
}

func ring(t require.TestingT, lines ...string) *Ring {
	r, err := ReadRing(strings.NewReader(strings.Join(lines, "\n")))
	require.NoError(t, err)
	return r
}

// TestRing: what is no key is told without repeating it.
func TestRing(t *testing.T) {
	a, b := line(t, "a"), line(t, "b")
	r := ring(t, "# keys", a, "", b)
	require.Equal(t, "b", r.Newest())
	require.Equal(t, []string{"a", "b"}, r.IDs())
	require.Nil(t, ring(t, "# none"))
	for text, want := range map[string]string{
		a + "\n" + a: "two keys a", "c:" + a[2:40]: "key c: use 32 bytes", a[2:]: "it is no key", "a b:" + a[2:]: "no key", "a:!": "32 bytes", strings.Repeat("a", 33) + a[1:]: "no key",
	} {
		_, err := ReadRing(strings.NewReader(text))
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), a[2:20])
	}
	file := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.WriteFile(file, []byte(a), 0o600)) // no line feed at the end
	r, err := OpenRing(file, b)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, r.IDs())
	_, err = OpenRing(file+"x", "")
	require.Error(t, err)
	_, err = NewKey("a b")
	require.Error(t, err)
}

// TestText: a text opens where it was put with any ring that has its key, and
// nowhere else.
func TestText(t *testing.T) {
	a, b := line(t, "a"), line(t, "b")
	old, both := ring(t, a), ring(t, a, b)
	sealed, err := old.SealText("place", "secret ☎")
	require.NoError(t, err)
	require.NotContains(t, sealed, "secret ☎")
	again, err := old.SealText("place", "secret ☎")
	require.NoError(t, err)
	require.NotEqual(t, sealed, again)
	for _, r := range []*Ring{old, both} {
		text, err := r.OpenText("place", sealed)
		require.NoError(t, err)
		require.Equal(t, "secret ☎", text)
	}
	require.False(t, old.Stale(sealed))
	require.True(t, both.Stale(sealed))
	require.True(t, old.Stale("plain"))
	require.False(t, (*Ring)(nil).Stale("plain"))

	_, err = old.OpenText("another place", sealed)
	require.ErrorIs(t, err, ErrWrongKey)
	_, err = ring(t, b).OpenText("place", sealed)
	require.ErrorIs(t, err, ErrNoKey)
	require.ErrorContains(t, err, "add key")
	_, err = (*Ring)(nil).OpenText("place", sealed)
	require.ErrorIs(t, err, ErrNoKey)
	_, err = ring(t, line(t, "a")).OpenText("place", sealed)
	require.ErrorIs(t, err, ErrWrongKey)
	for i := len(mark) + 2; i < len(sealed); i++ {
		changed := []byte(sealed)
		changed[i] ^= 1
		_, err = old.OpenText("place", string(changed))
		require.Error(t, err, i)
	}
	for _, r := range []*Ring{nil, old} {
		text, err := r.OpenText("place", "plain")
		require.NoError(t, err)
		require.Equal(t, "plain", text)
	}
}

// TestFile: whatever was written in whatever pieces is read, whole and in
// parts; what was cut off or changed anywhere is noticed.
func TestFile(t *testing.T) {
	r := ring(t, line(t, "a"))
	rapid.Check(t, func(t *rapid.T) {
		var file, content bytes.Buffer
		w, err := r.NewWriter(&file, "a.wav", 2)
		require.NoError(t, err)
		for _, n := range rapid.SliceOfN(rapid.SampledFrom([]int{0, 1, 100, chunkSize - 1, chunkSize, chunkSize + 1, 3 * chunkSize}), 0, 6).Draw(t, "pieces") {
			p := bytes.Repeat([]byte{byte(n), byte(n >> 3), 7}, n/3+1)[:n]
			content.Write(p)
			_, err := w.Write(p)
			require.NoError(t, err)
		}
		require.NoError(t, w.Finish([]byte("head"), []byte("tail")))
		want := "head" + content.String() + "tail"
		open := func(b []byte) (string, error) {
			x, err := r.NewReader(bytes.NewReader(b), int64(len(b)), "a.wav")
			if err != nil {
				return "", err
			}
			all, err := io.ReadAll(x)
			return string(all), err
		}
		got, err := open(file.Bytes())
		require.NoError(t, err)
		require.True(t, want == got)

		x, err := r.NewReader(bytes.NewReader(file.Bytes()), int64(file.Len()), "a.wav")
		require.NoError(t, err)
		require.EqualValues(t, len(want), x.Size())
		from := rapid.IntRange(0, len(want)).Draw(t, "from")
		_, err = x.Seek(int64(from), io.SeekStart)
		require.NoError(t, err)
		part, err := io.ReadAll(io.LimitReader(x, 100))
		require.NoError(t, err)
		require.Equal(t, want[from:min(from+100, len(want))], string(part))

		cut := rapid.IntRange(0, file.Len()-1).Draw(t, "cut")
		_, err = open(file.Bytes()[:cut])
		require.Error(t, err)
		at := rapid.IntRange(len(magic)+1+slotSize*2, file.Len()-1).Draw(t, "changed")
		changed := bytes.Clone(file.Bytes())
		changed[at] ^= 1
		_, err = open(changed)
		require.Error(t, err)
		_, err = r.NewReader(bytes.NewReader(file.Bytes()), int64(file.Len()), "b.wav")
		require.ErrorIs(t, err, ErrWrongKey, "under another name")
	})
}

// TestResume: of a file that a crash has left all whole chunks are kept.
func TestResume(t *testing.T) {
	r := ring(t, line(t, "a"))
	path := filepath.Join(t.TempDir(), "a.wav.part")
	var file bytes.Buffer
	w, err := r.NewWriter(&file, "a.wav", 1)
	require.NoError(t, err)
	content := bytes.Repeat([]byte("0123456789abcdef"), 3*chunkSize/16)
	_, err = w.Write(content)
	require.NoError(t, err)
	whole := file.Len()
	require.NoError(t, w.Finish(nil, nil))
	for size, chunks := range map[int]int{headerSize: 0, headerSize + 1: 0, headerSize + sealedSize - 1: 0, headerSize + sealedSize: 1, whole - 1: 2, whole: 3, whole + 30: 3, file.Len(): 3} {
		require.NoError(t, os.WriteFile(path, file.Bytes()[:size], 0o600))
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		require.NoError(t, err)
		w, kind, err := r.Resume(f, "a.wav")
		require.NoError(t, err)
		require.EqualValues(t, 1, kind)
		require.EqualValues(t, chunks*chunkSize, w.Bytes())
		require.NoError(t, w.Finish([]byte("h"), nil))
		info, err := f.Stat()
		require.NoError(t, err)
		x, err := r.NewReader(f, info.Size(), "a.wav")
		require.NoError(t, err)
		got, err := io.ReadAll(x)
		require.NoError(t, err)
		require.Equal(t, "h"+string(content[:chunks*chunkSize]), string(got))
		require.NoError(t, f.Close())
	}
	require.NoError(t, os.WriteFile(path, file.Bytes()[:headerSize-1], 0o600))
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	defer f.Close()
	_, _, err = r.Resume(f, "a.wav")
	require.ErrorIs(t, err, ErrTruncated)
}

// TestRewrap: wherever it is cut off, the file can be opened with the keys that
// there were; once it is done the old key is of no use.
func TestRewrap(t *testing.T) {
	a, b := line(t, "a"), line(t, "b")
	old, both, newest := ring(t, a), ring(t, a, b), ring(t, b)
	path := filepath.Join(t.TempDir(), "a.wav")
	var file bytes.Buffer
	require.NoError(t, old.Encrypt(&file, strings.NewReader("content"), "a.wav", 0))
	opens := func(r *Ring, b []byte) error {
		x, err := r.NewReader(bytes.NewReader(b), int64(len(b)), "a.wav")
		if err != nil {
			return err
		}
		all, err := io.ReadAll(x)
		if err == nil && string(all) != "content" {
			err = errors.New("it is another content")
		}
		return err
	}
	require.NoError(t, os.WriteFile(path, file.Bytes(), 0o600))
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	defer f.Close()
	require.True(t, both.StaleFile(f))
	require.NoError(t, both.Rewrap(f, "a.wav"))
	require.False(t, both.StaleFile(f))
	require.Equal(t, []string{"b", "b"}, FileKeys(f))
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, opens(newest, after))
	require.ErrorIs(t, opens(old, after), ErrNoKey)
	require.Equal(t, file.Bytes()[headerSize:], after[headerSize:], "the content stays")

	first := len(magic) + 1
	for cut := range slotSize + 1 { // of the second slot, then of the first
		state := bytes.Clone(file.Bytes())
		copy(state[first+slotSize:][:cut], after[first+slotSize:])
		require.NoError(t, opens(both, state), cut)
		copy(state[first+slotSize:], after[first+slotSize:headerSize])
		copy(state[first:][:cut], after[first:])
		require.NoError(t, opens(both, state), cut)
	}
	require.NoError(t, os.WriteFile(path, []byte("RIFF plain"), 0o600))
	require.True(t, both.StaleFile(f))
	require.Empty(t, FileKeys(f))
}
