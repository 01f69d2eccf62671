package config

import (
	"strings"
	"time"
)

// TrunkEnrol is our registration with a trunk, for those that want their
// customers to register.
type TrunkEnrol struct {
	Register          bool          `key:"register" help:"register with the trunk; calls go over it only while that holds"`
	RegisterID        string        `key:"register_id" help:"with register, the line's public identity, user@domain: From and To of REGISTER"`
	RegisterUser      string        `key:"register_user" help:"with register, the user name of its digest challenges, which may be user@domain; empty: username"`
	RegisterDomain    string        `key:"register_domain" help:"with register, the host in its Request-URI, which need not be in DNS; empty: that of register_id. Calls have these domains too where domain and from_domain say nothing"`
	RegisterExpires   time.Duration `key:"register_expires" help:"with register, how long it is asked to hold; 0: 1h"`
	RegisterIntroduce bool          `key:"register_introduce" help:"with register, name the user before it is asked for (IMS)"`
}

// TrunkAuth is how a trunk without a fixed address proves who it is.
type TrunkAuth struct {
	AuthUsername string `key:"auth_username" help:"instead of peers, the user name that its calls and texts prove by digest, from whatever address; empty: peers says where they come from"`
	AuthPassword string `key:"auth_password" secret:"true" help:"with auth_username"`
}

func (k *checker) trunkEnrol(key string, t *Trunk) {
	if !t.Register && (t.TrunkEnrol != TrunkEnrol{}) {
		k.wrong(key+".register", "the settings of a registration need register: true")
	}
	if t.Register {
		user, domainOf, _ := strings.Cut(strings.TrimPrefix(t.RegisterID, "sip:"), "@")
		switch {
		case t.Address == "" && t.Proxy == "":
			k.wrong(key+".register", "it needs an address to register at")
		case user == "" || !domain(domainOf):
			k.wrong(key+".register_id", "use user@domain, such as +8613800000001@ims.example.com")
		case t.RegisterDomain != "" && !domain(t.RegisterDomain):
			k.wrong(key+".register_domain", "%.80q: use a host name or an IP address", t.RegisterDomain)
		case t.RegisterUser != "" && t.Password == "":
			k.wrong(key+".password", "it is missing: register_user needs it")
		}
		k.span(key+".register_expires", t.RegisterExpires, 0, 7*24*time.Hour)
	}
	switch {
	case (t.AuthUsername == "") != (t.AuthPassword == ""):
		k.wrong(key+".auth_username", "it and auth_password go together: give both or neither")
	case t.AuthUsername != "" && len(t.Peers) > 0:
		k.wrong(key+".auth_username", "a trunk is known by its peers or by its name: give one of them")
	}
}
