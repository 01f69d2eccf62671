//go:build e2e

package survive

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/front"
	"axgate/e2e/receiver"
	"axgate/e2e/verdict"
	"axgate/e2e/wave"
	"axgate/phone"
	"axgate/phone/hear"
	"axgate/phone/speech"
)

const (
	// share is how many calls are to talk again after the death of their node, in percent.
	share = 95
	// piece is how long each says something that is looked for.
	piece = 1500 * time.Millisecond
	// heardFrom is the correlation from which speech counts as heard.
	heardFrom = 0.8
	few       = 12
	// orders is how many further calls are hung up by the other node before.
	orders = 2
)

// again is how soon calls are to talk again after the death of their node; watched, how long
// everybody speaks after it, has room for two pieces behind that.
var again, watched = 8 * time.Second, 12 * time.Second

// connected are the ways of the calls over connections, two of each: one that is recorded and
// one that is not, one that the caller hangs up and one that the callee does. Those
// over TLS are SRTP.
var connected = []front.Way{front.TCP, front.TCP, front.TLS, front.TLS}

// plain are the ways of n calls over UDP.
func plain(n int) []front.Way { return slices.Repeat([]front.Way{front.UDP}, n) }

// said is a piece of speech, and when it began to go out.
type said struct {
	at   time.Time
	alaw []byte
}

// mouth speaks all the time, piece after piece.
type mouth struct {
	call *phone.Call
	mu   sync.Mutex
	all  []said
}

func (m *mouth) speak(ctx context.Context, voice []byte, done *sync.WaitGroup) {
	defer done.Done()
	const n = int(piece * 8000 / time.Second)
	for i := 0; ctx.Err() == nil; i++ {
		part := voice[i*n%(len(voice)-n):][:n]
		m.mu.Lock()
		m.all = append(m.all, said{time.Now(), part})
		m.mu.Unlock()
		if m.call.Say(ctx, part) != nil {
			return
		}
	}
}

func (m *mouth) pieces() []said {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.all)
}

// talks is a call, with what each side says.
type talks struct {
	i    int
	way  front.Way
	side [2]*mouth // caller, callee
	x    string
}

// hearsAgain tells how long after an instant a side hears the other one again, by the
// first packet behind the gap; speech that the other one said from then on must be
// found in what it hears.
func (k *talks) hearsAgain(side int, killed time.Time) (after time.Duration, ok bool) {
	const quiet = 300 * time.Millisecond // what was under way at the death
	streams := k.side[side].call.Streams()
	first := time.Time{}
	for _, s := range streams {
		if s.First.After(killed.Add(quiet)) && (first.IsZero() || s.First.Before(first)) {
			first = s.First
		}
	}
	if first.IsZero() {
		return 0, false
	}
	for _, p := range k.side[1-side].pieces() {
		if p.at.Before(first) || p.at.After(killed.Add(again+piece)) { // the next piece begins so late
			continue
		}
		heard := k.side[side].call.Heard().Since(p.at)
		heard = heard[:min(len(heard), int((piece+time.Second)*8000/time.Second))]
		if peak, _ := hear.Correlate(heard, p.alaw); peak >= heardFrom {
			return first.Sub(killed), true
		}
	}
	return 0, false
}

// TestNodeKilled: one node carries all calls, hangs up some that the other one is told to, and is killed. The other one goes on with
// them: both sides hear each other again, either can hang up, and each call has
// exactly one fee event with the right duration, and its recording, although the killed
// one comes back and brings what is left in its journal.
func TestNodeKilled(t *testing.T) {
	p := open(t, append(connected, plain(many+orders)...), nil)
	all, stop := p.fill()
	time.Sleep(2 * time.Second) // speech flows
	p.ordered(all[len(all)-orders:])
	all = all[:len(all)-orders]
	killed := time.Now()
	require.NoError(t, p.nodes[0].Kill())
	time.Sleep(watched)
	var rows []verdict.Row
	for _, way := range []front.Way{front.UDP, front.TCP, front.TLS} {
		some := slices.DeleteFunc(slices.Clone(all), func(k *talks) bool { return k.way != way })
		row := p.figures(some, killed)
		row.Fault = fmt.Sprintf("a node killed (-9) with %d calls over %s, behind a proxy", len(some), way)
		rows = append(rows, row)
	}
	stop()
	p.comesBack()
	ends := p.hangUp(all)
	rows[0].Remark += p.billed(all, ends, killed)
	table.Add(rows...)
}

// comesBack has the killed node begin another life, after it has brought to the ledger
// what its journal still had.
func (p *pair) comesBack() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	require.NoError(p.t, p.nodes[0].Serve(ctx))
}

// fill makes all calls, and has everybody speak until stop.
func (p *pair) fill() (all []*talks, stop func()) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	var done sync.WaitGroup
	stop = func() { cancel(); done.Wait() }
	p.t.Cleanup(stop)
	voices := [2][]byte{speech.First(), speech.Second()}
	for i, way := range p.ways {
		setup, end := context.WithTimeout(ctx, 15*time.Second)
		out, in, err := p.connect(setup, i)
		end()
		require.NoError(p.t, err, "call %d", i)
		require.Contains(p.t, string(in.Seen().Invite), "SIP/2.0/"+strings.ToUpper(way.String())+" 127.", "how it came to the front")
		require.Equal(p.t, way == front.TLS, strings.Contains(string(in.Seen().Invite), "RTP/SAVP"))
		k := &talks{i: i, way: way, x: p.xs[i], side: [2]*mouth{{call: out}, {call: in}}}
		for side, m := range k.side {
			done.Add(1)
			go m.speak(ctx, voices[side], &done)
		}
		all = append(all, k)
	}
	return all, stop
}

// figures tells how many calls of one way talk again, and how soon; it fails if that is less
// than it has to be.
func (p *pair) figures(all []*talks, killed time.Time) (row verdict.Row) {
	p.t.Helper()
	row = verdict.Row{Offered: len(all), Remark: "failed: those that do not talk again within " + again.String()}
	var delays []time.Duration
	for _, k := range all {
		a, heardA := k.hearsAgain(0, killed)
		b, heardB := k.hearsAgain(1, killed)
		if heardA && heardB && max(a, b) <= again {
			delays = append(delays, max(a, b))
			continue
		}
		p.t.Logf("call %d: the caller hears again: %v after %v, the callee: %v after %v", k.i, heardA, a, heardB, b)
	}
	slices.Sort(delays)
	percent := 100 * len(delays) / len(all)
	if len(delays) > 0 {
		p.t.Logf("%d of %d calls over %s (%d %%) talk again within %v of the death of their node: the first after %v, half after %v, the last after %v",
			len(delays), len(all), all[0].way, percent, again, delays[0].Round(time.Millisecond), delays[len(delays)/2].Round(time.Millisecond), delays[len(delays)-1].Round(time.Millisecond))
	}
	require.GreaterOrEqual(p.t, percent, share, "percent of the calls talk again")
	row.Failed, row.Normal = len(all)-len(delays), delays[len(delays)-1].Seconds()
	return row
}

// hangUp ends all calls, in turn by either side; it tells when by the phones' clocks.
func (p *pair) hangUp(all []*talks) (ends []time.Time) {
	p.t.Helper()
	for _, k := range all {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		one, other := k.side[k.i%2].call, k.side[1-k.i%2].call
		ends = append(ends, time.Now())
		if err := one.Hangup(ctx); err != nil {
			p.t.Logf("call %d: %v", k.i, err)
		}
		_, err := other.WaitEnd(ctx)
		require.NoError(p.t, err, "call %d is hung up at both sides", k.i)
		cancel()
	}
	return ends
}

// billed checks that each call has one fee event, whose times are those of its phones,
// and its recording. It tells how long those are silent because their node was gone.
func (p *pair) billed(all []*talks, ends []time.Time, gone time.Time) string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for i, k := range all {
		story, err := p.customer.Story(ctx, k.x, 1)
		require.NoError(p.t, err)
		require.WithinDuration(p.t, ends[i], instant(p.t, story.Fee, "callEndTime"), 2*time.Second, "call %d", k.i)
		if k.i%2 == 1 {
			p.taped(k, story, gone)
		}
	}
	for _, k := range all { // none comes late
		calls := p.customer.Of(k.x)
		require.Len(p.t, calls, 1)
		require.Equal(p.t, 1, calls[0].Fees, "fee events of call %d", k.i)
		require.Equal(p.t, 1, calls[0].Counts()["disconnect"])
	}
	return p.gaps()
}

// taped checks the recording: it is one file, as long as the talk was, with what each side
// said after its node was gone.
func (p *pair) taped(k *talks, c receiver.Call, gone time.Time) {
	p.t.Helper()
	name, _ := c.Fee["recordObjectName"].(string)
	require.NotEmpty(p.t, name)
	text, err := os.ReadFile(filepath.Join(p.tapes, name))
	require.NoError(p.t, err)
	f, err := wave.Parse(text)
	require.NoError(p.t, err)
	begun := instant(p.t, c.Fee, "recordStartTime")
	length := time.Duration(len(f.Channel(0))) * time.Second / 8000
	require.InDelta(p.t, instant(p.t, c.Fee, "callEndTime").Sub(begun).Seconds(), length.Seconds(), 1.5)
	require.Equal(p.t, len(k.side), f.Channels)
	for side, m := range k.side {
		require.True(p.t, m.taped(f.Channel(side), begun, gone.Add(again), time.Now()), "the recording of call %d has what side %d said after its node was gone", k.i, side)
	}
}

// taped tells whether a recording has something that was said between two instants, where
// it was said. begun is the second in which it begins.
func (m *mouth) taped(audio []byte, begun, from, to time.Time) bool {
	const second = 8000
	for _, s := range m.pieces() {
		if s.at.Before(from) || s.at.Add(piece).After(to) {
			continue
		}
		at := int(s.at.Sub(begun) * second / time.Second)
		where := audio[min(max(at-2*second, 0), len(audio)):min(at+len(s.alaw)+second, len(audio))]
		if peak, _ := hear.Correlate(where, s.alaw); peak >= heardFrom {
			return true
		}
	}
	return false
}

// joined is what a node that went on with a recording says of it.
var joined = regexp.MustCompile(`the recording was joined.* gap=([0-9.]+)`)

// gaps tells for how long recordings that were joined are silent.
func (p *pair) gaps() string {
	p.t.Helper()
	log, err := p.nodes[1].Log()
	require.NoError(p.t, err)
	var all []float64
	for _, m := range joined.FindAllSubmatch(log, -1) {
		gap, err := strconv.ParseFloat(string(m[1]), 64)
		require.NoError(p.t, err)
		all = append(all, gap)
	}
	require.NotEmpty(p.t, all)
	return fmt.Sprintf("; %d recordings joined, silent for %.1f to %.1f s", len(all), slices.Min(all), slices.Max(all))
}

// instant reads a time of a fee event.
func instant(t *testing.T, fee map[string]any, key string) time.Time {
	t.Helper()
	text, _ := fee[key].(string)
	at, err := time.ParseInLocation("2006-01-02 15:04:05", text, time.UTC)
	require.NoError(t, err, key)
	return at
}
