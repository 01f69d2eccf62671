package config

import "time"

// Guard is how much callers and tenants may do before it is taken for an attack.
type Guard struct {
	WrongExtensions int           `key:"wrong_extensions" help:"wrong extensions that one caller may type at one X within wrong_window, over all nodes; after that every extension is wrong to it until a window has passed; callers without a number share a count; 0: any number"`
	WrongWindow     time.Duration `key:"wrong_window" help:"how long they count"`
	WrongDelay      time.Duration `key:"wrong_delay" help:"how long a caller waits after its second wrong extension of a window, twice as long after each further one, eight times at most; 0: not at all"`
}

func (k *checker) guard(g *Guard) {
	k.count("guard.wrong_extensions", g.WrongExtensions, 0, 9999)
	k.span("guard.wrong_window", g.WrongWindow, time.Second, 24*time.Hour)
	k.span("guard.wrong_delay", g.WrongDelay, 0, time.Minute)
}
