package config

import (
	"net/url"
	"time"
)

// Metrics is where figures and health are told without a token.
type Metrics struct {
	Listen string `key:"listen" help:"listen address of /metrics, /healthz, /livez and /readyz without a token, host:port: use loopback or a network of your own, since it says how much is called; off: they are at http.listen alone, where the first two want the token of an operator without an account"`
}

// Health is from when on something is told of as not well.
type Health struct {
	DiskFree    int           `key:"disk_free_mib" help:"MiB free on the disks of data, journal and recordings, below which the node is degraded"`
	JournalAge  time.Duration `key:"journal_age" help:"how long entries of the journal may wait for the ledger until the node is degraded"`
	OutboxAge   time.Duration `key:"outbox_age" help:"how long events may wait for their receivers until the node is degraded; retries take up to 5 hours"`
	ClockOff    time.Duration `key:"clock_off" help:"how far the ledger's clock and this machine's may differ until the node is degraded"`
	Certificate time.Duration `key:"certificate" help:"how long a certificate has to be good for, or the node is degraded"`
}

// Traces is where calls and API requests are told of as traces.
type Traces struct {
	Endpoint    string `key:"endpoint" help:"address of a collector that takes OTLP over HTTP, such as http://127.0.0.1:4318; traces go to /v1/traces unless it has a path; empty: there are none"`
	PerThousand int    `key:"per_thousand" help:"how many calls and API requests of a thousand are traced; requests whose traceparent says so always are"`
}

func (k *checker) watching(c *Config) {
	if c.Metrics.Listen != Off {
		k.hostPort("metrics.listen", c.Metrics.Listen)
	}
	h := &c.Health
	k.count("health.disk_free_mib", h.DiskFree, 0, 1<<24)
	k.span("health.journal_age", h.JournalAge, time.Second, 24*time.Hour)
	k.span("health.outbox_age", h.OutboxAge, time.Minute, 24*time.Hour)
	k.span("health.clock_off", h.ClockOff, 100*time.Millisecond, 24*time.Hour)
	k.span("health.certificate", h.Certificate, 0, 366*24*time.Hour)
	if c.Traces.Endpoint != "" {
		if u, err := url.Parse(c.Traces.Endpoint); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
			k.wrong("traces.endpoint", "%.80q: use an address such as http://127.0.0.1:4318", c.Traces.Endpoint)
		}
	}
	k.count("traces.per_thousand", c.Traces.PerThousand, 0, 1000)
}
