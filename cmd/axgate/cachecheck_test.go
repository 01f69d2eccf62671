package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/store"
	"axgate/store/redistest"
)

// setRedis changes the section redis of a configuration.
func setRedis(t *testing.T, file, to string) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	text = regexp.MustCompile(`(?m)^redis: .*$`).ReplaceAll(text, []byte("redis: "+to))
	require.NoError(t, os.WriteFile(file, text, 0o600))
}

// TestDoctorOfACluster: every master is looked at, and what is wrong with one is told
// with what to do.
func TestDoctorOfACluster(t *testing.T) {
	cluster := redistest.StartCluster(t, 3, 0)
	file := write(t, "")
	setRedis(t, file, fmt.Sprintf("{cluster: [%q]}", cluster.Addresses()[0]))
	report := succeed(t, "doctor", "--config", file)
	for _, s := range cluster.Masters {
		require.Contains(t, report, s.Addr+": version ")
		require.Contains(t, report, s.Addr+" has no replica")
	}
	require.Contains(t, report, "cache and ledger agree")
	require.NotContains(t, report, "not believed")

	sick := cluster.Masters[1]
	sick.Ask("config", "set", "maxmemory", "100mb")
	sick.Ask("config", "set", "maxmemory-policy", "volatile-ttl")
	sick.Ask("config", "set", "appendonly", "yes")
	r := start("doctor", "--config", file)
	require.Equal(t, 1, r.ended(t))
	require.Contains(t, r.out.String(), "set maxmemory-policy to noeviction")
	require.Contains(t, r.out.String(), sick.Addr+" writes its keys to a disk")
	cluster.Masters[2].Kill()
	r = start("doctor", "--config", file)
	require.Equal(t, 1, r.ended(t))
	require.Contains(t, r.out.String(), "until then every call asks the ledger")
}

// TestDoctorOfSentinels: their majority has to be there.
func TestDoctorOfSentinels(t *testing.T) {
	set := redistest.StartSet(t, 1)
	file := write(t, "")
	sentinels := fmt.Sprintf("{sentinels: [%q, %q, %q]", set.Sentinels[0], set.Sentinels[1], set.Sentinels[2])
	setRedis(t, file, sentinels+"}")
	r := start("doctor", "--config", file)
	require.Equal(t, 1, r.ended(t))
	require.Contains(t, r.out.String(), "redis.sentinel_master: it is empty")
	setRedis(t, file, sentinels+", sentinel_master: "+set.Name+"}")
	require.Contains(t, succeed(t, "doctor", "--config", file), "3 of 3 Sentinels know the master "+set.Name)
	set.Watchers()[0].Kill()
	require.Contains(t, succeed(t, "doctor", "--config", file), "2 of 3 Sentinels")
	set.Watchers()[1].Kill()
	r = start("doctor", "--config", file)
	require.Equal(t, 1, r.ended(t))
	require.Contains(t, r.out.String(), "1 of 3 Sentinels answer")
}

// TestDoctorOfAnOldRedis: one without XADD MINID is told of as wrong, with the reason.
func TestDoctorOfAnOldRedis(t *testing.T) {
	for version, old := range map[string]bool{"6.0.16": true, "5.0.14": true, "6.2.0": false, "7.0.15": false, "10.0.1": false, "": false} {
		x := &patient{}
		x.server(&store.Examined{Address: "192.0.2.7:6379", Version: version, Believed: true, Policy: "noeviction"})
		told := slices.ContainsFunc(x.found, func(f finding) bool { return f.Level == wrong && strings.Contains(f.Text, "older than 6.2") })
		require.Equal(t, old, told, "%s: %v", version, x.found)
	}
}
