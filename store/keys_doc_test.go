package store

import (
	"context"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/routing"
)

// TestKeysPage holds docs/redis-keys.md against what the cache really writes:
// every key and every field, no more and no less.
func TestKeysPage(t *testing.T) {
	page, err := os.ReadFile("../docs/redis-keys.md")
	require.NoError(t, err)
	require.Equal(t, writtenKeys(t), documentedKeys(t, string(page)))
}

// bindingKinds are the ways to find a binding; their entries have one form.
var bindingKinds = []string{"axgate:{X}:ax", "axgate:{X}:n:NUMBER", "axgate:{X}:e:EXTENSION"}

// writtenKeys fills an embedded Redis with all that there can be and lists the
// fields by kind of key. What is not a hash of fixed fields has none.
func writtenKeys(t *testing.T) map[string][]string {
	t.Helper()
	ctx := context.Background()
	c, err := OpenEmbedded(Config{Address: "127.0.0.1:0", Timeout: 5 * time.Second, Log: zerolog.Nop()})
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	require.NoError(t, c.Ping(ctx))
	all := map[string]map[string]bool{}
	fillWithEverything(t, c, func() {
		for _, key := range c.rdb.Keys(ctx, "*").Val() {
			kind := kindOfKey(key)
			if all[kind] == nil {
				all[kind] = map[string]bool{}
			}
			if kind != "axgate:{X}:busy" && kind != nodesKey && !strings.HasPrefix(kind, "axgate:use:") && !strings.HasPrefix(kind, "axgate:talks:") && c.rdb.Type(ctx, key).Val() == "hash" {
				for _, f := range c.rdb.HKeys(ctx, key).Val() {
					all[kind][f] = true
				}
			}
		}
	})
	binding := map[string]bool{}
	for _, kind := range bindingKinds {
		maps.Copy(binding, all[kind])
	}
	for _, kind := range bindingKinds {
		all[kind] = binding
	}
	written := map[string][]string{}
	for kind, fields := range all {
		written[kind] = slices.Sorted(maps.Keys(fields))
	}
	return written
}

func kindOfKey(key string) string {
	for _, k := range []struct{ pattern, kind string }{
		{`^axgate:\{\+\d+\}`, "axgate:{X}"}, {`:n:\+\d+$`, ":n:NUMBER"}, {`:e:\d+$`, ":e:EXTENSION"}, {`:cb:\+\d+$`, ":cb:A"},
		{`:requests:\{.+\}$`, ":requests:{APP}"}, {`:failures:\{.+\}$`, ":failures:{ADDRESS}"}, {`:texts:to:\{.+\}$`, ":texts:to:{X}"}, {`:texts:from:\{.+\}$`, ":texts:from:{NUMBER}"},
		{`:wrong:\+\d+$`, ":wrong:CALLER"}, {`:use:account:\{.+\}$`, ":use:account:{ACCOUNT}"}, {`:use:x:\{.+\}$`, ":use:x:{X}"}, {`:nonce:\{.+\}:\w+$`, ":nonce:{APP}:HASH"},
		{`:talks:\{.+\}$`, ":talks:{NODE/LIFE}"}, {`:journal:\{.+\}$`, ":journal:{NODE/LIFE}"},
	} {
		key = regexp.MustCompile(k.pattern).ReplaceAllString(key, k.kind)
	}
	return key
}

// fillWithEverything writes an X of each mode with every field there is, one
// that is not ours, a busy mark, and removed bindings; look is called where
// there is something new to see.
func fillWithEverything(t *testing.T, c *Cache, look func()) {
	t.Helper()
	ctx, now := context.Background(), time.Now()
	until := now.Add(time.Hour)
	talks := c.NewTalks(TalksConfig{Owner: func() (string, bool) { return "node1/7", true }})
	talks.Keep("session", []byte("{}"))
	require.NoError(t, talks.flush(ctx))
	require.NoError(t, c.KeepJournal(ctx, "node1/7", "1-100", "0-0", "{}"))
	const a, b = routing.Number("+8613800000001"), routing.Number("+8613800000002")
	for i, mode := range []routing.Mode{routing.AX, routing.AXB, routing.AXE, routing.AXYB} {
		x := routing.X("+861701000000" + string(rune('1'+i)))
		full := routing.Binding{ID: "id", App: "app", Mode: mode, X: x, A: a, Allowed: routing.OnlyFromA, Until: until, Record: true,
			RecordHint: "h.wav", CallerTone: "c.wav", CalleeTone: "d.wav", MaxMinutes: 1, LastMinute: "l.wav", NoSMS: true, UserData: "u", Version: 1}
		d := routing.Dossier{Number: routing.XNumber{X: x, App: "app", Mode: mode, Status: routing.StatusNormal, AreaCode: "0755", SMS: true, Bindings: 1, Version: 1},
			Blocked: []routing.Number{b}}
		switch mode {
		case routing.AX:
			full.Off = true
			d.Temporary = &routing.TemporaryCallee{Callee: b, Until: until, UserData: "u"}
		case routing.AXB:
			full.B = b
		case routing.AXYB:
			full.Of, full.B, full.Y = "of", b, "+8617010000007"
		case routing.AXE:
			full.Ext, full.NoCallback, full.CallbackNum, full.CallbackFor = "0001", "n.wav", b, time.Hour
			d.Callbacks = map[routing.Number]routing.Callback{a: {Caller: b, Until: until}}
		}
		d.Bindings = []routing.Binding{full}
		require.NoError(t, c.Forget(ctx, x))
		_, ticket, err := c.Peek(ctx, routing.Question{Session: "s", X: x, Caller: a, At: now})
		require.NoError(t, err)
		require.NoError(t, c.Fill(ctx, ticket, d))
		look()
		if mode == routing.AXE {
			require.NoError(t, c.PutCallback(ctx, &full, routing.Callback{Caller: b, Until: until}, now))
			_, _, err := c.FactsByExtension(ctx, routing.Question{Session: "s", X: x, Caller: b, At: now}, "0009", Guessing{Most: 2, Within: time.Minute})
			require.NoError(t, err)
			held, err := c.Reserve(ctx, "session", x, full.Ext)
			require.NoError(t, err)
			require.True(t, held)
		}
		if mode == routing.AXYB {
			y := d
			y.Number.X = full.Y
			_, ticket, err := c.Peek(ctx, routing.Question{Session: "s", X: full.Y, Caller: a, At: now})
			require.NoError(t, err)
			require.NoError(t, c.Fill(ctx, ticket, y))
			look()
		}
		d.Number.Version = 2
		require.NoError(t, c.DropBinding(ctx, d.Number, full, 2))
		look()
	}
	_, err := c.CountRequest(ctx, "app", time.Minute)
	require.NoError(t, err)
	_, err = c.CountTextTo(ctx, "+8617010000001", time.Minute)
	require.NoError(t, err)
	_, err = c.CountTextFrom(ctx, "+8613800000001", time.Minute)
	require.NoError(t, err)
	_, err = c.CountFailure(ctx, "192.0.2.7", time.Minute, 2)
	require.NoError(t, err)
	_, err = c.UseNonce(ctx, "app", "n", time.Minute)
	require.NoError(t, err)
	_, err = c.ShareUse(ctx, []UseShare{{Key: AccountUse("sp"), Owner: "n1/1", Keep: time.Minute}, {Key: XUse("+8617010000001"), Owner: "n1/2", Keep: time.Minute}}, time.Second)
	require.NoError(t, err)
	_, err = c.Testify(ctx, "n1", "words")
	require.NoError(t, err)
	const unknown = routing.X("+8617010000009")
	_, ticket, err := c.Facts(ctx, routing.Question{Session: "s", X: unknown, Caller: a, At: now})
	require.NoError(t, err)
	require.True(t, ticket.Miss())
	require.NoError(t, c.FillUnknown(ctx, ticket, unknown, now))
	_, ticket, err = c.Facts(ctx, routing.Question{Session: "s", X: "+8617010000008", Caller: a, At: now})
	require.NoError(t, err)
	require.True(t, ticket.Miss())
	look()
}

// documentedKeys reads the keys of the page's first table and the fields of
// the tables under the headings that name them.
func documentedKeys(t *testing.T, page string) map[string][]string {
	t.Helper()
	keys, under := map[string][]string{}, []string(nil)
	quoted := regexp.MustCompile("`([^`]+)`")
	for line := range strings.Lines(page) {
		names := quoted.FindAllStringSubmatch(line, -1)
		switch {
		case strings.HasPrefix(line, "### "):
			under = nil
			for _, n := range names {
				require.Contains(t, keys, n[1], "a heading names a key that the first table lacks")
				under = append(under, n[1])
			}
		case strings.HasPrefix(line, "| `") && under == nil:
			keys[names[0][1]] = nil
		case strings.HasPrefix(line, "| `"):
			for _, k := range under {
				keys[k] = append(keys[k], names[0][1])
			}
		}
	}
	for k := range keys {
		keys[k] = slices.Sorted(slices.Values(keys[k]))
	}
	return keys
}
