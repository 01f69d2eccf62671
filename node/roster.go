package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"axgate/events"
	"axgate/ledger"
	"axgate/media/record"
	"axgate/roster"
	"axgate/routing"
)

// homeFile names a data directory: whoever holds it is the node that it was.
const homeFile = "node.id"

// home is the name of a data directory; the first to ask gives it one.
func home(dir string) (string, error) {
	path := filepath.Join(dir, homeFile)
	text, err := os.ReadFile(path)
	if id := strings.TrimSpace(string(text)); err == nil && id != "" {
		return id, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the name of the data directory: %w", err)
	}
	id := rand.Text()
	if err := os.WriteFile(path, []byte(id+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("name the data directory: %w", err)
	}
	return id, nil
}

// openRoster begins this node's life among the others.
func (n *Node) openRoster(ctx context.Context) error {
	at, err := home(n.cfg.Data)
	if err != nil {
		return err
	}
	if n.roster, err = roster.Join(ctx, roster.Config{Ledger: n.ledger, Node: n.cfg.Node, Home: at, Log: n.log}); err != nil {
		return err
	}
	n.close.add("the sign of this node", func(context.Context) error { // after all nodes know that it has ended
		if n.takeovers == nil {
			return nil
		}
		return n.takeovers.shared.withdraw()
	})
	n.close.add("the roster", n.leave)
	n.background("the roster", n.roster.Run)
	return nil
}

// leave ends this node's life. If the ledger does not hear of it, others find it silent.
func (n *Node) leave(ctx context.Context) error {
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastCarry)
	defer cancel()
	if err := n.roster.Leave(ending); err != nil {
		n.log.Warn().Err(err).Msg("the other nodes will find this one silent")
	}
	return nil
}

// attend begins to settle what dead nodes leave: what this one left when it was killed,
// and what others do.
func (n *Node) attend(ctx context.Context) error {
	r := n.Running()
	if err := n.roster.Announce(ctx, ledger.Addresses{UDP: r.UDP, TCP: r.TCP, TLS: r.TLS, HTTP: r.HTTP}); err != nil {
		return err
	}
	n.roster.Lost(n.letGo)
	n.roster.Died(n.carryCopies)
	n.roster.Died(n.takeOver)
	n.roster.Died(n.closeCalls)
	n.roster.Died(n.freeClaims)
	n.roster.Leaving(n.closeAllAsked)
	n.roster.Drained(n.server.Drain)
	if n.takeovers != nil {
		n.roster.Missed(func() { n.server.ExpectOrphans(missTime) })
	}
	n.roster.Attend()
	n.close.add("the heir of others", n.abstain)
	return nil
}

// abstain leaves the deaths of others to others: what this node took over now would end
// with it. It takes no new calls from here on.
func (n *Node) abstain(ctx context.Context) error {
	n.server.Drain(true)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastCarry)
	defer cancel()
	if err := n.roster.Abstain(ctx); err != nil {
		n.log.Warn().Err(err).Msg("others come to it later than this node begins to end")
	}
	return nil
}

// closeCalls ends the calls that a dead node has left open, with their fee events.
func (n *Node) closeCalls(ctx context.Context, d roster.Dead) error {
	own := d.Node == n.cfg.Node
	if own {
		if err := n.journal.Flush(ctx); err != nil {
			return err
		}
	}
	closed, err := n.ledger.CloseOpen(ctx, d, own, n.repaired)
	for i := range closed {
		n.cache.Free(closed[i].Session, routing.X(closed[i].X))
	}
	if err == nil {
		n.patience.ends(d.Life)
	}
	if len(closed) > 0 {
		n.log.Warn().Int("calls", len(closed)).Stringer("dead", d.Life).Msg("closed: their node died")
	}
	return err
}

// repaired is what is left of the recording of a call whose node died: its file and size.
func (n *Node) repaired(c events.Call) (string, int64, bool) {
	if c.RecordFile == "" || c.RecordFile != filepath.Base(c.RecordFile) {
		return "", 0, false
	}
	if _, err := record.Complete(RecordDir(&n.cfg), c.RecordFile, n.cfg.Recording.MinTalk, n.ring); err != nil {
		n.log.Error().Err(err).Msg("the recording of a dead node")
	}
	bytes, err := n.bytesOf(c.RecordFile)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			n.log.Error().Err(err).Str("recording", c.RecordFile).Msg("a call is closed without its recording")
		}
		return "", 0, false
	}
	return c.RecordFile, bytes, true
}

// Over yields an error once this node has to end: another one has its name.
func (n *Node) Over() <-chan error { return n.roster.Over() }
