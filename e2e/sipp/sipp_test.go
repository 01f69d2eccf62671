//go:build e2e

package sipp_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/carrier"
	"axgate/e2e/ports"
	"axgate/e2e/sipp"
	"axgate/phone"
	"axgate/phone/hear"
	"axgate/phone/speech"
)

func local(t *testing.T) (netip.AddrPort, int) {
	t.Helper()
	port, err := ports.Take(2)
	require.NoError(t, err)
	media, err := ports.Take(sipp.MediaPorts)
	require.NoError(t, err)
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port)), media
}

func TestTrunkCallsAPhone(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			p, err := phone.New(phone.Config{Number: "17010000001", Server: "127.0.0.1:9", Transport: transport})
			require.NoError(t, err)
			defer p.Close()
			at, media := local(t)
			run, err := sipp.Start(sipp.Config{Dir: t.TempDir(), Scenario: "../../testdata/sipp/uac_talk.xml", Local: at, Media: media, Target: p.Addr(), TCP: transport == "tcp",
				Service: "17010000001", Calls: 1, Audio: map[string][]byte{"first.al": speech.First()},
				Values: map[string]any{"Caller": "13800000001", "Milliseconds": 3000, "Speech": "first.al", "Headers": []string{"P-Asserted-Identity: <tel:+8613800000001>"}}})
			require.NoError(t, err)
			defer run.Close()
			var c *phone.Call
			select {
			case c = <-p.Incoming():
			case <-ctx.Done():
				require.NoError(t, run.Wait(ctx))
			}
			require.Equal(t, "13800000001", c.Seen().FromUser)
			require.Equal(t, []string{"<tel:+8613800000001>"}, c.Seen().PAI)
			require.NoError(t, c.Ring())
			require.NoError(t, c.Answer(ctx))
			require.NoError(t, run.Wait(ctx))
			end, err := c.WaitEnd(ctx)
			require.NoError(t, err)
			require.Equal(t, 16, end.Cause)
			peak, _ := hear.Correlate(c.Heard().Audio, speech.First()[:16000])
			require.Greater(t, peak, 0.9)

			messages, err := run.Messages()
			require.NoError(t, err)
			var lines []string
			seen := map[string]bool{}
			for _, m := range sipp.Call(messages, c.ID()) {
				require.WithinDuration(t, time.Now(), m.At, time.Minute)
				if seen[m.Text] || strings.HasPrefix(m.StartLine(), "SIP/2.0 100") { // of a machine that is busy
					continue
				}
				seen[m.Text] = true
				lines = append(lines, m.StartLine())
			}
			require.Len(t, lines, 6, "%v", lines)
			require.Equal(t, "SIP/2.0 180 Ringing", lines[1])
		})
	}
}

// TestNetworkBehindATrunk calls each kind of number of uas_trunk.xml.
func TestNetworkBehindATrunk(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	at, media := local(t)
	run, err := sipp.Start(sipp.Config{Dir: t.TempDir(), Scenario: "../../testdata/sipp/uas_trunk.xml", Local: at, Media: media,
		Audio: map[string][]byte{"second.al": speech.Second()}, Values: map[string]any{"Speech": "second.al"}})
	require.NoError(t, err)
	defer run.Close()
	p, err := phone.New(phone.Config{Number: "17010000001", Server: at.String()})
	require.NoError(t, err)
	defer p.Close()
	require.Eventually(t, func() bool { // until it listens
		c, err := p.Dial(ctx, "1")
		if err != nil {
			return false
		}
		end, err := c.WaitEnd(ctx)
		return err == nil && end.Status == 404
	}, 10*time.Second, 50*time.Millisecond)

	refusals := map[string][3]int{ // status, cause, whether it rings
		"17": {486, 17, 1}, "21": {603, 21, 1}, "19": {480, 19, 1}, "01": {404, 1, 0}, "20": {480, 20, 0}, "18": {480, 18, 0},
		"27": {480, 27, 0}, "22": {410, 22, 0}, "38": {503, 38, 0}, "88": {486, 17, 1}, "55": {404, 1, 0},
	}
	for last, want := range refusals {
		c, err := p.Dial(ctx, "+86138000000"+last)
		require.NoError(t, err)
		end, err := c.WaitEnd(ctx)
		require.NoError(t, err, last)
		require.Equal(t, want[:2], []int{end.Status, end.Cause}, last)
		require.Equal(t, want[2] == 1, len(c.Statuses()) > 1, last)
		if last == "88" {
			peak, _ := hear.Correlate(c.Heard().Audio, speech.Second()[:12000])
			require.Greater(t, peak, 0.9, "early media")
		}
	}
	c, err := p.Dial(ctx, "+8613800000099")
	require.NoError(t, err)
	require.NoError(t, c.WaitRinging(ctx))
	require.NoError(t, c.Hangup(ctx))
	require.Equal(t, 487, c.End().Status)

	for _, last := range []string{"00", "77"} {
		c, err := p.Dial(ctx, "+86138000000"+last)
		require.NoError(t, err)
		require.NoError(t, c.WaitAnswer(ctx))
		require.Eventually(t, func() bool {
			peak, _ := hear.Correlate(c.Heard().Audio, speech.Second()[:16000])
			return peak > 0.9 && len(c.Heard().Audio) > 16000
		}, 10*time.Second, 100*time.Millisecond)
		if last == "00" {
			require.NoError(t, c.Hangup(ctx))
		}
		end, err := c.WaitEnd(ctx)
		require.NoError(t, err)
		require.Equal(t, last == "77", end.By == phone.Remote)
	}
}

func TestTrunkIsRefused(t *testing.T) {
	for _, cause := range []int{21, 16} { // as it expects, and not
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		p, err := phone.New(phone.Config{Number: "17010000001", Server: "127.0.0.1:9"})
		require.NoError(t, err)
		defer p.Close()
		at, media := local(t)
		run, err := sipp.Start(sipp.Config{Dir: t.TempDir(), Scenario: "../../testdata/sipp/uac_refused.xml", Local: at, Media: media, Target: p.Addr(),
			Service: "17010000001", Calls: 1, Values: map[string]any{"Caller": "13800000001", "Status": 403, "Cause": 21, "Headers": nil}})
		require.NoError(t, err)
		defer run.Close()
		require.NoError(t, (<-p.Incoming()).Reject(403, cause))
		if err = run.Wait(ctx); cause == 21 {
			require.NoError(t, err)
		} else {
			require.Error(t, err)
		}
	}
}

// TestTexts sends and takes texts of any bytes.
func TestTexts(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	port, err := ports.Take(1)
	require.NoError(t, err)
	peer := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port))
	n, err := carrier.Open(peer)
	require.NoError(t, err)
	defer n.Close()
	n.Answer(func(carrier.Request) int { return 403 })
	body := []byte("\x01\x00\xff<&]]>\r\n\r\n你好")
	at, media := local(t)
	for _, status := range []int{403, 202} { // as it expects, and not
		run, err := sipp.Start(sipp.Config{Dir: t.TempDir(), Scenario: "../../testdata/sipp/uac_message.xml", Local: at, Media: media, Target: peer, Service: "17010000001", Calls: 1,
			Values: map[string]any{"Caller": "13800000001", "Type": carrier.RelayType, "Length": len(body), "Body": sipp.Bytes(body), "Headers": []string{"X-Test: yes"}, "Status": status}})
		require.NoError(t, err)
		if err = run.Wait(ctx); status == 403 {
			require.NoError(t, err)
		} else {
			require.Error(t, err)
		}
		run.Close()
	}
	r := n.Requests()[0]
	require.Equal(t, []string{"13800000001", "17010000001", carrier.RelayType, "yes", string(body)}, []string{r.Sender(), r.To(), r.Header("Content-Type"), r.Header("X-Test"), r.Body()})

	run, err := sipp.Start(sipp.Config{Dir: t.TempDir(), Scenario: "../../testdata/sipp/uas_message.xml", Local: at, Media: media, Values: map[string]any{"Status": 480}})
	require.NoError(t, err)
	defer run.Close()
	for range 3 {
		status, err := n.Send(ctx, at, carrier.New("1", "2", body))
		require.NoError(t, err)
		require.Equal(t, 480, status)
	}
}
