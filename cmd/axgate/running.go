package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"axgate/api/manage"
	"axgate/config"
	"axgate/health"
	"axgate/node"
)

const (
	nodeTime  = 10 * time.Second
	maxAnswer = 16 << 20
)

// runningNode is the management API of the node that runs on the data directory.
type runningNode struct {
	base, token string
	name        string // in the ledger
	client      *http.Client
	ctx         context.Context
	close       func()
}

// findNode finds the node that runs on the data directory.
func (p *program) findNode() (cfg config.Config, r node.Running, err error) {
	if cfg, err = p.load(); err != nil {
		return cfg, r, err
	}
	r, ok := node.FindRunning(cfg.Data)
	if !ok {
		return cfg, r, fmt.Errorf("no node runs on %s: start axgate serve or axgate lab, or name another directory with --data", cfg.Data)
	}
	return cfg, r, nil
}

// runningNode is the management API of that node.
func (p *program) runningNode() (*runningNode, error) {
	cfg, r, err := p.findNode()
	if err != nil {
		return nil, err
	}
	if r.HTTP == "" {
		return nil, errors.New("the node has no HTTP address: set http.listen")
	}
	at, err := hostAddress(r.HTTP)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{Proxy: nil, DisableKeepAlives: true}
	scheme := "http"
	if cfg.HTTP.Cert != "" {
		scheme = "https"
		if transport.TLSClientConfig, err = ownCertificate(&cfg); err != nil {
			return nil, err
		}
	}
	ctx, cancel := p.untilSignal()
	return &runningNode{base: scheme + "://" + at + manage.Prefix, token: r.Token, name: r.Node, ctx: ctx, close: cancel,
		client: &http.Client{Transport: transport, Timeout: nodeTime}}, nil
}

// hostAddress is a listen address as this host reaches it.
func hostAddress(listen string) (string, error) {
	at, err := netip.ParseAddrPort(listen)
	if err != nil {
		return "", fmt.Errorf("the node's HTTP address %q: %w", listen, err)
	}
	if ip := at.Addr(); ip.IsUnspecified() {
		loop := netip.IPv6Loopback()
		if ip.Is4() {
			loop = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		}
		at = netip.AddrPortFrom(loop, at.Port())
	}
	return at.String(), nil
}

// ownCertificate accepts the certificate of http.cert and no other: it names
// the host as customers know it, not the address that it is asked at here.
func ownCertificate(cfg *config.Config) (*tls.Config, error) {
	own, err := tls.LoadX509KeyPair(cfg.HTTP.Cert, cfg.HTTP.Key)
	if err != nil {
		return nil, fmt.Errorf("read http.cert: %w", err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, VerifyConnection: func(s tls.ConnectionState) error {
		if !s.PeerCertificates[0].Equal(own.Leaf) {
			return errors.New("the node does not show the certificate of http.cert")
		}
		return nil
	}}, nil
}

// watchedNode is the node that runs on the data directory where it says how it is: at
// http.listen, or without a token at metrics.listen.
func (p *program) watchedNode() (*runningNode, error) {
	_, r, err := p.findNode()
	switch {
	case err != nil:
		return nil, err
	case r.HTTP != "":
		return p.runningNode()
	case r.Figures == "":
		return nil, errors.New("the node cannot be asked how it is: http.listen and metrics.listen are off, set one of them")
	}
	at, err := hostAddress(r.Figures)
	if err != nil {
		return nil, err
	}
	ctx, cancel := p.untilSignal()
	return &runningNode{base: "http://" + at, name: r.Node, ctx: ctx, close: cancel,
		client: &http.Client{Transport: &http.Transport{Proxy: nil, DisableKeepAlives: true}, Timeout: nodeTime}}, nil
}

// health reads how the node is.
func (n *runningNode) health() (r health.Report, err error) {
	req, err := http.NewRequestWithContext(n.ctx, http.MethodGet, strings.TrimSuffix(n.base, manage.Prefix)+health.FullPath, nil)
	if err != nil {
		return r, fmt.Errorf("ask the node how it is: %w", err)
	}
	if n.token != "" {
		req.Header.Set("Authorization", "Bearer "+n.token)
	}
	res, err := n.client.Do(req)
	if err != nil {
		return r, fmt.Errorf("ask the node how it is: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusServiceUnavailable {
		return r, fmt.Errorf("ask the node how it is: it answers %s", res.Status)
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&r); err != nil {
		return r, fmt.Errorf("read how the node is: %w", err)
	}
	return r, nil
}

// get reads what the node answers at a path of the management API.
func (n *runningNode) get(path string, into any) error { return n.ask(http.MethodGet, path, into) }

// ask reads what the node answers to a request without a body; nil: nothing.
func (n *runningNode) ask(method, path string, into any) error {
	req, err := http.NewRequestWithContext(n.ctx, method, n.base+path, nil)
	if err != nil {
		return fmt.Errorf("ask the node: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+n.token)
	res, err := n.client.Do(req)
	if err != nil {
		return fmt.Errorf("ask the node: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the node's answer: %w", err)
	}
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusNoContent {
		var problem manage.Problem
		_ = json.Unmarshal(body, &problem) // without one, the status says what there is to say
		return fmt.Errorf("the node answers %s: %.200s", res.Status, problem.Detail)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("read the node's answer: %w", err)
	}
	return nil
}
