//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/carrier"
	"axgate/e2e/gate"
)

// center is the service centre of the trunk with 3GPP texts.
const center = "+8613800100500"

// relayedTexts exchanges texts with a trunk as 3GPP networks do: every
// segment in RP-DATA, and every one reported on.
func relayedTexts(t *testing.T) {
	w := openTexts(t, map[string]int{textAXB: 5}, with3GPP)
	c := newServiceCenter(w)
	t.Run("scenario", func(t *testing.T) {
		for _, sc := range []scenario{
			{"relay: AXB", c.pair}, {"relay: AX", c.private}, {"relay: AX, A names B", c.named}, {"relay: long text", c.long}, {"relay: refused text", c.refused},
			{"relay: sent again in another MESSAGE", c.again}, {"relay: reported as failed", c.failed}, {"relay: failed in the middle", c.half},
		} {
			w.play(t, sc)
		}
	})
	c.close(t)
	w.close(t)
}

func with3GPP(c *gate.Config) { c.Trunks[0].SMS, c.Trunks[0].Center = "3gpp", center }

// serviceCenter is the network behind the trunk: it takes each MESSAGE, and
// reports on the texts in them.
type serviceCenter struct {
	gate    *world
	network *carrier.Network
	reports sync.WaitGroup

	mu     sync.Mutex
	causes map[string][]byte // by receiver: RP-Causes of the segments for him, 0 and no more: RP-ACK
	taken  map[string]bool   // by identity
	wrong  []string
}

func newServiceCenter(w *world) *serviceCenter {
	c := &serviceCenter{gate: w, network: w.behind, causes: make(map[string][]byte), taken: make(map[string]bool)}
	w.behind.Answer(c.take)
	return c
}

// close waits for the reports that are under way.
func (c *serviceCenter) close(t *testing.T) {
	t.Helper()
	c.reports.Wait()
	require.Empty(t, c.wrong)
}

func (c *serviceCenter) complain(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

func (c *serviceCenter) take(r carrier.Request) int {
	m, err := carrier.ReadRelay([]byte(r.Body()))
	if err != nil || r.Header("Content-Type") != carrier.RelayType {
		c.complain("%v in %q", err, r.Raw)
		return 400
	}
	if m.Kind != carrier.DataFromPhone {
		return 202
	}
	to, _, _ := carrier.Submitted(m.TPDU)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.taken[r.Identity()] {
		return 202
	}
	c.taken[r.Identity()] = true
	cause := byte(0)
	if list := c.causes[to]; len(list) > 0 {
		cause, c.causes[to] = list[0], list[1:]
	}
	c.reports.Go(func() { c.report(r, m.Ref, cause) })
	return 202
}

// report tells what became of a text, in a MESSAGE of its own.
func (c *serviceCenter) report(r carrier.Request, ref, cause byte) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*step)
	defer cancel()
	time.Sleep(100 * time.Millisecond) // behind the answer to the text
	m := carrier.New(center, r.Sender(), carrier.Answer(ref, cause))
	m.Type, m.Headers = carrier.RelayType, []string{"In-Reply-To: " + r.Header("Call-ID")}
	if status, err := c.network.Send(ctx, c.gate.gate.SIP(), m); err != nil || status != 202 {
		c.complain("a report was answered %d: %v", status, err)
	}
}

// deliver brings a text in its segments, and gives the report on each.
func (c *serviceCenter) deliver(s *scene, n *carrier.Network, sender, x, text string) []carrier.Relay {
	s.Helper()
	bodies, err := carrier.Deliver(7, center, sender, text)
	require.NoError(s, err)
	var all []carrier.Relay
	for _, body := range bodies {
		all = append(all, c.bring(s, n, x, body))
	}
	return all
}

// bring brings RP-DATA, and gives the report on it.
func (c *serviceCenter) bring(s *scene, n *carrier.Network, x string, body []byte) carrier.Relay {
	s.Helper()
	m := carrier.New(center, x, body)
	m.Type = carrier.RelayType
	status, err := n.Send(s.within(2*step), s.gate.SIP(), m)
	require.NoError(s, err)
	require.Equal(s, 202, status)
	return c.reportOn(s, m.CallID)
}

// reportOn waits for the report on a MESSAGE.
func (c *serviceCenter) reportOn(s *scene, callID string) carrier.Relay {
	s.Helper()
	got, err := c.network.Wait(s.within(2*step), 1, func(r carrier.Request) bool { return r.Header("In-Reply-To") == callID })
	require.NoError(s, err)
	require.Equal(s, carrier.RelayType, got[0].Header("Content-Type"))
	r, err := carrier.ReadRelay([]byte(got[0].Body()))
	require.NoError(s, err)
	return r
}

// submitted waits until a text for a number is there, in so many segments.
func (c *serviceCenter) submitted(s *scene, to, x string, segments int) string {
	s.Helper()
	got, err := c.network.Wait(s.within(2*step), segments, submits(to))
	require.NoError(s, err)
	var pdus [][]byte
	for _, r := range got {
		require.Equal(s, []string{center, x}, []string{r.To(), r.Sender()})
		m, err := carrier.ReadRelay([]byte(r.Body()))
		require.NoError(s, err)
		pdus = append(pdus, m.TPDU)
	}
	_, text, err := carrier.Submitted(pdus...)
	require.NoError(s, err)
	return text
}

// submits tells whether a request is a text for a number.
func submits(to string) func(carrier.Request) bool {
	return func(r carrier.Request) bool {
		m, err := carrier.ReadRelay([]byte(r.Body()))
		if err != nil || m.Kind != carrier.DataFromPhone {
			return false
		}
		number, _, _ := carrier.Submitted(m.TPDU)
		return number == to
	}
}

// acks are the reports that texts were taken.
func acks(refs ...byte) (all []carrier.Relay) {
	for _, ref := range refs {
		all = append(all, carrier.Relay{Kind: carrier.AckFromPhone, Ref: ref})
	}
	return all
}

// relayedPair binds two numbers behind the trunk, and opens the network where
// the first one writes.
func relayedPair(s *scene) (*raised, *carrier.Network) {
	r := &raised{app: textAXB, x: s.takeX(s.T, textAXB), a: s.takeWriter(), b: s.takeWriter()}
	bindAXB()(s, r)
	s.getsTexts(r.b)
	return r, s.writer(r.a)
}

func (c *serviceCenter) pair(s *scene) {
	r, n := relayedPair(s)
	for i, text := range []string{"see you at 5 [£$]", "你好，我在楼下等你", "😀"} {
		require.Equal(s, acks(7), c.deliver(s, n, r.a, r.x, text))
		s.told(r.x, i+1, notice{app: textAXB, direction: 1, binding: r.binding, sender: r.a, receiver: r.b})
		got, err := c.network.Wait(s.within(2*step), i+1, submits(r.b))
		require.NoError(s, err)
		m, err := carrier.ReadRelay([]byte(got[i].Body()))
		require.NoError(s, err)
		to, sent, err := carrier.Submitted(m.TPDU)
		require.NoError(s, err)
		require.Equal(s, []string{r.b, text, r.x, center}, []string{to, sent, got[i].Sender(), got[i].To()})
	}
}

// private: somebody writes to A, whose text has his number; A names a receiver.
func (c *serviceCenter) private(s *scene) {
	r := &raised{app: textAX, x: s.takeX(s.T, textAX), a: s.takeWriter(), b: s.takeWriter()}
	bindAX("")(s, r)
	s.getsTexts(r.a, from(r.b))
	require.Equal(s, acks(7), c.deliver(s, s.writer(r.b), r.b, r.x, "你在吗"))
	require.Equal(s, "你在吗"+from(r.b), c.submitted(s, r.a, r.x, 1))
	s.told(r.x, 1, notice{app: textAX, direction: 0, binding: r.binding, sender: r.b, receiver: r.a})
}

func (c *serviceCenter) named(s *scene) {
	r := &raised{app: textAX, x: s.takeX(s.T, textAX), a: s.takeWriter(), b: s.takeWriter()}
	bindAX("")(s, r)
	s.getsTexts(r.b)
	require.Equal(s, acks(7), c.deliver(s, s.writer(r.a), r.a, r.x, "on my way@"+strings.TrimPrefix(r.b, "+86")))
	require.Equal(s, "on my way", c.submitted(s, r.b, r.x, 1))
	s.told(r.x, 1, notice{app: textAX, direction: 1, binding: r.binding, sender: r.a, receiver: r.b})
}

// chapter is a text of two segments.
var chapter = strings.Repeat("天地玄黄，宇宙洪荒。", 8) + "日月盈昃，😀"

func (c *serviceCenter) long(s *scene) {
	r, n := relayedPair(s)
	require.Equal(s, acks(7, 8), c.deliver(s, n, r.a, r.x, chapter))
	require.Equal(s, chapter, c.submitted(s, r.b, r.x, 2))
	s.told(r.x, 1, notice{app: textAXB, direction: 1, parts: 2, binding: r.binding, sender: r.a, receiver: r.b})
}

func (c *serviceCenter) refused(s *scene) {
	r, n := relayedPair(s)
	who := s.takeWriter()
	got := c.deliver(s, n, who, r.x, "hello")
	require.Len(s, got, 1)
	require.Equal(s, carrier.Relay{Kind: carrier.ErrorFromPhone, Ref: 7, Cause: 111}, got[0])
	s.told(r.x, 1, notice{app: textAXB, result: 2, direction: 2, sender: who})
	require.Empty(s, c.network.Once(submits(r.b)))
}

// again: a network that missed the report brings the text in another MESSAGE.
func (c *serviceCenter) again(s *scene) {
	r, n := relayedPair(s)
	bodies, err := carrier.Deliver(7, center, r.a, chapter)
	require.NoError(s, err)
	for i, body := range slices.Concat(bodies, bodies) {
		require.Equal(s, acks(byte(20 + i))[0], c.bring(s, n, r.x, renumbered(body, byte(20+i))))
	}
	require.Equal(s, chapter, c.submitted(s, r.b, r.x, 2))
	s.told(r.x, 1, notice{app: textAXB, direction: 1, parts: 2, binding: r.binding, sender: r.a, receiver: r.b})
	require.Equal(s, acks(30), []carrier.Relay{c.bring(s, n, r.x, renumbered(bodies[0], 30))})
	require.Len(s, c.network.Once(submits(r.b)), 2)
	require.Len(s, s.customer.NoticesOf(r.x), 1)
}

func renumbered(body []byte, ref byte) []byte {
	body = slices.Clone(body)
	body[1] = ref
	return body
}

// reportsOn lets the service centre report on the next segments for a number.
func (c *serviceCenter) reportsOn(number string, causes ...byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.causes[number] = causes
}

func (c *serviceCenter) failed(s *scene) {
	r, n := relayedPair(s)
	c.reportsOn(r.b, 1) // unassigned number
	require.Equal(s, acks(7), c.deliver(s, n, r.a, r.x, "hello"))
	s.told(r.x, 1, notice{app: textAXB, result: 10, direction: 1, binding: r.binding, sender: r.a})
	require.Len(s, c.network.Once(submits(r.b)), 1)
}

func (c *serviceCenter) half(s *scene) {
	r, n := relayedPair(s)
	c.reportsOn(r.b, 0, 21) // short message transfer rejected
	require.Equal(s, acks(7, 8), c.deliver(s, n, r.a, r.x, chapter))
	s.told(r.x, 1, notice{app: textAXB, result: 9, direction: 1, parts: 2, binding: r.binding, sender: r.a})
}
