package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"axgate/health"
	"axgate/ledger"
)

// shared finds out whether the nodes that take each other's calls over reach one directory
// of recordings: each leaves a sign of its life there, and looks for those of the others.
// The directory may hold up who asks it, so it is asked without the lock, which health wants.
type shared struct {
	dir string

	mu     sync.Mutex
	own    ledger.Life     // whose sign was left last
	before map[string]bool // what the look before found wrong
	found  string          // what two looks in a row found wrong; empty: nothing
}

// settling is for how long a node may live without a sign: a directory that is shared
// may show what others write as late as that (NFS, acdirmax).
const settling = time.Minute

// signPace is from one look for signs to the next.
const signPace = 10 * time.Second

func (s *shared) sign(node string) string { return filepath.Join(s.dir, ".node-"+node) }

// leave writes the sign of a life, at once whole.
func (s *shared) leave(life ledger.Life) error {
	if there, _ := s.bears(life); !there {
		at := s.sign(life.Node)
		err := os.WriteFile(at+".new", []byte(life.String()+"\n"), 0o600)
		if err == nil {
			err = os.Rename(at+".new", at)
		}
		if err != nil {
			return fmt.Errorf("leave a sign of this node in %s: %w", s.dir, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.own = life
	return nil
}

// bears tells whether the sign of a life is there; the error is why it cannot be told.
func (s *shared) bears(life ledger.Life) (bool, error) {
	text, err := os.ReadFile(s.sign(life.Node))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && strings.TrimSpace(string(text)) == life.String(), err
}

// withdraw takes the sign away, unless it is of a later life.
func (s *shared) withdraw() error {
	s.mu.Lock()
	own := s.own
	s.mu.Unlock()
	there, err := s.bears(own)
	if err == nil && there {
		err = os.Remove(s.sign(own.Node))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("take away the sign of this node: %w", err)
	}
	return nil
}

// look leaves the sign of a life and looks for those of all nodes. What is wrong is told
// when the next look finds it too: a node may end, and be seen, at the same moment.
func (s *shared) look(own ledger.Life, all []ledger.Node, now time.Time) {
	wrong, text := map[string]bool{}, ""
	if err := s.leave(own); err != nil {
		const left = "" // no node's name
		wrong[left] = true
		if s.lasts(left) {
			text = err.Error()
		}
	} else {
		text = s.unseen(own, all, now, wrong)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before, s.found = wrong, text
}

// unseen notes the living nodes whose sign is not there, and tells of those that the look
// before did not see either.
func (s *shared) unseen(own ledger.Life, all []ledger.Node, now time.Time, wrong map[string]bool) string {
	var names []string
	var failed error
	for i := range all {
		n := &all[i]
		if n.Node == own.Node || !n.State.Alive() || now.Sub(n.Began) < settling {
			continue
		}
		there, err := s.bears(n.Life)
		if there {
			continue
		}
		if wrong[n.Life.String()] = true; s.lasts(n.Life.String()) {
			names, failed = append(names, n.Node), errors.Join(failed, err)
		}
	}
	if len(names) == 0 {
		return ""
	}
	text := fmt.Sprintf("node %s does not see in its recording.dir, %s, what node %s writes into its own: with cluster.takeover all nodes need one directory, on storage that they share",
		own.Node, s.dir, strings.Join(names, ", nor what node "))
	if failed != nil {
		text += fmt.Sprintf(" (%v)", failed)
	}
	return text
}

// lasts tells whether the look before found the same wrong.
func (s *shared) lasts(what string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.before[what]
}

func (s *shared) wrong() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.found
}

// lookForSigns looks for the others' signs every signPace, and at once when this node has
// begun another life: the sign of that one is left then.
func (n *Node) lookForSigns(ctx context.Context) {
	const step = time.Second
	var left ledger.Life
	var looked time.Time
	tick := time.NewTicker(step)
	defer tick.Stop()
	for {
		if life := n.roster.Life(); life != left || time.Since(looked) > signPace-step/2 {
			n.lookForSignsOnce(ctx, life)
			left, looked = life, time.Now()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (n *Node) lookForSignsOnce(ctx context.Context, life ledger.Life) {
	asking, cancel := context.WithTimeout(ctx, surveyLimit)
	defer cancel()
	all, err := n.ledger.Nodes(asking)
	if err != nil { // health tells of a ledger that is away
		_ = n.takeovers.shared.leave(life)
		return
	}
	n.takeovers.shared.look(life, all, n.ledger.Now())
}

func (n *Node) sharedHealth() (health.Level, string) {
	if n.takeovers == nil {
		return fine()
	}
	if wrong := n.takeovers.shared.wrong(); wrong != "" {
		return degraded("%s", wrong)
	}
	return fine()
}
