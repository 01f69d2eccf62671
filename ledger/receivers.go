package ledger

import (
	"fmt"

	"axgate/events"
)

// receivers are the apps that are not told of all events of their calls, as of
// a mark of the settings.
type receivers struct {
	mark  int64
	known bool
	deaf  map[events.Lane]bool // there is no address for it
}

// read looks whether the settings changed. It is part of the transaction that
// writes events: an address that stands before it is told of them.
func (r *receivers) read(s scope) error {
	var mark int64
	if err := s.scan(`SELECT value FROM marks WHERE name = 'settings'`, nil, &mark); err != nil {
		return fmt.Errorf("read the mark of the settings: %w", err)
	}
	if r.known && mark == r.mark {
		return nil
	}
	deaf, err := readDeaf(s)
	if err != nil {
		return fmt.Errorf("read the addresses of apps: %w", err)
	}
	r.mark, r.known, r.deaf = mark, true, deaf
	return nil
}

func readDeaf(s scope) (deaf map[events.Lane]bool, err error) {
	rows, err := s.query(`SELECT key, callin_url, status_url, fee_url FROM apps WHERE status_url = '' OR fee_url = ''`)
	if err != nil {
		return nil, err
	}
	defer closeRows(rows, &err)
	deaf = map[events.Lane]bool{}
	for rows.Next() {
		var a App
		if err := rows.Scan(&a.Key, &a.CallInURL, &a.StatusURL, &a.FeeURL); err != nil {
			return nil, err
		}
		to := a.Receiver()
		for _, target := range []events.Target{events.ToCallIn, events.ToStatus, events.ToFee} {
			if to.Address(target) == "" {
				deaf[events.Lane{App: a.Key, Target: target}] = true
			}
		}
	}
	return deaf, nil
}
