//go:build e2e

package chaos

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/e2e/ports"
)

// wire is the network between the nodes and the database, or the customer.
type wire struct{ proxy *toxiproxy.Proxy }

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	quiet := zerolog.Nop()
	port, err := ports.Take(1) // it is closed and opened again: nobody else may get it meanwhile
	require.NoError(t, err)
	w := &wire{toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), quiet), to, fmt.Sprint("127.0.0.1:", port), to)}
	require.NoError(t, w.proxy.Start())
	t.Cleanup(w.proxy.Stop)
	return w
}

func (w *wire) at() string { return w.proxy.Listen }

func (w *wire) port() string {
	_, port, _ := net.SplitHostPort(w.proxy.Listen)
	return port
}

// cut ends all connections and refuses new ones until mend.
func (w *wire) cut() { w.proxy.Stop() }

func (w *wire) mend() error { return w.proxy.Start() }

// delay has everything that the database says come so many ms late; 0: at once.
func (w *wire) delay(ms int) error {
	return w.poison("latency", fmt.Sprintf(`{"latency": %d}`, ms), ms > 0)
}

// swallow lets nothing through, and leaves connections open.
func (w *wire) swallow(on bool) error { return w.poison("timeout", `{"timeout": 0}`, on) }

func (w *wire) poison(kind, how string, on bool) error {
	if !on {
		return w.proxy.Toxics.RemoveToxic(context.Background(), kind)
	}
	_, err := w.proxy.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"name": %q, "type": %[1]q, "stream": "downstream", "attributes": %s}`, kind, how)))
	return err
}
