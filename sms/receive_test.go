package sms_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/routing"
	"axgate/sms"
)

// TestTextOfA: a text is sent to the other party, told of, and nothing of it is
// kept.
func TestTextOfA(t *testing.T) {
	each(t, axb, func(t *testing.T, w *world) {
		c := &carrier{name: "trunk"}
		n := w.start(c)
		id := w.take(n, "secret words")
		told := w.done(id, routing.TextSent)
		require.Equal(t, []string{"secret words"}, c.texts())
		o := c.got()[0]
		require.Equal(t, bert, o.Receiver)
		require.Equal(t, x, o.X)
		require.Equal(t, id, o.ID)
		require.Equal(t, []int{0, 1, 0}, []int{o.Piece, o.Pieces, o.Try})
		require.Equal(t, []string{string(anna), string(bert), string(x), "b1", "data", "0755"},
			[]string{told.Calling, told.Called, told.VirtualNumber, told.SubscriptionID, told.UserData, told.AreaCode})
		require.Equal(t, []string{"1", "1"}, []string{told.extra("splitNum"), told.extra("direction")})
		require.Nil(t, told.SMSContent)
		require.False(t, w.kept("secret"))
	})
}

// TestContentIsKept: an app that wants what was written has it, as it was
// written, and the parts are those of what was sent.
func TestContentIsKept(t *testing.T) {
	each(t, ax, func(t *testing.T, w *world) {
		w.rules.app.SMSContent = true
		c := &carrier{name: "trunk"}
		n := w.start(c)
		in := w.incoming(strings.Repeat("a", 150))
		in.Sender = bert
		id := w.receive(n, in).ID
		told := w.done(id, routing.TextSent)
		require.Equal(t, in.Text+"[From"+string(bert)+"]", c.got()[0].Text)
		require.Equal(t, in.Text, *told.SMSContent)
		require.Equal(t, "2", told.extra("splitNum"))
		require.Equal(t, in.Text, w.message(id).Text)
	})
}

// TestRefusedText: what the rules do not let pass is a record with its notice
// before the sender hears of it, and is not sent.
func TestRefusedText(t *testing.T) {
	each(t, axb, func(t *testing.T, w *world) {
		w.rules.app.Frozen = true
		n := w.start()
		in := w.incoming("hello")
		r := w.receive(n, in)
		require.Equal(t, sms.Receipt{ID: r.ID, Outcome: sms.Refused, Result: routing.TextFrozen}, r)
		w.done(r.ID, routing.TextFrozen)
		require.False(t, w.kept("hello"))
		w.rules.app.Frozen = false
		require.Equal(t, r, w.receive(n, in), "who sends it again gets the same answer")
	})
}

// TestNothingIsKept: texts that are not taken leave nothing.
func TestNothingIsKept(t *testing.T) {
	each(t, axb, func(t *testing.T, w *world) {
		n := w.start()
		require.Equal(t, sms.Receipt{Outcome: sms.TooLong}, w.receive(n, w.incoming(strings.Repeat("长", 671))))
		require.Equal(t, sms.Receipt{Outcome: sms.TooLong}, w.receive(n, w.incoming(strings.Repeat("a", 1<<20))))
		part := w.incoming("one")
		part.Part = &sms.Part{Ref: 1, Seq: 1, Total: 11}
		require.Equal(t, sms.Receipt{Outcome: sms.TooLong}, w.receive(n, part))
		part.Part = &sms.Part{Ref: 1, Seq: 1, Total: 10}
		part.Text = strings.Repeat("长", 214)
		require.Equal(t, sms.Receipt{Outcome: sms.TooLong}, w.receive(n, part), "no network has such parts")
		for _, key := range []string{"", strings.Repeat("k", 65)} {
			in := w.incoming("hello")
			in.Key = key
			_, err := n.Receive(t.Context(), in)
			require.Error(t, err)
		}
		w.rules.fail = errors.New("nothing can be read")
		_, err := n.Receive(t.Context(), w.incoming("hello"))
		require.ErrorIs(t, err, w.rules.fail)
		w.rules.fail, w.rules.facts.Known = nil, false
		require.Equal(t, sms.Receipt{Outcome: sms.Unknown}, w.receive(n, w.incoming("hello")))
		part = w.incoming("one")
		part.Part = &sms.Part{Ref: 1, Seq: 1, Total: 2}
		require.Equal(t, sms.Receipt{Outcome: sms.Unknown}, w.receive(n, part))

		page, err := w.ledger.Messages(t.Context(), ledger.MessageFilter{})
		require.NoError(t, err)
		require.Empty(t, page.Messages)
	})
}

// TestAnyBytes: what no database takes as text is made one.
func TestAnyBytes(t *testing.T) {
	each(t, axb, func(t *testing.T, w *world) {
		c := &carrier{name: "trunk"}
		id := w.take(w.start(c), "a\x00b\xffc")
		w.done(id, routing.TextSent)
		require.Equal(t, []string{"ab\uFFFDc"}, c.texts())
	})
}

// TestSameTextAtOnce: a text that comes many times at once, at two nodes, is
// sent once, and everybody hears the same of it.
func TestSameTextAtOnce(t *testing.T) {
	each(t, axb, func(t *testing.T, w *world) {
		c := &carrier{name: "trunk"}
		nodes := []*node{w.start(c), w.start(c)}
		in := w.incoming("hello")
		const times = 30
		got := make([]sms.Receipt, times)
		var all sync.WaitGroup
		for i := range times {
			all.Go(func() {
				var err error
				if got[i], err = nodes[i%2].Receive(t.Context(), in); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		taken := 0
		for _, r := range got {
			require.Equal(t, got[0].ID, r.ID)
			if r.Outcome == sms.Taken {
				taken++
			} else {
				require.Equal(t, sms.Repeated, r.Outcome)
			}
		}
		require.Equal(t, 1, taken)
		w.done(got[0].ID, routing.TextSent)
		require.Len(t, c.got(), 1)
		require.Equal(t, sms.Repeated, w.receive(nodes[0], in).Outcome)
	})
}

// TestSameWordsAgain: a text that its sender says is new is sent, though one with
// the same mark came before; one that may be a repetition is not. So are parts.
func TestSameWordsAgain(t *testing.T) {
	each(t, axb, func(t *testing.T, w *world) {
		c := &carrier{name: "trunk"}
		n := w.start(c)
		write := func(mark string, isNew bool) (ids []string, as sms.Outcome) {
			list := []sms.Incoming{w.incoming("abcd")}
			if mark == "parts" {
				list = w.inParts("efgh", 2, 0)
			}
			for i, in := range list {
				in.Twin = sms.Twin{Mark: fmt.Sprint(mark, i), New: isNew}
				r := w.receive(n, in)
				as, ids = r.Outcome, append(ids, r.ID)
			}
			return ids, as
		}
		sent := 0
		for _, mark := range []string{"whole", "parts"} {
			var seen []string
			for range 3 {
				ids, as := write(mark, true)
				require.Equal(t, sms.Taken, as)
				require.NotContains(t, seen, ids[0])
				seen = append(seen, ids...)
				w.done(ids[0], routing.TextSent)
				sent++
				require.Len(t, c.got(), sent)

				again, as := write(mark, false)
				require.Equal(t, sms.Repeated, as)
				require.Equal(t, ids, again)
			}
		}
		require.Len(t, c.got(), sent)
	})
}

// inParts cuts a text into parts of some bytes.
func (w *world) inParts(text string, size, ref int) (list []sms.Incoming) {
	total := (len(text) + size - 1) / size
	for i := range total {
		in := w.incoming(text[i*size : min(len(text), (i+1)*size)])
		in.Part = &sms.Part{Ref: ref, Seq: i + 1, Total: total}
		list = append(list, in)
	}
	return list
}

// TestPartsInAnyOrder: whatever the order of parts, and however often they come,
// they make one text.
func TestPartsInAnyOrder(t *testing.T) {
	each(t, axb, func(t *testing.T, w *world) {
		w.office.MaxParts = 10
		c := &carrier{name: "trunk"}
		nodes := []*node{w.start(c), w.start(c)}
		for round := range 5 {
			text := strings.Repeat("abcdefghij", 10) + strings.Repeat("!", round)
			list := w.inParts(text, 30, 7) // the same reference each time
			list = append(list, list...)
			rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			ids := make([]string, len(list))
			var all sync.WaitGroup
			for i, in := range list {
				all.Go(func() {
					r, err := nodes[i%2].Receive(t.Context(), in)
					if err != nil || r.Outcome > sms.Repeated {
						t.Error(r, err)
					}
					ids[i] = r.ID
				})
			}
			all.Wait()
			for _, id := range ids {
				require.Equal(t, ids[0], id)
			}
			w.done(ids[0], routing.TextSent)
			require.Len(t, c.got(), round+1)
			require.Equal(t, text, c.texts()[round])
			require.Equal(t, sms.Repeated, w.receive(nodes[0], list[0]).Outcome)
		}
		require.False(t, w.kept("abc"))
	})
}

// TestMissingPart: half a text is not sent; it ends with 10 once its parts are
// not waited for any more.
func TestMissingPart(t *testing.T) {
	each(t, axb, func(t *testing.T, w *world) {
		w.office.Assemble = 200 * time.Millisecond
		w.rules.app.SMSContent = true
		c := &carrier{name: "trunk"}
		n := w.start(c)
		list := w.inParts("do not come", 4, 1)
		r := w.receive(n, list[0])
		w.receive(n, list[2])
		told := w.done(r.ID, routing.TextNotSent)
		require.Nil(t, told.SMSContent)
		require.Equal(t, "3", told.extra("splitNum"))
		require.Empty(t, c.got())
	})
}

// TestReferenceAgain: a sender that uses a reference anew before the first text
// is complete has begun another one.
func TestReferenceAgain(t *testing.T) {
	each(t, axb, func(t *testing.T, w *world) {
		t.Parallel()
		w.office.Assemble = 6 * time.Second // for four parts of a slow disk
		c := &carrier{name: "trunk"}
		n := w.start(c)
		first, second := w.inParts("abcd", 2, 1), w.inParts("efgh", 2, 1)
		lost := w.receive(n, first[0])
		again := w.inParts("abcd", 2, 1)[0]
		require.Equal(t, sms.Receipt{ID: lost.ID, Outcome: sms.Repeated}, w.receive(n, again), "the same part under another key")
		r := w.receive(n, second[0])
		require.NotEqual(t, lost.ID, r.ID)
		require.Equal(t, r.ID, w.receive(n, second[1]).ID)
		w.done(r.ID, routing.TextSent)
		w.done(lost.ID, routing.TextNotSent)
		require.Equal(t, []string{"efgh"}, c.texts())
	})
}

// TestPartsOfTheNext: once a text has all its parts, further ones with its
// reference are the next one's, even if they say the same and it is not sent yet.
func TestPartsOfTheNext(t *testing.T) {
	each(t, axb, func(t *testing.T, w *world) {
		n := w.start()
		var ids []string
		for range 2 {
			for _, part := range w.inParts("abcd", 2, 1) {
				r := w.receive(n, part)
				require.Equal(t, sms.Taken, r.Outcome)
				ids = append(ids, r.ID)
			}
		}
		require.Equal(t, []string{ids[0], ids[0], ids[2], ids[2]}, ids)
		require.NotEqual(t, ids[0], ids[2])
	})
}

// TestRefusedParts: whoever brings the last part hears that the text is refused.
func TestRefusedParts(t *testing.T) {
	each(t, axb, func(t *testing.T, w *world) {
		w.rules.app.SMSContent = true
		w.rules.app.Forbidden = routing.NewWords("badword")
		n := w.start()
		list := w.inParts("a badword!", 5, 1) // neither part has the word
		require.Equal(t, sms.Taken, w.receive(n, list[0]).Outcome)
		r := w.receive(n, list[1])
		require.Equal(t, sms.Receipt{ID: r.ID, Outcome: sms.Refused, Result: routing.TextForbidden}, r)
		told := w.done(r.ID, routing.TextForbidden)
		require.Equal(t, "a badword!", *told.SMSContent)
	})
}
