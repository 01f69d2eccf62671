package routing

import "fmt"

// ax: anybody who calls X reaches A; A reaches the temporary callee.
func (c *inquiry) ax() Decision {
	b := c.standing(c.f.ToX)
	if b == nil {
		return c.refuse(EndNoneAX, SceneNoPermission, Abnormal, nil, fmt.Sprintf("%s is not bound to anybody", c.q.X))
	}
	if !c.is(b.A) {
		if d, refused := c.direction(b, ToA); refused {
			return d
		}
		return c.dial(b, b.A, ToA, fmt.Sprintf("%s called %s, which is bound to %s", c.q.Caller.Masked(), c.q.X, b.A.Masked()))
	}
	if d, refused := c.fixedCaller(b, FromA); refused {
		return d
	}
	if d, refused := c.direction(b, FromA); refused {
		return d
	}
	t := c.f.Temporary
	if t == nil || !c.q.At.Before(t.Until) {
		why := "none was set"
		if t != nil {
			why = "the one that was set has run out"
		}
		return c.refuse(EndNoCallee, SceneNoBinding, FromA, b, fmt.Sprintf("A (%s) called %s without a temporary callee: %s", b.A.Masked(), c.q.X, why))
	}
	d := c.dial(b, t.Callee, FromA, fmt.Sprintf("A (%s) called %s, and its temporary callee is %s", b.A.Masked(), c.q.X, t.Callee.Masked()))
	if t.UserData != "" {
		d.UserData = t.UserData
	}
	d.Temporary = d.Step == Dial
	return d
}

// axb: each of a pair reaches the other.
func (c *inquiry) axb() Decision {
	b := c.standing(c.f.ByCaller)
	if b == nil || !c.is(b.A) && !c.is(b.B) {
		if c.none() {
			return c.refuse(EndNoneAXB, SceneNoPermission, Abnormal, nil, fmt.Sprintf("%s has no bindings", c.q.X))
		}
		return c.refuse(EndNoneAXB, SceneNoBinding, Abnormal, nil, fmt.Sprintf("%s has bindings, but none with %s", c.q.X, c.q.Caller.Masked()))
	}
	dir, callee, roles := FromA, b.B, "A (%s) called %s, whose B is %s"
	if !c.is(b.A) {
		dir, callee, roles = ToA, b.A, "B (%s) called %s, whose A is %s"
	}
	if d, refused := c.fixedCaller(b, dir); refused {
		return d
	}
	if d, refused := c.direction(b, dir); refused {
		return d
	}
	return c.dial(b, callee, dir, fmt.Sprintf(roles, c.q.Caller.Masked(), c.q.X, callee.Masked()))
}

// axe: A calls back; anybody else has to type an extension.
func (c *inquiry) axe() Decision {
	if b := c.standing(c.f.ByCaller); b != nil && c.is(b.A) {
		return c.callback(b)
	}
	if c.none() {
		return c.refuse(EndNoneAXE, SceneNoPermission, Abnormal, nil, fmt.Sprintf("%s has no bindings", c.q.X))
	}
	d := c.decision(ToA, nil, fmt.Sprintf("%s called %s and has to enter an extension", c.q.Caller.Masked(), c.q.X))
	d.Step, d.Scene = Collect, SceneEnter
	return d
}

// callback: A reaches the last caller for whom A's phone rang, else the
// binding's own number.
func (c *inquiry) callback(b *Binding) Decision {
	if d, refused := c.fixedCaller(b, FromA); refused {
		return d
	}
	callee, what := b.CallbackNum, "callbackNum"
	if r := c.f.Callback; r.Valid(c.q.At) {
		callee, what = r.Caller, "last caller"
	}
	if callee == "" {
		d := c.refuse(EndNoCallback, SceneNoCallback, FromA, b, fmt.Sprintf("A (%s) called %s, but nobody is on record to call back", b.A.Masked(), c.q.X))
		d.Prompt = b.NoCallback
		return d
	}
	return c.dial(b, callee, FromA, fmt.Sprintf("A (%s) called %s back, and its %s is %s", b.A.Masked(), c.q.X, what, callee.Masked()))
}

// extension: the caller typed ext.
func (c *inquiry) extension(ext Extension) Decision {
	if ext == "" {
		return c.refuse(EndNothing, SceneNothing, ToA, nil, "no extension was entered")
	}
	b := c.standing(c.f.ToX)
	if c.f.Guessed || b == nil || b.Ext != ext {
		why := fmt.Sprintf("%s has no extension %s", c.q.X, ext.shown())
		if c.f.Guessed {
			why = fmt.Sprintf("%s typed %d wrong extensions of %s lately: none is looked up", c.q.Caller.Masked(), c.f.Wrong, c.q.X)
		}
		d := c.refuse(EndWrongExt, SceneWrong, ToA, nil, why)
		d.Wrong = c.f.Wrong
		return d
	}
	d := c.dial(b, b.A, ToA, fmt.Sprintf("extension %s of %s is %s", ext, c.q.X, b.A.Masked()))
	if d.Step == Dial {
		d.Scene = SceneWaiting
	}
	return d
}

// shown bounds what a text repeats of typed digits: they may be anything.
func (e Extension) shown() string {
	const longest = 4
	if len(e) > longest {
		return fmt.Sprintf("of %d digits", len(e))
	}
	return string(e)
}
