package traces

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"axgate/events"
	"axgate/logging"
	"axgate/sip"
)

// Call tells of a call that is over.
func (t *Tracer) Call(e *sip.Ended) {
	if t == nil {
		return
	}
	rec := e.Call
	ctx, root := t.tracer.Start(context.WithValue(context.Background(), sessionKey{}, rec.Session), "call",
		trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(rec.In))
	if !root.IsRecording() {
		return
	}
	root.SetAttributes(attribute.String("axgate.session", rec.Session), attribute.String("axgate.app", rec.App), attribute.String("axgate.mode", rec.Mode),
		attribute.String("axgate.x", logging.Mask(rec.X)), attribute.String("axgate.caller", logging.Mask(rec.Caller)), attribute.String("axgate.callee", logging.Mask(rec.Callee)),
		attribute.String("axgate.caller_trunk", rec.CallerTrunk), attribute.String("axgate.callee_trunk", rec.CalleeTrunk),
		attribute.String("axgate.end", e.End.Word), attribute.Int("axgate.cause", e.End.Cause), attribute.Int("axgate.tries", e.Tried))
	rung := later(rec.Out, rec.Alerting)
	for _, s := range []struct {
		name     string
		from, to time.Time
	}{
		{"decide", rec.In, e.Decided},
		{"ring", rec.Out, rec.Alerting},
		{"answer", rung, rec.Answered},
		{"talk", rec.Answered, rec.Ended},
		{"recording", recorded(rec), rec.Ended},
		{"tear-down", rec.Ended, e.Settled},
	} {
		if !s.from.IsZero() && !s.to.IsZero() {
			t.span(ctx, s.name, s.from, s.to)
		}
	}
	if !rec.Out.IsZero() && rec.Answered.IsZero() { // it went to a callee, in vain
		failed := t.begin(ctx, "unanswered", rung)
		failed.SetAttributes(attribute.Int("sip.response.status_code", rec.SIPStatus))
		failed.End(trace.WithTimestamp(rec.Ended))
	}
	if rec.Answered.IsZero() && e.End.SIP >= 500 && e.End.SIP < 600 {
		root.SetStatus(codes.Error, e.End.Word)
	}
	root.End(trace.WithTimestamp(later(rec.Ended, e.Settled)))
}

// recorded is when the recording of a call began; zero: none was kept.
func recorded(rec *events.Call) time.Time {
	if rec.RecordFile == "" {
		return time.Time{}
	}
	return rec.Recording
}

// later is the second instant, or the first if there is none.
func later(a, b time.Time) time.Time {
	if b.IsZero() {
		return a
	}
	return b
}

func (t *Tracer) begin(ctx context.Context, name string, from time.Time) trace.Span {
	_, s := t.tracer.Start(ctx, name, trace.WithTimestamp(from))
	return s
}

func (t *Tracer) span(ctx context.Context, name string, from, to time.Time) {
	t.begin(ctx, name, from).End(trace.WithTimestamp(to))
}

// Pushed tells of an attempt to push an event of a call, in the call's trace.
func (t *Tracer) Pushed(p events.Pushed) {
	if t == nil || p.Result == events.PushDropped {
		return
	}
	switch p.Event.Target() {
	case events.ToCallIn, events.ToStatus, events.ToFee:
	default:
		return // of texts and numbers there is no trace, and their sessions name numbers
	}
	id, first := of(p.Event.Session)
	if t.sampler.ShouldSample(sdktrace.SamplingParameters{ParentContext: context.Background(), TraceID: id}).Decision != sdktrace.RecordAndSample {
		return
	}
	call := trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: first, TraceFlags: trace.FlagsSampled, Remote: true})
	_, s := t.tracer.Start(trace.ContextWithRemoteSpanContext(context.Background(), call), "push", trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(p.Began))
	s.SetAttributes(attribute.String("axgate.session", p.Event.Session), attribute.String("axgate.event", string(p.Event.Kind)), attribute.String("axgate.app", p.Event.App),
		attribute.Int("axgate.tries", p.Tries))
	if p.Failure != "" {
		s.SetStatus(codes.Error, p.Failure)
	}
	s.End(trace.WithTimestamp(p.Ended))
}
