package events

import "errors"

// ErrNotIts tells of an end that a node brings for a call which another one, or a later
// life of it, has taken over: that one writes it.
var ErrNotIts = errors.New("another node has taken the call over: its end is not this one's to tell")
