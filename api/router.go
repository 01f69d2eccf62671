package api

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"axgate/api/answer"
)

// router finds the mount of a request, holds it to its limits and answers if
// its handler panics.
type router struct {
	mounts  []Mount
	proxies []netip.Prefix
	log     zerolog.Logger
}

func (s *router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	seen := &watched{ResponseWriter: w}
	defer func() {
		s.rescue(seen, r, recover())
		s.log.Debug().Str("method", r.Method).Str("path", r.URL.Path).Int("status", seen.status).Dur("took", time.Since(began)).Msg("HTTP request")
	}()
	r.RemoteAddr = client(r, s.proxies)
	m := s.mount(r.URL.Path)
	if m == nil {
		seen.WriteHeader(http.StatusNotFound)
		return
	}
	m.limit(seen, r)
	m.Handler.ServeHTTP(seen, r)
}

func (s *router) mount(path string) *Mount {
	var best *Mount
	for i := range s.mounts {
		m := &s.mounts[i]
		fits := path == m.Path || strings.HasSuffix(m.Path, "/") && strings.HasPrefix(path, m.Path)
		if fits && (best == nil || len(m.Path) > len(best.Path)) {
			best = m
		}
	}
	return best
}

// limit bounds the request in size and time.
func (m *Mount) limit(w http.ResponseWriter, r *http.Request) {
	if m.Short {
		w.Header().Set("Connection", "close")
	}
	most := m.MaxBody
	if most == 0 {
		most = usualBody
	}
	r.Body = http.MaxBytesReader(w, r.Body, most)
	if m.Timeout != 0 {
		c, until := http.NewResponseController(w), time.Now().Add(m.Timeout)
		// A connection without deadlines is none of the server's.
		_ = errors.Join(c.SetReadDeadline(until), c.SetWriteDeadline(until))
	}
}

// rescue answers for a handler that panicked. If part of an answer is out, the
// connection is cut, so that nobody takes the part for the whole.
func (s *router) rescue(w *watched, r *http.Request, what any) {
	if what == nil {
		return
	}
	if what == http.ErrAbortHandler {
		panic(what)
	}
	s.log.Error().Str("method", r.Method).Str("path", r.URL.Path).Str("panic", fmt.Sprint(what)).Str("stack", string(debug.Stack())).Msg("an HTTP handler panicked")
	if w.status != 0 {
		panic(http.ErrAbortHandler)
	}
	clear(w.Header())
	w.Header().Set("Connection", "close")
	answer.Internal.Write(w)
}

// client is the address of who sent the request: the last one on the way that
// is no proxy of ours.
func client(r *http.Request, proxies []netip.Prefix) string {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !among(at.Addr(), proxies) {
		return r.RemoteAddr
	}
	way := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(way) - 1; i >= 0; i-- {
		ip, err := hop(way[i])
		if err != nil {
			break
		}
		at = netip.AddrPortFrom(ip, 0)
		if !among(ip, proxies) {
			break
		}
	}
	return net.JoinHostPort(at.Addr().Unmap().WithZone("").String(), fmt.Sprint(at.Port()))
}

// hop reads an entry of X-Forwarded-For: an address, to which some proxies add
// the port.
func hop(text string) (netip.Addr, error) {
	text = strings.TrimSpace(text)
	if at, err := netip.ParseAddrPort(text); err == nil {
		return at.Addr(), nil
	}
	if bare, is := strings.CutPrefix(text, "["); is {
		text = strings.TrimSuffix(bare, "]")
	}
	return netip.ParseAddr(text)
}

func among(ip netip.Addr, networks []netip.Prefix) bool {
	ip = ip.Unmap().WithZone("")
	for _, n := range networks {
		if n.Contains(ip) {
			return true
		}
	}
	return false
}

// watched remembers whether an answer has begun.
type watched struct {
	http.ResponseWriter
	status int // 0: nothing was written
}

func (w *watched) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK { // 1xx may be followed by more
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *watched) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }
