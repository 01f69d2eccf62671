package routing

import "fmt"

// axyb: B who calls X reaches A, A who calls the Y of a B reaches that B. Each
// sees the number by which it calls the other.
func (c *inquiry) axyb() Decision {
	b := c.standing(c.f.ByCaller)
	if b == nil || !c.has(b) {
		if c.none() {
			return c.refuse(EndNoneAXYB, SceneNoPermission, Abnormal, nil, fmt.Sprintf("%s has no bindings", c.q.X))
		}
		return c.refuse(EndNoneAXYB, SceneNoBinding, Abnormal, nil, fmt.Sprintf("%s has bindings, but none with %s", c.q.X, c.q.Caller.Masked()))
	}
	dir, callee, roles := FromA, b.B, "A (%s) called %s, its Y for B (%s), who sees %s"
	if !c.is(b.A) {
		dir, callee, roles = ToA, b.A, "B (%s) called %s, the X of A (%s), who sees %s"
	}
	if d, refused := c.fixedCaller(b, dir); refused {
		return d
	}
	if dir == FromA && c.q.X == b.X {
		return c.refuse(EndOwnX, SceneNoBinding, FromA, b, fmt.Sprintf("A (%s) called %s, its own X", b.A.Masked(), c.q.X))
	}
	if d, refused := c.direction(b, dir); refused {
		return d
	}
	return c.dial(b, callee, dir, fmt.Sprintf(roles, c.q.Caller.Masked(), c.q.X, callee.Masked(), b.shown(c.q.X)))
}

// has tells whether the binding gives the caller the number that was dialled: X
// is B's, and A's own; Y is A's alone.
func (c *inquiry) has(b *Binding) bool {
	if b.X == "" || b.X == b.Y {
		return false
	}
	return c.is(b.A) || c.is(b.B) && c.q.X == b.X && b.Y != "" // no number to show: no call
}

// on tells whether calls to x can be of the binding.
func (b *Binding) on(x X) bool { return b.X == x || b.Mode == AXYB && b.Y == x }

// shown is what the callee of a call to x sees: x itself, or of two numbers
// the other one.
func (b *Binding) shown(x X) X {
	switch {
	case b.Mode != AXYB:
		return x
	case b.Y == x:
		return b.X
	default:
		return b.Y
	}
}

// Subscription is the subscriptionId that the client has for the binding: the
// parts of an AXYB binding have one.
func (b *Binding) Subscription() string {
	if b.Of != "" {
		return b.Of
	}
	return b.ID
}

// Seen is the binding as calls to x find it, with the version of x alone.
func (b Binding) Seen(x X) Binding {
	if b.Y == x && x != "" {
		b.Version = 0
	} else {
		b.YVersion = 0
	}
	return b
}

// VersionOf is the version of x, one of its numbers, that this state of the
// binding belongs to.
func (b *Binding) VersionOf(x X) int64 {
	if b.Y == x {
		return b.YVersion
	}
	return b.Version
}

// OneCall tells whether X, or X and extension, carries one call of the binding
// at a time (section 1).
func (b *Binding) OneCall() bool { return b != nil && (b.Mode == AX || b.Mode == AXE) }
