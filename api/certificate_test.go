package api

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// pair is a certificate of 127.0.0.1 and its key, as files have them.
type pair struct {
	cert, key []byte
	serial    int64
}

func newPair(t *testing.T, serial int64) pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	c := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "axgate"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return pair{pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), serial}
}

// put replaces the files as whoever renews certificates does, one after the
// other.
func (p pair) put(t *testing.T, cfg *Config) {
	t.Helper()
	for path, text := range map[string][]byte{cfg.Cert: p.cert, cfg.Key: p.key} {
		require.NoError(t, os.WriteFile(path+".new", text, 0o600))
		require.NoError(t, os.Rename(path+".new", path))
	}
}

// over makes a request that trusts these certificates alone, and gives the
// number of the one that was shown.
func over(address string, trusted ...pair) (serial int64, body string, err error) {
	roots := x509.NewCertPool()
	for _, p := range trusted {
		roots.AppendCertsFromPEM(p.cert)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true, ForceAttemptHTTP2: true}
	client := &http.Client{Transport: transport, Timeout: 15 * time.Second}
	res, err := client.Get(address)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res.TLS.PeerCertificates[0].SerialNumber.Int64(), res.Proto + " " + string(text), err
}

// TestTLS: the own certificate, a new one without a restart, and the last good
// one while the files are wrong or gone.
func TestTLS(t *testing.T) {
	dir := t.TempDir()
	cfg := Config{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	first, second := newPair(t, 1), newPair(t, 2)
	first.put(t, &cfg)
	var log lines
	s := serve(t, cfg, zerolog.New(&log), Mount{Path: "/", Handler: says("secure")})
	require.Regexp(t, `^https://127\.0\.0\.1:\d+$`, s.Base())
	serial, body, err := over(s.Base(), first)
	require.NoError(t, err)
	require.Equal(t, int64(1), serial)
	require.Equal(t, "HTTP/1.1 secure", body, "HTTP/1.1 alone (api section 2.1)")
	_, _, err = over(s.Base(), second)
	require.ErrorContains(t, err, "certificate", "a client that does not trust it is told")

	second.put(t, &cfg)
	require.Eventually(t, func() bool {
		serial, _, err := over(s.Base(), first, second)
		return err == nil && serial == 2
	}, 15*time.Second, 50*time.Millisecond)

	require.NoError(t, os.WriteFile(cfg.Key, []byte("no key"), 0o600))
	require.Eventually(t, func() bool {
		serial, _, err := over(s.Base(), first, second)
		require.NoError(t, err)
		require.Equal(t, int64(2), serial)
		return len(log.with("error")) > 0
	}, 15*time.Second, 50*time.Millisecond)
	require.NoError(t, os.Remove(cfg.Cert))
	until := time.Now().Add(1500 * time.Millisecond) // longer than files are believed
	for time.Now().Before(until) {
		serial, _, err = over(s.Base(), second)
		require.NoError(t, err)
		require.Equal(t, int64(2), serial)
		time.Sleep(100 * time.Millisecond)
	}
	require.Len(t, log.with("error"), 1, "one line, however many connections there are")
	first.put(t, &cfg)
	require.Eventually(t, func() bool {
		serial, _, err := over(s.Base(), first, second)
		return err == nil && serial == 1
	}, 15*time.Second, 50*time.Millisecond)
}

// TestOldTLS: a client older than TLS 1.2, and one without TLS, get nothing.
func TestOldTLS(t *testing.T) {
	dir := t.TempDir()
	cfg := Config{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	newPair(t, 1).put(t, &cfg)
	s := serve(t, cfg, zerolog.Nop(), Mount{Path: "/", Handler: says("secure")})
	old := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	_, err := tls.Dial("tcp", s.Addr().String(), old)
	require.Error(t, err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 15 * time.Second}
	res, err := client.Get("http://" + s.Addr().String())
	if err == nil {
		require.Equal(t, http.StatusBadRequest, res.StatusCode)
		require.NoError(t, res.Body.Close())
	}
}
