package node

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"axgate/certs"
	"axgate/ledger"
	"axgate/metrics"
)

// survey finds out now and then what takes a while.
type survey struct {
	node  *Node
	certs map[string]string // where a certificate is shown, and its file

	mu   sync.Mutex
	last metrics.Survey
	due  time.Time // when X are counted next
	ill  bool
}

// The pace of surveys. Each part rests a hundred times as long as it took.
const (
	surveyPace  = 10 * time.Second
	stockPace   = time.Minute
	surveyShare = 100
	surveyLimit = 5 * time.Second // of one question
)

func (s *survey) begin(n *Node) {
	s.node, s.certs = n, map[string]string{}
	for use, file := range map[string]string{"sip": n.cfg.SIP.TLSCert, "http": n.cfg.HTTP.Cert, "redis": n.cfg.Redis.TLSCert} {
		if file != "" {
			s.certs[use] = file
		}
	}
	for i := range n.cfg.Trunks {
		if t := &n.cfg.Trunks[i]; t.TLSCert != "" {
			s.certs["trunk "+t.Name] = t.TLSCert
		}
	}
}

// get is what was found out last.
func (s *survey) get() metrics.Survey {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

func (s *survey) run(ctx context.Context) {
	for {
		wait := max(surveyPace, surveyShare*s.once(ctx))
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// once finds out what it can, and how long that took.
func (s *survey) once(ctx context.Context) time.Duration {
	now := s.get()
	begun := time.Now()
	now.Disks, now.Certs = s.disks(), s.shown()
	err := s.stored(ctx, &now)
	if ctx.Err() != nil {
		return 0
	}
	now.Took = time.Since(begun)
	if err == nil {
		now.At = begun
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = now
	if err != nil && !s.ill {
		s.node.log.Warn().Err(err).Msg("the ledger does not tell what is owed and bound: figures of that stay as they were")
	}
	s.ill = err != nil
	return now.Took
}

// stored is what the ledger tells.
func (s *survey) stored(ctx context.Context, to *metrics.Survey) (err error) {
	ctx, cancel := context.WithTimeout(ctx, surveyLimit)
	defer cancel()
	l := s.node.ledger
	if to.Owed, err = l.Outbox().Owed(ctx); err != nil {
		return err
	}
	if to.Texts, err = l.WaitingTexts(ctx); err != nil {
		return err
	}
	if to.Ahead, err = l.Clock(ctx); err != nil {
		return err
	}
	list, err := l.Nodes(ctx)
	if err != nil {
		return err
	}
	to.Nodes = map[ledger.NodeState]int{ledger.NodeUp: 0, ledger.NodeDraining: 0, ledger.NodeGone: 0, ledger.NodeDead: 0}
	for i := range list {
		to.Nodes[list[i].State]++
	}
	if begun := time.Now(); begun.After(s.due) {
		if to.Stock, err = l.Stock(ctx); err == nil {
			s.due = begun.Add(max(stockPace, surveyShare*time.Since(begun)))
		}
	}
	return err
}

func (s *survey) disks() []metrics.Disk {
	c := &s.node.cfg
	var all []metrics.Disk
	for _, d := range []struct{ of, path string }{{"data", c.Data}, {"journal", JournalDir(c)}, {"recordings", RecordDir(c)}} {
		one := metrics.Disk{Of: d.of}
		var f unix.Statfs_t
		if err := unix.Statfs(d.path, &f); err != nil {
			one.Err = fmt.Errorf("ask for the free space of %s: %w", d.path, err)
		} else {
			one.Free, one.Size = int64(f.Bavail)*f.Bsize, int64(f.Blocks)*f.Bsize
		}
		all = append(all, one)
	}
	return all
}

func (s *survey) shown() []metrics.Certificate {
	var all []metrics.Certificate
	for use, file := range s.certs {
		until, err := certs.Until(file)
		all = append(all, metrics.Certificate{Use: use, Until: until, Err: err})
	}
	return all
}
