// Package metrics turns what the parts of a node tell of themselves into figures
// for Prometheus. No part knows it: they are asked when somebody asks here, and
// what happens now and then is counted as they tell it. No label is a number of
// anybody, X included, nor an app's: each has few values.
package metrics

import (
	"net/http"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Path is where figures are.
const Path = "/metrics"

// prefix begins the name of every figure of ours.
const prefix = "axgate_"

// Set is the figures of one node. It is safe for use by many goroutines.
type Set struct {
	registry *prometheus.Registry
	calls    calls
	audio    audio
	work     work
}

// New makes a set that counts nothing yet.
func New() *Set {
	s := &Set{registry: prometheus.NewRegistry()}
	build := gauge("build_info", "1, with the version of the program.", "version")
	build.WithLabelValues(version()).Set(1)
	s.calls, s.audio, s.work = newCalls(), newAudio(), newWork()
	s.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), build)
	for _, group := range [][]prometheus.Collector{s.calls.all(), s.audio.all(), s.work.all()} {
		s.registry.MustRegister(group...)
	}
	return s
}

// version is the module's version and commit as the build knows them.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	text := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			text += " " + s.Value[:min(len(s.Value), 8)]
		}
	}
	return text
}

// Handler answers with the figures of this moment.
func (s *Set) Handler() http.Handler {
	const atOnce, patience = 4, 10 * time.Second
	return promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{MaxRequestsInFlight: atOnce, Timeout: patience})
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, labels)
}

func gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: prefix + name, Help: help}, labels)
}

func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: prefix + name, Help: help, Buckets: buckets}, labels)
}

// The bounds of histograms, in seconds.
var (
	latencies = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	patience  = []float64{.25, .5, 1, 1.5, 2, 3, 4, 6, 8, 11, 15, 20, 30, 60, 90}
	wobbles   = []float64{.001, .002, .005, .01, .015, .02, .03, .05, .08, .12, .2, .5}
)
