package manage

import (
	"cmp"
	"slices"
	"time"
)

// Page asks for a page of a list.
type Page struct {
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"How many items the page may have." example:"50"`
	After string `query:"after" maxLength:"400" doc:"The next of the page before; without it the list begins." example:"demo-ax"`
}

// Span asks for what happened within a time.
type Span struct {
	From time.Time `query:"from" doc:"At or after this instant." example:"2026-01-02T00:00:00Z"`
	To   time.Time `query:"to" doc:"Before this instant." example:"2026-01-03T00:00:00Z"`
}

// check refuses a time that cannot have anything in it.
func (s *Span) check() error {
	if !s.From.IsZero() && !s.To.IsZero() && !s.From.Before(s.To) {
		return wrongField("to", "it is not after from")
	}
	return nil
}

// List is a page of a list.
type List[T any] struct {
	Items []T    `json:"items" nullable:"false" doc:"The items of this page."`
	Next  string `json:"next,omitempty" doc:"What to ask for the next page with (after); absent: this is the last." example:"demo-axb"`
}

type listed[T any] struct{ Body List[T] }

// paged cuts what was read, one more than fits, to a page. key names an item.
func paged[F, T any](from []F, limit int, show func(*F) T, key func(*F) string) *listed[T] {
	out := &listed[T]{List[T]{Items: []T{}}}
	if len(from) > limit {
		from = from[:limit]
		out.Body.Next = key(&from[limit-1])
	}
	for i := range from {
		out.Body.Items = append(out.Body.Items, show(&from[i]))
	}
	return out
}

// inOrder sorts what a database had in an order of its own: that of a
// PostgreSQL depends on its locale, and pages go by bytes.
func inOrder[F any](list []F, key func(F) string) {
	slices.SortFunc(list, func(a, b F) int { return cmp.Compare(key(a), key(b)) })
}

// set takes over a value that was given.
func set[T any](to, given *T) {
	if given != nil {
		*to = *given
	}
}
