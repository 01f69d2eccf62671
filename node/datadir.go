package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// The files of a data directory that tell of the node that runs on it.
const (
	lockFile    = "node.lock"
	runningFile = "running.json"
)

// Running tells where a node is to be reached.
type Running struct {
	PID   int       `json:"pid"`
	Node  string    `json:"node"`
	Since time.Time `json:"since"`
	UDP   string    `json:"udp,omitempty"` // SIP listen addresses
	TCP   string    `json:"tcp,omitempty"`
	TLS   string    `json:"tls,omitempty"`
	Redis string    `json:"redis"`
	HTTP  string    `json:"http,omitempty"` // listen address of the API
	// Figures is the listen address of figures and health without a token.
	Figures string `json:"figures,omitempty"`
	// Token is good for the management API while the node runs: who can read this
	// file can read the ledger beside it too.
	Token string `json:"token,omitempty"`
}

// dataDir is a data directory that is held: by its node alone, or by commands
// together while no node runs.
type dataDir struct {
	path string
	lock *os.File
}

var errHeld = errors.New("another axgate runs on this data directory")

// hold takes the directory. A node that starts waits a little for a command
// that is at its end.
func hold(ctx context.Context, path string, alone bool) (*dataDir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(path, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the data directory %s is not writable: %w", path, err)
	}
	how, patience := unix.LOCK_SH, time.Duration(0)
	if alone {
		how, patience = unix.LOCK_EX, 5*time.Second
	}
	for until := time.Now().Add(patience); ; {
		err = unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		if err == nil {
			return &dataDir{path, f}, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) || time.Now().After(until) || ctx.Err() != nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	_ = f.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, fmt.Errorf("%s: %w", path, errHeld)
	}
	return nil, fmt.Errorf("lock the data directory %s: %w", path, err)
}

func (d *dataDir) release() error {
	if err := d.lock.Close(); err != nil {
		return fmt.Errorf("unlock the data directory: %w", err)
	}
	return nil
}

// announce writes where the node is to be reached, whole or not at all.
func (d *dataDir) announce(r Running) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err == nil {
		path := filepath.Join(d.path, runningFile)
		if err = os.WriteFile(path+".new", append(text, '\n'), 0o600); err == nil {
			err = os.Rename(path+".new", path)
		}
	}
	if err != nil {
		return fmt.Errorf("note where the node is to be reached: %w", err)
	}
	return nil
}

func (d *dataDir) withdraw() error {
	if err := os.Remove(filepath.Join(d.path, runningFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("note that the node ends: %w", err)
	}
	return nil
}

// FindRunning tells of the node that runs on a data directory; not ok: none
// does, or it has not begun to serve.
func FindRunning(path string) (Running, bool) {
	var r Running
	text, err := os.ReadFile(filepath.Join(path, runningFile))
	if err != nil || json.Unmarshal(text, &r) != nil {
		return r, false
	}
	d, err := hold(context.Background(), path, false)
	if err == nil { // nobody holds it: its writer has died
		_ = d.release()
		return Running{}, false
	}
	return r, errors.Is(err, errHeld)
}

// IsHeld tells whether an error is that another axgate has the data directory.
func IsHeld(err error) bool { return errors.Is(err, errHeld) }
