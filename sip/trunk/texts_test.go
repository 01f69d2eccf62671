package trunk

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTexts: each mistake is named with what is right, and what is left out is
// filled in.
func TestTexts(t *testing.T) {
	with := func(name string, texts Texts) (*Table, error) {
		return New([]Trunk{{Name: name, Address: netip.MustParseAddrPort("192.0.2.1:5060"), Texts: texts}})
	}
	for _, c := range []struct {
		name  string
		texts Texts
		want  Texts
		on    bool
		wrong string
	}{
		{"a", Texts{}, Texts{Form: TextsOff, Role: UE}, false, ""},
		{"phone", Texts{}, Texts{Form: TextsOff, Role: UE}, false, ""},
		{"a", Texts{Form: Plain}, Texts{Form: Plain, Role: UE}, true, ""},
		{"a", Texts{Form: CPIM, Role: Network}, Texts{Form: CPIM, Role: Network}, true, ""},
		{"a", Texts{Form: ThreeGPP, Center: "+8613800100500", PSI: "smsc.1"}, Texts{Form: ThreeGPP, Role: UE, Center: "+8613800100500", PSI: "smsc.1"}, true, ""},
		{"a", Texts{Form: ThreeGPP, Center: "+8613800100500", PSI: "+8613800100500"}, Texts{Form: ThreeGPP, Role: UE, Center: "+8613800100500", PSI: "+8613800100500"}, true, ""},
		{"phone", Texts{Form: Plain}, Texts{}, false, "name: with texts, phone is that of the phones of the registrar"},
		{"a", Texts{Form: "sms"}, Texts{}, false, `sms "sms": use off, text, cpim or 3gpp`},
		{"a", Texts{Role: "client"}, Texts{}, false, `sms role "client": use ue or network`},
		{"a", Texts{Form: ThreeGPP}, Texts{}, false, "sms center: with sms 3gpp the service centre has a number"},
		{"a", Texts{Center: "13800100500"}, Texts{}, false, "sms center: use a number in global form"},
		{"a", Texts{Center: "+86138001005001234567890"}, Texts{}, false, "sms center: use a number in global form"},
		{"a", Texts{Center: "+86x"}, Texts{}, false, "sms center: use a number in global form"},
		{"a", Texts{PSI: "a@b"}, Texts{}, false, `sms psi "a@b": use 1 to 64 letters`},
		{"a", Texts{PSI: "+"}, Texts{}, false, `sms psi "+": use 1 to 64 letters`},
	} {
		table, err := with(c.name, c.texts)
		if c.wrong != "" {
			require.ErrorContains(t, err, c.wrong)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, c.want, table.Out()[0].Texts)
		require.Equal(t, c.on, table.Out()[0].Texts.On())
	}
}
