package sdp

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// resumed is a session as another node goes on with it.
func resumed(t *testing.T, s *Session, names ...string) *Session {
	t.Helper()
	text, err := json.Marshal(s.Save())
	require.NoError(t, err)
	for _, c := range append(s.cryptos, s.own) {
		if c.in() {
			require.NotContains(t, string(text), strings.Split(c.String(), "inline:")[1], "a key is not kept")
		}
	}
	var saved Saved
	require.NoError(t, json.Unmarshal(text, &saved))
	other := NewSession(netip.MustParseAddr("192.0.2.9"), 30000, names)
	other.Restore(saved)
	return other
}

// remoteOf reads a description as the peer's.
func remoteOf(t *testing.T, level Security, body []byte) *Remote {
	t.Helper()
	r, err := ParseFor(level, "application/sdp", body)
	require.NoError(t, err)
	return r
}

// TestRestored: another node offers the same session at its own address, under a
// higher version, and under a new key of the suite that was in use; the answer is
// taken as any.
func TestRestored(t *testing.T) {
	for name, level := range map[string]Security{"plain": Off, "secured": Required} {
		t.Run(name, func(t *testing.T) {
			peer := NewSession(netip.MustParseAddr("198.51.100.7"), 40000, []string{"PCMU"})
			peer.Secure(level)
			ours := NewSession(netip.MustParseAddr("192.0.2.1"), 20000, []string{"PCMA", "PCMU"})
			ours.Secure(level)
			answer, before, err := ours.Answer(remoteOf(t, level, peer.Offer()))
			require.NoError(t, err)
			_, err = peer.Accept(remoteOf(t, level, answer))
			require.NoError(t, err)

			other := resumed(t, ours, "PCMA", "PCMU")
			require.Equal(t, ours.id, other.id)
			require.Greater(t, other.version, ours.version)
			require.Equal(t, level == Required, other.Keyed())
			offer := string(other.Again())
			require.Contains(t, offer, "c=IN IP4 192.0.2.9")
			require.Contains(t, offer, "m=audio 30000 ")
			require.Contains(t, offer, "a=sendrecv")
			require.Equal(t, 1, strings.Count(offer, "PCMU/8000"))
			require.NotContains(t, offer, "PCMA", "it was not taken")
			reply, agreed, err := peer.Answer(remoteOf(t, level, other.Again()))
			require.NoError(t, err)
			require.Equal(t, "192.0.2.9:30000", agreed.RTP.String())
			got, err := other.Accept(remoteOf(t, level, reply))
			require.NoError(t, err)
			require.Equal(t, []any{before.Codec, before.SendPT, before.RecvPT, before.SendEventPT}, []any{got.Codec, got.SendPT, got.RecvPT, got.SendEventPT})
			require.Equal(t, agreed.Keys.In, got.Keys.Out)
			require.Equal(t, agreed.Keys.Out, got.Keys.In)
			if level == Required {
				require.True(t, got.Keys.On())
				require.NotEqual(t, before.Keys.Out, got.Keys.Out)
			}
		})
	}
}

// TestRestoredPassing: a codec that is passed through stays the only one.
func TestRestoredPassing(t *testing.T) {
	ours := NewSession(netip.MustParseAddr("192.0.2.1"), 20000, []string{"AMR", "PCMA"})
	remote := remoteOf(t, Off, []byte("v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\nm=audio 40000 RTP/AVP 97 101\r\n"+
		"a=rtpmap:97 AMR/8000\r\na=fmtp:97 mode-set=7;octet-align=1\r\na=rtpmap:101 telephone-event/8000\r\n"))
	ours.Pass(Passing{Codecs: remote.Passable([]string{"AMR"})})
	_, before, err := ours.Answer(remote)
	require.NoError(t, err)
	require.Equal(t, "AMR", before.Codec.Name)
	other := resumed(t, ours, "AMR", "PCMA")
	offer := string(other.Again())
	require.Contains(t, offer, "m=audio 30000 RTP/AVP 97 101\r\n")
	require.Contains(t, offer, "octet-align=1")
	got, err := other.Accept(remote)
	require.NoError(t, err)
	require.Equal(t, before.Codec, got.Codec)
}
