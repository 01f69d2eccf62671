package sip

import (
	"encoding/json"
	"errors"
	"fmt"

	"axgate/events"
	"axgate/media"
	"axgate/media/srtp"
	"axgate/routing"
	"axgate/sip/dialog"
	"axgate/sip/sdp"
)

// Talks keeps the state of answered calls where other nodes can read it, so that
// one of them can go on with the calls of a node that died (Server.Prepare). Its
// methods do not block.
type Talks interface {
	// Keep takes the state of a call in place of the one before.
	Keep(session string, state []byte)
	// Drop forgets a call that is over.
	Drop(session string)
	// Shared tells whether the state of a call may have come to where others read it.
	Shared(session string) bool
}

// savedForm is the form of savedTalk. Another one is not read: nodes of one system
// may be of two versions for a while.
const savedForm = 1

// savedTalk is an answered call as another node goes on with it.
type savedTalk struct {
	Form       int         `json:"form"`
	Call       events.Call `json:"call"`
	Seq        int         `json:"seq"`             // of its last event
	Ahead      int64       `json:"ahead,omitempty"` // ms by which the node's clock is ahead of the times in Call
	App        savedApp    `json:"app"`
	Record     bool        `json:"record,omitempty"`
	Hint       string      `json:"hint,omitempty"`
	MaxMinutes int         `json:"max,omitempty"`
	LastMinute string      `json:"last,omitempty"`
	Phone      string      `json:"phone,omitempty"` // the caller's, if it is one of the registrar's
	Named      bool        `json:"named,omitempty"` // the caller's trunk proved its name
	Caller     savedLeg    `json:"a"`
	Callee     savedLeg    `json:"b"`
}

// savedApp is what a talk needs of its app.
type savedApp struct {
	Stereo  bool                     `json:"stereo,omitempty"`
	Informs bool                     `json:"informs,omitempty"`
	Prompts map[routing.Scene]string `json:"prompts,omitempty"` // while the record hint is to be played
	Usual   map[routing.Scene]bool   `json:"usual,omitempty"`
}

// savedLeg is one side of it. Its trunk stands in the call.
type savedLeg struct {
	Dialog dialog.Saved `json:"d"`
	SDP    sdp.Saved    `json:"s"`
	// Agreed is without keys: those are new.
	Agreed   sdp.Agreed   `json:"g"`
	Security sdp.Security `json:"y,omitempty"`

	Expires int  `json:"se,omitempty"` // session
	Least   int  `json:"sl,omitempty"`
	Ours    bool `json:"so,omitempty"`
	Theirs  bool `json:"st,omitempty"`

	Updates bool      `json:"u,omitempty"`
	Informs bool      `json:"i,omitempty"`
	Keys    keyMethod `json:"k,omitempty"`
	Way     [2]bool   `json:"w,omitzero"` // stops: from, to
}

// changes notes that what another node would have to know of the call is not what
// it was.
func (c *call) changes() { c.unsaved = true }

// save hands the state of a call on if it has changed: it can be gone on with
// from when both sides are answered and can be spoken to. It is called between two
// messages, when nothing is half done.
func (c *call) save() {
	if !c.unsaved || c.srv.cfg.Talks == nil || c.over.Load() || !c.stands() {
		return
	}
	c.unsaved = false
	state, err := json.Marshal(c.saved())
	if err != nil {
		c.log.Error().Err(err).Msg("the call does not survive this node")
		return
	}
	c.kept = true
	c.srv.cfg.Talks.Keep(c.session, state)
}

// stands tells whether both legs of the call are answered and have their audio.
func (c *call) stands() bool {
	return c.a.up && c.a.ready && !c.a.gone && c.b != nil && c.b.up && c.b.ready && !c.b.gone
}

// shared tells whether others may go on with the call.
func (c *call) shared() bool { return c.kept && c.srv.cfg.Talks.Shared(c.session) }

// forgotten drops the state of a call that is over.
func (c *call) forgotten() {
	if c.kept {
		c.kept = false
		c.srv.cfg.Talks.Drop(c.session)
	}
}

func (c *call) saved() savedTalk {
	t := savedTalk{Form: savedForm, Call: c.rec, Seq: c.record.seq, Ahead: c.ahead().Milliseconds(), App: savedApp{Stereo: c.d.App.Stereo, Informs: c.d.App.Informs},
		Record: c.d.Record, Hint: c.d.Hint, MaxMinutes: c.d.MaxMinutes, LastMinute: c.d.LastMinute, Phone: c.from.phone, Named: c.from.named,
		Caller: c.a.saved(), Callee: c.b.saved()}
	if c.d.Record && c.tape.file == nil {
		t.App.Prompts, t.App.Usual = c.d.App.Prompts, c.d.App.Defaults
	}
	return t
}

func (l *leg) saved() savedLeg {
	s := savedLeg{Dialog: l.dialog.Save(), SDP: l.sdp.Save(), Agreed: l.agreed, Security: l.security,
		Expires: l.session.expires, Least: l.session.least, Ours: l.session.ours, Theirs: l.session.theirs,
		Updates: l.updates, Informs: l.informs, Keys: l.keys, Way: [2]bool{l.ours.way.from, l.ours.way.to}}
	s.Agreed.Keys = srtp.Keys{}
	return s
}

// Errors of Adopt.
var (
	ErrForm    = errors.New("the state of the call is of another version, or none")
	ErrNoTrunk = errors.New("the call's trunk is not configured here")
	ErrCarried = errors.New("this node carries the call already")
	ErrClosed  = errors.New("this node ends")
)

// readTalk reads the state of a call.
func readTalk(state []byte) (*savedTalk, error) {
	var t savedTalk
	if err := json.Unmarshal(state, &t); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	whole := t.Call.Session != "" && !t.Call.Answered.IsZero() && t.Call.App != ""
	for _, l := range []*savedLeg{&t.Caller, &t.Callee} {
		whole = whole && l.Dialog.CallID != "" && l.Dialog.LocalTag != "" && l.Dialog.Host().IsValid() && len(l.SDP.Slots) > 0
	}
	if t.Form != savedForm || !whole {
		return nil, ErrForm
	}
	return &t, nil
}

// trunkOf is the name of the trunk of a side of a saved call.
func (t *savedTalk) trunkOf(side media.Side) string {
	if side == media.Caller {
		return t.Call.CallerTrunk
	}
	return t.Call.CalleeTrunk
}
