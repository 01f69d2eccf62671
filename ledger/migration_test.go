package ledger_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"

	"axgate/ledger"
)

// TestUpgradeToTexts: a ledger from before texts has them on for its accounts,
// off where an app could not have them, and a cache that is read anew.
func TestUpgradeToTexts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "axgate.db")
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	p, err := goose.NewProvider(goose.DialectSQLite3, db, os.DirFS("migrations"), goose.WithDisableGlobalRegistry(true))
	require.NoError(t, err)
	_, err = p.UpTo(t.Context(), 9)
	require.NoError(t, err)
	_, err = db.Exec(`INSERT INTO accounts (sp, name, frozen, max_apps, created_at) VALUES ('demo', '', FALSE, 9, 0)`)
	require.NoError(t, err)
	for _, a := range []struct{ key, mode, control string }{{"axb", "AXB", ""}, {"ax", "AX", ""}, {"ax-asks", "AX", "http://127.0.0.1/"}, {"x", "X", ""}, {"axe", "AXE", "http://127.0.0.1/"}} {
		_, err = db.Exec(`INSERT INTO apps (key, sp, name, mode, secret, created_at, paused, no_calls, ext_digits, random_ext, retries, recording, stereo, informs, keep_callee, no_foreign, quality_check,
			sms, sms_content, status_url, callin_url, fee_url, sms_url, sms_control_url, number_url, push_numbers, signing, send_duration, send_released_by, send_area_code, send_record_url)
			VALUES ($1, 'demo', '', $2, 's', 0, FALSE, FALSE, 0, FALSE, 0, FALSE, FALSE, FALSE, FALSE, FALSE, FALSE, TRUE, FALSE, '', '', '', '', $3, '', FALSE, 'wsse', FALSE, FALSE, FALSE, FALSE)`,
			a.key, a.mode, a.control)
		require.NoError(t, err)
	}
	_, err = db.Exec(`INSERT INTO numbers (x, app, mode, status, cause, area, city, province, carrier, voice, sms, bindings, room, lowest, version, granted_at, released_at)
		VALUES ('+8617010000001', 'axb', 'AXB', 'normal', '', '', '', '', '', TRUE, TRUE, 0, 5000, 1, 1, 0, 0)`)
	require.NoError(t, err)
	var before int64
	require.NoError(t, db.QueryRow(`SELECT value FROM marks WHERE name = 'epoch'`).Scan(&before))
	require.NoError(t, db.Close())

	l := open(t, ledger.Config{Path: path})
	on := map[string]bool{}
	apps, err := l.Apps(t.Context())
	require.NoError(t, err)
	for i := range apps {
		on[apps[i].Key] = apps[i].SMS
		require.False(t, apps[i].SMSBarred)
	}
	require.Equal(t, map[string]bool{"axb": true, "ax": false, "ax-asks": true, "x": false, "axe": false}, on)
	epoch, err := l.Epoch(t.Context())
	require.NoError(t, err)
	require.Greater(t, epoch, before)
	n, err := l.Number(t.Context(), "+8617010000001")
	require.NoError(t, err)
	require.True(t, n.SMS)
}

// TestUpgradeToReleaseCauses: a call from before has none, and no trunks.
func TestUpgradeToReleaseCauses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "axgate.db")
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	p, err := goose.NewProvider(goose.DialectSQLite3, db, os.DirFS("migrations"), goose.WithDisableGlobalRegistry(true))
	require.NoError(t, err)
	_, err = p.UpTo(t.Context(), 11)
	require.NoError(t, err)
	_, err = db.Exec(`INSERT INTO calls (session, icid, node, host, app, sp, mode, x, caller, area, in_at, seq, closed, callee, binding, ext, user_data, direction, out_at, alerting_at, answered_at, ended_at,
		recording_at, state_code, fail_reason, unsw_reason, sip_status, released_by, end_word, record_wanted, record_file, record_bytes, quality, why, shown)
		VALUES ('s', 'i', 'n', 'h', 'app', 'demo', 'AX', '+8617010000001', '', '', 1, 3, TRUE, '', '', '', '', 2, 0, 0, 0, 2, 0, 8018, 8018, 0, 403, 0, 'no_binding_ax', FALSE, '', 0, '', '', '')`)
	require.NoError(t, err)
	require.NoError(t, db.Close())

	c := call(t, open(t, ledger.Config{Path: path}), "s")
	require.Equal(t, []any{"no_binding_ax", 0, 0, "", "", ""}, []any{c.EndWord, c.ReleaseCause, c.ReleaseStatus, c.ChargingID, c.CallerTrunk, c.CalleeTrunk})
}
