//go:build e2e

package chaos

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// nodeStopped has a node stand still; customers go to the others, as their balancers
// have them do.
func nodeStopped(node int, lasts time.Duration) fault {
	return fault{name: fmt.Sprintf("a node stopped for %v (SIGSTOP)", lasts), lasts: lasts, node: node, cuts: true, repeats: true,
		begin:   func(w *world) error { w.clerks.goTo(1 - node); return w.nodes[node].signal(syscall.SIGSTOP) },
		mend:    func(w *world) error { err := w.nodes[node].signal(syscall.SIGCONT); w.clerks.goTo(); return err },
		excuses: ofNode, remark: "calls of the other node"}
}

// nodeKilled kills a node and starts it again.
func nodeKilled(node int, lasts time.Duration) fault {
	return fault{name: "a node killed (-9), started again", lasts: lasts, node: node, cuts: true, repeats: true,
		begin: func(w *world) error { w.clerks.goTo(1 - node); return w.nodes[node].Kill() },
		mend: func(w *world) error {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			err := w.nodes[node].Serve(ctx)
			w.clerks.goTo()
			return err
		},
		excuses: ofNode, remark: "calls of the other node"}
}

// back is how long a node takes to find its place again.
const back = 3 * time.Second

// ofNode excuses calls that the node of a fault had when it began, and those that came
// before it was over.
func ofNode(p *played, c *call) bool {
	return c.node == p.node && c.sent.Before(p.mended.Add(back))
}
