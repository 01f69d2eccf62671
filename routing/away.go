package routing

import "errors"

// ErrAway tells that a call cannot be decided now because nobody answers who knows
// the bindings. Elsewhere or a little later it may be.
var ErrAway = errors.New("nobody who knows the bindings answers")
