package node

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/config"
	"axgate/routing"
	"axgate/sip/identity"
	"axgate/sip/trunk"
)

// carriers are the trunks of a configuration file, as calls go by them.
func carriers(t *testing.T, text string) (map[string]*trunk.Trunk, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "axgate.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	c, err := config.Load(config.Default(), path, nil)
	if err != nil {
		return nil, err
	}
	table, err := trunks(c.Trunks)
	if err != nil {
		return nil, err
	}
	all := map[string]*trunk.Trunk{}
	for _, tr := range table.All() {
		all[tr.Name] = tr
	}
	return all, nil
}

// TestHeadersOfTrunks: what a file says of headers is what calls send.
func TestHeadersOfTrunks(t *testing.T) {
	all, err := carriers(t, `trunks:
  - name: plain
    address: 192.0.2.7:5060
  - name: full
    address: 192.0.2.8:5060
    send_diversion: true
    send_history_info: true
    hide_agent: true
    extra_headers:
      X-Customer: "4711"
      P-Access-Class: wholesale
`)
	require.NoError(t, err)
	require.Empty(t, all["plain"].Headers)
	require.Equal(t, trunk.Headers{Diversion: true, HistoryInfo: true, NoAgent: true,
		Extra: []identity.Header{{Name: "P-Access-Class", Value: "wholesale"}, {Name: "X-Customer", Value: "4711"}}}, all["full"].Headers)
	for name, want := range map[string]string{"From: x": "it is written by the call itself", `X-Empty: ""`: "empty", "Replaces: x": "changes what the request means", `X-Lines: "a\r\nb"`: "control character"} {
		_, err := carriers(t, "trunks:\n  - name: a\n    address: 192.0.2.7:5060\n    extra_headers:\n      "+name+"\n")
		require.ErrorContains(t, err, want, name)
	}
}

// TestNumbersOfTrunks: the rules of a file are those by which numbers are read
// and written.
func TestNumbersOfTrunks(t *testing.T) {
	all, err := carriers(t, `trunks:
  - name: a
    address: 192.0.2.7:5060
    callee_format: national
    from_format: digits
    dial_rules: ["9901(*) -> $", "(700XXXXXXXXXXXX)0 -> $"]
    callee_rules: ["(1XXXXXXXXXX) -> 7788$"]
    from_rules: ["86(*) -> +0086$"]
  - name: b
    address: 192.0.2.8:5060
`)
	require.NoError(t, err)
	china := routing.ChinaPlan()
	a, b := all["a"], all["b"]
	require.Equal(t, []string{"17010000001", "700123456789012", "17010000001"}, []string{a.Dialled("990117010000001"), a.Dialled("7001234567890120"), a.Dialled("17010000001")})
	require.Equal(t, "778813800000001", a.Callee(&china, "+8613800000001"))
	require.Equal(t, "075528000001", a.Callee(&china, "+8675528000001"), "it fits no rule")
	shown, err := a.Shown(&china, "+8617010000001")
	require.NoError(t, err)
	require.Equal(t, "+008617010000001", shown)
	require.Equal(t, []string{"990117010000001", "+8613800000001"}, []string{b.Dialled("990117010000001"), b.Callee(&china, "+8613800000001")})

	for key, want := range map[string]string{`dial_rules: ["9901(*)"]`: "dial_rules", `callee_rules: ["1X", "(*) -> $"]`: "callee_rules", `from_rules: ["1X* -> 4001234567"]`: "from"} {
		_, err := carriers(t, "trunks:\n  - name: a\n    address: 192.0.2.7:5060\n    "+key+"\n")
		require.ErrorContains(t, err, want, key)
	}
}
