package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A segment is a file of the journal, named by its number: entries one behind
// the other, each with the length of its text and a checksum before it, and
// zeros behind the last. All its length is on the disk before it is used, so that an
// entry needs no room that is not there yet.
//
//	uint32 length · uint32 CRC-32C of the segment's number and the text · text (JSON)
//
// The number is in the checksum because files are used again: what is left of
// an earlier segment is no entry of this one.
const (
	segmentSize = 8 << 20
	headSize    = 8
	suffix      = ".log"
)

// mostText bounds one entry: its texts come from the network in pieces that are
// bounded far below it.
const mostText = 1 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum of an entry's text in a segment.
func checksum(segment uint64, text []byte) uint32 {
	var n [8]byte
	binary.LittleEndian.PutUint64(n[:], segment)
	return crc32.Update(crc32.Checksum(n[:], castagnoli), castagnoli, text)
}

// seal appends an entry as it stands in a segment.
func seal(to []byte, segment uint64, text []byte) []byte {
	to = binary.LittleEndian.AppendUint32(to, uint32(len(text)))
	to = binary.LittleEndian.AppendUint32(to, checksum(segment, text))
	return append(to, text...)
}

// unseal reads the entry at the beginning of a segment's rest, and how many
// bytes it takes; there is none after the last.
func unseal(rest []byte, segment uint64) (text []byte, size int, ok bool) {
	if len(rest) < headSize {
		return nil, 0, false
	}
	n := binary.LittleEndian.Uint32(rest)
	if n == 0 || n > mostText || int(n) > len(rest)-headSize {
		return nil, 0, false
	}
	text = rest[headSize : headSize+int(n)]
	return text, headSize + int(n), binary.LittleEndian.Uint32(rest[4:]) == checksum(segment, text)
}

func segmentPath(dir string, n uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%012d", n)+suffix)
}

// segments are the numbers of the segments in a directory, in their order.
func segments(dir string) ([]uint64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list the journal: %w", err)
	}
	var all []uint64
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), suffix)
		if n, err := strconv.ParseUint(name, 10, 64); ok && err == nil {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all, nil
}

// spares are the names of segments that stand by. What calls owe that are up
// when the disk is full has room in them.
var spares = [...]string{"spare-0", "spare-1"}

// prepare sees to it that there are all spare segments, with all their length
// on the disk.
func prepare(dir string) error {
	for _, name := range spares {
		path := filepath.Join(dir, name)
		if s, err := os.Stat(path); err == nil && s.Size() == segmentSize {
			continue
		}
		if err := reserve(path + ".new"); err != nil {
			return fmt.Errorf("make room for the journal: %w", errors.Join(err, os.Remove(path+".new")))
		}
		if err := os.Rename(path+".new", path); err != nil {
			return fmt.Errorf("make room for the journal: %w", err)
		}
	}
	return nil
}

// reserve makes a file of the length of a segment.
func reserve(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	err = unix.Fallocate(int(f.Fd()), 0, 0, segmentSize)
	if errors.Is(err, unix.EOPNOTSUPP) {
		_, err = f.Write(make([]byte, segmentSize))
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// begin makes a spare segment the one with this number, for writing;
// fs.ErrNotExist: there is no spare.
func begin(dir string, n uint64) (*os.File, error) {
	path := segmentPath(dir, n)
	err := fs.ErrNotExist
	for _, name := range spares {
		if err = os.Rename(filepath.Join(dir, name), path); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("begin a segment of the journal: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("begin a segment of the journal: %w", err)
	}
	if err := syncDir(dir); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// retire makes a segment a spare, or takes it away if there are all.
func retire(dir string, n uint64) error {
	path := segmentPath(dir, n)
	if s, err := os.Stat(path); err == nil && s.Size() == segmentSize {
		for _, name := range spares {
			spare := filepath.Join(dir, name)
			if _, err := os.Stat(spare); errors.Is(err, fs.ErrNotExist) {
				if err := os.Rename(path, spare); err != nil {
					return fmt.Errorf("use a segment of the journal again: %w", err)
				}
				return nil
			}
		}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("take a segment of the journal away: %w", err)
	}
	return nil
}

// put writes at an offset and waits until it is on the disk.
func put(f *os.File, b []byte, offset int64) error {
	if _, err := f.WriteAt(b, offset); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	if err := unix.Fdatasync(int(f.Fd())); err != nil {
		return fmt.Errorf("write the journal to the disk: %w", err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("the directory of the journal: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("write the directory of the journal to the disk: %w", err)
	}
	return nil
}
