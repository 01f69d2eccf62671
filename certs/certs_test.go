package certs_test

import (
	"bytes"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/certs"
	"axgate/certs/certtest"
)

type lines struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.all.String(), text)
}

func serial(t testing.TB, p *certs.Pair) int64 {
	c, err := x509.ParseCertificate(p.Get().Certificate[0])
	require.NoError(t, err)
	return c.SerialNumber.Int64()
}

func soon(t testing.TB, what string, f func() bool) {
	t.Helper()
	require.Eventually(t, f, 15*time.Second, 20*time.Millisecond, what)
}

func TestPair(t *testing.T) {
	ca := certtest.New(t)
	first, second := ca.Issue("a.example"), ca.Issue("a.example")
	one := first.Serial
	var log lines
	p, err := certs.OpenPair("SIP", first.Cert, first.Key, zerolog.New(&log))
	require.NoError(t, err)
	require.Equal(t, one, serial(t, p))
	second.Put(t, first)
	soon(t, "the new one", func() bool { return serial(t, p) == second.Serial })
	require.Equal(t, 1, log.count("new: the certificate for SIP"))
	require.NoError(t, os.WriteFile(first.Key, []byte("no key"), 0o600))
	soon(t, "a line about what is wrong", func() bool { require.Equal(t, second.Serial, serial(t, p)); return log.count("cannot be used") == 1 })
	require.NoError(t, os.Remove(first.Cert))
	soon(t, "a look at what is gone", func() bool {
		require.Equal(t, second.Serial, serial(t, p))
		return log.count("look at the certificate for SIP") > 0
	})
	require.Equal(t, 1, log.count("cannot be used"))
}

func TestAuthorities(t *testing.T) {
	one, two := certtest.New(t), certtest.New(t)
	var log lines
	a, err := certs.OpenAuthorities("SIP", one.File, zerolog.New(&log))
	require.NoError(t, err)
	require.True(t, a.Pool().Equal(one.Pool))
	text, err := os.ReadFile(two.File)
	require.NoError(t, err)
	f, err := os.OpenFile(one.File, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.Write(text)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	soon(t, "both of them", func() bool { return !a.Pool().Equal(one.Pool) })
	require.NoError(t, os.WriteFile(one.File, []byte("nothing"), 0o600))
	soon(t, "a line", func() bool { a.Pool(); return log.count("the new authorities for SIP cannot be used") == 1 })
}

func TestFilesThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	ca := certtest.New(t)
	pair, other := ca.Issue("a"), ca.Issue("b")
	_, err := certs.OpenPair("SIP", filepath.Join(dir, "none"), pair.Key, zerolog.Nop())
	require.ErrorContains(t, err, "read the certificate for SIP: stat")
	_, err = certs.OpenPair("SIP", pair.Cert, other.Key, zerolog.Nop())
	require.ErrorContains(t, err, "private key does not match")
	_, err = certs.OpenAuthorities("SIP", pair.Key, zerolog.Nop())
	require.ErrorContains(t, err, "read the authorities for SIP: no certificate is in ")
}
