package trunk

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAuth: a trunk has an address or a name, and a name of its own.
func TestAuth(t *testing.T) {
	good := Auth{"pbx7", "secret of it"}
	for _, c := range []struct {
		trunks []Trunk
		wrong  string
	}{
		{[]Trunk{{Auth: good}}, ""},
		{[]Trunk{{Auth: good}, {Auth: Auth{"pbx8", "secret of it"}}}, ""},
		{[]Trunk{{Auth: good}, {Auth: good}}, `trunks "a" and "b": both have the auth username "pbx7"`},
		{[]Trunk{{Auth: good, Peers: []Peer{{Net: netip.MustParsePrefix("192.0.2.1/32")}}}}, "give one of them"},
		{[]Trunk{{Auth: Auth{Username: "pbx7"}}}, "auth username and password: give both or neither"},
		{[]Trunk{{Auth: Auth{Password: "secret of it"}}}, "auth username and password: give both or neither"},
		{[]Trunk{{Auth: Auth{"pbx7", "short"}}}, "auth password: it is shorter than 8 characters"},
		{[]Trunk{{Auth: Auth{`p"x`, "secret of it"}}}, "without quotes"},
		{[]Trunk{{Auth: Auth{"p\nx", "secret of it"}}}, "auth username"},
		{[]Trunk{{}}, "it has neither peers"},
	} {
		for i := range c.trunks {
			c.trunks[i].Name = string(rune('a' + i))
		}
		table, err := New(c.trunks)
		if c.wrong != "" {
			require.ErrorContains(t, err, c.wrong)
			require.NotContains(t, err.Error(), "secret")
			continue
		}
		require.NoError(t, err)
		for _, tr := range table.All() {
			found, ok := table.ByName(tr.Auth.Username)
			require.True(t, ok)
			require.Equal(t, tr, found)
		}
		_, ok := table.ByName("")
		require.False(t, ok)
	}
}
