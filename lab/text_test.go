package lab

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/phone"
)

// TestFollows tells the text that was meant from others that come as well.
func TestFollows(t *testing.T) {
	for _, c := range []struct {
		came, written string
		want          bool
	}{
		{"hello", "hello", true}, {"hello[From+8613800000001]", "hello", true}, {"hello", "hello@13800000002", true}, {"hello ", "hello @13800000002", true},
		{"the first piece", "the first piece and more", true}, {"older", "hello", false}, {"", "hello", false}, {"hell", "hello@13800000002", true},
	} {
		require.Equal(t, c.want, follows(c.came, c.written), "%q of %q", c.came, c.written)
	}
}

// TestSend sends a text straight to another phone, which stands for an axgate
// that shows everything.
func TestSend(t *testing.T) {
	to, err := phone.New(phone.Config{Number: Second.Number, Server: "127.0.0.1:9"})
	require.NoError(t, err)
	defer func() { require.NoError(t, to.Close()) }()
	from, err := phone.New(phone.Config{Number: First.Number, Server: to.Addr().String()})
	require.NoError(t, err)
	defer func() { require.NoError(t, from.Close()) }()
	var told []string
	w := Writing{Sender: First, Receiver: Second, Dial: "17010000001", Text: "hello[From" + First.Number + "]", Wait: 15 * time.Second,
		Tell: func(format string, _ ...any) { told = append(told, format) }}
	_, err = from.Text(context.Background(), "1", "older")
	require.NoError(t, err)
	out, err := w.send(context.Background(), from, to)
	require.NoError(t, err)
	require.Equal(t, []any{200, true, First.Number, w.Text}, []any{out.Status, out.Came, out.Shown, out.Content})
	require.Len(t, out.Leaks, 1, "the header From, but not [From…]: %q", out.Leaks)
	require.Len(t, told, 2)
}
