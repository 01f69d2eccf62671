//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/capture"
	"axgate/e2e/carrier"
	"axgate/e2e/ports"
	"axgate/e2e/sipp"
)

// sippNetwork has SIPp for the network on both sides: it brings 3GPP texts,
// takes them, and reports on them.
func sippNetwork(t *testing.T) {
	(&world{}).play(t, scenario{"3GPP texts by SIPp", ownTexts(with3GPP, func(s *scene) {
		require.NoError(s, s.behind.Close())
		media, err := ports.Take(sipp.MediaPorts)
		require.NoError(s, err)
		network, err := sipp.Start(sipp.Config{Dir: s.TempDir(), Scenario: "../testdata/sipp/uas_message.xml", Local: s.trunkAt, Media: media, Values: map[string]any{"Status": 202}})
		require.NoError(s, err)
		s.Cleanup(network.Close)
		r := &raised{app: textAXB, x: s.takeX(s.T, textAXB), a: s.takeWriter(), b: s.takeWriter()}
		bindAXB()(s, r)
		s.getsTexts(r.b)
		bodies, err := carrier.Deliver(40, center, r.a, chapter)
		require.NoError(s, err)
		for _, body := range bodies {
			s.sippRelay(r, body)
		}
		var pdus [][]byte
		for i := range bodies { // one goes out when the one before was reported on
			got := s.relayed(carrier.DataFromPhone, i+1)
			pdus = append(pdus, got[i].TPDU)
			s.sippRelay(r, carrier.Answer(got[i].Ref, 0), "In-Reply-To: "+got[i].callID)
		}
		to, text, err := carrier.Submitted(pdus...)
		require.NoError(s, err)
		require.Equal(s, []string{r.b, chapter}, []string{to, text})
		var refs []byte
		for _, ack := range s.relayed(carrier.AckFromPhone, 2) {
			refs = append(refs, ack.Ref)
		}
		require.Equal(s, []byte{40, 41}, refs)
		s.told(r.x, 1, notice{app: textAXB, direction: 1, parts: 2, binding: r.binding, sender: r.a, receiver: r.b})

		s.sippRelay(r, renumbered(bodies[0], 50)) // again, and it is only reported on
		require.Equal(s, byte(50), s.relayed(carrier.AckFromPhone, 3)[2].Ref)
		require.Len(s, s.relayed(carrier.DataFromPhone, 2), 2)
	})})
}

// sippRelay runs SIPp as the trunk with one relay message.
func (s *scene) sippRelay(r *raised, body []byte, headers ...string) {
	s.Helper()
	run := s.uac("uac_message.xml", strings.TrimPrefix(r.a, "+86"), r.x, false,
		map[string]any{"Caller": center, "Type": carrier.RelayType, "Length": len(body), "Body": sipp.Bytes(body), "Status": 202, "Headers": headers})
	require.NoError(s, run.Wait(s.within(2*step)))
}

// relayedMessage is a relay message on the wire.
type relayedMessage struct {
	carrier.Relay
	callID string
}

// relayed waits until so many relay messages of a kind went to the trunk:
// SIPp's log ends at a zero octet, the capture does not.
func (s *scene) relayed(kind byte, count int) (all []relayedMessage) {
	s.Helper()
	require.Eventually(s, func() bool {
		packets, err := capture.Read(s.capture.Path())
		require.NoError(s, err)
		all = nil
		seen := make(map[string]bool)
		for _, p := range packets {
			request := carrier.Request{From: p.From, Raw: string(p.Payload)}
			if p.To != s.trunkAt || !strings.HasPrefix(request.Raw, "MESSAGE ") || seen[request.Identity()] {
				continue
			}
			seen[request.Identity()] = true
			m, err := carrier.ReadRelay([]byte(request.Body()))
			require.NoError(s, err)
			if m.Kind == kind {
				all = append(all, relayedMessage{m, request.Header("Call-ID")})
			}
		}
		return len(all) >= count
	}, 2*step, 50*time.Millisecond)
	return all
}
