package trunk

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"axgate/sip/identity"
)

// Headers is what stands in requests to a trunk beside who calls whom.
type Headers struct {
	Diversion   bool // Diversion with X (RFC 5806): the call was forwarded by X
	HistoryInfo bool // History-Info with X (RFC 7044): likewise
	NoAgent     bool // no User-Agent
	// Extra stand in each INVITE and MESSAGE to the trunk. No value of a call is
	// in them.
	Extra []identity.Header
}

const (
	maxExtra      = 16
	maxExtraValue = 256 // bytes
)

func (h *Headers) complete() error {
	h.Extra = slices.Clone(h.Extra)
	if len(h.Extra) > maxExtra {
		return fmt.Errorf("extra headers: %d are more than %d", len(h.Extra), maxExtra)
	}
	seen := map[string]bool{}
	for _, e := range h.Extra {
		name := strings.ToLower(e.Name)
		if err := ValidExtraHeader(e.Name, e.Value); err != nil {
			return err
		}
		if seen[name] {
			return fmt.Errorf("extra header %s stands twice", e.Name)
		}
		seen[name] = true
	}
	return nil
}

// ValidExtraHeader tells what is wrong with a constant header: a header that a
// call needs is never one.
func ValidExtraHeader(name, value string) error {
	switch {
	case len(name) < 2 || len(name) > 64 || strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789-._") != "":
		return fmt.Errorf("extra header %.80q: use the whole name of a header, such as X-Customer", name)
	case identity.Allowed(name):
		return fmt.Errorf("extra header %s: it is written by the call itself", name)
	case value == "":
		return fmt.Errorf("extra header %s: its value is empty", name)
	case len(value) > maxExtraValue:
		return fmt.Errorf("extra header %s: its value is longer than %d bytes", name, maxExtraValue)
	case strings.TrimSpace(value) != value:
		return fmt.Errorf("extra header %s: there is a space at an end of its value", name)
	}
	for _, shaping := range []string{"content-encoding", "content-disposition", "mime-version", "expires", "replaces", "join", "event", "refer-to"} {
		if strings.EqualFold(name, shaping) {
			return errors.New("extra header " + name + ": it changes what the request means")
		}
	}
	if _, err := identity.Clean(value); err != nil {
		return fmt.Errorf("extra header %s: %w", name, err)
	}
	return nil
}

// ExtraHeaders are the constant headers of all trunks.
func (t *Table) ExtraHeaders() []identity.Header {
	if t == nil {
		return nil
	}
	var all []identity.Header
	for _, o := range t.out {
		all = append(all, o.Headers.Extra...)
	}
	return all
}
