package gateway

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"axgate/events"
	"axgate/routing"
	"axgate/sms"
)

// CarrierConfig is what a Carrier needs to know.
type CarrierConfig struct {
	Name    string         // of the gateway
	URL     string         // http or https; texts are posted there
	Secret  string         // what is shown there as a bearer token; empty: none
	Numbers []string       // beginnings, in global form, of the numbers that it serves; none: it serves all
	Timeout time.Duration  // of one post; 10 s
	Refuse  []netip.Prefix // networks that nothing is posted to
	RootCAs *x509.CertPool // who vouches for an https gateway; nil: the system's
	Log     zerolog.Logger
}

// Carrier posts texts to a gateway. It is safe for use by many goroutines.
type Carrier struct {
	cfg    CarrierConfig
	client *http.Client
}

var _ sms.Carrier = (*Carrier)(nil)

// NewCarrier makes a carrier. Close ends it.
func NewCarrier(cfg CarrierConfig) *Carrier {
	if cfg.Timeout <= 0 {
		cfg.Timeout = 10 * time.Second
	}
	const idle = 32 // connections that wait for texts
	return &Carrier{cfg, events.NewClient(&events.Config{Timeout: cfg.Timeout, PerAddress: idle, Refuse: cfg.Refuse, RootCAs: cfg.RootCAs})}
}

// Close lets go of the connections that wait for texts.
func (c *Carrier) Close() { c.client.CloseIdleConnections() }

// Name is the gateway's.
func (c *Carrier) Name() string { return c.cfg.Name }

// Reaches tells whether the gateway serves a number.
func (c *Carrier) Reaches(n routing.Number) bool {
	for _, begin := range c.cfg.Numbers {
		if strings.HasPrefix(string(n), begin) {
			return true
		}
	}
	return len(c.cfg.Numbers) == 0
}

// Pieces is 1: a gateway splits texts as its network wants them.
func (c *Carrier) Pieces(string) int { return 1 }

// outgoing is the body of a post.
type outgoing struct {
	ID     string `json:"id"`
	From   string `json:"from"` // X
	To     string `json:"to"`
	Text   string `json:"text"`
	Piece  int    `json:"piece"` // from 1
	Pieces int    `json:"pieces"`
	Time   string `json:"time"` // when the text came, RFC 3339 in UTC
}

// Send posts a piece. Its id, which is the idempotency key too, is the same at
// each try. An error is a *sms.Failure, or the gateway may have got the piece.
func (c *Carrier) Send(ctx context.Context, o sms.Outgoing) error {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	id := fmt.Sprintf("%s-%d", o.ID, o.Piece+1)
	body := encode(outgoing{ID: id, From: string(o.X), To: string(o.Receiver), Text: o.Text, Piece: o.Piece + 1, Pieces: o.Pieces, Time: o.At.UTC().Format("2006-01-02T15:04:05.000Z")})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return &sms.Failure{Reason: "the gateway's address is malformed", Temporary: true}
	}
	req.Header["Content-Type"] = []string{jsonType}
	req.Header["User-Agent"] = []string{"axgate"}
	req.Header["Idempotency-Key"] = []string{id}
	if c.cfg.Secret != "" {
		req.Header["Authorization"] = []string{"Bearer " + c.cfg.Secret}
	}
	res, err := c.client.Do(req)
	switch {
	case err != nil && connected.Load():
		err = events.Plain(err)
		c.cfg.Log.Debug().Err(err).Str("gateway", c.cfg.Name).Str("text", o.ID).Msg("post a text")
		return c.unknown(err.Error())
	case err != nil:
		return &sms.Failure{Reason: events.Plain(err).Error(), Temporary: true}
	}
	// What the gateway says besides does not matter; a short answer is read to
	// its end so that the connection can be used again.
	const most = 16 << 10
	_, _ = io.CopyN(io.Discard, res.Body, most)
	_ = res.Body.Close()
	return c.verdict(res.StatusCode)
}

// unknown is the error of a piece that may have gone out.
func (c *Carrier) unknown(why string) error {
	return fmt.Errorf("post a text to %s: %s", c.cfg.Name, why)
}

// verdict is what a status says about the piece.
func (c *Carrier) verdict(status int) error {
	reason := fmt.Sprintf("HTTP status %d", status)
	switch {
	case status >= 200 && status < 300:
		return nil
	case status >= 300 && status < 400:
		return &sms.Failure{Status: status, Reason: reason + ": redirects are not followed", Temporary: true}
	case status == http.StatusUnauthorized: // that is about us, not about the text
		return &sms.Failure{Status: status, Reason: reason + ": the gateway does not take our secret", Temporary: true}
	case status == http.StatusBadGateway || status == http.StatusGatewayTimeout: // what is behind it did not say
		return c.unknown(reason)
	case status == http.StatusRequestTimeout || status == http.StatusTooEarly || status == http.StatusTooManyRequests || status >= 500:
		return &sms.Failure{Status: status, Reason: reason, Temporary: true}
	}
	return &sms.Failure{Status: status, Reason: reason}
}

// encode writes JSON as it is read, without the escapes for HTML. Strings and
// numbers cannot fail.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	return b.Bytes()
}
