package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/rs/zerolog"

	"axgate/events"
)

// reader reads back what is not kept in memory, segment by segment.
type reader struct {
	dir   string
	log   zerolog.Logger
	at    position
	rest  []byte   // of the segment; nil: it is not read yet
	until position // as far as the segment was written to when it was read

	refuse func(text []byte, why error) error // keeps an entry that says nothing
}

// next returns at most so many entries that end before or at a position, and
// where the last of them ends.
func (r *reader) next(until position, most int) (list []events.Entry, at position, err error) {
	if r.until != until {
		r.rest, r.until = nil, until
	}
	for len(list) < most && r.at.before(until) {
		if r.rest == nil {
			if err := r.open(); err != nil {
				return list, r.at, err
			}
		}
		text, size, ok := unseal(r.rest, r.at.segment)
		if !ok || !r.at.before(until) {
			r.leave(until)
			continue
		}
		var e events.Entry
		if err := json.Unmarshal(text, &e); err == nil {
			list = append(list, e)
		} else if err := r.refuse(text, err); err != nil {
			return list, r.at, err
		}
		r.rest, r.at.offset = r.rest[size:], r.at.offset+int64(size)
	}
	return list, r.at, nil
}

// open reads a segment; one that is not there has nothing to say.
func (r *reader) open() error {
	b, err := os.ReadFile(segmentPath(r.dir, r.at.segment))
	if errors.Is(err, fs.ErrNotExist) {
		b, err = nil, nil
	}
	if err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	r.rest = b[min(int64(len(b)), r.at.offset):]
	if r.rest == nil {
		r.rest = []byte{}
	}
	return nil
}

// leave goes on to the next segment: behind the last entry there are zeros, or
// what is left of another segment or of a write that nobody was told of.
func (r *reader) leave(until position) {
	if r.at.segment == until.segment && r.at.offset < until.offset {
		r.log.Error().Uint64("segment", r.at.segment).Int64("offset", r.at.offset).Int64("until", until.offset).Msg("entries of the journal cannot be read: the disk has changed them")
		r.at = until
		return
	}
	r.at, r.rest = position{segment: r.at.segment + 1}, nil
}
