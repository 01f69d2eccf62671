package manage_test

import (
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/api/manage"
)

var banned = []manage.Ban{
	{Source: "192.0.2.66", Since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Until: time.Date(2026, 1, 2, 3, 14, 5, 0, time.UTC), Refusals: 60, Dropped: 9},
	{Source: "2001:db8::/64", Refusals: 60},
}

// bans are those of a node.
type bans struct {
	mu   sync.Mutex
	list []manage.Ban
}

func (b *bans) all() []manage.Ban {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.list)
}

func (b *bans) end(ip netip.Addr) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := len(b.list)
	b.list = slices.DeleteFunc(slices.Clone(b.list), func(one manage.Ban) bool {
		p, err := netip.ParsePrefix(one.Source)
		return err == nil && p.Contains(ip)
	})
	return len(b.list) < before
}

func TestBans(t *testing.T) {
	w := newWorld(t)
	require.Equal(t, []string{"192.0.2.66", "2001:db8::/64"}, w.get(theOperator, "/bans").column("source"))
	page := w.get(theOperator, "/bans?limit=1").is(http.StatusOK)
	require.Equal(t, map[string]any{"source": "192.0.2.66", "since": "2026-01-02T03:04:05Z", "until": "2026-01-02T03:14:05Z", "refusals": 60.0, "dropped": 9.0}, page["items"].([]any)[0])
	require.Equal(t, []string{"2001:db8::/64"}, w.get(theOperator, "/bans?after="+page["next"].(string)).column("source"))

	w.ask(theOperator, http.MethodDelete, "/bans/2001:db8::7", nil).is(http.StatusNoContent)
	w.ask(theOperator, http.MethodDelete, "/bans/2001:db8::7", nil).is(http.StatusNotFound)
	w.ask(theOperator, http.MethodDelete, "/bans/somebody", nil).wrong("address")
	require.Equal(t, []string{"192.0.2.66"}, w.get(theOperator, "/bans").column("source"))
	require.Contains(t, string(w.get(theOperator, "/audit").body), `"target":"address 2001:db8::7"`)
	count := w.get(theOperator, "/defence").is(http.StatusOK)
	require.Equal(t, []any{7.0, 3.0}, []any{count["banned"], count["guesses"]})
}
