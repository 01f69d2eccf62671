package identity

import (
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"
)

func TestChargingID(t *testing.T) {
	long := strings.Repeat("x", maxChargingID)
	for value, want := range map[string]string{
		"icid-value=1234bc9876e;icid-generated-at=192.0.2.8;orig-ioi=home1.example": "1234bc9876e",
		`orig-ioi=home1.example ; ICID-Value = "a;b=c"`:                             "a;b=c",
		"icid-value=" + long:       long,
		"icid-value=" + long + "x": "",
		"icid-value=a\x01b":        "",
		"icid-value=a\xffb":        "",
		"icid-value":               "",
		"icid-generated-at=x":      "",
		`"icid-value=x`:            "",
		"":                         "",
	} {
		req := sip.NewRequest(sip.INVITE, sip.Uri{Scheme: "sip", Host: "h"})
		req.AppendHeader(sip.NewHeader("P-Charging-Vector", value))
		require.Equal(t, want, ChargingID(req), "%q", value)
	}
	require.Empty(t, ChargingID(sip.NewRequest(sip.INVITE, sip.Uri{Scheme: "sip", Host: "h"})))
}
