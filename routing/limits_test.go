package routing

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestExcess(t *testing.T) {
	noon, midnight := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), time.Date(2026, 3, 1, 0, 30, 0, 0, time.UTC)
	all := Limit{Calls: 10, NightCalls: 2, Rate: 20, Talk: time.Hour}
	night := Night{From: 23 * time.Hour, To: 6 * time.Hour}
	for _, c := range []struct {
		name   string
		limits Limits
		at     time.Time
		a, x   Use
		want   Excess
		end    End
	}{
		{"nothing is bound", Limits{Night: night}, midnight, Use{1e6, 1e6, 1e15}, Use{1e6, 1e6, 1e15}, Within, End{}},
		{"all is just within", Limits{all, all, night}, noon, Use{9, 19, time.Hour - 1}, Use{9, 19, time.Hour - 1}, Within, End{}},
		{"calls of the account", Limits{all, all, night}, noon, Use{10, 0, 0}, Use{10, 0, 0}, AccountCalls, EndAccountCalls},
		{"rate of the account", Limits{all, all, night}, noon, Use{9, 20, 0}, Use{}, AccountRate, EndAccountRate},
		{"talk of the account", Limits{all, all, night}, noon, Use{10, 20, time.Hour}, Use{}, AccountTalk, EndTalkSpent},
		{"calls of X", Limits{all, all, night}, noon, Use{}, Use{10, 0, 0}, XCalls, EndXCalls},
		{"rate of X", Limits{all, all, night}, noon, Use{}, Use{0, 20, 0}, XRate, EndXRate},
		{"talk of X", Limits{all, all, night}, noon, Use{}, Use{0, 0, time.Hour}, XTalk, EndTalkSpent},
		{"the account at night", Limits{all, all, night}, midnight, Use{2, 0, 0}, Use{2, 0, 0}, AccountNight, EndNight},
		{"X at night", Limits{X: all, Night: night}, midnight, Use{2, 0, 0}, Use{2, 0, 0}, XNight, EndNight},
		{"no night, no limit at night", Limits{Account: all}, midnight, Use{2, 0, 0}, Use{}, Within, End{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.limits.Excess(c.at, c.a, c.x)
			require.Equal(t, c.want, got)
			w := axbWorld()
			w.f.Over = got
			d := w.decide()
			if got == Within {
				require.Equal(t, Dial, d.Step)
				return
			}
			require.Equal(t, Refuse, d.Step)
			require.Equal(t, c.end, d.End)
			require.Equal(t, c.end.Word, got.String())
			require.NotNil(t, d.Binding)
			require.Empty(t, d.Callee)
			require.Equal(t, SceneNone, d.Scene, "a flood holds no port for a prompt")
		})
	}
}

// axbWorld is a call that is put through.
func axbWorld() world {
	return world{app: App{Key: "app", SP: "demo", Mode: AXB}, q: Question{"s", theX, anna, now},
		f: Facts{Known: true, App: "app", Status: StatusNormal, Bindings: 1, ByCaller: &Binding{ID: "id", App: "app", Mode: AXB, X: theX, A: anna, B: bert}}}
}

// TestOverIsTheLastRule: what is refused anyway is refused for its own reason.
func TestOverIsTheLastRule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := anyWorld(t)
		before := w.decide()
		w.f.Over = Excess(rapid.IntRange(int(AccountNight), int(XRate)).Draw(t, "over"))
		after := w.decide()
		if before.Step != Dial {
			require.Equal(t, before, after)
			return
		}
		require.Equal(t, Refuse, after.Step)
		require.NotEqual(t, 503, after.End.SIP, "a carrier would let its whole trunk rest")
	})
}

func TestNight(t *testing.T) {
	shanghai := time.FixedZone("", 8*3600)
	at := func(text string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04:05", text, shanghai)
		require.NoError(t, err)
		return v.UTC()
	}
	over := Night{From: 23 * time.Hour, To: 6 * time.Hour, Zone: shanghai}
	for text, is := range map[string]bool{"2026-01-01 22:59:59": false, "2026-01-01 23:00:00": true, "2026-01-01 00:00:00": true, "2026-01-01 05:59:59": true, "2026-01-01 06:00:00": false} {
		require.Equal(t, is, over.Has(at(text)), text)
	}
	early := Night{From: time.Hour, To: 5 * time.Hour, Zone: shanghai}
	for text, is := range map[string]bool{"2026-01-01 00:59:59": false, "2026-01-01 01:00:00": true, "2026-01-01 05:00:00": false, "2026-01-01 23:00:00": false} {
		require.Equal(t, is, early.Has(at(text)), text)
	}
	require.False(t, (&Night{Zone: shanghai}).Has(at("2026-01-01 00:00:00")))
	require.Equal(t, over.Day(at("2026-01-01 23:59:59"))+1, over.Day(at("2026-01-02 00:00:00")))
	require.Equal(t, over.Day(at("2026-01-02 00:00:00")), over.Day(at("2026-01-02 23:59:59")))
	require.Equal(t, time.Second, over.Left(at("2026-01-31 23:59:59")))
}

func TestPremium(t *testing.T) {
	p := ChinaPlan()
	p.Abroad = []Abroad{{Code: "852", Mobile: []Pattern{"[5-9]XXXXXXX"}}}
	p.Premium = []Pattern{"8613800[01]", "85290", "86400", "44", "8611"}
	require.NoError(t, p.Validate())
	for n, want := range map[Number]Kind{
		"+8613800000001": Premium, "+8613800200001": Mobile, "+85290123456": Premium, "+85260123456": Mobile, "+864001234567": Premium, "+868001234567": Service,
		"+447700900000": Foreign, "+86110": Emergency, "+8613": Malformed,
	} {
		require.Equal(t, want, p.Kind(n), "%s", n)
	}
	_, err := p.ParseNumber("+8613800000001")
	require.ErrorContains(t, err, "premium-rate")
	w := axbWorld()
	w.f.ByCaller.B = "+8613800100002"
	d := Decide(&p, &w.app, w.q, w.f)
	require.Equal(t, EndCalleeBarred, d.End)
	require.Contains(t, d.Why, "premium-rate")
	p.Premium = []Pattern{"86[3"}
	require.ErrorContains(t, p.Validate(), "premium")
	require.False(t, Pattern("86[3").Begins("863"))
}
