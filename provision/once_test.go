package provision_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/provision"
	"axgate/routing"
)

const requestID = "X-Client-Request-Id"

// bindOn binds A, or a pair with A in it, to an X or, with none, to any.
func (o *office) bindOn(ctx context.Context, mode routing.Mode, a, x string) (routing.Binding, error) {
	area := provision.Area{}
	if x == "" {
		area.AreaCode = "0755"
	}
	switch mode {
	case routing.AX:
		return o.BindAX(ctx, "app", provision.BindAX{OrigNum: a, PrivateNum: x, Area: area})
	case routing.AXB:
		return o.BindAXB(ctx, "app", provision.BindAXB{CallerNum: a, CalleeNum: dora, RelationNum: x, Area: area})
	default:
		return o.BindAXE(ctx, "app", provision.BindAXE{BindNum: a, VirtualNum: x, Area: area})
	}
}

func (o *office) unbindID(ctx context.Context, mode routing.Mode, id string) error {
	switch mode {
	case routing.AX:
		return o.UnbindAX(ctx, "app", provision.AX{SubscriptionID: id})
	case routing.AXB:
		return o.UnbindAXB(ctx, "app", id, "")
	default:
		return o.UnbindAXE(ctx, "app", provision.AXE{SubscriptionID: id})
	}
}

// eachMode runs a test on each kind of ledger in each mode.
func eachMode(t *testing.T, test func(t *testing.T, o *office, mode routing.Mode)) {
	for _, mode := range []routing.Mode{routing.AX, routing.AXB, routing.AXE} {
		t.Run(string(mode), func(t *testing.T) {
			onBoth(t, mode, func(t *testing.T, o *office) { test(t, o, mode) })
		})
	}
}

// TestARepeatedBindAnswersTheSame: one request id makes one binding, whatever
// became of it, and names one request alone.
func TestARepeatedBindAnswersTheSame(t *testing.T) {
	eachMode(t, func(t *testing.T, o *office, mode routing.Mode) {
		for _, x := range []string{x1, ""} {
			ctx := provision.WithRequestID(o.ctx, "order-7/"+x)
			first, err := o.bindOn(ctx, mode, anna, x)
			require.NoError(t, err)
			again, err := o.bindOn(ctx, mode, anna, x)
			require.NoError(t, err)
			require.Equal(t, first, again)

			_, err = o.bindOn(ctx, mode, bert, x)
			refused(t, err, "1010002", requestID)
			refused(t, o.unbindID(ctx, mode, first.ID), "1010002", requestID)
			_, err = o.bindOn(provision.WithRequestID(o.ctx, "order-8"+x), mode, anna, string(first.X))
			require.Error(t, err, "another request is judged by itself")

			require.NoError(t, o.unbindID(o.ctx, mode, first.ID))
			late, err := o.bindOn(ctx, mode, anna, x)
			require.NoError(t, err)
			require.Equal(t, first.ID, late.ID)
			require.Nil(t, o.facts(first.X, anna).ByCaller, "a late repetition binds nobody")
		}
		o.agrees()
	})
}

// TestARefusedRequestIsJudgedAnew: an id is used up by a change, not by a
// refusal.
func TestARefusedRequestIsJudgedAnew(t *testing.T) {
	eachMode(t, func(t *testing.T, o *office, mode routing.Mode) {
		ctx := provision.WithRequestID(o.ctx, "one")
		_, err := o.bindOn(ctx, mode, anna, xo)
		require.Error(t, err)
		before, err := o.bindOn(o.ctx, mode, anna, x1)
		require.NoError(t, err)
		_, err = o.bindOn(ctx, mode, anna, x1)
		require.Error(t, err)
		require.NoError(t, o.unbindID(o.ctx, mode, before.ID))
		_, err = o.bindOn(ctx, mode, anna, x1)
		require.NoError(t, err)
	})
}

// TestRepetitionsAtOnce: of many that ask for the same at once, on two nodes,
// all get the one binding, also when it takes the last X.
func TestRepetitionsAtOnce(t *testing.T) {
	eachMode(t, func(t *testing.T, o *office, mode routing.Mode) {
		second, err := provision.New(provision.Config{Ledger: o.ledger, Cache: o.cache, Plan: routing.ChinaPlan(), Now: o.clock, Log: zerolog.Nop()})
		require.NoError(t, err)
		other := &office{Service: second}
		for round, x := range []string{x1, "", ""} {
			ctx := provision.WithRequestID(o.ctx, strings.Repeat("r", 128-round))
			ids := make([]string, 12)
			count := rush(len(ids), func(i int) error {
				on := o
				if i%2 == 1 {
					on = other
				}
				b, err := on.bindOn(ctx, mode, tel(round), x)
				ids[i] = b.ID
				return err
			})
			if round == 2 && mode != routing.AXE { // A, or dora, has both X of the area
				require.Len(t, count, 1)
				require.Zero(t, count["0"])
				continue
			}
			require.Equal(t, map[string]int{"0": len(ids)}, count)
			for _, id := range ids {
				require.Equal(t, ids[0], id)
			}
		}
		o.agrees()
	})
}

// TestOtherRepeatedChanges: a late repetition neither undoes what was done
// since nor is refused.
func TestOtherRepeatedChanges(t *testing.T) {
	onBoth(t, routing.AXB, func(t *testing.T, o *office) {
		pair, err := o.bindOn(o.ctx, routing.AXB, anna, x1)
		require.NoError(t, err)
		one := provision.WithRequestID(o.ctx, "modify")
		to := provision.ModifyAXB{SubscriptionID: pair.ID, CallerNum: p(bert)}
		_, err = o.ModifyAXB(one, "app", to)
		require.NoError(t, err)
		_, err = o.ModifyAXB(o.ctx, "app", provision.ModifyAXB{SubscriptionID: pair.ID, CallerNum: p(carl)})
		require.NoError(t, err)
		now, err := o.ModifyAXB(one, "app", to)
		require.NoError(t, err)
		require.Equal(t, routing.Number(carl), now.A, "it shows what is")

		all := provision.WithRequestID(o.ctx, "unbind all of X")
		refused(t, o.UnbindAXB(all, "app", "", x1), "1010002", requestID)
		all = provision.WithRequestID(o.ctx, "unbind-all-of-X")
		require.NoError(t, o.UnbindAXB(all, "app", "", x1))
		_, err = o.bindOn(o.ctx, routing.AXB, anna, x1)
		require.NoError(t, err)
		require.NoError(t, o.UnbindAXB(all, "app", "", x1))
		require.NotNil(t, o.facts(x1, anna).ByCaller, "what was bound since stays")
		refused(t, o.UnbindAXB(all, "app", "", x2), "1010002", requestID)
	})
	onBoth(t, routing.AX, func(t *testing.T, o *office) {
		b, err := o.bindOn(o.ctx, routing.AX, anna, x1)
		require.NoError(t, err)
		one := provision.WithRequestID(o.ctx, "temporary")
		r := provision.TemporaryCallee{AX: provision.AX{SubscriptionID: b.ID}, CalleeNum: bert}
		set, err := o.SetTemporary(one, "app", r)
		require.NoError(t, err)
		_, err = o.SetTemporary(o.ctx, "app", provision.TemporaryCallee{AX: r.AX, CalleeNum: carl})
		require.NoError(t, err)
		o.pass(time.Second)
		again, err := o.SetTemporary(one, "app", r)
		require.NoError(t, err)
		require.Equal(t, set, again)
		require.Equal(t, routing.Number(carl), o.facts(x1, anna).Temporary.Callee)
	})
	eachMode(t, func(t *testing.T, o *office, mode routing.Mode) {
		b, err := o.bindOn(o.ctx, mode, anna, x1)
		require.NoError(t, err)
		ctx := provision.WithRequestID(o.ctx, "unbind")
		require.NoError(t, o.unbindID(ctx, mode, b.ID))
		require.NoError(t, o.unbindID(ctx, mode, b.ID))
		require.Error(t, o.unbindID(o.ctx, mode, b.ID))
	})
}

// TestRequestIDs: an id is bounded, an app's own, and known for 24 hours.
func TestRequestIDs(t *testing.T) {
	onBoth(t, routing.AXB, func(t *testing.T, o *office) {
		for _, bad := range []string{strings.Repeat("r", 129), "a b", "a\n", "é", "\x00", " "} {
			_, err := o.bindOn(provision.WithRequestID(o.ctx, bad), routing.AXB, anna, x1)
			refused(t, err, "1010002", requestID)
		}
		ctx := provision.WithRequestID(provision.WithRequestID(o.ctx, `"0b4e9b5e-6b5f-4f0e-9f55-9a4e0a0d6a11"`), "")
		first, err := o.bindOn(ctx, routing.AXB, anna, x1)
		require.NoError(t, err)
		foreign, err := o.BindAXB(ctx, "other", provision.BindAXB{CallerNum: anna, CalleeNum: dora, RelationNum: xo})
		require.NoError(t, err)
		require.NotEqual(t, first.ID, foreign.ID)

		o.pass(24 * time.Hour)
		require.NoError(t, o.Tend(o.ctx))
		again, err := o.bindOn(ctx, routing.AXB, anna, x1)
		require.NoError(t, err)
		require.Equal(t, first.ID, again.ID)
		o.pass(time.Second)
		require.NoError(t, o.Tend(o.ctx))
		_, err = o.bindOn(ctx, routing.AXB, anna, x1)
		refused(t, err, "1012010", "")
	})
}

// fatal is a cache that kills its process when it is told of a change.
type fatal struct{ provision.Cache }

func (fatal) SetEpoch(int64) {}

func (fatal) PutBinding(context.Context, routing.XNumber, routing.Binding) error {
	return syscall.Kill(os.Getpid(), syscall.SIGKILL)
}

// TestARetryAfterAKill: a process is killed between the ledger and the cache.
// The repetition, asked of another one, answers with the binding that stands,
// and a call is put through by it.
func TestARetryAfterAKill(t *testing.T) {
	for _, mode := range []routing.Mode{routing.AX, routing.AXB, routing.AXE} {
		for driver, cfg := range configs(t) {
			t.Run(string(mode)+" "+driver, func(t *testing.T) {
				o := newOffice(t, cfg, mode)
				require.Nil(t, o.facts(x1, anna).ByCaller, "X is loaded")
				cmd := exec.Command(os.Args[0], "-test.run=^TestHelperBinds$", "-test.short")
				cmd.Env = append(os.Environ(), "AXGATE_TEST_DRIVER="+cfg.Driver, "AXGATE_TEST_PATH="+cfg.Path, "AXGATE_TEST_DSN="+cfg.DSN, "AXGATE_TEST_MODE="+string(mode))
				out, err := cmd.CombinedOutput()
				require.ErrorContains(t, err, "killed", "%s", out)
				list, err := o.ledger.BindingsOfX(o.ctx, x1, t0, "", 10)
				require.NoError(t, err)
				require.Len(t, list, 1)
				require.Nil(t, o.facts(x1, anna).ByCaller, "the cache was not told")

				b, err := o.bindOn(provision.WithRequestID(o.ctx, "killed"), mode, anna, x1)
				require.NoError(t, err)
				require.Equal(t, list[0].ID, b.ID)
				require.Equal(t, b.ID, o.facts(x1, anna).ByCaller.ID)
				o.agrees()
			})
		}
	}
}

// TestHelperBinds is the process that is killed.
func TestHelperBinds(t *testing.T) {
	mode := routing.Mode(os.Getenv("AXGATE_TEST_MODE"))
	if mode == "" {
		t.Skip("it is run by TestARetryAfterAKill")
	}
	l, err := ledger.Open(t.Context(), ledger.Config{Driver: os.Getenv("AXGATE_TEST_DRIVER"), Path: os.Getenv("AXGATE_TEST_PATH"), DSN: os.Getenv("AXGATE_TEST_DSN")})
	require.NoError(t, err)
	s, err := provision.New(provision.Config{Ledger: l, Cache: fatal{}, Plan: routing.ChinaPlan(), Log: zerolog.Nop()})
	require.NoError(t, err)
	o := &office{Service: s}
	_, err = o.bindOn(provision.WithRequestID(t.Context(), "killed"), mode, anna, x1)
	t.Fatalf("it lives on: %v", err)
}
