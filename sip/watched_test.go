package sip

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/sip/wire"
)

// TestWatchers: who may watch gets answers to OPTIONS, which say when no calls are taken,
// and to nothing else; other strangers get none.
func TestWatchers(t *testing.T) {
	w := open(t, func(s *settings) {
		s.cfg.Watchers = []netip.Prefix{netip.MustParsePrefix("127.0.9.0/24")}
		s.cfg.Flood.Refusals = 5
	})
	watcher, stranger := newPeer(t, "watcher", "127.0.9.7"), newPeer(t, "stranger", "127.0.0.9")
	watcher.to, stranger.to = w.srv.UDPAddr(), w.srv.UDPAddr()
	look := func(p *peer) *side { return p.texts(numX, numA, "hello") }

	o := look(watcher)
	for range 20 { // by others, in its name
		watcher.texts(numX, numA, "hello")
		watcher.send("MESSAGE sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.9.7\r\nUser-Agent: sipvicious\r\n\r\n")
	}
	o.request("OPTIONS", "")
	o.response(200, "OPTIONS")
	require.Empty(t, w.srv.Bans())
	w.srv.Drain(true)
	o.request("OPTIONS", "")
	require.NotEmpty(t, o.response(503, "OPTIONS").get("Retry-After"))
	w.srv.Drain(false)
	require.True(t, w.srv.Accept(wire.Peer{Addr: watcher.addr, Transport: "TCP"}))
	require.False(t, w.srv.known(wire.Peer{Addr: watcher.addr, Transport: "UDP"}), "what it may send is bounded")

	look(stranger).request("OPTIONS", "")
	time.Sleep(200 * time.Millisecond)
	require.Empty(t, stranger.everything(), "it learns nothing, not even that somebody is here")
	w.router.mu.Lock()
	defer w.router.mu.Unlock()
	require.Empty(t, w.router.asked)
}
