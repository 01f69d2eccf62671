package config

import (
	"errors"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
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
	Endpoint string `key:"endpoint" help:"address of a collector that takes OTLP over HTTP, such as http://127.0.0.1:4318; traces go to /v1/traces unless it has a path; empty: there are none"`
	// Headers and those of CredentialsFile say to the collector who we are.
	Headers         Headers `key:"headers" secret:"true" help:"headers that the collector wants, such as authorization: Bearer SECRET, or AXGATE_TRACES_HEADERS_AUTHORIZATION of the environment; _ in a name stands for -"`
	CredentialsFile string  `key:"credentials_file" help:"file of further headers, one on each line as name: value; they count before headers, and any of both instead of OTEL_EXPORTER_OTLP_HEADERS"`
	PerThousand     int     `key:"per_thousand" help:"how many calls and API requests of a thousand are traced; requests whose traceparent says so always are"`
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
	for name, value := range c.Traces.Headers {
		if err := Header(name, value); err != nil {
			k.wrong("traces.headers", "%v", err) // a secret may stand in the place of the name
		}
	}
	if t := &c.Traces; inTheClear(t.Endpoint) && (len(t.Headers) > 0 || t.CredentialsFile != "") {
		c.notes = append(c.notes, "traces.endpoint is no https:// address: whoever is on the way to it can read the headers that it is sent")
	}
	k.count("traces.per_thousand", c.Traces.PerThousand, 0, 1000)
}

// Headers are headers of HTTP by their names, in small letters and with - for _.
type Headers map[string]string

var headersType = reflect.TypeFor[Headers]()

// entryName is the one spelling of a name in a table: of headers many are the same.
func entryName(table reflect.Type, name string) string {
	if table == headersType {
		name = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
	}
	return name
}

// inTheClear tells whether an address is reached over a network without TLS.
func inTheClear(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() != "localhost" && (err != nil || !ip.IsLoopback())
}

// Header tells what is wrong with a header of HTTP, and repeats nothing of it.
func Header(name, value string) error {
	const token = "!#$%&'*+-.^_`|~"
	odd := func(c rune) bool {
		return !strings.ContainsRune(token, c) && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
	}
	switch {
	case name == "" || strings.ContainsFunc(name, odd):
		return errors.New("it is no name of a header")
	case value == "" || strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c > '~' }):
		return errors.New("its value is empty, or has characters that are not ASCII")
	}
	return nil
}
