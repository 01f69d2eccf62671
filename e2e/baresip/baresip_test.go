//go:build e2e

package baresip_test

import (
	"context"
	"fmt"
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
func start(ctx context.Context, t *testing.T, p *phone.Phone, contacts ...string) (*baresip.Phone, int) {
	t.Helper()
	sip, err := ports.Take(4)
	require.NoError(t, err)
	rtp, err := ports.Take(baresip.RTPPorts)
	require.NoError(t, err)
	b, err := baresip.Start(ctx, baresip.Config{Dir: t.TempDir(), Number: "+8613900000001", Display: "Real Name", Server: p.Addr().String(),
		IP: "127.0.0.1", SIPPort: sip, RTPPort: rtp, Control: sip + 2, Console: sip + 3, Speech: speech.Second(), Contacts: contacts})
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

func TestTexts(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	p, err := phone.New(phone.Config{Number: "100", Server: "127.0.0.1:9"})
	require.NoError(t, err)
	defer p.Close()
	b, sip := start(ctx, t, p, "100", "101", "102")
	for _, to := range []string{"100", "102", "100", "101"} {
		text := "an " + to + ": Grüße, 你好 😀 \"…\" @13900000002"
		status, err := b.Text(ctx, to, text)
		require.NoError(t, err)
		require.Equal(t, "200", status)
		got := <-p.Texts()
		require.Equal(t, []string{"+8613900000001", to, text}, []string{got.From, got.To, got.Content})
	}
	_, err = b.Text(ctx, "103", "hello")
	require.ErrorContains(t, err, "contact")

	p2, err := phone.New(phone.Config{Number: "+8617010000001", Server: fmt.Sprintf("127.0.0.1:%d", sip)})
	require.NoError(t, err)
	defer p2.Close()
	for _, text := range []string{"hello", "two\nlines: \"你好\" 😀", "[From+8613900000002]"} {
		status, err := p2.Text(ctx, "+8613900000001", text)
		require.NoError(t, err)
		require.Equal(t, 200, status)
	}
	require.Eventually(t, func() bool { return len(b.Texts()) == 3 }, 10*time.Second, 20*time.Millisecond, "%s", b.Output())
	require.Equal(t, []baresip.Text{{"+8617010000001", "hello"}, {"+8617010000001", "two\nlines: \"你好\" 😀"}, {"+8617010000001", "[From+8613900000002]"}}, b.Texts())
}
