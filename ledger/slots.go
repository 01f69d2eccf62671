package ledger

import (
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"axgate/routing"
)

// Slot is a place on an X that only one binding can have: "ax", a real number,
// or "e:" and an extension.
type Slot string

const (
	slotAX  Slot = "ax"
	slotExt Slot = "e:"
)

func numberSlot(n routing.Number) Slot { return Slot(n) }

func extSlot(e routing.Extension) Slot { return slotExt + Slot(e) }

// Extension tells whether the slot is an extension's.
func (s Slot) Extension() (routing.Extension, bool) {
	if len(s) > len(slotExt) && s[:len(slotExt)] == slotExt {
		return routing.Extension(s[len(slotExt):]), true
	}
	return "", false
}

func (s Slot) String() string {
	switch e, ext := s.Extension(); {
	case ext:
		return "extension " + string(e)
	case s == slotAX:
		return "its one A"
	default:
		return routing.Number(s).Masked()
	}
}

// slots are the places that a binding needs, in the order in which a refusal
// names them.
func slots(b *routing.Binding) []Slot {
	switch b.Mode {
	case routing.AX:
		return []Slot{slotAX}
	case routing.AXB:
		return []Slot{numberSlot(b.A), numberSlot(b.B)}
	case routing.AXYB:
		if b.Of == "" {
			return []Slot{slotAX, numberSlot(b.A)}
		}
		return []Slot{numberSlot(b.A)} // on Y; on X it needs B's
	default:
		return []Slot{numberSlot(b.A), extSlot(b.Ext)}
	}
}

// room is how many bindings fit on an X of the mode (section 1).
func room(mode routing.Mode, extDigits int) int {
	const pairs = 5000
	switch mode {
	case routing.XMode:
		return 0
	case routing.AX:
		return 1
	case routing.AXB:
		return pairs
	case routing.AXYB:
		return relations
	default:
		n := 1
		for range extDigits {
			n *= 10
		}
		return n - 1 // not the one of zeros
	}
}

// take gives slot to the binding, or tells which binding has it.
func take(s scope, b *routing.Binding, slot Slot) error { return takeOn(s, b, b.X, slot) }

// takeOn is take on one of the binding's numbers.
func takeOn(s scope, b *routing.Binding, x routing.X, slot Slot) error {
	n, err := s.exec(`INSERT INTO bound (x, slot, subscription) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, string(x), string(slot), b.ID)
	if err != nil {
		return fmt.Errorf("take %s: %w", slot, err)
	}
	if n == 1 {
		return nil
	}
	by, err := holder(s, x, slot)
	if err != nil {
		return err
	}
	if by == nil {
		return fmt.Errorf("%s on %s belongs to a binding that does not stand", slot, x)
	}
	return &TakenError{Slot: slot, By: *by}
}

// release frees a slot of the binding.
func release(s scope, b *routing.Binding, slot Slot) error { return releaseOn(s, b, b.X, slot) }

// releaseOn is release on one of the binding's numbers.
func releaseOn(s scope, b *routing.Binding, x routing.X, slot Slot) error {
	_, err := s.exec(`DELETE FROM bound WHERE x = $1 AND slot = $2 AND subscription = $3`, string(x), string(slot), b.ID)
	if err != nil {
		return fmt.Errorf("release %s: %w", slot, err)
	}
	return nil
}

// holder is the binding that has the slot, nil if it is free.
func holder(s scope, x routing.X, slot Slot) (*routing.Binding, error) {
	b, err := scanBinding(s, `JOIN bound ON bound.subscription = b.id WHERE bound.x = $1 AND bound.slot = $2`, string(x), string(slot))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read who has %s: %w", slot, err)
	}
	return &b.Binding, nil
}

// allot finds the lowest free extension of X, at least lowest, or with random
// any free one. At each number below lowest an extension stands.
func allot(s scope, x routing.X, lowest, room, digits int, random func(n int) int) (routing.Extension, error) {
	if random == nil {
		return lowestFree(s, x, lowest, room, digits)
	}
	const guesses = 8
	for range guesses {
		e := spell(1+random(room), digits)
		by, err := holder(s, x, extSlot(e))
		if err != nil || by == nil {
			return e, err
		}
	}
	// Nearly full: the first free one behind a random place, or before it.
	from := lowest + random(room-lowest+1)
	e, err := lowestFree(s, x, from, room, digits)
	if errors.Is(err, ErrFull) {
		return lowestFree(s, x, lowest, room, digits)
	}
	return e, err
}

// lowestFree walks over the taken extensions in order until one is missing.
func lowestFree(s scope, x routing.X, from, room, digits int) (e routing.Extension, err error) {
	// Bounds of one length and form: any collation orders them as numbers.
	rows, err := s.query(`SELECT slot FROM bound WHERE x = $1 AND slot BETWEEN $2 AND $3 ORDER BY slot`,
		string(x), string(extSlot(spell(from, digits))), string(extSlot(spell(room, digits))))
	if err != nil {
		return "", fmt.Errorf("read the extensions of %s: %w", x, err)
	}
	defer closeRows(rows, &err)
	next := from
	for rows.Next() {
		var slot string
		if err := rows.Scan(&slot); err != nil {
			return "", fmt.Errorf("read an extension of %s: %w", x, err)
		}
		if Slot(slot) != extSlot(spell(next, digits)) {
			break
		}
		next++
	}
	if next > room {
		return "", ErrFull
	}
	return spell(next, digits), nil
}

func spell(n, digits int) routing.Extension {
	return routing.Extension(fmt.Sprintf("%0*d", digits, n))
}

// value is the number that an extension stands for.
func value(e routing.Extension) (int, error) {
	n, err := strconv.Atoi(string(e))
	if err != nil {
		return 0, fmt.Errorf("extension %q: %w", string(e), err)
	}
	return n, nil
}

func closeRows(rows *sql.Rows, err *error) {
	if e := errors.Join(rows.Err(), rows.Close()); *err == nil && e != nil {
		*err = fmt.Errorf("read rows: %w", e)
	}
}
