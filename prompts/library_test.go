package prompts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/media/wav"
	"axgate/routing"
)

// The B2BUA plays what it finds through this.
var _ interface {
	Clip(app *routing.App, file string, scene routing.Scene) (name string, alaw []byte, ok bool)
} = (*Library)(nil)

// shelf is a directory of prompts with its reviews.
type shelf struct {
	t   *testing.T
	dir *Dir
	log bytes.Buffer

	mu       sync.Mutex
	approved []Approved
	err      error
}

func newShelf(t *testing.T) *shelf {
	dir, err := OpenDir(filepath.Join(t.TempDir(), "prompts"))
	require.NoError(t, err)
	return &shelf{t: t, dir: dir}
}

// sound is an A-law file of n samples of one value.
func sound(value byte, n int) []byte {
	return file(wav.ALaw, 8, 8000, 1, bytes.Repeat([]byte{value}, n))
}

// put uploads a file and approves it.
func (s *shelf) put(app, name string, b []byte) {
	s.t.Helper()
	require.NoError(s.t, s.dir.Put(app, name, b))
	s.approve(Approved{App: app, Name: name, SHA256: Sum(b)})
}

func (s *shelf) approve(a Approved) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.approved = append(s.approved, a)
}

func (s *shelf) list(context.Context) ([]Approved, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Approved(nil), s.approved...), s.err
}

func (s *shelf) open(memory int64) *Library {
	s.t.Helper()
	l, err := Open(context.Background(), Options{Dir: s.dir, Approved: s.list, Memory: memory, Log: zerolog.New(&s.log)})
	require.NoError(s.t, err)
	return l
}

func TestClip(t *testing.T) {
	s := newShelf(t)
	s.put("app", "own.wav", sound(1, 100))
	s.put("app", "bound.wav", sound(2, 100))
	s.put("other", "theirs.wav", sound(3, 100))
	require.NoError(t, s.dir.Put("app", "pending.wav", sound(4, 100)))
	l := s.open(0)
	app := &routing.App{Key: "app", Prompts: map[routing.Scene]string{routing.SceneNoBinding: "own.wav", routing.SceneFault: "pending.wav", routing.SceneEnter: "gone.wav"},
		Defaults: map[routing.Scene]bool{routing.SceneNoBinding: true, routing.SceneFault: true}}
	for _, c := range []struct {
		name  string
		app   *routing.App
		file  string
		scene routing.Scene
		want  string // empty: silence
		value byte   // of its samples; 0: the shipped file
	}{
		{"the app's own", app, "", routing.SceneNoBinding, "own.wav", 1},
		{"the binding's", app, "bound.wav", routing.SceneNoCallback, "bound.wav", 2},
		{"the binding's, no scene", app, "bound.wav", routing.SceneNone, "bound.wav", 2},
		{"a shipped one that the binding names", app, "busy.wav", routing.SceneNoCallback, "busy.wav", 0},
		{"by another name", app, "extendNumErrorDefault.wav", routing.SceneNone, "extension_wrong.wav", 0},
		{"not approved: the shipped one", app, "", routing.SceneFault, "service_exception.wav", 0},
		{"not approved, named by the binding", app, "pending.wav", routing.SceneNone, "", 0},
		{"of another app", app, "theirs.wav", routing.SceneNone, "", 0},
		{"gone: the shipped one", app, "", routing.SceneEnter, "enter_extension.wav", 0},
		{"gone, asked again", app, "", routing.SceneWrongAgain, "enter_extension.wav", 0},
		{"gone, named by the binding: as if it did not", app, "gone.wav", routing.SceneNoBinding, "own.wav", 1},
		{"record hint", app, "gone.wav", routing.SceneRecordHint, "record_hint.wav", 0},
		{"unset", app, "", routing.SceneNoPermission, "", 0},
		{"nothing at all", app, "", routing.SceneNone, "", 0},
		{"busy", app, "", routing.SceneBusy, "busy.wav", 0},
		{"nobody's X", nil, "own.wav", routing.SceneFault, "", 0},
		{"nobody's X, busy", nil, "", routing.SceneBusy, "busy.wav", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			name, alaw, ok := l.Clip(c.app, c.file, c.scene)
			require.Equal(t, c.want, name)
			require.Equal(t, c.want != "", ok)
			switch {
			case c.value != 0:
				require.Equal(t, bytes.Repeat([]byte{c.value}, 100), alaw)
			case ok:
				s, _ := ByName(name)
				require.Equal(t, s.ALaw, alaw)
			default:
				require.Empty(t, alaw)
			}
		})
	}
}

func TestBusyTone(t *testing.T) {
	s := newShelf(t)
	s.put("app", "own.wav", sound(1, 100))
	l, err := Open(context.Background(), Options{Dir: s.dir, Approved: s.list, BusyTone: true})
	require.NoError(t, err)
	_, _, ok := l.Clip(&routing.App{Key: "app"}, "", routing.SceneBusy)
	require.False(t, ok)
	name, _, _ := l.Clip(&routing.App{Key: "app"}, "busy.wav", routing.SceneNoCallback)
	require.Equal(t, "busy.wav", name)
}

// TestRefresh: reviews, deletions and new files of an old name take effect, a
// call that plays the old one keeps it.
func TestRefresh(t *testing.T) {
	s := newShelf(t)
	l := s.open(0)
	app := &routing.App{Key: "app"}
	clip := func() []byte { _, b, _ := l.Clip(app, "a.wav", routing.SceneNone); return b }
	refresh := func() { require.NoError(t, l.Refresh(context.Background())) }
	require.Nil(t, clip())

	s.put("app", "a.wav", sound(1, 10))
	require.Nil(t, clip(), "approved, but not told")
	refresh()
	first := clip()
	require.Equal(t, bytes.Repeat([]byte{1}, 10), first)

	require.NoError(t, s.dir.Put("app", "a.wav", sound(2, 20))) // uploaded anew, not reviewed
	s.approved = nil
	refresh()
	require.Nil(t, clip())
	s.approve(Approved{App: "app", Name: "a.wav", SHA256: Sum(sound(2, 20))})
	refresh()
	require.Equal(t, bytes.Repeat([]byte{2}, 20), clip())
	require.Equal(t, bytes.Repeat([]byte{1}, 10), first)

	s.err = errors.New("no database")
	require.ErrorContains(t, l.Refresh(context.Background()), "no database")
	require.Equal(t, bytes.Repeat([]byte{2}, 20), clip(), "what was known stands")
}

// TestOnlyReviewedBytes: a file that was changed after its review is not
// played, and the log tells why, once per look at the reviews.
func TestOnlyReviewedBytes(t *testing.T) {
	s := newShelf(t)
	s.put("app", "a.wav", sound(1, 10))
	require.NoError(t, s.dir.Put("app", "a.wav", sound(9, 10)))
	s.approve(Approved{App: "app", Name: "gone.wav", SHA256: "00"})
	text := []byte("this is text")
	s.put("app", "text.wav", text)
	l := s.open(0)
	for range 3 {
		for _, name := range []string{"a.wav", "gone.wav", "text.wav"} {
			_, _, ok := l.Clip(&routing.App{Key: "app"}, name, routing.SceneNone)
			require.False(t, ok, name)
		}
	}
	require.Equal(t, 3, bytes.Count(s.log.Bytes(), []byte("cannot be played")), s.log.String())
	require.Contains(t, s.log.String(), "not the one that was approved")
}

// TestMemory: more than fits is played all the same, and what is held stays
// within the bound.
func TestMemory(t *testing.T) {
	s := newShelf(t)
	const n, size = 20, 1000
	for i := range n {
		s.put("app", fmt.Sprintf("%d.wav", i), sound(byte(i+1), size))
	}
	l := s.open(5 * size)
	for round := range 3 {
		for i := range n {
			_, alaw, ok := l.Clip(&routing.App{Key: "app"}, fmt.Sprintf("%d.wav", (i*7+round)%n), routing.SceneNone)
			require.True(t, ok)
			require.Equal(t, bytes.Repeat([]byte{byte((i*7+round)%n + 1)}, size), alaw)
			require.LessOrEqual(t, l.held, int64(5*size))
			require.Equal(t, int64(l.used.Len()*size), l.held)
		}
	}
	s.approved = nil
	require.NoError(t, l.Refresh(context.Background()))
	require.Zero(t, l.held)
	require.Zero(t, l.used.Len())
}

// TestLibraryConcurrently plays while files come and go, with too little memory
// for all of them.
func TestLibraryConcurrently(t *testing.T) {
	s := newShelf(t)
	const n, size = 8, 500
	for i := range n {
		s.put("app", fmt.Sprintf("%d.wav", i), sound(byte(i+1), size))
	}
	whole := s.approved
	l := s.open(3 * size)
	stop := make(chan struct{})
	var work sync.WaitGroup
	for g := range 4 {
		work.Go(func() {
			for i := g; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				name, alaw, ok := l.Clip(&routing.App{Key: "app"}, fmt.Sprintf("%d.wav", i%n), routing.SceneBusy)
				if !ok || name != "busy.wav" && !bytes.Equal(alaw, bytes.Repeat([]byte{byte(i%n + 1)}, size)) {
					t.Errorf("%s: %v, %d bytes", name, ok, len(alaw))
					return
				}
			}
		})
	}
	for i := range 100 {
		s.mu.Lock()
		s.approved = whole[i%n:]
		s.mu.Unlock()
		require.NoError(t, l.Refresh(context.Background()))
	}
	close(stop)
	work.Wait()
	require.LessOrEqual(t, l.held, int64(3*size))
}

func TestDir(t *testing.T) {
	d := newShelf(t).dir
	_, err := d.Get("app", "a.wav")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, d.Put("app", "a.wav", []byte("one")))
	require.NoError(t, d.Put("app", "a.wav", []byte("two")))
	b, err := d.Get("app", "a.wav")
	require.NoError(t, err)
	require.Equal(t, "two", string(b))
	info, err := os.Stat(filepath.Join(d.path, "app", "a.wav"))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
	files, err := os.ReadDir(filepath.Join(d.path, "app"))
	require.NoError(t, err)
	require.Len(t, files, 1, "nothing unfinished is left")
	require.NoError(t, d.Drop("app", "a.wav"))
	require.NoError(t, d.Drop("app", "a.wav"))
	_, err = d.Get("app", "a.wav")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// TestDirKeepsWithin: no name leads out of the directory.
func TestDirKeepsWithin(t *testing.T) {
	d := newShelf(t).dir
	secret := filepath.Join(filepath.Dir(d.path), "secret.wav")
	require.NoError(t, os.WriteFile(secret, []byte("secret"), 0o600))
	for _, c := range [][2]string{{"..", "secret.wav"}, {"app", "../../secret.wav"}, {"", "secret.wav"}, {".", "a.wav"}, {"a/..", "a.wav"}, {"app", secret}, {"app\x00", "a.wav"}} {
		_, err := d.Get(c[0], c[1])
		require.Error(t, err)
		require.NotErrorIs(t, err, fs.ErrNotExist)
		require.Error(t, d.Put(c[0], c[1], nil))
		require.Error(t, d.Drop(c[0], c[1]))
	}
	b, err := os.ReadFile(secret)
	require.NoError(t, err)
	require.Equal(t, "secret", string(b))
}

func TestOpenDirCleansUp(t *testing.T) {
	d := newShelf(t).dir
	require.NoError(t, d.Put("app", "a.wav", nil))
	old, young := filepath.Join(d.path, "app", "~1"), filepath.Join(d.path, "app", "~2")
	require.NoError(t, os.WriteFile(old, nil, 0o600))
	require.NoError(t, os.WriteFile(young, nil, 0o600))
	past := time.Now().Add(-2 * time.Hour)
	require.NoError(t, os.Chtimes(old, past, past))
	require.NoError(t, os.Chtimes(filepath.Join(d.path, "app", "a.wav"), past, past))
	_, err := OpenDir(d.path)
	require.NoError(t, err)
	require.NoFileExists(t, old)
	require.FileExists(t, young, "another process may be writing it")
	require.FileExists(t, filepath.Join(d.path, "app", "a.wav"))
	_, err = OpenDir(filepath.Join(d.path, "app", "a.wav"))
	require.ErrorContains(t, err, "make the directory of prompts")
}
