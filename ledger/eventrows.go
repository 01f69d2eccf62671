package ledger

// eventChange changes many events; what it returns are their keys.
type eventChange struct{ *rowChange }

// newEventChange makes one by what is known of each, which they are, and what is set; aside as in rowChange.
func newEventChange(columns []string, which, set string, aside bool) eventChange {
	return eventChange{newRowChange(rowChange{table: "events", key: []string{"session", "seq"}, columns: columns, which: which, set: set,
		returning: "events.session, events.seq", aside: aside})}
}

// eventKey names an event.
type eventKey struct {
	session string
	seq     int
}

// run changes events and tells which were.
func (c eventChange) run(s scope, args []any) (changed map[eventKey]bool, err error) {
	changed = make(map[eventKey]bool, len(args)/len(c.columns))
	err = c.rowChange.run(s, args, func(r row) error {
		var k eventKey
		err := r.Scan(&k.session, &k.seq)
		changed[k] = true
		return err
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}
