package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// changing are the values that differ from run to run.
var changing = []struct {
	is *regexp.Regexp
	to string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "INSTANT"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`), "INSTANT"},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "ID"},
	{regexp.MustCompile(`("appSecret": ")[^"]+`), "${1}SECRET"},
}

// TestJSON holds the answers that scripts read.
func TestJSON(t *testing.T) {
	file := write(t, "")
	server := serve(t, file)
	server.signals <- syscall.SIGTERM
	require.Zero(t, server.ended(t), "%s", server.errs)
	list := filepath.Join(t.TempDir(), "numbers.csv")
	require.NoError(t, os.WriteFile(list, []byte("number,areaCode,city\n17010000011,0755,\n17010000012,0755,Beijing\nnobody,,\n"), 0o600))
	var said strings.Builder
	for _, step := range []struct {
		command string
		code    int
	}{
		{"app list", 0}, {"app create --account default --mode AXB --key new --name X", 0}, {"app pause new", 0}, {"app secret new", 0}, {"app show nobody", 1},
		{"number import --app axb LIST", 1}, {"number show 17010000011", 0}, {"number status paused 17010000011 17010000099", 1}, {"number list --app axb", 0},
		{"number sms on 17010000011 17010000099", 1}, {"app change ax --sms --sms-control-url http://127.0.0.1/control", 0}, {"app change ax --sms-control-url=", 1},
		{"number move --to ax +8617010000001", 0}, {"number return 17010000002", 0}, {"number free", 0}, {"number tasks --limit 1", 0},
		{"binding bind axe --x +8617010000003 --a +8613800000001 --ext 0001", 0}, {"binding list --x +8617010000003", 0},
		{"explain 17010000003 13800000002 --ext 0001", 0}, {"explain 17010000001 13800000002", 0}, {"explain", 2}, {"number move --to ax", 2},
		{"cdr list", 0}, {"sms list", 0}, {"sms explain 17010000001 13800000002 hello", 0}, {"sms show none", 1}, {"event list", 0}, {"prompt list --app all", 0}, {"blacklist list --x 17010000003", 0},
	} {
		args := append(strings.Fields(strings.ReplaceAll(step.command, "LIST", list)), "--json", "--config", file)
		r := start(args...)
		require.Equal(t, step.code, r.ended(t), "%s\n%s%s", step.command, r.out, r.errs)
		out := r.out.String()
		if out != "" {
			require.True(t, json.Valid([]byte(out)), "%s", out)
		}
		require.NotRegexp(t, `"[A-Z][A-Za-z]*":|"[a-z]+_[a-z]+":`, out, "%s: names are lowerCamel", step.command)
		said.WriteString("$ axgate " + step.command + "\n" + out + r.errs.String())
	}
	got := said.String()
	for _, c := range changing {
		got = c.is.ReplaceAllString(got, c.to)
	}
	golden := filepath.Join("testdata", "json.txt")
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "run go test ./cmd/axgate -run TestJSON -update if it is meant")
}

// TestNumberExport: what is exported can be imported.
func TestNumberExport(t *testing.T) {
	file := write(t, "")
	server := serve(t, file)
	server.signals <- syscall.SIGTERM
	require.Zero(t, server.ended(t), "%s", server.errs)
	out := filepath.Join(t.TempDir(), "out.csv")
	require.Contains(t, succeed(t, "number", "export", "--app", "axb", "-o", out, "--config", file), "1 rows")
	text, err := os.ReadFile(out)
	require.NoError(t, err)
	require.Contains(t, string(text), "+8617010000001,axb,AXB,normal")
	require.Contains(t, succeed(t, "number", "import", "--app", "axb", out, "--config", file), "1 of 1 numbers done")
}
