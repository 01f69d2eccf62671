// Package api is the HTTP side: one server with all its limits, on which the
// handlers of the rooms below it are mounted.
package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/net/netutil"

	"axgate/certs"
)

// Config says where the server listens and how it is reached.
type Config struct {
	Listen    string         // host:port
	Cert, Key string         // PEM files; both empty: plain HTTP
	Advertise string         // base of the addresses that others are given; empty: the listen address
	MaxConns  int            // connections at a time; 0: 2,000
	Proxies   []netip.Prefix // whose X-Forwarded-For is believed
}

// Mount is a handler and where it is.
type Mount struct {
	// Path is one path exactly, or with a slash at its end all below it too.
	// The longest that fits counts.
	Path    string
	Handler http.Handler
	Short   bool          // the connection is closed after each answer (api section 2.1)
	MaxBody int64         // bytes of a request's body; 0: 64 KiB
	Timeout time.Duration // for the body to come and the answer to go; 0: 30 s
}

// The limits of a mount that names none, and those of every connection.
const (
	usualBody     = 64 << 10
	usualTimeout  = 30 * time.Second
	maxHeader     = 16 << 10
	headerTimeout = 10 * time.Second
	idleTimeout   = time.Minute
	usualConns    = 2000
)

// Server is an HTTP server. Open has it listen, Serve has it answer.
type Server struct {
	http     *http.Server
	listener net.Listener
	base     string
	serving  sync.WaitGroup
	log      zerolog.Logger
}

// Open listens. A certificate that cannot be read is an error now, a later one
// is logged and the last good one stays in use.
func Open(cfg Config, log zerolog.Logger, mounts ...Mount) (*Server, error) {
	s := &Server{log: log}
	var secure *tls.Config
	if cfg.Cert != "" {
		c, err := certs.OpenPair("HTTP", cfg.Cert, cfg.Key, log)
		if err != nil {
			return nil, err
		}
		secure = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.Server}
	}
	l, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen for HTTP: %w", err)
	}
	if cfg.MaxConns == 0 {
		cfg.MaxConns = usualConns
	}
	s.listener, s.base = netutil.LimitListener(l, cfg.MaxConns), base(&cfg, l.Addr())
	if secure != nil {
		s.listener = tls.NewListener(s.listener, secure)
	}
	only1 := new(http.Protocols)
	only1.SetHTTP1(true) // api section 2.1
	s.http = &http.Server{
		Handler:   &router{mounts: mounts, proxies: cfg.Proxies, log: log},
		Protocols: only1, ReadHeaderTimeout: headerTimeout, ReadTimeout: usualTimeout, WriteTimeout: usualTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader, ErrorLog: quietLog(log),
	}
	return s, nil
}

// base is what others put a path behind to reach us.
func base(cfg *Config, at net.Addr) string {
	if cfg.Advertise != "" {
		return strings.TrimRight(cfg.Advertise, "/")
	}
	u := url.URL{Scheme: "http", Host: at.String()}
	if cfg.Cert != "" {
		u.Scheme = "https"
	}
	if a, err := netip.ParseAddrPort(u.Host); err == nil && a.Addr().IsUnspecified() {
		u.Host = net.JoinHostPort("127.0.0.1", fmt.Sprint(a.Port()))
	}
	return u.String()
}

// Base is the address that others reach the server at, such as
// https://api.example.com, without a slash at its end.
func (s *Server) Base() string { return s.base }

// Addr is where it listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Serve begins to answer.
func (s *Server) Serve() {
	s.serving.Go(func() {
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error().Err(err).Msg("the HTTP server ended")
		}
	})
}

// Close takes no more requests, lets those that are being answered end until
// ctx is done or a few seconds are over, and hangs up.
func (s *Server) Close(ctx context.Context) error {
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		s.log.Warn().Msg("HTTP requests are cut off: they took too long to end")
		err = s.http.Close()
	}
	if shut := s.listener.Close(); !errors.Is(shut, net.ErrClosed) { // it never served
		err = errors.Join(err, shut)
	}
	s.serving.Wait()
	return err
}

// quietLog takes what net/http logs itself: what a client did to its
// connection, which is nobody's business unless somebody looks for it.
func quietLog(to zerolog.Logger) *log.Logger {
	return log.New(debugLines{to}, "", 0)
}

type debugLines struct{ to zerolog.Logger }

func (d debugLines) Write(line []byte) (int, error) {
	d.to.Debug().Str("http", strings.TrimSpace(string(line))).Msg("a connection")
	return len(line), nil
}
