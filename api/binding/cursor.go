package binding

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"axgate/routing"
)

// A cursor of API 5.5 is 13 digits, "_" and up to 20 digits. A binding's id is a
// UUID of version 7: 48 bits of time in ms, which are the 13 digits, and 74
// others, of which 64 fit. What the rest is does not matter to where a page
// goes on: ids of the same millisecond differ in the upper bits.
const (
	beginning = "0000000000000_0"
	lowBits   = 10
)

// idCursor is the id behind which the page begins; "" at first.
func (p *params) idCursor() string {
	const name = "cursor"
	text := p.text(name)
	if text == "" || text == beginning {
		return ""
	}
	const millis, most = 13, 20
	if len(text) > millis+1 && len(text) <= millis+1+most && text[millis] == '_' && digits(text[:millis]) && digits(text[millis+1:]) {
		ms, err1 := strconv.ParseUint(text[:millis], 10, 48)
		rest, err2 := strconv.ParseUint(text[millis+1:], 10, 64)
		if err1 == nil && err2 == nil {
			return idOf(ms, rest)
		}
	}
	p.wrong(name, "it is neither %s nor the nextCursor of an answer", beginning)
	return ""
}

// idOf is the last id with this time and these upper bits.
func idOf(ms, rest uint64) string {
	var id uuid.UUID
	const sequence = 64 - 12
	binary.BigEndian.PutUint64(id[:], ms<<16|7<<12|rest>>sequence)
	binary.BigEndian.PutUint64(id[8:], 0b10<<62|rest<<12>>12<<lowBits|(1<<lowBits-1))
	return id.String()
}

// idCursor is the cursor of a page that ends with the binding of an id.
func idCursor(id string) (string, error) {
	u, err := uuid.Parse(id)
	if err != nil {
		return "", fmt.Errorf("the page ends with the id %q: %w", id, err)
	}
	high, low := binary.BigEndian.Uint64(u[:]), binary.BigEndian.Uint64(u[8:])
	rest := high&0xfff<<52 | low<<2>>2>>lowBits
	return fmt.Sprintf("%013d_%d", high>>16, rest), nil
}

// numberCursor is the X behind which the page begins, as a cursor of API 5.6 has
// it: the digits of its global form; 0 at first.
func (p *params) numberCursor() routing.X {
	const name, most = "cursor", 20
	text := p.text(name)
	switch {
	case text == "" || text == "0":
		return ""
	case len(text) > most || !digits(text):
		p.wrong(name, "it is neither 0 nor the nextCursor of an answer")
	}
	return routing.X("+" + text)
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
