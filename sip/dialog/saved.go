package dialog

import (
	"net/netip"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/wire"
)

// Saved is a dialog in a form that another node can go on with: all but what we
// say of ourselves, which is that node's own, and credentials, which are asked
// for anew.
type Saved struct {
	CallID string   `json:"id"`
	Peer   savedHop `json:"p"`
	Home   savedHop `json:"h,omitzero"`
	Behind bool     `json:"b,omitempty"`

	LocalTag  string     `json:"lt"`
	RemoteTag string     `json:"rt"`
	Local     savedURI   `json:"l"`
	LocalName string     `json:"ln,omitempty"`
	Remote    savedURI   `json:"r"`
	Target    savedURI   `json:"t"`
	Theirs    bool       `json:"th,omitempty"`
	Routes    []savedURI `json:"rs,omitempty"`
	CSeq      uint32     `json:"c"`
	Seen      uint32     `json:"s,omitempty"`
	Heard     bool       `json:"sh,omitempty"`

	User   string `json:"cu,omitempty"` // of our Contact: an X, or nothing
	Secure bool   `json:"cs,omitempty"` // its scheme is sips
}

// savedHop is a wire.Peer.
type savedHop struct {
	Addr      netip.AddrPort `json:"a,omitzero"`
	Transport string         `json:"t,omitempty"`
	Proof     string         `json:"p,omitempty"`
}

// savedURI is a URI part by part, so that it is word for word the same again; one
// of another scheme than SIP's, of which parts are not known, is a text.
type savedURI struct {
	Text     string           `json:"x,omitempty"`
	Scheme   string           `json:"s,omitempty"`
	Slashes  bool             `json:"hs,omitempty"`
	User     string           `json:"u,omitempty"`
	Password string           `json:"w,omitempty"`
	Host     string           `json:"h,omitempty"`
	Port     int              `json:"p,omitempty"`
	Params   sip.HeaderParams `json:"up,omitempty"`
	Headers  sip.HeaderParams `json:"hp,omitempty"`
}

// leap is how far the CSeq of a dialog that another node goes on with is ahead of
// what was saved: more requests than a talk sends between two savings.
const leap = 1 << 16

// Save is the dialog as it is now. Only one that somebody has answered can be
// gone on with.
func (d *Dialog) Save() Saved {
	s := Saved{CallID: d.CallID, Peer: savedHop(d.Peer), Home: savedHop(d.home), Behind: d.Behind, LocalTag: d.localTag, RemoteTag: d.remoteTag,
		Local: saveURI(&d.local), LocalName: d.localName, Remote: saveURI(&d.remote), Target: saveURI(&d.target), Theirs: d.theirs,
		CSeq: d.cseq, Seen: d.seen, Heard: d.heard, User: d.me.Contact.User, Secure: d.me.Contact.Scheme == "sips"}
	for i := range d.routes {
		s.Routes = append(s.Routes, saveURI(&d.routes[i]))
	}
	return s
}

// Transport is that of the messages of the dialog.
func (s *Saved) Transport() string { return s.Peer.Transport }

// Host is where the dialog's peer was.
func (s *Saved) Host() netip.Addr { return s.Peer.Addr.Addr() }

// Restored goes on with a dialog that another node saved. home is a server of the
// peer that can be connected to, if the dialog itself names none; connections
// that the peer had made ended with that node.
func Restored(s Saved, home wire.Peer, me Local) *Dialog {
	d := &Dialog{CallID: s.CallID, Peer: wire.Peer(s.Peer), home: wire.Peer(s.Home), Behind: s.Behind, me: &me, localTag: s.LocalTag, remoteTag: s.RemoteTag,
		local: s.Local.uri(), localName: s.LocalName, remote: s.Remote.uri(), target: s.Target.uri(), theirs: s.Theirs,
		cseq: s.CSeq + leap, seen: s.Seen, heard: s.Heard}
	for i := range s.Routes {
		d.routes = append(d.routes, s.Routes[i].uri())
	}
	if !d.home.Addr.IsValid() {
		d.home = home
	}
	d.reconnect()
	return d
}

// reconnect has requests go to where a peer can be connected to. One behind a NAT
// without a proxy before it has no such place.
func (d *Dialog) reconnect() {
	if d.Peer.Transport == "UDP" {
		return
	}
	behind := d.Behind
	d.Behind = behind && len(d.routes) == 0
	d.Lost(d.Peer)
	d.Behind = behind
}

func saveURI(u *sip.Uri) savedURI {
	if u.Raw() != "" {
		return savedURI{Text: u.String()}
	}
	return savedURI{"", u.Scheme, u.HierarhicalSlashes, u.User, u.Password, u.Host, u.Port, u.UriParams, u.Headers}
}

func (s *savedURI) uri() (u sip.Uri) {
	if s.Text != "" && sip.ParseUri(s.Text, &u) == nil {
		return u
	}
	return sip.Uri{Scheme: s.Scheme, HierarhicalSlashes: s.Slashes, User: s.User, Password: s.Password, Host: s.Host, Port: s.Port, UriParams: s.Params, Headers: s.Headers}
}
