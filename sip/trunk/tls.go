package trunk

import (
	"errors"
	"fmt"
)

// TLS is how a trunk that we call over TLS proves itself to us, and we to it.
type TLS struct {
	Name      string // that its certificate has to have; empty: the name or address of its next hop (RFC 5922 section 4)
	CA        string // PEM file of the authorities it is traced to; empty: those of the system
	Cert, Key string // PEM files of our certificate for it; empty: none is shown
}

func (t *Trunk) completeTLS() error {
	switch {
	case t.Transport != "TLS" && t.Transport != AutoTransport || !t.CallsOut():
		if t.TLS != (TLS{}) {
			return errors.New("its settings for TLS need an address and transport tls")
		}
		return nil
	case (t.TLS.Cert == "") != (t.TLS.Key == ""):
		return errors.New("certificate and key for TLS: give both or neither")
	case t.TLS.Name == "":
		t.TLS.Name = t.hop.Host
	case !host(t.TLS.Name):
		return fmt.Errorf("name for TLS %.80q: use a host name or an IP address", t.TLS.Name)
	}
	return nil
}

// Proof names how the trunk has to prove itself over TLS, if it is called over
// that: the first trunk with the same settings. Such trunks share connections.
func (t *Trunk) Proof() string { return t.proof }

func (t *Table) proofOf(tr *Trunk) string {
	if tr.TLS == (TLS{}) {
		return ""
	}
	for _, o := range t.out {
		if o.TLS == tr.TLS {
			return o.proof
		}
	}
	return tr.Name
}
