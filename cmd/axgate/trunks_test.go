package main

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/api/manage"
	"axgate/certs/certtest"
)

// TestTrunkList: a node is asked how its trunks are, by whoever can read its
// data directory.
func TestTrunkList(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	file := write(t, `
trunks:
  - {name: in, peers: [192.0.2.1]}
  - {name: out, address: "`+silent.LocalAddr().String()+`", ping_interval: 1s}
  - {name: lost, address: "nowhere.invalid:5060", ping_interval: 0s}
`)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(text), "drain: 2s", `drain: 2s, dns: ["127.0.0.1:9"]`, 1)), 0o600))
	require.Contains(t, fail(t, 1, "trunk", "list", "--config", file), "no node runs on")
	server := serve(t, file)
	defer server.ended(t)
	defer func() { server.signals <- os.Interrupt }()

	var all struct{ Items []manage.Trunk }
	require.Eventually(t, func() bool {
		require.NoError(t, json.Unmarshal([]byte(succeed(t, "trunk", "list", "--json", "--config", file)), &all))
		require.Len(t, all.Items, 3)
		require.Len(t, all.Items[1].Servers, 1)
		return !all.Items[1].Up
	}, time.Minute, 200*time.Millisecond)
	require.True(t, all.Items[0].Up)
	require.Equal(t, "udp://"+silent.LocalAddr().String(), all.Items[1].Servers[0].Address)
	require.GreaterOrEqual(t, all.Items[1].Servers[0].Misses, 3)
	require.NotEmpty(t, all.Items[2].Failure)

	out := succeed(t, "trunks", "--config", file)
	require.Regexp(t, `(?m)^in +up +0 +- +- +- +-$`, out)
	require.Regexp(t, `(?m)^out +down +0 +- +udp://127.0.0.1:\d+ +- +-$`, out)
	require.Regexp(t, `(?m)^lost: find udp:..nowhere.invalid`, out)

	running := filepath.Join(filepath.Dir(file), "data", "running.json")
	info, err := os.Stat(running)
	require.NoError(t, err)
	require.Zero(t, info.Mode().Perm()&0o077, "the token is for who may read the ledger")
	text, err = os.ReadFile(running)
	require.NoError(t, err)
	var r map[string]any
	require.NoError(t, json.Unmarshal(text, &r))
	r["token"] = "axg_local_WRONG"
	text, err = json.Marshal(r)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(running, text, 0o600))
	require.Contains(t, fail(t, 1, "trunk", "list", "--config", file), "401")
}

// TestTrunkListOverHTTPS: a node whose API is under TLS is known by the very
// certificate of the file, whatever name that has; another is not told the token.
func TestTrunkListOverHTTPS(t *testing.T) {
	ca := certtest.New(t)
	own, other := ca.Issue("api.example.com"), ca.Issue("api.example.com")
	file := write(t, `
trunks:
  - {name: out, address: "192.0.2.7:5061", transport: tls, ping_interval: 0s}
`)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	under := func(file string, p certtest.Pair) {
		listen := `listen: "127.0.0.1:0"`
		with := strings.Replace(string(text), "http: {"+listen, `http: {`+listen+`, cert: "`+p.Cert+`", key: "`+p.Key+`"`, 1)
		require.NotEqual(t, string(text), with)
		require.NoError(t, os.WriteFile(file, []byte(with), 0o600))
	}
	under(file, own)
	server := serve(t, file)
	defer server.ended(t)
	defer func() { server.signals <- os.Interrupt }()

	require.Regexp(t, `(?m)^out +up +0 +- +tls://192.0.2.7:5061 +- +-$`, succeed(t, "trunk", "list", "--config", file))
	var all struct{ Items []manage.Trunk }
	require.NoError(t, json.Unmarshal([]byte(succeed(t, "trunks", "--json", "--config", file)), &all))
	require.Len(t, all.Items, 1)

	wrong := filepath.Join(filepath.Dir(file), "other.yaml")
	under(wrong, other)
	require.Contains(t, fail(t, 1, "trunk", "list", "--config", wrong), "the node does not show the certificate of http.cert")
	under(wrong, certtest.Pair{Cert: own.Cert, Key: own.Cert})
	require.Contains(t, fail(t, 1, "trunk", "list", "--config", wrong), "http.")
	require.NoError(t, os.WriteFile(wrong, text, 0o600))
	require.Contains(t, fail(t, 1, "trunk", "list", "--config", wrong), "400 Bad Request", "plain HTTP")
}

func TestTrunkRows(t *testing.T) {
	rest := time.Now().Add(time.Hour)
	one := manage.Trunk{Name: "c", Up: true, Calls: 7, Registration: &manage.TrunkRegistration{State: "registered", Until: rest},
		Servers: []manage.TrunkServer{{Address: "udp://192.0.2.7:5060", Up: true, Heard: rest, Status: 200}, {Address: "udp://192.0.2.8:5060", Up: true, Rests: rest, Status: 503}, {Address: "udp://192.0.2.9:5060"}}}
	var text bytes.Buffer
	w := tabwriter.NewWriter(&text, 0, 0, 1, ' ', 0)
	trunkRows(w, &one)
	require.NoError(t, w.Flush())
	at := when(rest)
	for _, want := range []string{
		`c up +7 registered until ` + at + ` udp://192.0.2.7:5060 200 +` + at,
		`c resting until ` + at + ` 7 .* udp://192.0.2.8:5060 503 +-`,
		`c down .*udp://192.0.2.9:5060 - +-`,
	} {
		require.Regexp(t, want, text.String())
	}
}

func TestHostAddress(t *testing.T) {
	for listen, want := range map[string]string{"0.0.0.0:1": "127.0.0.1:1", "[::]:1": "[::1]:1", "192.0.2.1:8": "192.0.2.1:8"} {
		got, err := hostAddress(listen)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}
