package metrics

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"axgate/media"
	"axgate/sip"
)

// calls are the figures of calls that ended.
type calls struct {
	ended, causes, refused  *prometheus.CounterVec
	answered, talked        prometheus.Counter
	recorded, recordedBytes prometheus.Counter
	decide, ring, tries     prometheus.Histogram
}

func newCalls() calls {
	return calls{
		ended:         counter("calls_ended_total", "Calls that ended, by the word for it (axgate cdr show) and whether they were answered.", "end", "answered"),
		causes:        counter("calls_cause_total", "Calls that ended, by the Q.850 cause that their legs were told.", "cause"),
		refused:       counter("calls_refused_total", "INVITEs and calls that were answered 503, by the reason.", "reason"),
		answered:      counter("calls_answered_total", "Calls that were answered.").WithLabelValues(),
		talked:        counter("calls_talk_seconds_total", "How long all answered calls that ended have talked, together.").WithLabelValues(),
		recorded:      counter("recordings_made_total", "Recordings that were finished.").WithLabelValues(),
		recordedBytes: counter("recordings_bytes_total", "Bytes of the recordings that were finished.").WithLabelValues(),
		decide:        histogram("call_decide_seconds", "From an INVITE until the rules had decided.", latencies).WithLabelValues().(prometheus.Histogram),
		ring:          histogram("call_post_dial_seconds", "From an INVITE until the callee rang or answered: the post-dial delay.", patience).WithLabelValues().(prometheus.Histogram),
		tries:         histogram("call_tries", "INVITEs to callees that a call needed, one after the other.", []float64{1, 2, 3, 5, 8}).WithLabelValues().(prometheus.Histogram),
	}
}

func (c *calls) all() []prometheus.Collector {
	return []prometheus.Collector{c.ended, c.causes, c.refused, c.answered, c.talked, c.recorded, c.recordedBytes, c.decide, c.ring, c.tries}
}

// Calls watches the calls of a B2BUA.
func (s *Set) Calls() sip.Watch { return watcher{s} }

type watcher struct{ set *Set }

// Refused counts an INVITE that was too many.
func (w watcher) Refused(why sip.Refusal) { w.set.calls.refused.WithLabelValues(string(why)).Inc() }

// Settled has nothing to count.
func (watcher) Settled(*sip.Ended) {}

// Ended counts a call.
func (w watcher) Ended(e *sip.Ended) {
	c, rec := &w.set.calls, e.Call
	up := !rec.Answered.IsZero()
	c.ended.WithLabelValues(e.End.Word, strconv.FormatBool(up)).Inc()
	c.causes.WithLabelValues(causeLabel(e.End.Cause)).Inc()
	if !up && e.End.SIP == http.StatusServiceUnavailable { // SIP's 503 is HTTP's
		c.refused.WithLabelValues(e.End.Word).Inc()
	}
	if !e.Decided.IsZero() {
		c.decide.Observe(e.Decided.Sub(rec.In).Seconds())
	}
	if rang := rec.Alerting; !rang.IsZero() || up {
		if rang.IsZero() {
			rang = rec.Answered
		}
		c.ring.Observe(rang.Sub(rec.In).Seconds())
	}
	if e.Tried > 0 {
		c.tries.Observe(float64(e.Tried))
	}
	if rec.RecordFile != "" {
		c.recorded.Inc()
		c.recordedBytes.Add(float64(rec.RecordBytes))
	}
	if !up {
		return
	}
	c.answered.Inc()
	c.talked.Add(max(0, rec.Ended.Sub(rec.Answered).Seconds()))
	w.set.audio.ended(&e.Stats)
}

// causeLabel keeps a cause, which may be a peer's word, among the 127 that there are.
func causeLabel(cause int) string {
	if cause < 1 || cause > 127 {
		return "other"
	}
	return strconv.Itoa(cause)
}

// audio are the figures of the audio of calls that ended.
type audio struct {
	received, lost, late, dropped, foreign, sent *prometheus.CounterVec
	jitter, mos                                  *prometheus.HistogramVec
}

func newAudio() audio {
	return audio{
		received: counter("rtp_received_total", "RTP packets from the peer of a leg, of calls that ended.", "leg"),
		lost:     counter("rtp_lost_total", "RTP packets missing from the peer's sequence, of calls that ended.", "leg"),
		late:     counter("rtp_late_total", "RTP packets that came behind newer ones, or twice, of calls that ended.", "leg"),
		dropped:  counter("rtp_dropped_total", "Datagrams that were no valid packet, or came when none was wanted, of calls that ended.", "leg"),
		foreign:  counter("rtp_foreign_total", "Datagrams from others than the peer, of calls that ended.", "leg"),
		sent:     counter("rtp_sent_total", "RTP packets to the peer of a leg, of calls that ended.", "leg"),
		jitter:   histogram("rtp_jitter_seconds", "Jitter of what the peer sent at the end of an answered call.", wobbles, "leg"),
		mos:      histogram("rtp_mos", "Estimated quality of what the peer sent in an answered call, 1 bad to 4.5 best.", []float64{1.5, 2, 2.5, 3, 3.5, 3.8, 4, 4.2, 4.4}, "leg"),
	}
}

func (a *audio) all() []prometheus.Collector {
	return []prometheus.Collector{a.received, a.lost, a.late, a.dropped, a.foreign, a.sent, a.jitter, a.mos}
}

func (a *audio) ended(stats *[2]media.Stats) {
	for side := range stats {
		s, leg := &stats[side], media.Side(side).String()
		a.received.WithLabelValues(leg).Add(float64(s.Received))
		a.lost.WithLabelValues(leg).Add(float64(s.Lost))
		a.late.WithLabelValues(leg).Add(float64(s.Late))
		a.dropped.WithLabelValues(leg).Add(float64(s.Dropped))
		a.foreign.WithLabelValues(leg).Add(float64(s.Foreign))
		a.sent.WithLabelValues(leg).Add(float64(s.Sent))
		if s.Received > 0 {
			a.jitter.WithLabelValues(leg).Observe(s.JitterMS / 1000)
			a.mos.WithLabelValues(leg).Observe(s.MOS)
		}
	}
}
