// Package traces tells a collector of calls, their pushes and API requests as
// OpenTelemetry traces (OTLP over HTTP). A call costs nothing for it until it is
// over: its spans are made of the instants that its record has anyway. The ids of
// its trace come from its session, so that pushes, on whatever node and whenever,
// are spans of the same trace. Real numbers, and X, are masked.
package traces

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Config says where traces go.
type Config struct {
	Endpoint    string            // base of a collector's addresses; /v1/traces is put behind it unless it has a path
	Headers     map[string]string // of what is sent, such as Authorization; none: those of OTEL_EXPORTER_OTLP_HEADERS
	PerThousand int               // of calls and API requests, how many are traced
	Node        string
	Log         zerolog.Logger
}

// Tracer sends traces. It never holds up who has something to tell: what the
// collector does not take in time is dropped. A nil Tracer tells nobody.
type Tracer struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
	sampler  sdktrace.Sampler // of traces that begin here
}

// Open begins to send. A collector that is away is no error: the log is told.
func Open(cfg Config) (*Tracer, error) {
	at, err := url.Parse(cfg.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("the address of the collector of traces: %w", err)
	}
	if strings.Trim(at.Path, "/") == "" {
		at.Path = "/v1/traces"
	}
	const perSend = 5 * time.Second
	options := []otlptracehttp.Option{otlptracehttp.WithEndpointURL(at.String()), otlptracehttp.WithTimeout(perSend), otlptracehttp.WithCompression(otlptracehttp.GzipCompression)}
	if len(cfg.Headers) > 0 { // none would be in place of OTEL_EXPORTER_OTLP_HEADERS too
		options = append(options, otlptracehttp.WithHeaders(cfg.Headers))
	}
	exporter, err := otlptracehttp.New(context.Background(), options...)
	if err != nil {
		return nil, fmt.Errorf("send traces: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { cfg.Log.Warn().Err(err).Msg("traces") }))
	t := &Tracer{sampler: sdktrace.TraceIDRatioBased(float64(cfg.PerThousand) / 1000)}
	who := resource.NewSchemaless(attribute.String("service.name", "axgate"), attribute.String("service.instance.id", cfg.Node))
	t.provider = sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(who),
		sdktrace.WithSampler(sdktrace.ParentBased(t.sampler)), sdktrace.WithIDGenerator(ids{}))
	t.tracer = t.provider.Tracer("axgate")
	return t, nil
}

// Close sends what is left, until ctx ends.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("send the last traces: %w", err)
	}
	return nil
}

// ids makes ids: those of a session's trace and of its first span by the
// session, all others by chance.
type ids struct{}

type sessionKey struct{}

// of gives a session's trace and first span.
func of(session string) (trace.TraceID, trace.SpanID) {
	sum := sha256.Sum256([]byte("axgate trace " + session))
	return trace.TraceID(sum[:16]), trace.SpanID(sum[16:24])
}

// NewIDs is sdktrace.IDGenerator's.
func (ids) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	if session, ok := ctx.Value(sessionKey{}).(string); ok {
		return of(session)
	}
	var id trace.TraceID
	for !id.IsValid() {
		for i := range id {
			id[i] = byte(rand.Uint32())
		}
	}
	return id, ids{}.NewSpanID(ctx, id)
}

// NewSpanID is sdktrace.IDGenerator's.
func (ids) NewSpanID(context.Context, trace.TraceID) (id trace.SpanID) {
	for !id.IsValid() {
		for i := range id {
			id[i] = byte(rand.Uint32())
		}
	}
	return id
}
