package sip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/dialog"
	"axgate/sip/digest"
	"axgate/sip/wire"
	"axgate/sms"
)

var wireLongest = wire.Peer{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), 65535), Transport: "UDP"}

// letter is a MESSAGE that we send.
type letter struct {
	// id is the same for the same piece on the same way, after a restart too.
	// Call-ID, From tag and branch come from it, so that a phone whose
	// transaction still lives answers a repetition and shows nothing twice.
	id          string
	round       int  // how many requests of it have ended without success
	tried       bool // it may have been sent before
	route       route
	from        sip.Uri
	headers     []sip.Header
	contentType string
	body        []byte
}

// message builds the MESSAGE from nothing (RFC 3428 section 4): it has no
// Contact and makes no dialog.
func (s *Server) message(l letter, cseq uint32) *sip.Request {
	req := sip.NewRequest(sip.MESSAGE, *l.route.uri.Clone())
	req.AppendHeader(s.via(l.route.to.Transport, sip.RFC3261BranchMagicCookie+digestOf(l.id, "branch", cseq)[:32]))
	for i := range l.route.via {
		req.AppendHeader(&sip.RouteHeader{Address: *l.route.via[i].Clone()})
	}
	mf := sip.MaxForwardsHeader(dialog.DefaultHops)
	req.AppendHeader(&mf)
	from := &sip.FromHeader{Address: l.from}
	from.Params.Add("tag", digestOf(l.id, "tag")[:16])
	req.AppendHeader(from)
	to := l.route.uri.Clone()
	to.UriParams, to.Headers = nil, nil
	req.AppendHeader(&sip.ToHeader{Address: *to})
	callID := sip.CallIDHeader(l.callID())
	req.AppendHeader(&callID)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: cseq, MethodName: sip.MESSAGE})
	if agent := s.agent(l.route.trunk); agent != "" {
		req.AppendHeader(sip.NewHeader("User-Agent", agent))
	}
	for _, h := range l.headers {
		req.AppendHeader(h)
	}
	req.AppendHeader(sip.NewHeader("Content-Type", l.contentType))
	req.SetBody(l.body)
	return req
}

// via is the Via of a request outside dialogs (RFC 3581 section 3).
func (s *Server) via(transport, branch string) *sip.ViaHeader {
	shown := s.shownFor(transport)
	via := &sip.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: transport, Host: hostOf(shown), Port: portOf(shown)}
	via.Params.Add("branch", branch)
	via.Params.Add("rport", "")
	return via
}

// callID is that of the letter's MESSAGE, whatever its try.
func (l letter) callID() string { return digestOf(l.id, "call")[:32] }

// send brings a letter to the other side, and waits for the final answer. An
// error is a *sms.Failure, unless nobody knows whether it arrived.
//
// Until the office knows how a try ended, the next one is the same request, of
// whatever node. After that it is a new one with the next CSeq: the old one
// would only be given its old answer.
func (s *Server) send(ctx context.Context, l letter) error {
	servers, err := s.ranked(ctx, l.route)
	if err != nil {
		s.log.Debug().Err(err).Str("route", l.route.name).Msg("send a text")
		return &sms.Failure{Reason: l.route.name + " cannot be found", Temporary: true}
	}
	for _, l.route = range servers[:min(len(servers), maxTextTries)] {
		if err = s.sendTo(ctx, l); !notThere(err) {
			return err
		}
	}
	return err
}

// maxTextTries bounds how many servers of a trunk are tried at once.
const maxTextTries = 3

// notThere tells whether a text has certainly not come to a server that another
// one of its trunk may stand in for.
func notThere(err error) bool {
	var f *sms.Failure
	return errors.As(err, &f) && f.Temporary && (f.Status == 0 || f.Status == sip.StatusServiceUnavailable)
}

// sendTo brings a letter to one server.
func (s *Server) sendTo(ctx context.Context, l letter) error {
	if s.textRests.resting(l.route, time.Now()) {
		return &sms.Failure{Status: sip.StatusServiceUnavailable, Reason: l.route.name + " asked for a rest", Temporary: true}
	}
	res, err := s.ask(ctx, l)
	s.health.seeText(l.route, res, err)
	switch {
	case errors.Is(err, wire.ErrNoAnswer):
		return &sms.Failure{Status: sip.StatusRequestTimeout, Reason: l.route.name + " does not answer", Temporary: true}
	case errors.Is(err, wire.ErrUnreachable):
		s.log.Debug().Err(err).Str("route", l.route.name).Msg("send a text")
		return &sms.Failure{Reason: l.route.name + " cannot be reached", Temporary: true}
	case err != nil:
		return fmt.Errorf("send a text by %s: %w", l.route.name, err)
	case res.StatusCode < 300:
		return nil
	case res.StatusCode == sip.StatusLoopDetected && l.tried:
		// The peer has this very request from another of our nodes, and does not
		// say what became of it (RFC 3261 section 8.2.2.2).
		return fmt.Errorf("send a text by %s: it is there already", l.route.name)
	}
	s.textRests.rest(l.route, res, time.Now())
	return &sms.Failure{Status: res.StatusCode, Reason: fmt.Sprintf("%s answered %d", l.route.name, res.StatusCode), Temporary: temporary(res.StatusCode)}
}

// temporary tells whether a text that failed with this status may be sent
// again, or over another carrier: it was the network's failure, or the phone is
// not there now (docs/decisions/0015-sms.md).
func temporary(status int) bool {
	switch status {
	case sip.StatusRequestTimeout, sip.StatusTemporarilyUnavailable, sip.StatusBusyHere, sip.StatusUnauthorized, sip.StatusProxyAuthRequired:
		return true
	}
	return status >= 500 && status < 600
}

// ask sends the request of a round, again with proofs if the trunk wants them,
// and returns the final response. An error is of wire or of ctx.
func (s *Server) ask(ctx context.Context, l letter) (*sip.Response, error) {
	proof := s.provers[l.route.trunk].Begin()
	for cseq := uint32((1+digest.MaxTries)*l.round + 1); ; cseq++ { // those behind the first are of proofs
		res, err := s.exchange(ctx, l, proof, cseq)
		if err != nil || !s.challenged(l, proof, res) {
			return res, err
		}
	}
}

// challenged tells whether the answer to a letter is a challenge that its
// repetition can answer.
func (s *Server) challenged(l letter, proof *digest.Exchange, res *sip.Response) bool {
	err := proof.Challenged(res)
	if err != nil && !errors.Is(err, digest.ErrNotAsked) {
		s.log.Warn().Err(err).Str("route", l.route.name).Msg("prove who we are")
	}
	return err == nil
}

func (s *Server) exchange(ctx context.Context, l letter, proof *digest.Exchange, cseq uint32) (*sip.Response, error) {
	req := s.message(l, cseq)
	if err := proof.Sign(req); err != nil {
		return nil, fmt.Errorf("text by %s: %w", l.route.name, err)
	}
	return s.await(ctx, req, l.route.to)
}

// await sends a request outside dialogs and waits for its final response. An
// error is of wire or of ctx.
func (s *Server) await(ctx context.Context, req *sip.Request, to wire.Peer) (*sip.Response, error) {
	if s.stack.Closed() {
		return nil, wire.ErrUnreachable
	}
	type outcome struct {
		res *sip.Response
		err error
	}
	done := make(chan outcome, 1)
	tx := s.stack.Send(req, to, func(res *sip.Response, err error) {
		if err != nil || res.StatusCode >= 200 { // at most once
			done <- outcome{res, err}
		}
	})
	select {
	case o := <-done:
		return o.res, o.err
	case <-ctx.Done():
		tx.End()
		return nil, ctx.Err()
	}
}
