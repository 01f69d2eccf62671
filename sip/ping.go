package sip

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/dialog"
	"axgate/sip/trunk"
)

// longestPing is how long the answer to OPTIONS may take.
const longestPing = 10 * time.Second

// ping asks the servers of a trunk whether they live (RFC 3261 section 11),
// again and again.
func (s *Server) ping(t *trunk.Trunk) {
	for {
		// Not all trunks at once, and not all nodes of a system.
		wait := time.NewTimer(t.Way.PingInterval*9/10 + rand.N(t.Way.PingInterval/5))
		servers, err := s.servers(s.tending, s.trunkRoute(t, ""))
		if err != nil {
			s.log.Debug().Err(err).Str("trunk", t.Name).Msg("ask whether it lives") // the resolver warns
		}
		for _, r := range servers {
			s.wait.Go(func() { s.pingServer(r) })
		}
		select {
		case <-wait.C:
		case <-s.tending.Done():
			wait.Stop()
			return
		}
	}
}

// pingServer sends one OPTIONS and notes what becomes of it. Any final answer
// but 408 and 503 says that the server works.
func (s *Server) pingServer(r route) {
	ctx, cancel := context.WithTimeout(s.tending, min(longestPing, r.trunk.Way.PingInterval))
	defer cancel()
	type outcome struct {
		res *sip.Response
		err error
	}
	done := make(chan outcome, 1)
	tx := s.stack.Send(s.keepAlive(r), r.to, func(res *sip.Response, err error) {
		if err != nil || res.StatusCode >= 200 { // at most once
			done <- outcome{res, err}
		}
	})
	var o outcome
	select {
	case o = <-done:
	case <-ctx.Done():
		tx.End()
	}
	switch {
	case s.tending.Err() != nil:
	case o.res == nil || o.res.StatusCode == sip.StatusRequestTimeout || o.res.StatusCode == sip.StatusServiceUnavailable:
		s.health.missed(r, time.Now(), missedBy(o.res, o.err))
	default:
		s.health.answered(r, o.res.StatusCode, time.Now(), false)
	}
}

// keepAlive is the OPTIONS to a server, from nobody.
func (s *Server) keepAlive(r route) *sip.Request {
	me := s.local("", r.to.Transport, r.trunk)
	d := dialog.Calling(sip.Uri{Scheme: "sip", Host: s.domain(r)}, "", r.uri, r.to, me)
	d.Through(r.via...)
	req, _ := d.Request(sip.OPTIONS, "", nil)
	req.AppendHeader(sip.NewHeader("Accept", "application/sdp"))
	return req
}
