package node

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"axgate/archive"
	"axgate/media/record"
	"axgate/media/wav"
)

// openRecorder makes the directory of the recordings, and completes the files
// that a killed process has left unfinished, but for those of calls that the ledger has
// open: another node may go on with such a call, or this one closes it (closeCalls).
func (n *Node) openRecorder(ctx context.Context) error {
	dir := RecordDir(&n.cfg)
	var err error
	if n.recordings, err = archive.OpenDir(dir); err != nil {
		return err
	}
	if err := n.repairRecordings(ctx, dir); err != nil { // the others are whole, and calls can be recorded
		n.log.Error().Err(err).Msg("repair recordings")
	}
	n.tapes = record.Open(record.WriterOptions{Sync: true, Ring: n.ring}) // a fee event that names a file is durable
	n.close.add("the recorder", func(context.Context) error { return n.tapes.Close() })
	return nil
}

func (n *Node) repairRecordings(ctx context.Context, dir string) error {
	open, err := n.ledger.OpenRecordings(ctx)
	if err != nil {
		return err // nobody knows which are left alone
	}
	repaired, err := record.Repair(dir, n.cfg.Recording.MinTalk, n.ring, func(name string) bool { return open[name] })
	for _, r := range repaired {
		n.log.Warn().Str("recording", filepath.Base(r.Path)).Dur("length", r.Duration).Msg("repaired: its process was killed")
	}
	return err
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
