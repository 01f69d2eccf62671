package vault

import (
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Reader reads the content of an encrypted file. It belongs to one goroutine.
type Reader struct {
	from       io.ReadSeeker
	by         cipher.AEAD
	head, tail []byte
	body       int64 // bytes of the chunks

	at     int64 // in the content
	where  int64 // in the file; -1: nobody knows
	loaded int64 // which chunk is in plain; -1: none
	plain  []byte
	sealed []byte
}

// NewReader opens a complete file of so many bytes that is called name. A file
// whose end is missing is ErrTruncated.
func (r *Ring) NewReader(from io.ReadSeeker, size int64, name string) (*Reader, error) {
	x := &Reader{from: from, where: -1, loaded: -1, sealed: make([]byte, sealedSize)}
	head := make([]byte, headerSize)
	if err := x.read(head, 0); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	key, _, err := r.header(head, name)
	if err == nil {
		x.by, err = gcm(key)
	}
	if err == nil {
		err = x.trailer(size)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return x, nil
}

func (x *Reader) trailer(size int64) error {
	end := make([]byte, trailerSize)
	if size < int64(headerSize+trailerSize) {
		return ErrTruncated
	}
	if err := x.read(end, size-trailerSize); err != nil {
		return err
	}
	text, err := x.by.Open(nil, end[:nonceSize], end[nonceSize:], nil)
	if err != nil {
		return ErrTruncated
	}
	x.body = int64(binary.BigEndian.Uint64(text))
	chunks := (x.body + chunkSize - 1) / chunkSize
	if size != int64(headerSize+trailerSize)+x.body+chunks*tagSize {
		return ErrTruncated
	}
	x.head = text[9:][:text[8]]
	x.tail = text[10+mostHead:][:text[9+mostHead]]
	return nil
}

// read fills a buffer from a place of the file; what is read in one go is asked
// for in one go.
func (x *Reader) read(b []byte, at int64) error {
	if x.where != at {
		if _, err := x.from.Seek(at, io.SeekStart); err != nil {
			return err
		}
	}
	x.where = -1
	if _, err := io.ReadFull(x.from, b); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = ErrTruncated
		}
		return err
	}
	x.where = at + int64(len(b))
	return nil
}

// Size is how long the content is.
func (x *Reader) Size() int64 { return int64(len(x.head)) + x.body + int64(len(x.tail)) }

// Seek is io.Seeker's.
func (x *Reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += x.at
	case io.SeekEnd:
		offset += x.Size()
	}
	if offset < 0 {
		return 0, errors.New("seek: before the beginning")
	}
	x.at = offset
	return offset, nil
}

// Read is io.Reader's. What was changed is not given.
func (x *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	at := x.at
	var from []byte
	switch head := int64(len(x.head)); {
	case at < head:
		from = x.head[at:]
	case at < head+x.body:
		at -= head
		if err := x.load(at / chunkSize); err != nil {
			return 0, err
		}
		from = x.plain[at%chunkSize:]
	case at < x.Size():
		from = x.tail[at-head-x.body:]
	default:
		return 0, io.EOF
	}
	n := copy(p, from)
	x.at += int64(n)
	return n, nil
}

func (x *Reader) load(n int64) error {
	if x.loaded == n {
		return nil
	}
	x.loaded = -1
	sealed := x.sealed[:min(chunkSize, x.body-n*chunkSize)+tagSize]
	if err := x.read(sealed, int64(headerSize)+n*sealedSize); err != nil {
		return err
	}
	plain, err := x.by.Open(x.plain[:0], chunkNonce(uint64(n)), sealed, nil)
	if err != nil {
		return fmt.Errorf("chunk %d: %w", n, ErrWrongKey)
	}
	x.plain, x.loaded = plain, n
	return nil
}
