package node

import (
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
type shared struct {
	dir string

	mu    sync.Mutex
	own   ledger.Life // whose sign was left last
	found string      // what is wrong; empty: nothing
}

// settling is for how long a node may live without a sign: a directory that is shared
// may show what others write as late as that (NFS, acdirmax).
const settling = time.Minute

func (s *shared) sign(node string) string { return filepath.Join(s.dir, ".node-"+node) }

// leave writes the sign of a life, at once whole.
func (s *shared) leave(life ledger.Life) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.own == life {
		if _, err := os.Stat(s.sign(life.Node)); err == nil {
			return nil
		}
	}
	at := s.sign(life.Node)
	err := os.WriteFile(at+".new", []byte(life.String()+"\n"), 0o600)
	if err == nil {
		err = os.Rename(at+".new", at)
	}
	if err != nil {
		return fmt.Errorf("leave a sign of this node in %s: %w", s.dir, err)
	}
	s.own = life
	return nil
}

// withdraw takes the sign away.
func (s *shared) withdraw(node string) error {
	if err := os.Remove(s.sign(node)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("take away the sign of this node: %w", err)
	}
	return nil
}

// look leaves the sign of a life and looks for those of all nodes.
func (s *shared) look(own ledger.Life, all []ledger.Node, now time.Time) {
	found := ""
	if err := s.leave(own); err != nil {
		found = err.Error()
	} else if missed := s.missed(own, all, now); len(missed) > 0 {
		found = fmt.Sprintf("node %s does not see in its recording.dir, %s, what node %s writes into its own: with cluster.takeover all nodes need one directory, on storage that they share",
			own.Node, s.dir, strings.Join(missed, ", nor what node "))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.found = found
}

// missed are the living nodes whose sign is not there.
func (s *shared) missed(own ledger.Life, all []ledger.Node, now time.Time) (names []string) {
	for i := range all {
		n := &all[i]
		if n.Node == own.Node || !n.State.Alive() {
			continue
		}
		text, err := os.ReadFile(s.sign(n.Node))
		there := err == nil && strings.TrimSpace(string(text)) == n.Life.String()
		if young := now.Sub(n.Began) < settling; !there && !young {
			names = append(names, n.Node)
		}
	}
	return names
}

func (s *shared) wrong() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.found
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
