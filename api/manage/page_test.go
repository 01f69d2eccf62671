package manage_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"axgate/api/manage"
	"axgate/ledger"
	"axgate/routing"
)

// elsewhere is a database that sorts otherwise, and knows what is a text.
type elsewhere struct{ manage.Records }

func (e elsewhere) Apps(ctx context.Context) ([]ledger.App, error) {
	list, err := e.Records.Apps(ctx)
	slices.Reverse(list)
	return list, err
}

func (e elsewhere) Accounts(ctx context.Context) ([]ledger.Account, error) {
	list, err := e.Records.Accounts(ctx)
	slices.Reverse(list)
	return list, err
}

func (e elsewhere) Binding(context.Context, string, time.Time) (routing.Binding, error) {
	return routing.Binding{}, &pgconn.PgError{Code: "22021"}
}

// TestPagesByBytes: no item is left out, however the database sorts.
func TestPagesByBytes(t *testing.T) {
	w := newWorld(t, func(d *manage.Deps) { d.Records = elsewhere{d.Records} })
	for path, want := range map[string][]string{"/apps": {"ax", "axb", "axe", "other"}, "/accounts": {"demo", "rival"}} {
		var got []string
		for after, n := "", 0; n < 10; n++ {
			page := w.get(theOperator, path+"?limit=1&after="+after)
			got = append(got, page.column(map[string]string{"/apps": "appKey", "/accounts": "spId"}[path])...)
			if after, _ = page.is(http.StatusOK)["next"].(string); after == "" {
				break
			}
		}
		require.Equal(t, want, got, path)
	}
}

// TestNoText: bytes that a database takes for no text are the sender's fault.
func TestNoText(t *testing.T) {
	w := newWorld(t, func(d *manage.Deps) { d.Records = elsewhere{d.Records} })
	w.get(theOperator, "/bindings/a%00b").is(http.StatusUnprocessableEntity)
	w.tokens["odd"] = "axg_\xff_secret"
	w.get("odd", "/apps").is(http.StatusUnauthorized)
}
