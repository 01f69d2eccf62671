package provision

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
)

func TestAccessIsChecked(t *testing.T) {
	for name, c := range map[string]struct {
		access ledger.Access
		wrong  string // part of the refusal; empty: right
	}{
		"nothing set":        {ledger.Access{}, ""},
		"all":                {ledger.Access{Rate: 600, Networks: []string{"192.0.2.7", "192.0.2.0/24", "2001:db8::1", "2001:db8::/32"}, OnceNonce: true}, ""},
		"no limit":           {ledger.Access{Rate: -1}, ""},
		"rate":               {ledger.Access{Rate: 100_000_001}, "rate: 100000001 is more"},
		"a name":             {ledger.Access{Networks: []string{"example.com"}}, `networks: "example.com" is no address`},
		"address and port":   {ledger.Access{Networks: []string{"192.0.2.7:80"}}, "networks"},
		"a zone":             {ledger.Access{Networks: []string{"fe80::1%eth0"}}, "networks"},
		"bits":               {ledger.Access{Networks: []string{"192.0.2.0/33"}}, "networks"},
		"blanks between":     {ledger.Access{Networks: []string{"192.0.2.1 192.0.2.2"}}, "networks"},
		"empty":              {ledger.Access{Networks: []string{""}}, "networks"},
		"too many":           {ledger.Access{Networks: strings.Split(strings.Repeat("192.0.2.7 ", 101)[:101*10-1], " ")}, "networks: there are more than 100"},
		"as many as can be ": {ledger.Access{Networks: strings.Split(strings.Repeat("192.0.2.7 ", 100)[:100*10-1], " ")}, ""},
	} {
		var k check
		k.access(&ledger.App{Access: c.access})
		if c.wrong == "" {
			require.NoError(t, k.err, name)
			continue
		}
		require.Equal(t, "1010002", Code(k.err), name)
		require.ErrorContains(t, k.err, c.wrong, name)
	}
}
