package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"axgate/events"
	"axgate/ledger"
	"axgate/routing"
)

// work are the figures of what a node waits for: ledger, Redis, receivers.
type work struct {
	ledger                     *prometheus.HistogramVec
	ledgerFailures             *prometheus.CounterVec
	changes, reads             prometheus.Observer // of ledger
	changesFailed, readsFailed prometheus.Counter  // of ledgerFailures
	redis                      prometheus.Histogram
	redisFailures              prometheus.Counter
	pushes, texts              *prometheus.CounterVec
	push                       prometheus.Histogram
}

func newWork() work {
	w := work{
		ledger:         histogram("ledger_seconds", "How long the ledger took for a change, the wait for its turn included, or a read.", latencies, "work"),
		ledgerFailures: counter("ledger_failures_total", "Changes and reads at which the ledger's database failed; refusals are none.", "work"),
		redis:          histogram("redis_seconds", "Round trip to Redis for the question of a call or text.", latencies).WithLabelValues().(prometheus.Histogram),
		redisFailures:  counter("redis_failures_total", "Questions of calls and texts that Redis did not answer.").WithLabelValues(),
		pushes:         counter("pushes_total", "Attempts to push an event, by where it goes and how it ended: taken, failed, given_up, dropped.", "target", "result"),
		push:           histogram("push_seconds", "How long a receiver took to answer a push.", latencies).WithLabelValues().(prometheus.Histogram),
		texts:          counter("texts_done_total", "Texts that are done on this node, by their sendResult (0: sent).", "result"),
	}
	w.changes, w.reads = w.ledger.WithLabelValues(string(ledger.Change)), w.ledger.WithLabelValues(string(ledger.Read))
	w.changesFailed, w.readsFailed = w.ledgerFailures.WithLabelValues(string(ledger.Change)), w.ledgerFailures.WithLabelValues(string(ledger.Read))
	return w
}

func (w *work) all() []prometheus.Collector {
	return []prometheus.Collector{w.ledger, w.ledgerFailures, w.redis, w.redisFailures, w.pushes, w.push, w.texts}
}

// Ledger counts a piece of the ledger's work; it is a ledger.Watch.
func (s *Set) Ledger(w ledger.Work, took time.Duration, failed bool) {
	seconds, failures := s.work.reads, s.work.readsFailed
	if w == ledger.Change {
		seconds, failures = s.work.changes, s.work.changesFailed
	}
	seconds.Observe(took.Seconds())
	if failed {
		failures.Inc()
	}
}

// Redis counts a question to the cache.
func (s *Set) Redis(took time.Duration, err error) {
	if err != nil {
		s.work.redisFailures.Inc()
		return
	}
	s.work.redis.Observe(took.Seconds())
}

// Pushed counts an attempt to push an event.
func (s *Set) Pushed(p events.Pushed) {
	s.work.pushes.WithLabelValues(string(p.Event.Target()), string(p.Result)).Inc()
	if p.Result != events.PushDropped {
		s.work.push.Observe(p.Ended.Sub(p.Began).Seconds())
	}
}

// TextDone counts a text that is done.
func (s *Set) TextDone(result routing.SendResult) {
	s.work.texts.WithLabelValues(resultLabel(result)).Inc()
}
