//go:build e2e

package baresip_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/baresip"
	"axgate/e2e/ports"
	"axgate/phone"
	"axgate/phone/hear"
	"axgate/phone/speech"
)

// start runs a baresip whose server is the phone.
func start(ctx context.Context, t *testing.T, p *phone.Phone) (*baresip.Phone, int) {
	t.Helper()
	sip, err := ports.Take(4)
	require.NoError(t, err)
	rtp, err := ports.Take(baresip.RTPPorts)
	require.NoError(t, err)
	b, err := baresip.Start(ctx, baresip.Config{Dir: t.TempDir(), Number: "+8613900000001", Display: "Real Name", Server: p.Addr().String(),
		IP: "127.0.0.1", SIPPort: sip, RTPPort: rtp, Control: sip + 3, Speech: speech.Second()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b, sip
}

func TestCallsAPhone(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	p, err := phone.New(phone.Config{Number: "100", Server: "127.0.0.1:9"})
	require.NoError(t, err)
	defer p.Close()
	b, _ := start(ctx, t, p)
	require.NoError(t, b.Dial(ctx, "100"))
	c := <-p.Incoming()
	require.Equal(t, "+8613900000001", c.Seen().FromUser)
	require.Equal(t, "Real Name", c.Seen().FromName)
	require.NoError(t, c.Ring())
	_, err = b.Wait(ctx, "CALL_RINGING")
	require.NoError(t, err)
	require.NoError(t, c.Answer(ctx))
	_, err = b.Wait(ctx, "CALL_ESTABLISHED")
	require.NoError(t, err)
	require.NoError(t, b.Press(ctx, "12#"))
	require.Eventually(t, func() bool {
		peak, _ := hear.Correlate(c.Heard().Audio, speech.Second()[:24000])
		return peak > 0.6
	}, 10*time.Second, 200*time.Millisecond)
	require.Len(t, c.Pressed(), 3)
	require.NoError(t, b.Hangup(ctx))
	end, err := c.WaitEnd(ctx)
	require.NoError(t, err)
	require.Equal(t, phone.Remote, end.By)
}
