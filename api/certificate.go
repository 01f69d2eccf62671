package api

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// certificate is a pair of files that is read again once it has changed.
type certificate struct {
	cert, key string
	log       zerolog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	read    stamp // of what is current, or could not be read
	looked  time.Time
}

// stamp tells two states of the files apart.
type stamp struct {
	certAt, keyAt     time.Time
	certSize, keySize int64
}

func openCertificate(cert, key string, log zerolog.Logger) (*certificate, error) {
	c := &certificate{cert: cert, key: key, log: log, looked: time.Now()}
	var err error
	if c.read, err = c.stamp(); err == nil {
		err = c.load()
	}
	if err != nil {
		return nil, fmt.Errorf("read the certificate for HTTP: %w", err)
	}
	return c, nil
}

// get gives the certificate to a connection that begins. Whoever renews it
// need not restart anything.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	const pace = time.Second
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) < pace {
		return c.current, nil
	}
	c.looked = time.Now()
	now, err := c.stamp()
	if err != nil { // one of the files is being replaced
		c.log.Debug().Err(err).Msg("look at the certificate for HTTP")
		return c.current, nil
	}
	if now == c.read {
		return c.current, nil
	}
	c.read = now
	if err := c.load(); err != nil {
		c.log.Error().Err(err).Msg("the new certificate for HTTP cannot be used: the last one stays")
		return c.current, nil
	}
	c.log.Info().Time("until", c.current.Leaf.NotAfter).Msg("a new certificate for HTTP")
	return c.current, nil
}

func (c *certificate) load() error {
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err == nil {
		c.current = &pair
	}
	return err
}

func (c *certificate) stamp() (stamp, error) {
	cert, err := os.Stat(c.cert)
	if err != nil {
		return stamp{}, err
	}
	key, err := os.Stat(c.key)
	if err != nil {
		return stamp{}, err
	}
	return stamp{cert.ModTime(), key.ModTime(), cert.Size(), key.Size()}, nil
}
