package ledger

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"axgate/routing"
)

// Why a number of a task is refused, besides ErrUnknownX, ErrNotYours and
// ErrUnknownApp.
var (
	ErrThereAlready = errors.New("the app has the X already")
	ErrOtherAccount = errors.New("the apps belong to different accounts")
)

// add gives the numbers to the task's app. Those that nobody has had are
// stored together; the others each as AddNumber does.
func (w *worker) add(items []TaskItem) error {
	app, err := lockApp(w.s, w.task.App)
	if errors.Is(err, ErrUnknownApp) {
		return w.all(items, err)
	}
	if err != nil {
		return err
	}
	made, err := w.insert(app, items)
	if err != nil {
		return err
	}
	for i := range items {
		item := &items[i]
		if version := made[item.X]; version > 0 {
			if err := w.answer(item, version, nil); err != nil {
				return err
			}
			continue
		}
		n, err := addKnown(w, item)
		if err := w.answer(item, n.Version, err); err != nil {
			return err
		}
	}
	return nil
}

// all gives every item the same answer.
func (w *worker) all(items []TaskItem, err error) error {
	for i := range items {
		if err := w.answer(&items[i], 0, err); err != nil {
			return err
		}
	}
	return nil
}

// firstVersion is the version of an X after its first change.
const firstVersion = 1

// insert stores the numbers that are not known, and tells which those were.
func (w *worker) insert(app ownApp, items []TaskItem) (made map[routing.X]int64, err error) {
	rows := make([][]any, len(items))
	for i := range items {
		d := &items[i].Detail
		rows[i] = []any{string(items[i].X), app.key, string(app.mode), string(routing.StatusNormal), "", d.AreaCode, d.City, d.Province, d.Carrier,
			!d.NoVoice, d.SMS != nil && *d.SMS, int64(0), int64(app.room), int64(1), int64(firstVersion), micros(w.now), int64(0)}
	}
	made = map[routing.X]int64{}
	for len(rows) > 0 {
		part := rows[:min(w.s.rowsAtOnce(len(rows[0])), len(rows))]
		rows = rows[len(part):]
		if err := insertNumbers(w.s, part, made); err != nil {
			return nil, err
		}
	}
	return made, oweMany(w.s, made, w.now)
}

func insertNumbers(s scope, rows [][]any, made map[routing.X]int64) error {
	query := `INSERT INTO numbers (` + newNumberColumns + `) VALUES ` + places(len(rows), len(rows[0])) + ` ON CONFLICT DO NOTHING RETURNING x, version`
	if err := addVersions(s, made, query, flat(rows)...); err != nil {
		return fmt.Errorf("store new numbers: %w", err)
	}
	return nil
}

// addKnown is AddNumber for an X that was there. What the list does not tell
// about it stays.
func addKnown(w *worker, item *TaskItem) (Number, error) {
	was, err := number(w.s, item.X)
	if err != nil {
		return was, err
	}
	if was.App != w.task.App && was.Status != routing.StatusReturned {
		return was, ErrNotYours
	}
	d := item.Detail
	n := Number{XNumber: routing.XNumber{X: item.X, App: w.task.App, AreaCode: d.AreaCode, City: d.City, Province: d.Province, SMS: was.SMS}, Carrier: d.Carrier, Voice: !d.NoVoice}
	if n.AreaCode == "" {
		n.AreaCode, n.City, n.Province = was.AreaCode, was.City, was.Province
	}
	if n.Carrier == "" {
		n.Carrier = was.Carrier
	}
	if d.SMS != nil {
		n.SMS = *d.SMS
	}
	return addNumber(w.s, n, w.now)
}

// move takes the numbers from their apps to the task's app.
func (w *worker) move(items []TaskItem) error {
	to, err := lockApp(w.s, w.task.App)
	if errors.Is(err, ErrUnknownApp) {
		return w.all(items, err)
	}
	if err != nil {
		return err
	}
	// Those on which nothing stands, of apps that do not want to be told of it.
	moved, err := w.together(items, `UPDATE numbers SET version = version + 1, app = $1, mode = $2, room = $3, lowest = 1
		WHERE bindings = 0 AND status NOT IN ('returned', 'transfer') AND app <> $1 AND $4 IN ('', app)
		AND app IN (SELECT key FROM apps WHERE sp = $5 AND NOT push_numbers) AND x IN (%s) RETURNING x, version`,
		to.key, string(to.mode), int64(to.room), w.task.From, to.sp)
	if err != nil {
		return err
	}
	if err := clearBlacklists(w.s, moved); err != nil {
		return err
	}
	return w.each(items, moved, func(x routing.X) (Number, error) { return w.moveNumber(x, to) })
}

// together changes those of the numbers that need no more than a statement, in
// which %s stands for their places. It returns their versions.
func (w *worker) together(items []TaskItem, query string, args ...any) (versions map[routing.X]int64, err error) {
	places := parameters(len(args)+1, len(items))
	if w.s.stmts == nil { // PostgreSQL: all lock in one order
		places = "SELECT x FROM numbers WHERE x IN (" + places + ") ORDER BY x FOR UPDATE"
	}
	for i := range items {
		args = append(args, string(items[i].X))
	}
	versions = map[routing.X]int64{}
	if err := addVersions(w.s, versions, fmt.Sprintf(query, places), args...); err != nil {
		return nil, fmt.Errorf("change numbers: %w", err)
	}
	return versions, oweMany(w.s, versions, w.now)
}

// each changes the numbers that were not changed together.
func (w *worker) each(items []TaskItem, together map[routing.X]int64, change func(routing.X) (Number, error)) error {
	for i := range items {
		item := &items[i]
		version, err := together[item.X], error(nil)
		if version == 0 {
			var n Number
			n, err = change(item.X)
			version = n.Version
		}
		if err := w.answer(item, version, err); err != nil {
			return err
		}
	}
	return nil
}

// clearBlacklists is what clearNumber does besides ending bindings.
func clearBlacklists(s scope, versions map[routing.X]int64) error {
	if len(versions) == 0 {
		return nil
	}
	xs := slices.Sorted(maps.Keys(versions))
	if _, err := s.exec(`DELETE FROM blacklist WHERE x IN (`+parameters(1, len(xs))+`)`, texts(xs)...); err != nil {
		return fmt.Errorf("clear the blacklists: %w", err)
	}
	return nil
}

// moveNumber gives an X to another app of its account. Whatever its owner has
// stored about it goes; a number in transfer has arrived and is normal.
func (w *worker) moveNumber(x routing.X, to ownApp) (Number, error) {
	if err := w.mayMove(x, to, number); err != nil {
		return Number{}, err
	}
	var n Number
	err := w.mayMove(x, to, func(s scope, x routing.X) (_ Number, err error) { n, err = lockNumber(s, x); return n, err })
	if err != nil {
		return n, err
	}
	ended, err := clearNumber(w.s, &n, w.now)
	if err != nil {
		return n, err
	}
	w.others(ended)
	status, cause := n.Status, n.Cause
	if status == routing.StatusTransfer {
		status, cause = routing.StatusNormal, ""
	}
	_, err = w.s.exec(`UPDATE numbers SET app = $2, mode = $3, room = $4, lowest = 1, status = $5, cause = $6 WHERE x = $1`,
		string(x), to.key, string(to.mode), int64(to.room), string(status), cause)
	if err != nil {
		return n, fmt.Errorf("give %s to app %s: %w", x, to.key, err)
	}
	is, err := changed(w.s, x, w.now)
	if err != nil {
		return is, err
	}
	return is, tellStatus(w.s, &n, &is, w.now)
}

// others has the cache hear of the numbers that bindings have ended on besides.
func (w *worker) others(ended []routing.Binding) {
	for i := range ended {
		b := &ended[i]
		w.due[b.X] = max(w.due[b.X], b.Version)
		if b.Y != "" {
			w.due[b.Y] = max(w.due[b.Y], b.YVersion)
		}
	}
}

// mayMove tells why X cannot be moved, as it is read.
func (w *worker) mayMove(x routing.X, to ownApp, read func(scope, routing.X) (Number, error)) error {
	n, err := read(w.s, x)
	switch {
	case err != nil:
		return err
	case n.Status == routing.StatusReturned:
		return ErrUnknownX
	case n.App == to.key:
		return ErrThereAlready
	case w.task.From != "" && n.App != w.task.From:
		return ErrNotYours
	}
	var sp string
	if err := w.s.scan(`SELECT sp FROM apps WHERE key = $1`, one(n.App), &sp); err != nil {
		return fmt.Errorf("read app %s: %w", n.App, err)
	}
	if sp != to.sp {
		return ErrOtherAccount
	}
	return nil
}

// setStatus gives the numbers the task's status.
func (w *worker) setStatus(items []TaskItem) error {
	returned, released := w.task.Status == routing.StatusReturned, time.Time{}
	if returned {
		released = w.now
	}
	set, err := w.together(items, `UPDATE numbers SET version = version + 1, status = $1, cause = $2, released_at = $3
		WHERE status <> 'returned' AND (bindings = 0 OR NOT $4) AND $5 IN ('', app)
		AND app IN (SELECT key FROM apps WHERE NOT push_numbers) AND x IN (%s) RETURNING x, version`,
		string(w.task.Status), w.task.Cause, micros(released), returned, w.task.App)
	if err == nil && returned {
		err = clearBlacklists(w.s, set)
	}
	if err != nil {
		return err
	}
	return w.each(items, set, w.setNumberStatus)
}

func (w *worker) setNumberStatus(x routing.X) (Number, error) {
	n, err := w.own(x)
	if err != nil {
		return n, err
	}
	n, ended, err := setStatus(w.s, x, w.task.Status, w.task.Cause, w.now)
	w.others(ended)
	return n, err
}

// own reads an X; it is refused if it is nobody's, or not of the task's app.
func (w *worker) own(x routing.X) (Number, error) {
	n, err := number(w.s, x)
	switch {
	case err != nil:
		return n, err
	case n.Status == routing.StatusReturned:
		return n, ErrUnknownX
	case w.task.App != "" && n.App != w.task.App:
		return n, ErrNotYours
	}
	return n, nil
}

// setSMS has the numbers take texts, or none.
func (w *worker) setSMS(items []TaskItem) error {
	set, err := w.together(items, `UPDATE numbers SET version = version + 1, sms = $1
		WHERE status <> 'returned' AND $2 IN ('', app) AND x IN (%s) RETURNING x, version`, w.task.SMS, w.task.App)
	if err != nil {
		return err
	}
	// Those that are left are refused, unless somebody has given one to the app
	// this very moment.
	return w.each(items, set, func(x routing.X) (Number, error) {
		if _, err := w.own(x); err != nil {
			return Number{}, err
		}
		n, err := lockNumber(w.s, x)
		if err != nil {
			return n, err
		}
		if n, err = w.own(x); err != nil { // it may have gone before it was locked
			return n, err
		}
		if _, err := w.s.exec(`UPDATE numbers SET sms = $2 WHERE x = $1`, string(x), w.task.SMS); err != nil {
			return n, fmt.Errorf("switch texts of %s: %w", x, err)
		}
		return changed(w.s, x, w.now)
	})
}

// ownApp is what of an app its numbers depend on.
type ownApp struct {
	key  string
	sp   string
	mode routing.Mode
	room int // of each of its numbers
}

// lockApp locks an app's row: the length of its extensions gives the room of
// its numbers.
func lockApp(s scope, key string) (ownApp, error) {
	a := ownApp{key: key}
	var digits int
	err := s.scan(`UPDATE apps SET name = name WHERE key = $1 RETURNING sp, mode, ext_digits`, one(key), &a.sp, &a.mode, &digits)
	if errors.Is(err, sql.ErrNoRows) {
		return a, ErrUnknownApp
	}
	if err != nil {
		return a, fmt.Errorf("read app %s: %w", key, err)
	}
	a.room = room(a.mode, digits)
	return a, nil
}
