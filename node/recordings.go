package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"axgate/archive"
	"axgate/events"
	"axgate/ledger"
	"axgate/media/record"
	"axgate/media/wav"
)

// openRecorder makes the directory of the recordings, and completes the files
// that a killed process has left unfinished.
func (n *Node) openRecorder(context.Context) error {
	dir := RecordDir(&n.cfg)
	var err error
	if n.recordings, err = archive.OpenDir(dir); err != nil {
		return err
	}
	repaired, err := record.Repair(dir, n.cfg.Recording.MinTalk, n.ring)
	if err != nil { // the others are whole, and calls can be recorded
		n.log.Error().Err(err).Msg("repair recordings")
	}
	for _, r := range repaired {
		n.log.Warn().Str("recording", filepath.Base(r.Path)).Dur("length", r.Duration).Msg("repaired: its process was killed")
	}
	n.tapes = record.Open(record.WriterOptions{Sync: true, Ring: n.ring}) // a fee event that names a file is durable
	n.close.add("the recorder", func(context.Context) error { return n.tapes.Close() })
	return nil
}

// closeOldCalls ends the calls that a killed process has left open, with their
// fee events, before new ones come.
func (n *Node) closeOldCalls(ctx context.Context) error {
	if err := n.alone(ctx); err != nil {
		return err
	}
	closed, err := n.ledger.CloseOpen(ctx, n.cfg.Node, func(c events.Call) (string, int64, bool) {
		if c.RecordFile == "" || c.RecordFile != filepath.Base(c.RecordFile) {
			return "", 0, false
		}
		bytes, err := n.bytesOf(c.RecordFile)
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				n.log.Error().Err(err).Str("recording", c.RecordFile).Msg("a call is closed without its recording")
			}
			return "", 0, false
		}
		return c.RecordFile, bytes, true
	})
	if closed > 0 {
		n.log.Warn().Int("calls", closed).Msg("closed: their process was killed")
	}
	return err
}

// alone makes sure that no other node of the same name works on a ledger that
// several share: its calls would be closed while they run.
func (n *Node) alone(ctx context.Context) error {
	if n.cfg.Ledger.Driver != ledger.Postgres {
		return nil // the data directory is locked
	}
	const lease, patience, step = 3 * time.Second, 5 * time.Second, 200 * time.Millisecond
	const anyEpoch = 1 << 62
	for until := time.Now().Add(patience); ; {
		alive, err := n.ledger.Behind(ctx, anyEpoch, lease)
		if err != nil {
			return err
		}
		if !slices.Contains(alive, n.cfg.Node) {
			return nil
		}
		if time.Now().After(until) {
			return errors.New("another node called " + n.cfg.Node + " is alive: give each node a name of its own (node)")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(step):
		}
	}
}

// bytesOf is how long the WAV file of a recording is, encrypted or not.
func (n *Node) bytesOf(file string) (int64, error) {
	f, is, err := n.recordings.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	_, bytes, err := n.ring.Decrypted(f, is.Bytes, file)
	return bytes, err
}

// ReadRecording reads the audio of a recording: A-law, the channels in turn.
func (n *Node) ReadRecording(path string) ([]byte, error) {
	const most = 1 << 30
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	plain, _, err := n.ring.Decrypted(f, info.Size(), filepath.Base(path))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	w, err := wav.Read(plain, most)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return w.Data, nil
}
