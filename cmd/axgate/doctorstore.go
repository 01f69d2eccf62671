package main

import (
	"context"
	"time"

	"axgate/node"
)

// store examines the store of recordings, if there is one.
func (x *patient) store() {
	const patience = 10 * time.Second
	ctx, cancel := context.WithTimeout(x.ctx, patience)
	defer cancel()
	switch there, err := node.CheckStore(ctx, &x.cfg); {
	case err != nil:
		x.note(wrong, "store", "correct recording.store, or start the store; until then recordings stay on the disk", "%v", err)
	case there:
		x.note(fine, "store", "", "the bucket %s at %s is there", x.cfg.Recording.Store.Bucket, x.cfg.Recording.Store.Endpoint)
	}
}
