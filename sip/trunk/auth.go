package trunk

import (
	"errors"
	"fmt"
	"strings"

	"axgate/sip/identity"
)

// Auth is what a trunk without a fixed address proves its calls and texts by
// (RFC 3261 section 22). The zero value: it is known by its address.
type Auth struct{ Username, Password string }

// shortestPassword is how many bytes a password has at least that anybody on
// the Internet may guess at.
const shortestPassword = 8

func (t *Trunk) completeAuth() error {
	a := t.Auth
	switch {
	case a == (Auth{}):
		return nil
	case a.Username == "" || a.Password == "":
		return errors.New("auth username and password: give both or neither")
	case len(a.Username) > 255 || strings.ContainsAny(a.Username, "\"\\"):
		return errors.New("auth username: use at most 255 characters without quotes and backslashes")
	case len(a.Password) < shortestPassword:
		return fmt.Errorf("auth password: it is shorter than %d characters", shortestPassword)
	case len(t.Peers) > 0:
		return errors.New("peers and auth username: a trunk is known by its address or by its name, give one of them")
	}
	if _, err := identity.Clean(a.Username); err != nil {
		return fmt.Errorf("auth username: %w", err)
	}
	return nil
}

// sameName has no two trunks prove themselves by one name.
func (t *Table) sameName(tr *Trunk) error {
	for _, o := range t.all {
		if tr.Auth.Username != "" && o.Auth.Username == tr.Auth.Username {
			return fmt.Errorf("trunks %q and %q: both have the auth username %.80q", o.Name, tr.Name, tr.Auth.Username)
		}
	}
	return nil
}

// ByName finds the trunk that proves itself by a name.
func (t *Table) ByName(username string) (*Trunk, bool) {
	for _, tr := range t.All() {
		if username != "" && tr.Auth.Username == username {
			return tr, true
		}
	}
	return nil, false
}
