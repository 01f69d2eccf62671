package node

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"

	"axgate/config"
)

// alert is one rule of alerts.yaml.
type alert struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func alerts(t *testing.T) (all []alert) {
	t.Helper()
	text, err := os.ReadFile("../deploy/prometheus/alerts.yaml")
	require.NoError(t, err)
	var file struct {
		Groups []struct {
			Name  string  `yaml:"name"`
			Rules []alert `yaml:"rules"`
		} `yaml:"groups"`
	}
	require.NoError(t, yaml.UnmarshalWithOptions(text, &file, yaml.Strict()))
	for _, g := range file.Groups {
		require.NotEmpty(t, g.Rules, g.Name)
		all = append(all, g.Rules...)
	}
	return all
}

// everyFigure is a scrape of a node that has all that there are figures of.
func everyFigure(t *testing.T) map[string]*dto.MetricFamily {
	n := watched(t, func(c *config.Config) {
		certify(t, &c.HTTP)
		c.Recording.Store = config.RecordingStore{Endpoint: "127.0.0.1:1", Bucket: "b", AccessKey: "a", SecretKey: "s", PathStyle: true}
		c.Trunks = []config.Trunk{{Name: "carrier", Address: "127.0.0.1:9", Transport: "udp", IdentitySource: []string{"from"}, CalleeFormat: "e164", FromFormat: "e164", DTMF: "auto", SMS: "off",
			Username: "u", Password: "p", TrunkEnrol: config.TrunkEnrol{Register: true, RegisterID: "+862160000000@ims.example"}, TrunkMedia: config.TrunkMedia{RTCPMux: "off"}}}
	})
	feed(n)
	require.Eventually(t, func() bool { return !n.watching.survey.get().At.IsZero() }, patient, tick)
	return scrape(t, n)
}

// TestAlerts: each parses as Prometheus does it, asks for figures and labels that
// a node has, and has its section in the runbook, as each section has its alert.
func TestAlerts(t *testing.T) {
	t.Parallel()
	figures := everyFigure(t)
	text, err := os.ReadFile("../docs/operations.md")
	require.NoError(t, err)
	_, page, _ := strings.Cut(string(text), "\n## Alerts\n")
	page, _, _ = strings.Cut(page, "\n## ")
	sections := map[string]string{}
	var written, named []string
	for _, s := range strings.Split(page, "\n### ")[1:] {
		name, body, _ := strings.Cut(s, "\n")
		sections[name], written = body, append(written, name)
	}
	for _, a := range alerts(t) {
		named = append(named, a.Alert)
		asks(t, figures, a.Alert, a.Expr)
		if a.For != "" {
			_, err := model.ParseDuration(a.For)
			require.NoError(t, err, a.Alert)
		}
		require.Contains(t, []string{"page", "ticket"}, a.Labels["severity"], a.Alert)
		require.NotEmpty(t, a.Annotations["summary"], a.Alert)
		for _, part := range []string{"- **Means:** ", "- **Users:** ", "- **Look:** ", "- **Do:** "} {
			require.Contains(t, sections[a.Alert], part, a.Alert)
		}
		for _, name := range regexp.MustCompile(`axgate_[a-z_]+`).FindAllString(sections[a.Alert], -1) {
			require.Contains(t, figures, name, "the section of %s", a.Alert)
		}
	}
	slices.Sort(named)
	slices.Sort(written)
	require.Equal(t, named, written)
	require.Equal(t, len(named), len(slices.Compact(named)), "each once")
}

// TestDashboard: each query of the dashboard asks for figures that a node has, and
// each figure of ours is on it.
func TestDashboard(t *testing.T) {
	t.Parallel()
	figures := everyFigure(t)
	text, err := os.ReadFile("../deploy/grafana/axgate.json")
	require.NoError(t, err)
	var board struct {
		Panels []struct {
			ID      int    `json:"id"`
			Title   string `json:"title"`
			Targets []struct {
				Expr string `json:"expr"`
			} `json:"targets"`
		} `json:"panels"`
	}
	require.NoError(t, json.Unmarshal(text, &board))
	shown, ids := map[string]bool{}, map[int]bool{}
	for _, p := range board.Panels {
		require.False(t, ids[p.ID], p.Title)
		ids[p.ID] = true
		for _, target := range p.Targets {
			for _, name := range asks(t, figures, p.Title, target.Expr) {
				shown[name] = true
			}
		}
	}
	for name := range figures {
		require.True(t, shown[name] || !strings.HasPrefix(name, "axgate_"), "%s is on no panel", name)
	}
}

// asks parses an expression and holds what it asks for against a scrape.
func asks(t *testing.T, figures map[string]*dto.MetricFamily, what, expr string) (names []string) {
	t.Helper()
	parsed, err := parser.ParseExpr(expr)
	require.NoError(t, err, "%s: %s", what, expr)
	parser.Inspect(parsed, func(n parser.Node, _ []parser.Node) error {
		v, ok := n.(*parser.VectorSelector)
		if !ok || v.Name == "up" { // Prometheus' own
			return nil
		}
		name := v.Name
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base, is := strings.CutSuffix(name, suffix); is && figures[base].GetType() == dto.MetricType_HISTOGRAM {
				name = base
			}
		}
		require.Contains(t, figures, name, "%s: %s", what, expr)
		names = append(names, name)
		for _, m := range v.LabelMatchers {
			if m.Name == labels.MetricName || m.Name == "instance" {
				continue
			}
			require.True(t, slices.ContainsFunc(figures[name].Metric[0].Label, func(l *dto.LabelPair) bool { return l.GetName() == m.Name }), "%s: %s has no label %s", what, name, m.Name)
		}
		return nil
	})
	require.NotEmpty(t, parsed, what)
	return names
}
