package trunk

import (
	"errors"
	"fmt"
)

// TLS is how a trunk that we call over TLS proves itself to us, and we to it.
type TLS struct {
	Name      string // that its certificate has to have; empty: its address
	CA        string // PEM file of the authorities it is traced to; empty: those of the system
	Cert, Key string // PEM files of our certificate for it; empty: none is shown
}

func (t *Trunk) completeTLS() error {
	switch {
	case t.Transport != "TLS" || !t.Address.IsValid():
		if t.TLS != (TLS{}) {
			return errors.New("its settings for TLS need an address and transport tls")
		}
		return nil
	case (t.TLS.Cert == "") != (t.TLS.Key == ""):
		return errors.New("certificate and key for TLS: give both or neither")
	case t.TLS.Name == "":
		t.TLS.Name = t.Address.Addr().String()
	case !host(t.TLS.Name):
		return fmt.Errorf("name for TLS %.80q: use a host name or an IP address", t.TLS.Name)
	}
	return nil
}

// sameProof has trunks at one address prove themselves in one way: they share
// a connection.
func (t *Table) sameProof(tr *Trunk) error {
	for _, o := range t.out {
		if o.Transport == "TLS" && tr.Transport == "TLS" && o.Address == tr.Address && o.TLS != tr.TLS {
			return fmt.Errorf("trunks %q and %q: one address over TLS, so their settings for TLS have to be the same", o.Name, tr.Name)
		}
	}
	return nil
}
