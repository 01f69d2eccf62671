package main

import (
	"net/netip"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/bench/load/message"
	"axgate/bench/load/wire"
)

// TestEdit has a caller's INVITE and the callee's answer changed: who is called,
// and where audio goes.
func TestEdit(t *testing.T) {
	t.Parallel()
	at := netip.MustParseAddrPort("127.78.0.1:5060")
	r := &relay{At: at, From: 8613800000000, To: 8613900000000, calls: make(map[string]*call), free: []int{20000}}
	require.NoError(t, r.audio.open())
	a := message.NewAgent(netip.MustParseAddrPort("127.78.0.2:5060"), netip.MustParseAddrPort("127.78.0.2:30000"), at, 1)
	b := message.NewAgent(netip.MustParseAddrPort("127.78.0.3:5060"), netip.MustParseAddrPort("127.78.0.3:30002"), at, 1)
	invite := a.Invite(nil, message.ID{Place: 7}, []byte("+8613800000042"), []byte("+8617010000000"))
	var m message.Message
	require.True(t, m.Parse(invite))
	size := len(invite)
	require.NoError(t, r.edit(&m, 0))
	require.Len(t, invite, size)
	require.True(t, m.Parse(invite))
	require.Equal(t, "+8613900000042", string(m.User()))
	require.Equal(t, netip.MustParseAddrPort("127.78.0.1:20002"), m.Session().Audio, "the callee's leg is behind the caller's")

	answer := b.Respond(nil, &m, "200 OK", message.ID{Place: 7}, 101)
	require.True(t, m.Parse(answer))
	require.NoError(t, r.edit(&m, 1))
	require.Equal(t, netip.MustParseAddrPort("127.78.0.1:20000"), m.Session().Audio)
	for _, leg := range r.calls[string(m.CallID)].legs {
		require.NotZero(t, r.audio.peer[leg[0]])
		require.NotZero(t, r.audio.peer[leg[1]])
	}
	bye := append([]byte(nil), "SIP/2.0 200 OK\r\nVia: x\r\nFrom: a\r\nTo: b\r\nCall-ID: "+string(m.CallID)+"\r\nCSeq: 2 BYE\r\n\r\n"...)
	require.True(t, m.Parse(bye))
	require.NoError(t, r.edit(&m, 1))
	require.Empty(t, r.calls)
	require.Equal(t, []int{20000}, r.free)
}

// TestAudioGoesAcross: what one partner sends comes to the other one.
func TestAudioGoesAcross(t *testing.T) {
	t.Parallel()
	var a audio
	require.NoError(t, a.open())
	at := func(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
	left, err := wire.Listen(at("127.78.1.2:0"), 1<<16)
	require.NoError(t, err)
	right, err := wire.Listen(at("127.78.1.3:0"), 1<<16)
	require.NoError(t, err)
	l, err := a.connect(at("127.78.1.1:30000"), left.Local())
	require.NoError(t, err)
	r, err := a.connect(at("127.78.1.1:30002"), right.Local())
	require.NoError(t, err)
	a.peer[l], a.peer[r] = int32(r), int32(l)
	to := wire.To(at("127.78.1.1:30000"))
	require.NoError(t, left.Send([]byte("audio"), &to))
	a.forward(l) // on loopback it has come
	var got string
	_, err = right.Receive(func(d []byte, from *wire.Address, _ int64) {
		got = string(d)
		require.Equal(t, at("127.78.1.1:30002"), from.AddrPort())
	})
	require.NoError(t, err)
	require.Equal(t, "audio", got)
	require.NoError(t, os.NewFile(uintptr(l), "").Close())
	require.NoError(t, os.NewFile(uintptr(r), "").Close())
	require.NoError(t, left.Close())
	require.NoError(t, right.Close())
}
