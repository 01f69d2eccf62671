package node

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"axgate/prompts"
	"axgate/provision"
	"axgate/routing"
)

// openPrompts loads what callers hear.
func (n *Node) openPrompts(ctx context.Context) (err error) {
	n.sounds, err = openLibrary(ctx, n.files, n.office, n.log)
	return err
}

func openLibrary(ctx context.Context, files *prompts.Dir, s *provision.Service, log zerolog.Logger) (*prompts.Library, error) {
	return prompts.Open(ctx, prompts.Options{Dir: files, Approved: s.ApprovedPrompts, Log: log})
}

// playable tells whether there is a prompt file of that name for an app.
func (n *Node) playable(app *routing.App, file string) bool {
	_, _, ok := n.sounds.Clip(app, file, routing.SceneNone)
	return ok
}

// HintLength is how long both sides hear that the call of a decision is
// recorded; 0: they do not.
func (n *Node) HintLength(d *routing.Decision) time.Duration { return hintLength(n.sounds, d) }

// HintLength is that of a node.
func (o *Office) HintLength(ctx context.Context, d *routing.Decision) (time.Duration, error) {
	l, err := openLibrary(ctx, o.files, o.Provision, o.log)
	if err != nil {
		return 0, err
	}
	return hintLength(l, d), nil
}

func hintLength(l *prompts.Library, d *routing.Decision) time.Duration {
	if !d.Record {
		return 0
	}
	const rate = 8000
	_, alaw, _ := l.Clip(d.App, d.Hint, routing.SceneRecordHint)
	return time.Duration(len(alaw)) * time.Second / rate
}
