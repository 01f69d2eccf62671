package manage

import (
	"context"
	"net/http"
	"net/netip"
	"time"
)

const bansTag = "bans"

// Ban is an address of which this node reads nothing.
type Ban struct {
	Source   string    `json:"source" doc:"The address; of IPv6 the network of 64 bits that it is in." example:"192.0.2.66"`
	Since    time.Time `json:"since" doc:"Since when." example:"2026-01-02T03:04:05Z"`
	Until    time.Time `json:"until" doc:"When it ends by itself." example:"2026-01-02T03:14:05Z"`
	Refusals int       `json:"refusals" doc:"Refused requests that led to it; a message of a known scanner counts as several." example:"60"`
	Dropped  uint64    `json:"dropped" doc:"Messages that were thrown away since." example:"1204"`
}

// Defence is what this node has turned away since its start.
type Defence struct {
	Limited  uint64 `json:"limited" doc:"Messages beyond the rate of their address (sip.flood_rate)." example:"120"`
	Banned   uint64 `json:"banned" doc:"Messages of banned addresses." example:"4802"`
	Scanners uint64 `json:"scanners" doc:"Messages of tools that look for open doors." example:"31"`
	Shed     uint64 `json:"shed" doc:"Calls that were refused because there were too many." example:"0"`
	Guessers uint64 `json:"guessers" doc:"Callers that typed as many wrong extensions as they may." example:"2"`
	Guesses  uint64 `json:"guesses" doc:"Extensions of theirs that were not looked up after that." example:"17"`

	OverLimit uint64 `json:"overLimit" doc:"Calls beyond a limit of their account or X (guard.account_*, guard.x_*, guard.night_*)." example:"5"`
	Jumps     uint64 `json:"jumps" doc:"Jumps of the calls per minute of an account or X far above what was usual (guard.jump_factor)." example:"1"`
}

func (s *service) bans() {
	add(s, op{id: "listBans", method: http.MethodGet, path: "/bans", who: operator, subject: bansTag,
		summary: "List banned addresses",
		about:   "The addresses of which the node that answers reads nothing, because too much that they sent was refused. Every node has its own.",
	}, s.listBans)
	add(s, op{id: "removeBan", method: http.MethodDelete, path: "/bans/{address}", who: operator, subject: bansTag, refuses: []int{http.StatusNotFound},
		summary: "Hear an address again",
		about:   "Ends the ban of an address at the node that answers. It may be banned anew.",
	}, s.removeBan)
	add(s, op{id: "getDefence", method: http.MethodGet, path: "/defence", who: operator, subject: bansTag,
		summary: "What was turned away",
		about:   "Counts of what the node that answers has turned away since its start.",
	}, func(context.Context, *struct{}) (*struct{ Body Defence }, error) {
		return &struct{ Body Defence }{s.Defence()}, nil
	})
}

func (s *service) listBans(_ context.Context, in *Page) (*listed[Ban], error) {
	var all []Ban
	for _, b := range s.Bans() {
		if b.Source > in.After {
			all = append(all, b)
		}
	}
	inOrder(all, func(b Ban) string { return b.Source })
	return paged(all, in.Limit, func(b *Ban) Ban { return *b }, func(b *Ban) string { return b.Source }), nil
}

func (s *service) removeBan(_ context.Context, in *struct {
	Address string `path:"address" minLength:"2" maxLength:"64" doc:"The address, or any of its network." example:"192.0.2.66"`
}) (*struct{}, error) {
	ip, err := netip.ParseAddr(in.Address)
	if err != nil || ip.Zone() != "" {
		return nil, wrongField("address", "it is no IP address, such as 192.0.2.66")
	}
	if !s.Unban(ip) {
		return nil, problem(http.StatusNotFound, "the address is not banned at this node")
	}
	return nil, nil
}
