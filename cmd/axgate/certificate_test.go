package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/certs/certtest"
	"axgate/config"
)

// TestCertificate: the doctor tells in time that a certificate ends.
func TestCertificate(t *testing.T) {
	dir := t.TempDir()
	h := config.HTTP{Listen: "127.0.0.1:0", Cert: filepath.Join(dir, "c.pem"), Key: filepath.Join(dir, "k.pem")}
	certify := func(end time.Time) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour * 24 * 90), NotAfter: end}
		der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
		require.NoError(t, err)
		private, err := x509.MarshalPKCS8PrivateKey(key)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(h.Cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
		require.NoError(t, os.WriteFile(h.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	}
	examine := func() string {
		x := &patient{}
		x.cfg.HTTP = h
		x.certificates()
		require.Len(t, x.found, 1)
		return x.found[0].Level
	}
	require.Equal(t, wrong, examine(), "there is none")
	for end, want := range map[time.Duration]string{-time.Hour: wrong, 24 * time.Hour: odd, 30 * 24 * time.Hour: fine} {
		certify(time.Now().Add(end))
		require.Equal(t, want, examine(), "%v", end)
	}
	require.NoError(t, os.WriteFile(h.Key, []byte("x"), 0o600))
	require.Equal(t, wrong, examine())
}

// TestCertificatesOfSIP: those of the listener and of trunks are looked at too.
func TestCertificatesOfSIP(t *testing.T) {
	ca := certtest.New(t)
	us := ca.Issue("sip.example")
	x := &patient{}
	x.cfg.SIP.TLS, x.cfg.SIP.TLSCert, x.cfg.SIP.TLSKey, x.cfg.SIP.TLSClientCA = "0.0.0.0:5061", us.Cert, us.Key, us.Key
	x.cfg.Trunks = []config.Trunk{{Name: "a", TLSCert: us.Key, TLSKey: us.Key}, {Name: "b", TLSCA: ca.File}, {Name: "c", TLSCA: "none.pem"}}
	x.certificates()
	var got []string
	for _, f := range x.found {
		got = append(got, f.Level+" "+f.What+" "+f.Advice)
	}
	require.Equal(t, []string{odd + " sip renew it: a running node takes the new files by itself", wrong + " sip set sip.tls_client_ca to a PEM file of certificates",
		wrong + " sip set trunks[0].tls_cert and trunks[0].tls_key to PEM files of a certificate and its key", wrong + " sip set trunks[2].tls_ca to a PEM file of certificates"}, got)
}
