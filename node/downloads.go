package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"axgate/api/auth"
	"axgate/api/records"
	"axgate/ledger"
)

// openLibrary prepares to hand out recordings. The key of the links is made
// once, by the first node.
func (n *Node) openLibrary(ctx context.Context, verifier *auth.Verifier) (err error) {
	const purpose = "links to recordings"
	key, err := n.ledger.Secret(ctx, purpose)
	if err != nil {
		return err
	}
	n.library, err = records.New(records.Config{
		Auth: verifier, Store: recordings{n.ledger, n.cfg.Retention.RecordingsDays}, Links: records.NewLinks(key), Base: func() string { return n.web.Base() },
		Files: n.recordings, Stored: n.store, Ring: n.ring,
		Redirect: n.cfg.Recording.Store.Redirect && n.ring == nil, Valid: n.cfg.HTTP.Link, Log: n.log,
	})
	return err
}

// recordURL is recordFileDownloadUrl of a fee event.
func (n *Node) recordURL(app, file string) string {
	const patience = 2 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	address, err := n.library.Address(ctx, app, file)
	if err != nil { // the receiver can ask for it by name
		n.log.Error().Err(err).Str("recording", file).Msg("a fee event goes without the address of its recording")
	}
	return address
}

// recordings are the ledger's, as records asks for them.
type recordings struct {
	ledger *ledger.Ledger
	days   int // that one is kept, unless its app has it kept otherwise
}

var _ records.Store = recordings{}

func (r recordings) Recording(ctx context.Context, app, file string) (records.Recording, bool, error) {
	rec, err := r.ledger.Recording(ctx, app, file)
	if errors.Is(err, ledger.ErrNoRecording) {
		return records.Recording{}, false, nil
	}
	if err != nil {
		return records.Recording{}, false, err
	}
	bases, err := r.ledger.Bases(ctx)
	if err != nil {
		return records.Recording{}, false, fmt.Errorf("whose recording it is: %w", err)
	}
	if rec.Days == 0 {
		rec.Days = r.days
	}
	return records.Recording{Place: rec.Place, Base: bases[rec.Node], Keep: time.Duration(rec.Days) * 24 * time.Hour, Kept: rec.Kept}, true, nil
}
