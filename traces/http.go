package traces

import (
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Handler tells of the requests that h answers; route names them, since their
// paths may name numbers. A traceparent that came with a request (W3C Trace
// Context) has the request's span in that trace.
func (t *Tracer) Handler(route string, h http.Handler) http.Handler {
	if t == nil {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, s := t.tracer.Start(ctx, method(r)+" "+route, trace.WithSpanKind(trace.SpanKindServer))
		if !s.IsRecording() {
			h.ServeHTTP(w, r)
			return
		}
		seen := &answered{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			s.SetAttributes(attribute.String("http.request.method", method(r)), attribute.String("http.route", route), attribute.Int("http.response.status_code", seen.status))
			if seen.status >= 500 {
				s.SetStatus(codes.Error, http.StatusText(seen.status))
			}
			s.End()
		}()
		h.ServeHTTP(seen, r.WithContext(ctx))
	})
}

// method is a request's, if it is one that there is.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "HTTP"
}

// answered notes the status of an answer.
type answered struct {
	http.ResponseWriter
	status int
	begun  bool
}

func (a *answered) WriteHeader(status int) {
	if !a.begun && status >= http.StatusOK {
		a.status, a.begun = status, true
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answered) Write(b []byte) (int, error) {
	a.begun = true
	return a.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (a *answered) Unwrap() http.ResponseWriter { return a.ResponseWriter }
