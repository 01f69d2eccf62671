package ledger

// eventChange changes many events; what it returns are their keys.
type eventChange struct{ *rowChange }

func newEventChange(rest string, columns ...string) eventChange {
	return eventChange{newRowChange("events", rest, columns...)}
}

// eventKey names an event.
type eventKey struct {
	session string
	seq     int
}

// run changes events and tells which were, if the statement returns them.
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
