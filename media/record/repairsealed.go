package record

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"axgate/vault"
)

// repairSealed completes an encrypted file that was last written at an instant,
// and closes it. A chunk that was cut off is lost, 2 s at most.
func repairSealed(f *os.File, written time.Time, minTalk time.Duration, ring *vault.Ring) (Result, error) {
	part := f.Name()
	path := strings.TrimSuffix(part, partSuffix)
	w, channels, err := ring.Resume(f, filepath.Base(path))
	if errors.Is(err, vault.ErrTruncated) { // its header is not whole: there is nothing in it
		return Result{}, errors.Join(f.Close(), os.Remove(part))
	}
	if err == nil && channels != 1 && channels != 2 {
		err = errors.New("nobody knows how many channels it has")
	}
	if err != nil {
		return Result{}, errors.Join(err, f.Close())
	}
	frames := w.Bytes() / int64(channels)
	if frames <= 0 || span(frames) < minTalk {
		return Result{}, errors.Join(f.Close(), os.Remove(part))
	}
	err = w.Finish(around(int(channels), frames))
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return Result{}, err
	}
	if err := rename(part, path, true); err != nil {
		return Result{}, err
	}
	return Result{Path: path, Start: written.Add(-span(frames)), Duration: span(frames), Bytes: size(int(channels), frames)}, nil
}
