package manage

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"axgate/ledger"
	"axgate/routing"
)

const blacklistTag = "blacklist"

// NumberPath names an X.
type NumberPath struct {
	X string `path:"x" minLength:"1" maxLength:"40" doc:"The X." example:"+8617010000001"`
}

// Blocked is a caller on the blacklist of an X.
type Blocked struct {
	Caller string `json:"caller" doc:"Who may not call X." example:"+8613800000002"`
}

// Block says which callers are kept from which X.
type Block struct {
	Xs      []string `json:"xs" minItems:"1" maxItems:"200" nullable:"false" doc:"The X numbers." example:"[\"+8617010000001\"]"`
	Callers []string `json:"callers" minItems:"1" maxItems:"1000" nullable:"false" doc:"The callers." example:"[\"+8613800000002\"]"`
}

// NumberResult is what became of one X.
type NumberResult struct {
	X      string `json:"x" doc:"The X as it was named." example:"+8617010000001"`
	OK     bool   `json:"ok" doc:"It was done." example:"true"`
	Code   string `json:"code,omitempty" doc:"Why it was not done: a result code." example:"1012001"`
	Detail string `json:"detail,omitempty" doc:"The same in words." example:"the X is not a number of ours"`
}

func (s *service) blacklist() {
	add(s, op{id: "listBlacklist", method: http.MethodGet, path: "/numbers/{x}/blacklist", who: anyone, subject: blacklistTag, refuses: []int{http.StatusNotFound},
		summary: "List the blacklist of an X",
		about:   "The callers that are kept from an X, by their numbers.",
	}, s.listBlacklist)
	add(s, op{id: "block", method: http.MethodPost, path: "/blacklist/add", who: owner, subject: blacklistTag,
		summary: "Keep callers from X numbers",
		about:   "Puts each caller on the blacklist of each X, from the next call on. A list has at most 5000; what would make it longer is refused as a whole (1012009). The answer has a result per X, in their order.",
	}, func(ctx context.Context, in *struct{ Body Block }) (*listed[NumberResult], error) {
		return s.block(ctx, &in.Body, true)
	})
	add(s, op{id: "unblock", method: http.MethodPost, path: "/blacklist/remove", who: owner, subject: blacklistTag,
		summary: "Take callers off blacklists",
		about:   "Takes each caller off the blacklist of each X, from the next call on. Who is not on it does not matter. The answer has a result per X, in their order.",
	}, func(ctx context.Context, in *struct{ Body Block }) (*listed[NumberResult], error) {
		return s.block(ctx, &in.Body, false)
	})
}

func (s *service) listBlacklist(ctx context.Context, in *struct {
	NumberPath
	Page
}) (*listed[Blocked], error) {
	n, err := s.ownNumber(ctx, in.X)
	if err != nil {
		return nil, err
	}
	place := 0
	if in.After != "" { // the place, not a number: the token may not see it
		if place, err = strconv.Atoi(in.After); err != nil || place < 0 {
			return nil, &ledger.CursorError{Cursor: in.After}
		}
	}
	all, err := s.Records.Blacklist(ctx, n.X)
	if err != nil {
		return nil, err
	}
	v := viewerOf(ctx)
	show := func(c *routing.Number) Blocked { return Blocked{v.number(string(*c))} }
	next := func(*routing.Number) string { return strconv.Itoa(place + in.Limit) }
	return paged(all[min(place, len(all)):], in.Limit, show, next), nil
}

// block changes the blacklists one by one: what is wrong with one X does not
// keep the others from it.
func (s *service) block(ctx context.Context, in *Block, on bool) (*listed[NumberResult], error) {
	callers := make([]string, len(in.Callers))
	for i, text := range in.Callers {
		c, err := s.number(fmt.Sprintf("callers[%d]", i), text)
		if err != nil {
			return nil, err
		}
		if c == "" {
			return nil, wrongField(fmt.Sprintf("callers[%d]", i), "it is empty")
		}
		callers[i] = string(c)
	}
	note(ctx, "%d callers, %s first", len(callers), routing.Number(callers[0]).Masked())
	out := &listed[NumberResult]{List[NumberResult]{Items: []NumberResult{}}}
	for _, text := range in.Xs {
		n, err := s.ownNumber(ctx, text)
		if err == nil { // what is no X of theirs may be a real number, and is not noted
			note(ctx, "%s", n.X)
			err = s.Changes.Block(ctx, n.App, string(n.X), callers, on)
		}
		r, err := resultOf(text, err)
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, r)
	}
	return out, nil
}

// resultOf is what became of one X. An error is one of ours.
func resultOf(x string, err error) (NumberResult, error) {
	if err == nil {
		return NumberResult{X: x, OK: true}, nil
	}
	p := asProblem(err)
	if p.Status >= http.StatusInternalServerError {
		return NumberResult{}, err
	}
	return NumberResult{X: x, Code: p.Code, Detail: p.Detail}, nil
}
