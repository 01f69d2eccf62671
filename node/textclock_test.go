package node

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/config"
	"axgate/ledger"
	"axgate/ledger/pgtest"
)

// aheadOfUs is a database whose clock is ahead of this machine's.
func aheadOfUs(t *testing.T, ahead time.Duration) (dsn string) {
	t.Helper()
	dsn = pgtest.New(t)
	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), fmt.Sprintf(`CREATE SCHEMA clock;
		CREATE FUNCTION clock.clock_timestamp() RETURNS timestamptz VOLATILE LANGUAGE sql AS $$ SELECT pg_catalog.clock_timestamp() + interval '%d seconds' $$;
		DO $$ BEGIN EXECUTE format('ALTER DATABASE %%I SET search_path = public, clock, pg_catalog', current_database()); END $$`, int(ahead.Seconds())))
	require.NoError(t, err)
	require.NoError(t, db.Close())
	return dsn
}

// TestTextsGoByTheLedgersClock: the lease of a text that is sent, when it came and when
// it was done, and its notice, are by the clock that all nodes share; a node whose own is
// an hour off neither has it twice nor lets it lie.
func TestTextsGoByTheLedgersClock(t *testing.T) {
	for _, ahead := range []time.Duration{time.Hour, -time.Hour} {
		t.Run(ahead.String(), func(t *testing.T) {
			reached, release := make(chan struct{}, 10), make(chan struct{})
			out := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				reached <- struct{}{}
				select {
				case <-release:
				case <-r.Context().Done():
				}
			}))
			t.Cleanup(out.Close)
			letGo := sync.OnceFunc(func() { close(release) })
			t.Cleanup(letGo)
			told := newPosts(t)
			const a, b, x, token = "+8613800000001", "+8613900000002", "+8617010000001", "0123456789abcdef"
			c := config.Default()
			c.Data, c.Ledger.Driver, c.Ledger.DSN = t.TempDir(), ledger.Postgres, aheadOfUs(t, ahead)
			c.SIP.UDP, c.SIP.TCP, c.Redis.Embedded, c.HTTP.Listen = "127.0.0.1:0", config.Off, "127.0.0.1:0", "127.0.0.1:0"
			c.SMS.Gateways = []config.SMSGateway{{Name: "gw", Token: token, URL: out.URL, Timeout: 15 * time.Second}}
			c.Accounts = []config.Account{{Name: "demo", MaxApps: 1, SMS: true}}
			c.Apps = []config.App{{Key: "axb", Secret: "s", Account: "demo", Mode: "AXB", SMS: true, SMSURL: told.URL, Signing: "wsse", ExtDigits: 4}}
			c.Numbers = []config.Number{{X: x, App: "axb", SMS: "true"}}
			c.Bindings = []config.Binding{{App: "axb", X: x, A: a, B: b}}
			n, err := Open(t.Context(), c, zerolog.Nop())
			require.NoError(t, err)
			require.NoError(t, n.Serve())
			defer func() { require.NoError(t, n.Close(context.Background())) }()
			require.WithinDuration(t, time.Now().Add(ahead), n.ledger.Now(), time.Minute)

			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, n.web.Base()+"/sms/v1/gateways/gw/messages",
				strings.NewReader(`{"id":"m-1","from":"13800000001","to":"17010000001","text":"hello"}`))
			require.NoError(t, err)
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Content-Type", "application/json")
			res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			require.Equal(t, http.StatusAccepted, res.StatusCode)

			select {
			case <-reached:
			case <-time.After(15 * time.Second):
				t.Fatal("it is not sent")
			}
			page, err := n.ledger.Messages(t.Context(), ledger.MessageFilter{})
			require.NoError(t, err)
			require.Len(t, page.Messages, 1)
			held := page.Messages[0]
			require.WithinDuration(t, n.ledger.Now(), held.At, time.Minute, "when it came")
			require.WithinDuration(t, n.ledger.Now(), held.Due, time.Minute, "the end of its lease")
			letGo()
			require.Eventually(t, func() bool { notices, _ := told.got(); return len(notices) == 1 }, 15*time.Second, 20*time.Millisecond, "the app's server is told at once")
			done, err := n.ledger.Message(t.Context(), held.ID)
			require.NoError(t, err)
			require.WithinDuration(t, n.ledger.Now(), done.Done, time.Minute)
		})
	}
}
