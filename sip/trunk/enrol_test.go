package trunk

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestEnrol: each mistake is named with what is right, and what is left out is
// filled in.
func TestEnrol(t *testing.T) {
	const id = "+862160000000@ims.example.com"
	at := netip.MustParseAddrPort("192.0.2.1:5060")
	full := Enrol{On: true, ID: id, User: "u@private.example", Domain: "ims.example.com", Expires: time.Hour}
	for _, c := range []struct {
		trunk Trunk
		want  Enrol
		wrong string
	}{
		{Trunk{}, Enrol{}, ""},
		{Trunk{Enrol: Enrol{On: true, ID: id}}, Enrol{On: true, ID: id, Domain: "ims.example.com", Expires: time.Hour}, ""},
		{Trunk{Enrol: Enrol{On: true, ID: "sip:" + id, User: "u@private.example"}, Password: "p"}, full, ""},
		{Trunk{Enrol: Enrol{On: true, ID: id, Domain: "10.0.0.1", Expires: time.Minute}, Username: "u", Password: "p"},
			Enrol{On: true, ID: id, User: "u", Domain: "10.0.0.1", Expires: time.Minute}, ""},
		{Trunk{Enrol: Enrol{ID: id}}, Enrol{}, "its settings for a registration need register"},
		{Trunk{Enrol: Enrol{On: true}}, Enrol{}, "register id: use user@domain"},
		{Trunk{Enrol: Enrol{On: true, ID: "a@b c"}}, Enrol{}, "register id: use user@domain"},
		{Trunk{Enrol: Enrol{On: true, ID: "@b"}}, Enrol{}, "register id: use user@domain"},
		{Trunk{Enrol: Enrol{On: true, ID: id, Domain: "a b"}}, Enrol{}, `register domain "a b": use a host name`},
		{Trunk{Enrol: Enrol{On: true, ID: id, Expires: time.Millisecond}}, Enrol{}, "register expires 1ms: use whole seconds"},
		{Trunk{Enrol: Enrol{On: true, ID: id, Expires: 8 * 24 * time.Hour}}, Enrol{}, "register expires"},
		{Trunk{Enrol: Enrol{On: true, ID: id, User: "u"}}, Enrol{}, "username and password: give both or neither"},
		{Trunk{Enrol: Enrol{On: true, ID: id, Introduce: true}}, Enrol{}, "register introduce: there is no username"},
	} {
		c.trunk.Name, c.trunk.Address = "a", at
		table, err := New([]Trunk{c.trunk})
		if c.wrong != "" {
			require.ErrorContains(t, err, c.wrong)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, c.want, table.Out()[0].Enrol)
	}
	_, err := New([]Trunk{{Name: "a", Peers: []Peer{{Net: netip.MustParsePrefix("192.0.2.1/32")}}, Enrol: Enrol{On: true, ID: id}}})
	require.ErrorContains(t, err, "register: it needs an address")

	table, err := New([]Trunk{{Name: "a", Address: at, Enrol: Enrol{On: true, ID: id, User: "u@private.example"}, Password: "p"}})
	require.NoError(t, err)
	tr := table.Out()[0]
	require.Equal(t, "u@private.example", tr.Username, "calls are proved by the same name")
	host, port := tr.Host()
	require.Equal(t, []any{"ims.example.com", 0, "ims.example.com"}, []any{host, port, tr.FromDomain}, "calls are within the domain")
	user, domain := tr.Enrol.Line()
	require.Equal(t, []string{"+862160000000", "ims.example.com"}, []string{user, domain})
}
