package sdp

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRedirect: what we offer in another direction holds for what we answer
// meanwhile, and is undone without a trace but its version.
func TestRedirect(t *testing.T) {
	s := session()
	first, g := answer(t, s, audioOnly)
	require.Equal(t, []bool{true, true, false}, []bool{g.Send, g.Receive, g.Held})
	require.Equal(t, first, string(s.Again()))

	_, _, same := version(t, first)
	held := string(s.Redirect(false, false))
	_, v, _ := version(t, held)
	require.Equal(t, "2", v)
	require.Contains(t, held, "a=inactive\r\n")
	s.Undo()
	require.Equal(t, first, string(s.Again()))
	_, v, _ = version(t, string(s.Redirect(true, false)))
	require.Equal(t, "3", v, "what was refused has had a version, too")

	g, err := s.Accept(parse(t, audioOnly+"a=recvonly\r\n"))
	require.NoError(t, err)
	require.Equal(t, []bool{true, false, false}, []bool{g.Send, g.Receive, g.Held})
	again, g := answer(t, s, audioOnly)
	require.Contains(t, again, "a=sendonly\r\n")
	require.False(t, g.Receive)
	require.Equal(t, again, string(s.Current()), "an offer of ours says no more")

	s.Redirect(false, false)
	g, err = s.Accept(parse(t, audioOnly+"a=inactive\r\n"))
	require.NoError(t, err)
	require.False(t, g.Held, "it answers our own hold")

	open := string(s.Redirect(true, true))
	_, _, rest := version(t, open)
	require.Equal(t, same, rest)
	g, err = s.Accept(parse(t, audioOnly+"a=sendonly\r\n"))
	require.NoError(t, err)
	require.Equal(t, []bool{false, true, true}, []bool{g.Send, g.Receive, g.Held})
}
