package vault

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// A file that is encrypted begins with its header: magic, a byte for who made
// it, and two slots with its wrapped key, of which one is enough. Chunks of
// 16 KiB follow, each encrypted by itself, the last may be shorter, and at the end
// the trailer: how long the content is, and what comes before and after the
// chunks in it. Everything is only ever appended, so that no nonce is used
// twice and what a crash leaves can be completed; without its trailer a file is
// not complete.
const (
	magic       = "axgate1\n"
	slotSize    = 1 + longestID + wrapSize
	headerSize  = len(magic) + 1 + 2*slotSize
	chunkSize   = 16 << 10
	sealedSize  = chunkSize + tagSize
	mostHead    = 64
	mostTail    = 8
	trailerText = 8 + 1 + mostHead + 1 + mostTail
	trailerSize = nonceSize + trailerText + tagSize
)

// ErrTruncated tells that a file is not complete.
var ErrTruncated = errors.New("the encrypted file is not complete")

// Writer encrypts a file as it grows. It belongs to one goroutine at a time.
type Writer struct {
	to     io.Writer
	by     cipher.AEAD
	chunks uint64
	bytes  int64
	rest   []byte // less than a chunk
}

// scratch are buffers of a sealed chunk.
var scratch = sync.Pool{New: func() any { b := make([]byte, 0, sealedSize); return &b }}

// NewWriter begins a file that is called name, with a byte of its maker's.
func (r *Ring) NewWriter(to io.Writer, name string, kind byte) (*Writer, error) {
	key, by, err := newKey()
	if err != nil {
		return nil, err
	}
	head := make([]byte, headerSize)
	copy(head, magic)
	head[len(magic)] = kind
	slot, err := r.slot(key, name, kind)
	if err != nil {
		return nil, err
	}
	copy(head[len(magic)+1:], slot)
	if _, err := to.Write(head); err != nil {
		return nil, err
	}
	return &Writer{to: to, by: by}, nil
}

func (r *Ring) slot(key []byte, name string, kind byte) ([]byte, error) {
	wrapped, err := r.wrap(key, use(name, kind))
	if err != nil {
		return nil, err
	}
	slot := make([]byte, slotSize)
	slot[0] = byte(copy(slot[1:1+longestID], r.Newest()))
	copy(slot[1+longestID:], wrapped)
	return slot, nil
}

func use(name string, kind byte) string { return fmt.Sprintf("file %d %s", kind, name) }

// Write encrypts what makes chunks full, and keeps the rest.
func (w *Writer) Write(p []byte) (n int, err error) {
	n = len(p)
	w.bytes += int64(n)
	if len(w.rest) > 0 {
		more := min(chunkSize-len(w.rest), len(p))
		w.rest, p = append(w.rest, p[:more]...), p[more:]
		if len(w.rest) < chunkSize {
			return n, nil
		}
		if err := w.chunk(w.rest); err != nil {
			return 0, err
		}
		w.rest = w.rest[:0]
	}
	for ; len(p) >= chunkSize; p = p[chunkSize:] {
		if err := w.chunk(p[:chunkSize]); err != nil {
			return 0, err
		}
	}
	if len(p) > 0 {
		if w.rest == nil {
			w.rest = make([]byte, 0, chunkSize)
		}
		w.rest = append(w.rest, p...)
	}
	return n, nil
}

func (w *Writer) chunk(p []byte) error {
	b := scratch.Get().(*[]byte)
	defer scratch.Put(b)
	out := w.by.Seal((*b)[:0], chunkNonce(w.chunks), p, nil)
	w.chunks++
	_, err := w.to.Write(out)
	return err
}

func chunkNonce(n uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{0, 0, 0, 1}, n)
}

// Finish completes the file: its content is head, what was written, and tail.
func (w *Writer) Finish(head, tail []byte) error {
	if err := w.Flush(); err != nil {
		return err
	}
	return finish(w.to, w.by, w.bytes, head, tail)
}

// finish writes the trailer of a file with so many bytes in its chunks. Its nonce
// is by chance, so that one may follow another that a crash has cut off.
func finish(to io.Writer, by cipher.AEAD, body int64, head, tail []byte) error {
	if len(head) > mostHead || len(tail) > mostTail {
		return fmt.Errorf("%d and %d bytes are too many around what is encrypted", len(head), len(tail))
	}
	text := make([]byte, trailerText)
	binary.BigEndian.PutUint64(text, uint64(body))
	text[8] = byte(copy(text[9:9+mostHead], head))
	text[9+mostHead] = byte(copy(text[10+mostHead:], tail))
	nonce := make([]byte, nonceSize, trailerSize)
	if _, err := rand.Read(nonce[4:]); err != nil {
		return fmt.Errorf("make a nonce: %w", err)
	}
	nonce[3] = 2 // never that of a chunk
	_, err := to.Write(by.Seal(nonce, nonce, text, nil))
	return err
}

// Flush encrypts what makes no chunk full. Nothing may be written after it.
func (w *Writer) Flush() error {
	if len(w.rest) == 0 {
		return nil
	}
	err := w.chunk(w.rest)
	w.rest = nil
	return err
}

// Salvage reads what is whole of a file that was not finished, and leaves it as it is.
func (r *Ring) Salvage(f io.ReaderAt, name string) (from io.Reader, kind byte, err error) {
	head := make([]byte, headerSize)
	if _, err := f.ReadAt(head, 0); err != nil {
		return nil, 0, ErrTruncated
	}
	key, kind, err := r.header(head, name)
	if err != nil {
		return nil, kind, err
	}
	by, err := gcm(key)
	return &salvage{f: f, by: by, at: int64(headerSize)}, kind, err
}

// salvage reads chunk after chunk until one is not whole.
type salvage struct {
	f      io.ReaderAt
	by     cipher.AEAD
	at     int64
	chunks uint64
	last   bool // there is none behind rest
	rest   []byte
}

func (s *salvage) Read(p []byte) (int, error) {
	for len(s.rest) == 0 {
		if s.last {
			return 0, io.EOF
		}
		sealed := make([]byte, sealedSize)
		n, err := s.f.ReadAt(sealed, s.at)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		s.last = n < sealedSize
		if n <= tagSize {
			return 0, io.EOF
		}
		opened, err := s.by.Open(sealed[:0], chunkNonce(s.chunks), sealed[:n], nil)
		if err != nil {
			return 0, io.EOF
		}
		s.chunks, s.at, s.rest = s.chunks+1, s.at+int64(n), opened
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// IsSealedFile tells whether a file is encrypted.
func IsSealedFile(f io.ReaderAt) bool {
	head := make([]byte, len(magic))
	_, err := f.ReadAt(head, 0)
	return err == nil && string(head) == magic
}

// header opens that of a file.
func (r *Ring) header(head []byte, name string) (key []byte, kind byte, err error) {
	if !bytes.HasPrefix(head, []byte(magic)) {
		return nil, 0, errors.New("it is no encrypted file")
	}
	kind = head[len(magic)]
	for i := range 2 {
		slot := head[len(magic)+1+i*slotSize:][:slotSize]
		id := slotID(slot)
		if id == "" {
			continue
		}
		key, failed := r.unwrap(id, slot[1+longestID:], use(name, kind))
		if failed == nil {
			return key, kind, nil
		}
		err = errors.Join(err, failed)
	}
	if err == nil {
		err = ErrTruncated
	}
	return nil, kind, err
}

func slotID(slot []byte) string { return string(slot[1:][:min(int(slot[0]), longestID)]) }

// Remains are what is whole of a file that a crash has left without its trailer. They
// can be finished, but nothing can be added: the chunk that was cut off had its nonce.
type Remains struct {
	to    io.Writer
	by    cipher.AEAD
	bytes int64
}

// Resume opens a file that a crash has left without its trailer: what is whole
// of it stays, the rest is cut off, and Finish completes it.
func (r *Ring) Resume(f *os.File, name string) (w *Remains, kind byte, err error) {
	head := make([]byte, headerSize)
	if _, err := f.ReadAt(head, 0); err != nil {
		return nil, 0, ErrTruncated
	}
	key, kind, err := r.header(head, name)
	if err != nil {
		return nil, kind, err
	}
	by, err := gcm(key)
	if err != nil {
		return nil, kind, err
	}
	w = &Remains{to: f, by: by}
	end, chunks := int64(headerSize), uint64(0)
	sealed, plain := make([]byte, sealedSize), make([]byte, 0, chunkSize)
	for whole := true; whole; {
		n, err := f.ReadAt(sealed, end)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, kind, err
		}
		if n <= tagSize {
			break
		}
		opened, failed := by.Open(plain, chunkNonce(chunks), sealed[:n], nil)
		if failed != nil {
			break
		}
		chunks, w.bytes, end, whole = chunks+1, w.bytes+int64(len(opened)), end+int64(n), n == sealedSize
	}
	if err := f.Truncate(end); err != nil {
		return nil, kind, err
	}
	_, err = f.Seek(end, io.SeekStart)
	return w, kind, err
}

// Finish completes the file: its content is head, what is whole of it, and tail.
func (w *Remains) Finish(head, tail []byte) error { return finish(w.to, w.by, w.bytes, head, tail) }

// Bytes is how long what is whole is.
func (w *Remains) Bytes() int64 { return w.bytes }
