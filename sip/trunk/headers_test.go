package trunk

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/sip/identity"
)

func TestExtraHeaders(t *testing.T) {
	require.NoError(t, ValidExtraHeader("X-Customer", "seven; of=nine"))
	require.NoError(t, ValidExtraHeader("P-Access-Network-Info", "IEEE-802.3"))
	for want, h := range map[string]identity.Header{
		`extra header "s": use the whole name of a header, such as X-Customer`:           {Name: "s", Value: "x"},
		`extra header "X A": use the whole name of a header, such as X-Customer`:         {Name: "X A", Value: "x"},
		"extra header From: it is written by the call itself":                            {Name: "From", Value: "x"},
		"extra header diversion: it is written by the call itself":                       {Name: "diversion", Value: "x"},
		"extra header Replaces: it changes what the request means":                       {Name: "Replaces", Value: "x"},
		"extra header X-A: its value is empty":                                           {Name: "X-A"},
		"extra header X-A: its value is longer than 256 bytes":                           {Name: "X-A", Value: strings.Repeat("x", 257)},
		"extra header X-A: there is a space at an end of its value":                      {Name: "X-A", Value: "x "},
		"extra header X-A: text for a header has the control character U+000D at byte 1": {Name: "X-A", Value: "x\r\nFrom: y"},
	} {
		require.EqualError(t, ValidExtraHeader(h.Name, h.Value), want)
	}
	h := Headers{Extra: []identity.Header{{Name: "X-A", Value: "1"}, {Name: "x-a", Value: "2"}}}
	require.EqualError(t, h.complete(), "extra header x-a stands twice")
	h.Extra = make([]identity.Header, 17)
	require.EqualError(t, h.complete(), "extra headers: 17 are more than 16")
}
