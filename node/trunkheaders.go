package node

import (
	"maps"
	"slices"

	"axgate/config"
	"axgate/sip/identity"
	"axgate/sip/trunk"
)

func trunkHeaders(c *config.TrunkHeaders) trunk.Headers {
	h := trunk.Headers{Diversion: c.SendDiversion, HistoryInfo: c.SendHistoryInfo, NoAgent: c.HideAgent}
	for _, name := range slices.Sorted(maps.Keys(c.ExtraHeaders)) {
		h.Extra = append(h.Extra, identity.Header{Name: name, Value: c.ExtraHeaders[name]})
	}
	return h
}
