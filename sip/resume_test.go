package sip

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/media/wav"
	"axgate/routing"
	"axgate/sip/registrar"
	"axgate/sip/trunk"
	"axgate/sip/wire"
)

// shelf keeps talks for other nodes.
type shelf struct {
	mu    sync.Mutex
	talks map[string][]byte
	had   map[string]bool // of both nodes: one that was dropped too
	times int
	away  atomic.Bool // others cannot read it
}

func (k *shelf) Shared(session string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.had[session] && !k.away.Load()
}

func (k *shelf) Keep(session string, state []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.talks == nil {
		k.talks, k.had = map[string][]byte{}, map[string]bool{}
	}
	k.talks[session], k.had[session] = state, true
	k.times++
}

func (k *shelf) Drop(session string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.talks, session)
}

func (k *shelf) only(t testing.TB) []byte {
	var one []byte
	eventually(t, "the talk is kept", func() bool {
		k.mu.Lock()
		defer k.mu.Unlock()
		for _, one = range k.talks {
		}
		return len(k.talks) == 1
	})
	return one
}

func (k *shelf) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.talks)
}

// outliving is a world whose calls survive its server, which can be made to stand
// still like a process that was stopped.
type outliving struct {
	*world
	shelf  *shelf
	frozen atomic.Bool
	skew   time.Duration // of its clock to that of the next one
}

func survivors(t *testing.T, changes ...func(*settings)) *outliving {
	t.Helper()
	o := &outliving{shelf: &shelf{}}
	o.world = open(t, append(changes, func(s *settings) {
		s.cfg.Talks, s.cfg.Holds = o.shelf, func() bool { return !o.frozen.Load() }
	})...)
	return o
}

// stands has the server stand still, and another one there for its only call.
func (o *outliving) stands() (next *Server, orphan *Orphan, died time.Time) {
	o.t.Helper()
	state := o.shelf.only(o.t)
	o.frozen.Store(true)
	died = time.Now()
	cfg := o.set.cfg
	cfg.Node, cfg.Holds, cfg.UDP, cfg.TCP = "n2", nil, "127.0.0.1:0", "127.0.0.1:0"
	next, err := Open(cfg, o.engine, o.router, o.journal, o.set.prompts, o.tape, zerolog.New(o).Level(zerolog.InfoLevel))
	require.NoError(o.t, err)
	next.Serve()
	o.t.Cleanup(func() { require.NoError(o.t, next.Shutdown(expired())) })
	o.a.to, o.b.to = next.UDPAddr(), next.UDPAddr()
	orphan, err = next.Estate(Death{Alive: died.Add(o.skew), Now: time.Now().Add(o.skew)}).Prepare(state)
	require.NoError(o.t, err)
	return next, orphan, died
}

// dies has the server stand still and another one go on with its only call.
func (o *outliving) dies() (*Server, time.Time) {
	o.t.Helper()
	next, orphan, died := o.stands()
	require.NoError(o.t, orphan.Adopt(orphan.Seq))
	return next, died
}

// takes has a side take the other server's address.
func (o *outliving) takes(d *side, mouth *ear, version int) msg {
	o.t.Helper()
	m := d.refreshed("INVITE")
	mouth.talksTo(m)
	d.target = m.contact()
	d.reply(m, 200, mouth.sdp(version))
	d.ackOf(m)
	return m
}

// finish has the old server wake up and let go.
func (o *outliving) finish() {
	o.t.Helper()
	wrote := len(o.journal.all())
	o.frozen.Store(false)
	o.srv.LetGo()
	require.Zero(o.t, o.srv.Calls())
	require.Len(o.t, o.journal.all(), wrote, "who woke up says nothing")
}

// sessionOf is the session id in o=.
func sessionOf(m msg) string {
	_, rest, _ := strings.Cut(m.body, "o=")
	return strings.Split(rest, " ")[1]
}

func (m *memory) all() (all []events.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, evs := range m.evs {
		all = append(all, evs...)
	}
	return all
}

// TestCallSurvives: another node goes on with a talk under the same dialogs, with a
// higher CSeq and a higher version of its SDP, at its own addresses. Its end is told once.
func TestCallSurvives(t *testing.T) {
	o := survivors(t)
	a, b := o.talk()
	o.bothHear()
	first := b.invite
	next, _ := o.dies()
	inA, inB := o.takes(a, o.mouthA, 2), o.takes(b, o.mouthB, 2)
	for _, m := range []msg{inA, inB} {
		require.Contains(t, m.contact(), next.UDPAddr().String())
		n, _ := m.cseq()
		require.Greater(t, n, 1)
	}
	require.Greater(t, inB.version(t), first.version(t))
	require.Equal(t, sessionOf(first), sessionOf(inB), "the session is the same one")
	o.bothHear()
	o.frozen.Store(false)
	o.srv.LetGo()
	o.b.never(100*time.Millisecond, "a word of the one that let go", func(m msg) bool { return m.method() == "BYE" })
	o.bothHear()
	a.bye()
	b.hungUp()
	rec := o.ends(0, 0)
	require.Equal(t, "n2", rec.Node)
	require.WithinDuration(t, time.Now(), rec.Ended, 2*time.Second)
	require.Equal(t, 1, rec.ReleasedBy)
	require.Zero(t, o.shelf.count())
}

// TestNobodyTakesIt: a peer that knows nothing of the call any more ends it, at
// the instant at which its node was alive last; the other one is hung up.
func TestNobodyTakesIt(t *testing.T) {
	t.Parallel()
	for _, status := range []int{481, 488, 603, 408} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			o := survivors(t)
			a, b := o.talk()
			o.bothHear()
			_, died := o.dies()
			o.takes(a, o.mouthA, 2)
			m := b.refreshed("INVITE")
			b.reply(m, status, "")
			a.hungUp()
			if status == 488 || status == 603 {
				b.hungUp()
			} else {
				b.p.await("BYE", func(m msg) bool { return m.method() == "BYE" })
			}
			rec := o.journal.ended(t)
			require.WithinDuration(t, died, rec.Ended, time.Millisecond)
			o.finish()
		})
	}
}

// TestGlareOfResumption: what crosses our re-INVITE, or comes too soon, is asked again.
func TestGlareOfResumption(t *testing.T) {
	for _, c := range []struct {
		status int
		header string
	}{{491, ""}, {500, "Retry-After: 0"}, {503, ""}} {
		t.Run(fmt.Sprint(c.status), func(t *testing.T) {
			o := survivors(t, func(s *settings) { s.cfg.second = 50 * time.Millisecond })
			a, b := o.talk()
			o.bothHear()
			o.dies()
			o.takes(a, o.mouthA, 2)
			m := b.refreshed("INVITE")
			var more []string
			if c.header != "" {
				more = append(more, c.header)
			}
			b.reply(m, c.status, "", more...)
			again := o.takes(b, o.mouthB, 2)
			was, _ := m.cseq()
			is, _ := again.cseq()
			require.Greater(t, is, was)
			require.Equal(t, m.version(t), again.version(t), "it is the same offer")
			o.bothHear()
			o.finish()
			b.bye()
			a.hungUp()
			o.ends(0, 0)
		})
	}
}

// TestHoldSurvives: who was held stays so, and hears the other after the resume.
func TestHoldSurvives(t *testing.T) {
	o := survivors(t, func(s *settings) { s.trunkA.Hold.Relay, s.trunkB.Hold.Relay = true, true })
	a, b := o.talk()
	o.bothHear()
	a.reinvite(o.mouthA.sdp(2, "a=sendonly"))
	a.response(200, "INVITE")
	a.ack("")
	m := b.refreshed("INVITE")
	b.reply(m, 200, o.mouthB.sdp(2, "a=recvonly"))
	b.ackOf(m)
	eventually(t, "the hold is kept", func() bool {
		var saved savedTalk
		require.NoError(t, json.Unmarshal(o.shelf.only(t), &saved))
		return saved.Callee.Way[1] && saved.Callee.SDP.Stops[1]
	})
	o.dies()
	m = a.refreshed("INVITE")
	_, way := m.media(t)
	require.Equal(t, "sendrecv", way, "whether it still holds, it says itself")
	o.mouthA.talksTo(m)
	a.target = m.contact()
	a.reply(m, 200, o.mouthA.sdp(3, "a=sendonly"))
	a.ackOf(m)
	m = b.refreshed("INVITE")
	_, way = m.media(t)
	require.Equal(t, "sendonly", way)
	o.mouthB.talksTo(m)
	b.target = m.contact()
	b.reply(m, 200, o.mouthB.sdp(3, "a=recvonly"))
	b.ackOf(m)
	o.finish()
	a.reinvite(o.mouthA.sdp(4))
	o.mouthA.talksTo(a.response(200, "INVITE"))
	a.ack("")
	m = b.refreshed("INVITE")
	_, way = m.media(t)
	require.Equal(t, "sendrecv", way)
	o.mouthB.talksTo(m)
	b.reply(m, 200, o.mouthB.sdp(4))
	b.ackOf(m)
	o.bothHear()
	a.bye()
	b.hungUp()
	o.ends(0, 0)
}

// TestRecordingSurvives: the recording is one file in the end, with silence where
// nobody recorded, and what was said after it.
func TestRecordingSurvives(t *testing.T) {
	o := survivors(t, func(s *settings) { s.cfg.MinTalk = time.Millisecond })
	o.router.decides(func(q routing.Question) (routing.Decision, error) {
		d, err := recorded(q)
		d.App.Stereo = true // nothing is mixed
		return d, err
	})
	a, b := o.talk()
	eventually(t, "it is recorded", func() bool {
		var saved savedTalk
		require.NoError(t, json.Unmarshal(o.shelf.only(t), &saved))
		return saved.Call.RecordFile != ""
	})
	const packets = 20
	say := func(byA, byB byte) {
		o.mouthA.until(byA, "B hears what A says", o.mouthB.hears(byA, packets))
		o.mouthB.until(byB, "A hears what B says", o.mouthA.hears(byB, packets))
	}
	say(0x11, 0x22)
	o.dies()
	o.takes(a, o.mouthA, 2)
	o.takes(b, o.mouthB, 2)
	say(0x33, 0x44)
	o.finish()
	a.bye()
	b.hungUp()
	rec := o.ends(0, 0)
	files := o.recordings()
	require.Len(t, files, 1)
	require.Equal(t, rec.RecordBytes, size(t, files[0]))
	require.Positive(t, rec.RecordGap)
	raw, err := os.ReadFile(files[0])
	require.NoError(t, err)
	f, err := wav.Parse(raw)
	require.NoError(t, err)
	require.InDelta(t, rec.Ended.Sub(rec.Recording).Seconds(), f.Duration().Seconds(), 0.01)
	for _, said := range []byte{0x33, 0x44} {
		require.Greater(t, bytes.Count(f.Data, []byte{said}), packets/2*160, "%#x was said after it", said)
	}
}

// TestHungUpMeanwhile: a BYE that comes before the call is here is heard once it is,
// and what nobody goes on with is not known.
func TestHungUpMeanwhile(t *testing.T) {
	o := survivors(t)
	a, b := o.talk()
	_, orphan, _ := o.stands()
	a.request("BYE", "")
	stranger := *b
	stranger.theirs = "nobody"
	stranger.target = "sip:17010000001@" + o.b.to.String()
	stranger.request("BYE", "")
	stranger.response(481, "BYE")
	require.NoError(t, orphan.Adopt(orphan.Seq))
	a.response(200, "BYE")
	b.hungUp()
	rec := o.ends(0, 0)
	require.Equal(t, 1, rec.ReleasedBy)
	require.WithinDuration(t, time.Now(), rec.Ended, 5*time.Second)
	require.True(t, rec.Ended.After(orphan.c.resumed.died))
	for _, side := range []*side{a, b} { // our re-INVITE crossed it
		m := side.refreshed("INVITE")
		side.reply(m, 481, "")
	}
	o.finish()
}

// TestAdoptRefuses: what cannot be gone on with is refused, and nothing is left of it.
func TestAdoptRefuses(t *testing.T) {
	o := survivors(t)
	a, b := o.talk()
	state := o.shelf.only(t)
	orphan, err := o.srv.Estate(Death{Alive: time.Now()}).Prepare(state)
	require.NoError(t, err)
	require.ErrorIs(t, orphan.Adopt(0), ErrCarried)
	refuses := func(why error, state []byte) {
		_, err := o.srv.Estate(Death{Alive: time.Now()}).Prepare(state)
		require.ErrorIs(t, err, why)
	}
	refuses(ErrForm, []byte("{}"))
	refuses(ErrForm, []byte("nothing"))
	var saved savedTalk
	require.NoError(t, json.Unmarshal(state, &saved))
	saved.Call.CalleeTrunk = "elsewhere"
	other, err := json.Marshal(saved)
	require.NoError(t, err)
	refuses(ErrNoTrunk, other)
	saved.Form++
	other, err = json.Marshal(saved)
	require.NoError(t, err)
	refuses(ErrForm, other)
	orphan, err = o.srv.Estate(Death{Alive: time.Now()}).Prepare(state)
	require.NoError(t, err)
	orphan.Drop()
	o.hangsUp(a, b)
}

// TestLetGoOfRinging: nobody goes on with a call that was not answered: its peers are
// told that it is over, and nothing is written.
func TestLetGoOfRinging(t *testing.T) {
	o := survivors(t)
	a, b := o.rings()
	b.says(180, "")
	a.response(180, "INVITE")
	kinds := len(o.journal.all())
	o.frozen.Store(true)
	go o.srv.LetGo()
	b.cancelled()
	a.fails(503)
	eventually(t, "it is over", func() bool { return o.open() == 0 })
	require.Len(t, o.journal.all(), kinds)
	o.journal.forget()
}

// forget has the story of the only call end here.
func (m *memory) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.evs)
	clear(m.calls)
}

// TestOneClock: a call is as long as it was by one clock, whatever the next machine's
// shows, and if a third one goes on with it.
func TestOneClock(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		skew time.Duration // of the first clock to this one
		max  int           // minutes
	}{{-time.Hour, 0}, {time.Hour, 0}, {-time.Hour, 30}} {
		t.Run(fmt.Sprint(c.skew, c.max), func(t *testing.T) {
			o := survivors(t, func(s *settings) { s.cfg.minute, s.cfg.MinTalk = time.Minute, time.Millisecond })
			o.router.decides(recorded)
			a, b := o.talk()
			var saved savedTalk
			eventually(t, "it is recorded", func() bool {
				require.NoError(t, json.Unmarshal(o.shelf.only(t), &saved))
				return saved.Call.RecordFile != ""
			})
			require.Zero(t, saved.Ahead)
			o.bothHear()
			at := &saved.Call
			for _, of := range []*time.Time{&at.In, &at.Out, &at.Alerting, &at.Answered, &at.Recording} {
				*of = of.Add(c.skew)
			}
			saved.MaxMinutes = c.max
			state, err := json.Marshal(saved)
			require.NoError(t, err)
			o.shelf.Keep(saved.Call.Session, state)
			o.skew = c.skew
			next, died := o.dies()
			o.takes(a, o.mouthA, 2)
			o.takes(b, o.mouthB, 2)
			eventually(t, "it says by how much", func() bool {
				require.NoError(t, json.Unmarshal(o.shelf.only(t), &saved))
				return saved.Call.Node == "n2"
			})
			require.InDelta(t, -c.skew.Milliseconds(), saved.Ahead, 5000)
			third, err := next.Estate(Death{Alive: died, Now: time.Now()}).Prepare(o.shelf.only(t))
			require.NoError(t, err)
			require.WithinDuration(t, died.Add(c.skew), third.c.resumed.died, 5*time.Second)
			require.WithinDuration(t, time.Now().Add(c.skew), third.c.now(), 5*time.Second)
			third.Drop()
			o.bothHear()
			o.finish()
			a.bye()
			b.hungUp()
			rec := o.ends(0, 0)
			require.WithinDuration(t, time.Now().Add(c.skew), rec.Ended, 5*time.Second)
			require.WithinDuration(t, rec.Answered, rec.Recording, 5*time.Second)
			require.Less(t, rec.RecordGap, 5*time.Second)
		})
	}
}

// TestBetweenLives: who was declared dead takes calls again when it is alive again, as
// ones of that life, and none before.
func TestBetweenLives(t *testing.T) {
	var life atomic.Int64
	life.Store(1)
	o := survivors(t, func(s *settings) { s.cfg.Incarnation = life.Load })
	o.frozen.Store(true)
	o.srv.LetGo()
	refused := o.a.dial(numX, numA, o.mouthA.sdp(1))
	refused.fails(503)
	require.True(t, o.srv.Draining())
	life.Store(2)
	o.frozen.Store(false)
	eventually(t, "it is alive again", func() bool { return !o.srv.Draining() })
	a, b := o.talk()
	o.hangsUp(a, b)
	require.EqualValues(t, 2, o.journal.ended(t).Incarnation)
}

// TestSilentAfterLetGo: who let go of a call has no answer for its peers, which would
// take it for the end of what another node goes on with.
func TestSilentAfterLetGo(t *testing.T) {
	o := survivors(t)
	a, _ := o.talk()
	o.bothHear()
	o.frozen.Store(true)
	a.request("INFO", "") // waits in the inbox
	time.Sleep(50 * time.Millisecond)
	o.srv.LetGo()
	a.request("INFO", "")
	o.a.never(time.Second, "an answer", func(m msg) bool { return m.status() >= 200 && strings.Contains(m.get("CSeq"), "INFO") })
	a.theirs = "nobody"
	a.request("INFO", "")
	a.response(481, "INFO")
	o.journal.forget()
}

// TestLetGoOfUnshared: a call of which nobody else can know is hung up: nobody goes on
// with it.
func TestLetGoOfUnshared(t *testing.T) {
	o := survivors(t)
	o.shelf.away.Store(true)
	a, b := o.talk()
	o.bothHear()
	kinds := len(o.journal.all())
	o.frozen.Store(true)
	go o.srv.LetGo()
	a.hungUp()
	b.hungUp()
	eventually(t, "it is over", func() bool { return o.open() == 0 })
	require.Len(t, o.journal.all(), kinds)
	o.journal.forget()
}

// TestEndingIsNoHeir: a node that ends goes on with no call of another one.
func TestEndingIsNoHeir(t *testing.T) {
	o := survivors(t)
	a, b := o.talk()
	next, orphan, _ := o.stands()
	require.NoError(t, next.Shutdown(expired()))
	require.ErrorIs(t, orphan.Adopt(orphan.Seq), ErrClosed)
	o.frozen.Store(false)
	o.a.to, o.b.to = o.srv.UDPAddr(), o.srv.UDPAddr()
	o.hangsUp(a, b)
}

// fill has so many requests wait at a server, of strangers or not.
func fill(s *Server, n int, strangers bool) {
	s.parked.mu.Lock()
	defer s.parked.mu.Unlock()
	for range n {
		tx := &wire.ServerTx{Request: sip.NewRequest(sip.INFO, sip.Uri{})}
		for _, h := range []sip.Header{sip.NewHeader("Call-ID", "x"), sip.NewHeader("To", "<sip:x@x>;tag=x")} {
			tx.Request.AppendHeader(h)
		}
		s.parked.add(tx, stay{time.NewTimer(time.Hour), strangers})
	}
}

// TestTooManyParked: who cannot wait is told to come again, not that there is no call.
func TestTooManyParked(t *testing.T) {
	o := survivors(t)
	a, b := o.talk()
	next, orphan, _ := o.stands()
	fill(next, mostParked, false)
	a.request("INFO", "")
	a.response(500, "INFO")
	next.parked.close()
	orphan.Drop()
	o.frozen.Store(false)
	o.a.to, o.b.to = o.srv.UDPAddr(), o.srv.UDPAddr()
	o.hangsUp(a, b)
}

// TestFewStrangersWait: what comes from no trunk may wait, too, but takes nobody's room.
func TestFewStrangersWait(t *testing.T) {
	o := survivors(t, func(s *settings) {
		s.accounts = []registrar.Account{{Number: "+8613700000009", Password: "long enough"}}
	})
	a, b := o.talk()
	next, orphan, _ := o.stands()
	stranger := newPeer(t, "stranger", "127.0.0.9")
	stranger.to = next.UDPAddr()
	theirs := *a
	theirs.p, theirs.target = stranger, "sip:17010000001@192.0.2.1:5060" // of another node
	parked := func() (all, strangers int) {
		next.parked.mu.Lock()
		defer next.parked.mu.Unlock()
		return len(next.parked.waits), next.parked.strangers
	}
	theirs.request("INFO", "")
	eventually(t, "one waits", func() bool { _, n := parked(); return n == 1 })
	fill(next, strangersParked-1, true)
	theirs.request("INFO", "")
	theirs.response(500, "INFO")
	a.request("INFO", "")
	eventually(t, "who has a trunk waits all the same", func() bool { n, _ := parked(); return n == strangersParked+1 })
	next.parked.close()
	_, left := parked()
	require.Zero(t, left)
	orphan.Drop()
	o.frozen.Store(false)
	o.a.to, o.b.to = o.srv.UDPAddr(), o.srv.UDPAddr()
	o.hangsUp(a, b)
}

// TestOneLookUp: where DNS says nothing, the calls of a dead node do not wait for it one
// after the other.
func TestOneLookUp(t *testing.T) {
	mute, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, mute.Close()) }()
	var tr *trunk.Trunk
	w := open(t, func(s *settings) {
		s.cfg.DNS = []string{mute.LocalAddr().String()}
		s.trunkB.Way.Host, s.trunkB.Address, s.trunkB.Transport = "carrier.test", netip.AddrPort{}, "TCP"
	})
	for _, one := range w.srv.cfg.Trunks.All() {
		if one.Name == "b" {
			tr = one
		}
	}
	e := w.srv.Estate(Death{})
	begun := time.Now()
	for range 10 {
		require.False(t, e.homeOf(tr, "TCP").Addr.IsValid())
	}
	require.Less(t, time.Since(begun), 5*resolveTime, "of the ten that one after the other would take")
}
