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
}

func (s *service) trunkList() {
	add(s, op{id: "listTrunks", method: http.MethodGet, path: "/trunks", who: operator, subject: trunksTag,
		summary: "List trunks",
		about:   "The trunks of the axgate that answers, in the order of its configuration, and how they are: other nodes may see them otherwise.",
	}, func(context.Context, *struct{}) (*struct{ Body TrunkList }, error) {
		list := TrunkList{Trunks: []Trunk{}}
		if s.Deps.Trunks != nil {
			list.Trunks = append(list.Trunks, s.Deps.Trunks()...)
		}
		return &struct{ Body TrunkList }{list}, nil
	})
}

// TrunkList is the trunks of a process.
type TrunkList struct {
	Trunks []Trunk `json:"trunks" doc:"All of them." nullable:"false"`
}
