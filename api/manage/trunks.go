package manage

import (
	"context"
	"net/http"
	"time"
)

const trunksTag = "trunks"

// Trunk is a trunk as this process sees it now.
type Trunk struct {
	Name    string        `json:"name" doc:"As it is configured." example:"carrier-1"`
	Up      bool          `json:"up" doc:"A call can go out over one of its servers, or it only calls us." example:"true"`
	Calls   int           `json:"calls" doc:"At this moment, both ways." example:"12"`
	Servers []TrunkServer `json:"servers" doc:"Where its calls go out to, in the order in which they would be tried; none for a trunk that only calls us." nullable:"false"`
	Failure string        `json:"failure,omitempty" doc:"Why no server is known." example:"find sip.example.com: not in DNS"`

	Registration *TrunkRegistration `json:"registration,omitempty" doc:"Ours with it; absent: it wants none."`
}

// TrunkRegistration is how our registration with a trunk stands.
type TrunkRegistration struct {
	State    string    `json:"state" doc:"As of now." example:"registered"`
	Until    time.Time `json:"until,omitzero" doc:"It runs out then unless it is refreshed; absent: there was none yet." example:"2026-01-02T03:04:05Z"`
	Next     time.Time `json:"next,omitzero" doc:"When it is refreshed or tried again; absent: a REGISTER is under way." example:"2026-01-02T03:04:05Z"`
	Failure  string    `json:"failure,omitempty" doc:"Why the last REGISTER failed." example:"403"`
	Failures int       `json:"failures" doc:"REGISTERs in a row that failed." example:"0"`
}

// TrunkServer is one server of a trunk.
type TrunkServer struct {
	Address string    `json:"address" doc:"Transport and address." example:"udp://192.0.2.7:5060"`
	Up      bool      `json:"up" doc:"It answers. 3 OPTIONS or calls in a row that it does not answer make it down, 2 answers or a call up." example:"true"`
	Since   time.Time `json:"since,omitzero" doc:"Since when; absent: it was not asked yet." example:"2026-01-02T03:04:05Z"`
	Heard   time.Time `json:"heard,omitzero" doc:"When it answered last; absent: never." example:"2026-01-02T03:04:05Z"`
	Status  int       `json:"status,omitempty" doc:"Of its last final answer." example:"200"`
	Misses  int       `json:"misses" doc:"In a row." example:"0"`
	Rests   time.Time `json:"rests,omitzero" doc:"Until when it asked for no calls (Retry-After); absent: it did not." example:"2026-01-02T03:04:05Z"`
	Failure string    `json:"failure,omitempty" doc:"Why it did not answer last; absent: it did." example:"tls: failed to verify certificate: x509: certificate is valid for sip.example.net, not sip.example.com"`
}

func (s *service) trunkList() {
	add(s, op{id: "listTrunks", method: http.MethodGet, path: "/trunks", who: operator, subject: trunksTag,
		summary: "List trunks",
		about:   "The trunks of the axgate that answers, in the order of its configuration, and how they are: other nodes may see them otherwise.",
	}, func(context.Context, *struct{}) (*listed[Trunk], error) {
		list := List[Trunk]{Items: []Trunk{}}
		if s.Deps.Trunks != nil {
			list.Items = append(list.Items, s.Deps.Trunks()...)
		}
		return &listed[Trunk]{list}, nil
	})
}
