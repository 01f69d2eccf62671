package events

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// NewClient makes a client for addresses that others have set, by the Timeout,
// PerAddress, Refuse and RootCAs of cfg: certificates are verified, no redirect
// is followed, no proxy is used, refused networks are not reached, and headers
// of answers are bounded.
func NewClient(cfg *Config) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            (&net.Dialer{Timeout: cfg.Timeout, KeepAlive: 30 * time.Second, Control: refuse(cfg.Refuse)}).DialContext,
			TLSClientConfig:        &tls.Config{RootCAs: cfg.RootCAs, MinVersion: tls.VersionTLS12},
			MaxIdleConnsPerHost:    cfg.PerAddress,
			IdleConnTimeout:        15 * time.Second,
			MaxResponseHeaderBytes: 32 << 10,
			DisableCompression:     true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// post sends one message. nil: the receiver took it, which any answer of the
// kind 2xx says.
func (p *Pusher) post(ctx context.Context, address string, r *Receiver, app string, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return errors.New("the address is malformed")
	}
	req.Header["Content-Type"] = []string{"application/json;charset=UTF-8"}
	req.Header["User-Agent"] = []string{"axgate"}
	sign(req.Header, r, app, p.cfg.Now())
	res, err := p.client.Do(req)
	if err != nil {
		return Plain(err)
	}
	// What the receiver says besides does not matter; a short answer is read to
	// its end so that the connection can be used again.
	const most = 16 << 10
	_, _ = io.CopyN(io.Discard, res.Body, most)
	_ = res.Body.Close()
	switch {
	case res.StatusCode >= 200 && res.StatusCode < 300:
		return nil
	case res.StatusCode >= 300 && res.StatusCode < 400:
		return fmt.Errorf("HTTP status %d: redirects are not followed", res.StatusCode)
	}
	return fmt.Errorf("HTTP status %d", res.StatusCode)
}

// Plain is the error of a request of such a client without the address, which
// may hold a password.
func Plain(err error) error {
	var at *url.Error
	if errors.As(err, &at) {
		err = at.Err
	}
	if errors.Is(err, errRefused) {
		return errRefused
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("no answer in time")
	}
	return err
}
