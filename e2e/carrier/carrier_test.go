package carrier

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/warthog618/sms"
)

func open(t *testing.T) (*Network, netip.AddrPort) {
	t.Helper()
	n, err := Open(netip.MustParseAddrPort("127.0.0.1:0"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Close()) })
	return n, netip.MustParseAddrPort(n.conn.LocalAddr().String())
}

func every(Request) bool { return true }

func TestExchange(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	a, _ := open(t)
	b, at := open(t)
	b.Answer(func(r Request) int {
		if len(b.Requests()) < 3 {
			return 0
		}
		return 403
	})
	m := New("+8613800000001", "17010000001", []byte("hello\r\n\r\n\x00"))
	m.Headers = []string{"X-Test: yes"}
	status, err := a.Send(ctx, at, m)
	require.NoError(t, err)
	require.Equal(t, 403, status)
	require.Len(t, b.Requests(), 3)
	all, err := b.Wait(ctx, 1, every)
	require.NoError(t, err)
	require.Len(t, all, 1)
	r := all[0]
	require.Equal(t, []string{"+8613800000001", "17010000001", "hello\r\n\r\n\x00", "yes", m.CallID}, []string{r.Sender(), r.To(), r.Body(), r.Header("x-test"), r.Header("Call-ID")})
	require.True(t, strings.HasPrefix(r.Identity(), m.Branch+" "))

	short, stop := context.WithTimeout(ctx, 20*time.Millisecond)
	defer stop()
	b.Answer(func(Request) int { return 0 })
	_, err = a.Send(short, at, New("1", "2", nil))
	require.ErrorIs(t, err, errSilent)
	_, err = b.Wait(short, 3, every)
	require.ErrorContains(t, err, "wait for 3 texts")
}

func TestRelay(t *testing.T) {
	long := strings.Repeat("你好，世界。", 12) + "😀"
	for _, text := range []string{"hello", "你好 [From+8613800000001]", long} {
		bodies, err := Deliver(7, "+8613800100500", "+8613800000001", text)
		require.NoError(t, err)
		pdus, err := sms.Encode([]byte(text), sms.AsSubmit, sms.To("+8613800000002"))
		require.NoError(t, err)
		require.Len(t, bodies, len(pdus))
		var submits [][]byte
		for i, body := range bodies {
			r, err := ReadRelay(body)
			require.NoError(t, err)
			require.Equal(t, []byte{DataFromNetwork, 7 + byte(i)}, []byte{r.Kind, r.Ref})
			s, err := sms.Unmarshal(r.TPDU, sms.AsMT)
			require.NoError(t, err)
			require.Equal(t, "+8613800000001", s.OA.Number())
			submit, err := pdus[i].MarshalBinary()
			require.NoError(t, err)
			submits = append(submits, submit)
		}
		to, got, err := Submitted(submits...)
		require.NoError(t, err)
		require.Equal(t, []string{"+8613800000002", text}, []string{to, got})
	}
	require.Equal(t, []byte{0x91, 0x68, 0x31, 0x08, 0x10, 0x00, 0x05, 0xf0}, number("+8613800100500"))
	r, err := ReadRelay(Answer(9, 21))
	require.NoError(t, err)
	require.Equal(t, Relay{Kind: ErrorFromNetwork, Ref: 9, Cause: 21}, r)
	for _, body := range [][]byte{nil, {1}, {9, 1}, {1, 2, 5, 1}, {4, 1, 2, 3}, {1, 2, 0, 0, 9, 1}} {
		_, err := ReadRelay(body)
		require.Error(t, err, "%x", body)
	}
}
