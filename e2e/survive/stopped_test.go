//go:build e2e

package survive

import (
	"context"
	"encoding/json"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/phone/hear"
)

// TestNodeStopped: the node that carries all calls stands still, and goes on after a
// while. The other one has taken its calls over meanwhile. They are hung up while it
// stands still and after it woke; each has one fee event, and is billed for as long as
// its phones talked by their own clocks, and an X that carries one call at a time can be
// called again.
func TestNodeStopped(t *testing.T) {
	if many == few {
		t.Skip("it stands still for a minute: make chaos has it")
	}
	const n, still = 30, time.Minute
	p := open(t, plain(n), plain(1))
	all, stop := p.fill()
	time.Sleep(2 * time.Second) // speech flows
	stopped := time.Now()
	require.NoError(t, syscall.Kill(p.nodes[0].PID(), syscall.SIGSTOP))
	time.Sleep(watched)
	row := p.figures(all, stopped)
	row.Fault = fmt.Sprintf("a node stopped for %v with %d calls up, behind a proxy", still, len(all))
	alone, all := all[n], all[:n]
	p.hangUp([]*talks{alone})
	ends := p.hangUp(all[:n/3])
	time.Sleep(time.Until(stopped.Add(still - 2*time.Second)))
	ends = append(ends, p.hangUp(all[n/3:2*n/3])...)
	time.Sleep(time.Until(stopped.Add(still)))
	woke := time.Now()
	require.NoError(t, syscall.Kill(p.nodes[0].PID(), syscall.SIGCONT))
	time.Sleep(time.Second) // it has done by then what it does before it knows that it is dead
	p.calls(alone)
	time.Sleep(2*piece + 4*time.Second)
	for _, k := range all[2*n/3:] {
		for side := range k.side {
			require.True(t, k.hearsSince(side, woke.Add(time.Second)), "call %d: side %d hears the other one after the node woke", k.i, side)
		}
	}
	stop()
	ends = append(ends, p.hangUp(all[2*n/3:])...)
	row.Remark += p.billed(all, ends, stopped)
	p.talked(all)
	table.Add(row)
}

// calls makes a call once more.
func (p *pair) calls(k *talks) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	out, in, err := p.connect(ctx, k.i)
	require.NoError(p.t, err, "call %d once more", k.i)
	require.NoError(p.t, out.Hangup(ctx))
	_, err = in.WaitEnd(ctx)
	require.NoError(p.t, err)
}

// hearsSince tells whether a side hears something that the other one said after an instant.
func (k *talks) hearsSince(side int, t time.Time) bool {
	for _, said := range k.side[1-side].pieces() {
		if said.at.Before(t) || time.Since(said.at) < piece+time.Second {
			continue
		}
		heard := k.side[side].call.Heard().Since(said.at)
		heard = heard[:min(len(heard), int((piece+time.Second)*8000/time.Second))]
		if peak, _ := hear.Correlate(heard, said.alaw); peak >= heardFrom {
			return true
		}
	}
	return false
}

// talked checks that each call is billed for as long as its phones talked.
func (p *pair) talked(all []*talks) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	text, err := p.nodes[1].Run(ctx, "cdr", "list", "--limit", "1000", "--json")
	require.NoError(p.t, err)
	var list struct {
		Items []struct {
			X    string  `json:"x"`
			Talk float64 `json:"talkSeconds"`
		} `json:"items"`
	}
	require.NoError(p.t, json.Unmarshal(text, &list))
	billed := map[string][]float64{}
	for _, c := range list.Items {
		billed[c.X] = append(billed[c.X], c.Talk)
	}
	for _, k := range all {
		statuses := k.side[0].call.Statuses()
		answer := statuses[len(statuses)-1]
		require.Equal(p.t, 200, answer.Code)
		talk := k.side[0].call.End().At.Sub(answer.At).Seconds()
		require.Len(p.t, billed[k.x], 1, "records of call %d", k.i)
		require.InDelta(p.t, talk, billed[k.x][0], 1, "seconds billed of call %d", k.i)
	}
}
