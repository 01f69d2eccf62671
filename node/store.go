package node

import (
	"context"
	"errors"
	"time"

	"axgate/archive"
	"axgate/config"
	"axgate/ledger"
)

// openStore begins to bring recordings to the store, if there is one. A store
// that is away keeps no node from coming up.
func (n *Node) openStore(ctx context.Context) (err error) {
	if n.store, err = recordingStore(&n.cfg); err != nil || n.store == nil {
		return err
	}
	n.close.add("the store of recordings", func(context.Context) error { n.store.Close(); return nil })
	const patience = 3 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := n.store.Check(ctx); err != nil {
		n.log.Error().Err(err).Msg("recordings stay on the disk until the store takes them")
	}
	n.uploads = archive.NewUploader(archive.UploaderConfig{Dir: n.recordings, Store: n.store, Register: register{n.ledger}, Log: n.log})
	n.background("bringing recordings to the store", n.uploads.Run)
	return nil
}

// recordingStore is the store that is configured; nil: none.
func recordingStore(c *config.Config) (*archive.Store, error) {
	s := &c.Recording.Store
	if s.Endpoint == "" {
		return nil, nil
	}
	return archive.OpenStore(archive.StoreConfig{Endpoint: s.Endpoint, Bucket: s.Bucket, Region: s.Region, Prefix: s.Prefix,
		AccessKey: s.AccessKey, SecretKey: s.SecretKey, CredentialsFile: s.KeyFile, PathStyle: s.PathStyle, Plain: !s.TLS, CA: s.CA})
}

// CheckStore tells what is wrong with the store of recordings; ok: there is one.
func CheckStore(ctx context.Context, c *config.Config) (ok bool, err error) {
	s, err := recordingStore(c)
	if err != nil || s == nil {
		return false, err
	}
	defer s.Close()
	return true, s.Check(ctx)
}

// register is the ledger's, as archive asks for it.
type register struct{ ledger *ledger.Ledger }

var _ archive.Register = register{}

// Known are recordings of calls that are over: those of others may still be
// looked for in the directory.
func (r register) Known(ctx context.Context, names []string) (map[string]bool, error) {
	states, err := r.ledger.RecordingStates(ctx, names)
	known := map[string]bool{}
	for name, state := range states {
		known[name] = state == ledger.RecordingKept
	}
	return known, err
}

func (r register) Stored(ctx context.Context, name, store string) (bool, error) {
	err := r.ledger.RecordingStored(ctx, name, store)
	if errors.Is(err, ledger.ErrRecordingGone) {
		return false, nil
	}
	return err == nil, err
}
