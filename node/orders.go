package node

import (
	"context"
	"time"

	"axgate/ledger"
	"axgate/roster"
)

const (
	orderPace   = 300 * time.Millisecond // between two looks for orders
	orderWait   = 4 * time.Second        // how long another node may take
	orderLook   = 50 * time.Millisecond
	ordersValid = 10 * time.Second // older ones nobody waits for any more
)

// hangUp hangs up the call of a session, whatever node has it. It tells whether it was
// up; an error is the ledger's, or that its node says nothing.
func (n *Node) hangUp(ctx context.Context, session string) (bool, error) {
	if n.server.Stop(session) {
		return true, nil
	}
	has, ok, err := n.ledger.OrderStop(ctx, session)
	if err != nil || !ok || has.Node == n.cfg.Node {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, orderWait)
	defer cancel()
	look := time.NewTicker(orderLook)
	defer look.Stop()
	for {
		outcome, err := n.ledger.StopOrder(ctx, session)
		if err != nil || outcome != ledger.OrderOpen {
			return outcome == ledger.OrderDone, err
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return false, &silentError{has.Node}
		}
	}
}

// silentError tells that the node of a call did not take an order in time.
type silentError struct{ node string }

func (e *silentError) Error() string { return "node " + e.node + " did not answer the order in time" }

// followOrders hangs up calls of this node that others are asked to.
func (n *Node) followOrders(ctx context.Context) {
	tick := time.NewTicker(orderPace)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		sessions, _ := n.ledger.StopOrders(ctx, n.roster.Life(), ordersValid) // an error tells the roster's beat, too
		for _, session := range sessions {
			outcome := ledger.OrderInVain
			if n.server.Stop(session) {
				outcome = ledger.OrderDone
			}
			if err := n.ledger.AnswerOrder(ctx, session, outcome); err != nil && ctx.Err() == nil {
				n.log.Error().Err(err).Msg("an order of another node")
			}
		}
	}
}

// freeClaims has what a dead node was about to push be pushed by others at once.
func (n *Node) freeClaims(ctx context.Context, d roster.Dead) error {
	_, err := n.ledger.FreeClaims(ctx, d.Life)
	return err
}

// rests tells that another node pushes and sends what is due: this one drains.
func (n *Node) rests() bool { return n.roster.Draining() && n.roster.OthersUp() }
