package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// position is a place in the journal: behind so many bytes of a segment.
type position struct {
	segment uint64
	offset  int64
}

func (p position) before(q position) bool {
	return p.segment < q.segment || p.segment == q.segment && p.offset < q.offset
}

// bookmark keeps how far the journal has been carried, in a file of its own. It
// is not synced: after a loss of power some entries may be carried again, which
// changes nothing.
type bookmark struct {
	file *os.File
	turn int64 // of the two places, so that one that is half written costs nothing
}

const markSize = 24 // segment, offset, CRC-32C; eight bytes each

// openBookmark also reads the place; the zero position if there is none. Who has
// the bookmark has the directory.
func openBookmark(dir string) (*bookmark, position, error) {
	f, err := os.OpenFile(filepath.Join(dir, "carried"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, position{}, fmt.Errorf("open the journal's bookmark: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = errors.New("another node has it: give each node a directory of its own (journal.dir)")
		}
		return nil, position{}, errors.Join(fmt.Errorf("lock the journal in %s: %w", dir, err), f.Close())
	}
	b := &bookmark{file: f}
	var at position
	for turn := range int64(2) {
		var m [markSize]byte
		if n, _ := f.ReadAt(m[:], turn*markSize); n < markSize || uint64(crc32.Checksum(m[:16], castagnoli)) != binary.LittleEndian.Uint64(m[16:]) {
			continue
		}
		p := position{binary.LittleEndian.Uint64(m[:]), int64(binary.LittleEndian.Uint64(m[8:]))}
		if at.before(p) {
			at, b.turn = p, 1-turn
		}
	}
	return b, at, nil
}

func (b *bookmark) set(p position) error {
	var m [markSize]byte
	binary.LittleEndian.PutUint64(m[:], p.segment)
	binary.LittleEndian.PutUint64(m[8:], uint64(p.offset))
	binary.LittleEndian.PutUint64(m[16:], uint64(crc32.Checksum(m[:16], castagnoli)))
	if _, err := b.file.WriteAt(m[:], b.turn*markSize); err != nil {
		return fmt.Errorf("set the journal's bookmark: %w", err)
	}
	b.turn = 1 - b.turn
	return nil
}

func (b *bookmark) close() error {
	if err := errors.Join(b.file.Sync(), b.file.Close()); err != nil {
		return fmt.Errorf("close the journal's bookmark: %w", err)
	}
	return nil
}
