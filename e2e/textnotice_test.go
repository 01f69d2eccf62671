//go:build e2e

package e2e

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/receiver"
)

// notice is what the customer must have been told of a text (callbacks section
// 4.1).
type notice struct {
	app       string
	result    int
	direction int
	parts     int    // 0: 1
	binding   string // empty: absent, as all below
	sender    string
	receiver  string
	content   string
	user      string
	area      string
}

func (n notice) fields(x string, got receiver.Text, mode string) map[string]any {
	want := map[string]any{
		"smsIdentifier": got.ID(), "notificationMode": mode, "virtualNumber": x, "event": "TextSMS", "timeStamp": got.Info["timeStamp"], "sendResult": float64(n.result),
		"extInfo": map[string]any{"extParas": []any{
			map[string]any{"key": "splitNum", "value": fmt.Sprint(max(n.parts, 1))}, map[string]any{"key": "direction", "value": fmt.Sprint(n.direction)}}},
	}
	for key, value := range map[string]string{"subscriptionId": n.binding, "calling": n.sender, "called": n.receiver, "smsContent": n.content, "userData": n.user, "areaCode": n.area} {
		if value != "" {
			want[key] = value
		}
	}
	return want
}

// told waits for the notice of the nth text to X that was done, and checks
// every field of it.
func (s *scene) told(x string, n int, want notice) receiver.Text {
	s.Helper()
	got, err := s.customer.Notice(s.within(2*step), x, n)
	require.NoError(s, err)
	s.matches(x, got, want, "Notify")
	return got
}

// questioned waits for the nth Block question about texts to X.
func (s *scene) questioned(x string, n int, want notice) receiver.Text {
	s.Helper()
	got, err := s.customer.Question(s.within(2*step), x, n)
	require.NoError(s, err)
	s.matches(x, got, want, "Block")
	return got
}

func (s *scene) matches(x string, got receiver.Text, want notice, mode string) {
	s.Helper()
	require.Equal(s, want.fields(x, got, mode), got.Info)
	require.Equal(s, want.app, got.App)
	at, err := time.Parse("2006-01-02T15:04:05.000Z", fmt.Sprint(got.Info["timeStamp"]))
	require.NoError(s, err)
	require.WithinDuration(s, time.Now(), at, 2*time.Minute)
}
