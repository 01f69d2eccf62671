package node

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"axgate/api"
	"axgate/config"
	"axgate/events"
	"axgate/health"
	"axgate/metrics"
	"axgate/sip"
	"axgate/traces"
)

// openTraces begins to tell a collector of calls and requests, if one is
// configured.
func (n *Node) openTraces(context.Context) (err error) {
	c := &n.cfg.Traces
	if c.Endpoint == "" {
		return nil
	}
	headers, err := traceHeaders(c)
	if err != nil {
		return err
	}
	if n.watching.traces, err = traces.Open(traces.Config{Endpoint: c.Endpoint, Headers: headers, PerThousand: c.PerThousand, Node: n.cfg.Node, Log: n.log}); err != nil {
		return err
	}
	n.close.add("the traces", func(ctx context.Context) error {
		const patience = 3 * time.Second // a collector that is away holds up no end
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		if err := n.watching.traces.Close(ctx); err != nil {
			n.log.Warn().Err(err).Msg("some traces are lost")
		}
		return nil
	})
	return nil
}

// traceHeaders are those that the collector of traces wants; no error has a value of one.
func traceHeaders(c *config.Traces) (map[string]string, error) {
	all := map[string]string{}
	for name, value := range c.Headers {
		all[http.CanonicalHeaderKey(strings.ReplaceAll(name, "_", "-"))] = value
	}
	if c.CredentialsFile == "" {
		return all, nil
	}
	text, err := os.ReadFile(c.CredentialsFile)
	if err != nil {
		return nil, fmt.Errorf("traces.credentials_file: %w", err)
	}
	for i, line := range strings.Split(string(text), "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		if err := config.Header(name, strings.TrimSpace(value)); err != nil {
			return nil, fmt.Errorf("traces.credentials_file: line %d: %w", i+1, err)
		}
		all[http.CanonicalHeaderKey(name)] = strings.TrimSpace(value)
	}
	return all, nil
}

// traced has the requests to mounts told of, but for those that only look.
func (n *Node) traced(mounts []api.Mount) []api.Mount {
	for i := range mounts {
		if p := mounts[i].Path; p == metrics.Path || p == health.FullPath {
			continue
		}
		mounts[i].Handler = n.watching.traces.Handler(mounts[i].Path, mounts[i].Handler)
	}
	return mounts
}

// pushed is told of attempts to push.
func (n *Node) pushed(p events.Pushed) {
	n.watching.figures.Pushed(p)
	n.watching.traces.Pushed(p)
}

// callWatch is who hears of calls.
func (n *Node) callWatch() sip.Watch {
	if n.watching.traces == nil {
		return n.watching.figures.Calls()
	}
	return tracedCalls{n.watching.figures.Calls(), n.watching.traces}
}

// tracedCalls are told to figures, and to traces once they are settled.
type tracedCalls struct {
	sip.Watch
	traces *traces.Tracer
}

// Settled tells of a call of which nothing is open.
func (t tracedCalls) Settled(e *sip.Ended) { t.traces.Call(e) }
