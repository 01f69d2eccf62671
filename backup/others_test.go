package backup_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/backup"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
)

// accounts are those of a ledger.
func accounts(t *testing.T, cfg ledger.Config) (all []string) {
	t.Helper()
	list, err := open(t, cfg).Accounts(t.Context())
	require.NoError(t, err)
	for _, a := range list {
		all = append(all, a.SP)
	}
	return all
}

// TestOthersOnTheLedger: a file that a node uses from a directory of its own is not
// replaced under it.
func TestOthersOnTheLedger(t *testing.T) {
	p := newPlace(t, ledgertest.SQLite(t))
	other, err := ledger.Open(t.Context(), p.cfg)
	require.NoError(t, err)
	_, err = backup.Restore(t.Context(), bytes.NewReader(ofAnOlder(t)), p.target(true))
	require.ErrorIs(t, err, ledger.ErrAlive)
	require.NoError(t, other.EnsureAccount(t.Context(), ledger.Account{SP: "other", MaxApps: 1}, t0))
	require.NoError(t, other.Close())
	left, err := filepath.Glob(p.cfg.Path + "*")
	require.NoError(t, err)
	require.Equal(t, []string{p.cfg.Path}, left)
	_, err = os.Lstat(p.prompts)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.Equal(t, []string{"other"}, accounts(t, p.cfg))
}

// TestNobodyOpensTheLedger: nor does a node begin on a file that is about to be put aside.
func TestNobodyOpensTheLedger(t *testing.T) {
	p := newPlace(t, ledgertest.SQLite(t))
	file := &secondRead{from: bytes.NewReader(ofAnOlder(t)), then: func() {
		_, err := ledger.TakeAlone(t.Context(), p.cfg.Path)
		require.ErrorIs(t, err, ledger.ErrAlive)
	}}
	_, err := backup.Restore(t.Context(), file, p.target(true))
	require.NoError(t, err)
}

// TestAsideWithItsLog: what a killed node has committed last is in the ledger that is put
// aside, whoever opens it.
func TestAsideWithItsLog(t *testing.T) {
	cfg := ledgertest.SQLite(t)
	l := open(t, cfg)
	require.NoError(t, l.EnsureAccount(t.Context(), ledger.Account{SP: "last", MaxApps: 1}, t0))
	p := newPlace(t, ledger.Config{Path: filepath.Join(t.TempDir(), "axgate.db")})
	for _, suffix := range []string{"", "-wal"} { // as a kill leaves them
		b, err := os.ReadFile(cfg.Path + suffix)
		require.NoError(t, err)
		require.NotEmpty(t, b)
		require.NoError(t, os.WriteFile(p.cfg.Path+suffix, b, 0o600))
	}
	r, err := backup.Restore(t.Context(), bytes.NewReader(ofAnOlder(t)), p.target(true))
	require.NoError(t, err)
	require.Len(t, r.Aside, 1)
	require.Equal(t, []string{"last"}, accounts(t, ledger.Config{Path: r.Aside[0]}))
	require.Equal(t, []string{"restored"}, accounts(t, p.cfg))
}

// TestADamagedLedger: one that cannot be read is put aside, and so is a log without its ledger: it
// must not become that of the new one.
func TestADamagedLedger(t *testing.T) {
	for _, suffix := range []string{"", "-wal"} {
		p := newPlace(t, ledger.Config{Path: filepath.Join(t.TempDir(), "axgate.db")})
		damaged := strings.Repeat("this is no database", 1000)
		require.NoError(t, os.WriteFile(p.cfg.Path+suffix, []byte(damaged), 0o600))
		r, err := backup.Restore(t.Context(), bytes.NewReader(ofAnOlder(t)), p.target(true))
		require.NoError(t, err)
		require.Len(t, r.Aside, 1)
		require.Regexp(t, `/axgate\.db\.before-[0-9T.]+`+suffix+`$`, r.Aside[0])
		text, err := os.ReadFile(r.Aside[0])
		require.NoError(t, err)
		require.Equal(t, damaged, string(text))
		require.Equal(t, []string{"restored"}, accounts(t, p.cfg))
	}
}
