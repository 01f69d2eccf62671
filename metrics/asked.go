package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"axgate/routing"
)

func resultLabel(r routing.SendResult) string { return strconv.Itoa(int(r)) }

// reading is a figure that is asked for at each scrape.
type reading struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

// put gives the figure's value of this scrape.
func (r reading) put(to chan<- prometheus.Metric, value float64, labels ...string) {
	to <- prometheus.MustNewConstMetric(r.desc, r.kind, value, labels...)
}

func (r reading) flag(to chan<- prometheus.Metric, is bool, labels ...string) {
	value := 0.0
	if is {
		value = 1
	}
	r.put(to, value, labels...)
}

// level is a reading that goes up and down, sum one that only grows.
func level(name, help string, labels ...string) reading {
	return reading{prometheus.NewDesc(prefix+name, help, labels, nil), prometheus.GaugeValue}
}

func sum(name, help string, labels ...string) reading {
	return reading{prometheus.NewDesc(prefix+name, help, labels, nil), prometheus.CounterValue}
}

// asked collects readings that one look at a part gives. Their names are told by
// the readings themselves, as they come (an unchecked collector).
type asked struct {
	look func(to chan<- prometheus.Metric)
}

var _ prometheus.Collector = asked{}

// Describe tells nothing.
func (asked) Describe(chan<- *prometheus.Desc) {}

// Collect looks.
func (a asked) Collect(to chan<- prometheus.Metric) { a.look(to) }
