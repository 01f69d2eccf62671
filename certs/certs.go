// Package certs reads certificates, keys and authorities from PEM files, and
// reads them again once they have changed: whoever renews them need not
// restart anything. What was read last stays in use while the files are wrong
// or gone.
package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"time"

	"github.com/rs/zerolog"
)

// Pair is a certificate, with those above it, and its key. It is safe for use
// by several goroutines.
type Pair struct{ files files[tls.Certificate] }

// OpenPair reads a pair of files. use tells in errors and in the log what it is
// for, such as "HTTP".
func OpenPair(use, cert, key string, log zerolog.Logger) (*Pair, error) {
	p := &Pair{files[tls.Certificate]{what: "certificate", use: use, paths: []string{cert, key}, log: log}}
	p.files.load = func() (*tls.Certificate, time.Time, error) {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, time.Time{}, err
		}
		return &pair, pair.Leaf.NotAfter, nil
	}
	return p, p.files.open()
}

// Get is the pair as the files have it now.
func (p *Pair) Get() *tls.Certificate { return p.files.get() }

// Server gives the pair to a connection that we accept; it is a
// tls.Config.GetCertificate.
func (p *Pair) Server(*tls.ClientHelloInfo) (*tls.Certificate, error) { return p.Get(), nil }

// Client gives the pair to a connection that we make; it is a
// tls.Config.GetClientCertificate.
func (p *Pair) Client(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return p.Get(), nil }

// Authorities are the certificates that others' certificates are traced to. It
// is safe for use by several goroutines.
type Authorities struct{ files files[x509.CertPool] }

// OpenAuthorities reads a file of certificates. use is as in OpenPair.
func OpenAuthorities(use, file string, log zerolog.Logger) (*Authorities, error) {
	a := &Authorities{files[x509.CertPool]{what: "authorities", use: use, paths: []string{file}, log: log}}
	a.files.load = func() (*x509.CertPool, time.Time, error) {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, time.Time{}, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(text) {
			return nil, time.Time{}, errors.New("no certificate is in " + file)
		}
		return pool, time.Time{}, nil
	}
	return a, a.files.open()
}

// Pool are the authorities as the file has them now.
func (a *Authorities) Pool() *x509.CertPool { return a.files.get() }
