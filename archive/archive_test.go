package archive_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"axgate/archive"
	"axgate/archive/archivetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const bucket, key, secret = archivetest.Bucket, archivetest.Key, archivetest.Secret

func get(t *testing.T, address string) (int, string, http.Header) {
	t.Helper()
	res, err := http.Get(address)
	require.NoError(t, err)
	defer res.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(body), res.Header
}

// TestStore: what is put is read, listed, fetched by address and deleted.
func TestStore(t *testing.T) {
	s := archivetest.Serve(t)
	store := s.Store(t, nil)
	require.NoError(t, store.Check(t.Context()))
	audio := strings.Repeat("0123456789", 10_000)
	for i := range 5 {
		require.NoError(t, store.Put(t.Context(), fmt.Sprintf("%d.wav", i), strings.NewReader(audio), int64(len(audio))))
	}
	f, is, err := store.Open(t.Context(), "1.wav")
	require.NoError(t, err)
	require.EqualValues(t, len(audio), is.Bytes)
	_, err = f.Seek(-10, io.SeekEnd)
	require.NoError(t, err)
	end, err := io.ReadAll(f)
	require.NoError(t, err)
	require.Equal(t, "0123456789", string(end))
	require.NoError(t, f.Close())

	var names []string
	require.NoError(t, store.Each(t.Context(), 2, func(files []archive.File) error {
		require.LessOrEqual(t, len(files), 2)
		for _, f := range files {
			require.WithinDuration(t, time.Now(), f.Written, time.Minute)
			names = append(names, f.Name)
		}
		return nil
	}))
	require.Equal(t, []string{"0.wav", "1.wav", "2.wav", "3.wav", "4.wav"}, names)

	address, err := store.Address(t.Context(), "1.wav", time.Hour)
	require.NoError(t, err)
	status, body, head := get(t, address)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, audio, body)
	require.Equal(t, "audio/wav", head.Get("Content-Type"))
	for what, wrong := range map[string]string{"another file": strings.Replace(address, "1.wav", "2.wav", 1), "longer": strings.Replace(address, "Expires=3600", "Expires=7200", 1),
		"not signed": address[:strings.IndexByte(address, '?')]} {
		status, _, _ := get(t, wrong)
		require.Equal(t, http.StatusForbidden, status, what)
	}
	short, err := store.Address(t.Context(), "1.wav", time.Second)
	require.NoError(t, err)
	require.Eventually(t, func() bool { status, _, _ := get(t, short); return status == http.StatusForbidden }, 15*time.Second, 200*time.Millisecond)

	require.NoError(t, store.Remove(t.Context(), "1.wav"))
	require.NoError(t, store.Remove(t.Context(), "1.wav"), "it is gone already")
	_, _, err = store.Open(t.Context(), "1.wav")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// TestStoreRefuses: wrong keys and buckets are told, and what was cut short is
// not stored.
func TestStoreRefuses(t *testing.T) {
	s := archivetest.Serve(t)
	for what, edit := range map[string]func(*archive.StoreConfig){
		"wrong secret": func(c *archive.StoreConfig) { c.SecretKey = "another" },
		"unknown key":  func(c *archive.StoreConfig) { c.AccessKey = "AKIAOTHER" },
		"no bucket":    func(c *archive.StoreConfig) { c.Bucket = "another-bucket" },
	} {
		store := s.Store(t, edit)
		require.ErrorContains(t, store.Check(t.Context()), "the bucket", what)
		err := store.Put(t.Context(), "a.wav", strings.NewReader("a"), 1)
		require.Error(t, err, what)
		require.NotContains(t, err.Error(), secret)
	}
	s.Torn.Store(true)
	require.Error(t, s.Store(t, nil).Put(t.Context(), "a.wav", strings.NewReader("abc"), 3))
	_, err := archive.OpenStore(archive.StoreConfig{Endpoint: "a b", Bucket: "b"})
	require.Error(t, err)
}

// TestKeysFromFile: the keys may be in a file, or in the environment.
func TestKeysFromFile(t *testing.T) {
	s := archivetest.Serve(t)
	file := filepath.Join(t.TempDir(), "credentials")
	require.NoError(t, os.WriteFile(file, []byte("[default]\naws_access_key_id = "+key+"\naws_secret_access_key = "+secret+"\n"), 0o600))
	require.NoError(t, s.Store(t, func(c *archive.StoreConfig) { c.AccessKey, c.SecretKey, c.CredentialsFile = "", "", file }).Check(t.Context()))
	t.Setenv("AWS_ACCESS_KEY_ID", key)
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	require.NoError(t, s.Store(t, func(c *archive.StoreConfig) { c.AccessKey, c.SecretKey = "", "" }).Check(t.Context()))
}

// book is a Register whose ledger can be away.
type book struct {
	mu     sync.Mutex
	known  map[string]bool
	gone   map[string]bool
	stored map[string]string
	away   bool
}

func (b *book) Known(_ context.Context, names []string) (map[string]bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := map[string]bool{}
	for _, n := range names {
		out[n] = b.known[n]
	}
	return out, nil
}

func (b *book) Stored(_ context.Context, name, store string) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.away {
		return false, errors.New("the ledger is away")
	}
	if !b.gone[name] {
		b.stored[name] = store
	}
	return !b.gone[name], nil
}

func (b *book) set(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}

// upload runs an uploader until the test ends.
func upload(t *testing.T, path string, store *archive.Store, b *book) (stop func()) {
	t.Helper()
	dir, err := archive.OpenDir(path)
	require.NoError(t, err)
	return run(t, archive.NewUploader(archive.UploaderConfig{Dir: dir, Store: store, Register: b, Look: 10 * time.Millisecond, Pause: 10 * time.Millisecond, Log: zerolog.Nop()}))
}

func run(t *testing.T, u *archive.Uploader) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { u.Run(ctx) })
	stop = func() { cancel(); done.Wait() }
	t.Cleanup(stop)
	return stop
}

func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	require.Eventually(t, is, 15*time.Second, 10*time.Millisecond, what)
}

// TestUpload: what is known is brought to the store and leaves the disk, the
// rest stays; a recording that was deleted meanwhile is nowhere.
func TestUpload(t *testing.T) {
	s := archivetest.Serve(t)
	store := s.Store(t, nil)
	dir := t.TempDir()
	b := &book{known: map[string]bool{"gone.wav": true}, gone: map[string]bool{"gone.wav": true}, stored: map[string]string{}}
	for i := range 30 {
		name := fmt.Sprintf("%d.wav", i)
		b.known[name] = true
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), bytes.Repeat([]byte{byte(i)}, 5000), 0o600))
	}
	for _, name := range []string{"gone.wav", "unknown.wav", "open.wav.part", "notes.txt"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600))
	}
	upload(t, dir, store, b)
	eventually(t, "all are brought", func() bool { return len(names(t, dir)) == 3 })
	require.Equal(t, []string{"notes.txt", "open.wav.part", "unknown.wav"}, names(t, dir))
	require.Len(t, b.stored, 30)
	require.Equal(t, "s3:"+bucket+"/calls/", b.stored["7.wav"])
	f, _, err := store.Open(t.Context(), "7.wav")
	require.NoError(t, err)
	all, err := io.ReadAll(f)
	require.NoError(t, errors.Join(err, f.Close()))
	require.Equal(t, bytes.Repeat([]byte{7}, 5000), all)
	_, _, err = store.Open(t.Context(), "gone.wav")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "later.wav"), []byte("x"), 0o600))
	b.set(func() { b.known["later.wav"] = true })
	eventually(t, "what comes later is brought too", func() bool { return len(names(t, dir)) == 3 })
}

// TestUploadAgain: a file stays on the disk until the store has it whole and the
// ledger knows, whatever fails and whenever the process ends.
func TestUploadAgain(t *testing.T) {
	s := archivetest.Serve(t)
	store := s.Store(t, nil)
	dir := t.TempDir()
	b := &book{known: map[string]bool{"a.wav": true}, stored: map[string]string{}, away: true}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.wav"), []byte("audio"), 0o600))
	s.Fails.Store(6)
	stop := upload(t, dir, store, b)
	eventually(t, "it is put again and again while the ledger is away", func() bool { return s.Puts.Load() >= 2 })
	require.Equal(t, []string{"a.wav"}, names(t, dir))
	stop()
	s.Torn.Store(true)
	b.set(func() { b.away = false })
	before := s.Puts.Load()
	require.NoError(t, store.Remove(t.Context(), "a.wav"))
	stop = upload(t, dir, store, b)
	eventually(t, "it is put", func() bool { return s.Puts.Load() >= before+2 })
	stop()
	require.Equal(t, []string{"a.wav"}, names(t, dir), "the store has not got it")
	require.Empty(t, b.stored)
	s.Torn.Store(false)
	upload(t, dir, store, b)
	eventually(t, "it is stored", func() bool { return len(names(t, dir)) == 0 })
	require.NotEmpty(t, b.stored["a.wav"])
}

// spoiled is a recording whose disk fails in its midst.
type spoiled struct{ archive.Content }

var errDisk = errors.New("the disk fails")

func (s spoiled) Read(p []byte) (int, error) {
	n, _ := s.Content.Read(p[:min(len(p), 1000)])
	return n, errDisk
}

func (s spoiled) ReadAt([]byte, int64) (int, error) { return 0, errDisk }

// TestUnreadable: files that cannot be read hold up no other, are not laid to the store,
// and are brought once they can be read.
func TestUnreadable(t *testing.T) {
	store := archivetest.Serve(t).Store(t, nil)
	path := t.TempDir()
	b := &book{known: map[string]bool{}, stored: map[string]string{}}
	const files, bad = 50, 10
	for i := range files {
		name := fmt.Sprintf("%d.wav", i)
		b.known[name] = true
		require.NoError(t, os.WriteFile(filepath.Join(path, name), bytes.Repeat([]byte{byte(i)}, 5000), 0o600))
	}
	dir, err := archive.OpenDir(path)
	require.NoError(t, err)
	var mended atomic.Bool
	var tried atomic.Int32
	u := archive.NewUploader(archive.UploaderConfig{Dir: dir, Store: store, Register: b, Look: 10 * time.Millisecond, Pause: 10 * time.Millisecond, Log: zerolog.Nop()})
	u.OpenBy(func(name string) (archive.Content, archive.File, error) {
		f, is, err := dir.Open(name)
		i, failed := strconv.Atoi(strings.TrimSuffix(name, ".wav"))
		require.NoError(t, failed)
		if err != nil || mended.Load() || i%(files/bad) > 0 {
			return f, is, err
		}
		tried.Add(1)
		if i%2 == 0 {
			return spoiled{f}, is, nil
		}
		return nil, is, errors.Join(fs.ErrPermission, f.Close())
	})
	run(t, u)
	eventually(t, "the others are brought", func() bool { return len(names(t, path)) == bad })
	eventually(t, "that is told", func() bool { return u.Uploads().Waiting == bad })
	is := u.Uploads()
	require.Equal(t, bad, is.Unread)
	require.NotEmpty(t, is.Reason)
	require.True(t, is.Since.IsZero(), is.Failure)
	eventually(t, "they are tried again", func() bool { return tried.Load() > 3*bad })
	mended.Store(true)
	eventually(t, "they are brought", func() bool { return len(names(t, path)) == 0 })
	eventually(t, "that is told, too", func() bool { return u.Uploads().Waiting == 0 })
	require.Zero(t, u.Uploads().Unread)
	require.Len(t, b.stored, files)
}
