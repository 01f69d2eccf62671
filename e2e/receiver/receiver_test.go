package receiver

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func push(t *testing.T, url, secret, body string) int {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	created := time.Now().UTC().Format("2006-01-02T15:04:05Z")
	sum := sha256.Sum256([]byte("n1" + created + secret))
	req.Header.Set("Content-Type", "application/json;charset=UTF-8")
	req.Header.Set("Authorization", `WSSE realm="SDP",profile="UsernameToken",type="Appkey"`)
	req.Header.Set("X-WSSE", `UsernameToken Username="key",PasswordDigest="`+base64.StdEncoding.EncodeToString(sum[:])+`",Nonce="n1",Created="`+created+`"`)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}

func TestStory(t *testing.T) {
	r, err := Start(map[string]string{"key": "secret"})
	require.NoError(t, err)
	defer r.Close()
	r.Answer(func(p Push) int {
		if strings.Contains(string(p.Body), "callout") && len(r.pushes) < 3 {
			return 503
		}
		return 200
	})
	require.Equal(t, 200, push(t, r.StatusURL(), "secret", `{"eventType":"callin","statusInfo":{"sessionId":"s1","called":"+8617010000001"}}`))
	require.Equal(t, 200, push(t, r.StatusURL(), "secret", `{"eventType":"callin","statusInfo":{"sessionId":"s2","called":"+8617010000002"}}`))
	require.Equal(t, 503, push(t, r.StatusURL(), "secret", `{"eventType":"callout","statusInfo":{"sessionId":"s1"}}`))
	require.Equal(t, 200, push(t, r.StatusURL(), "secret", `{"eventType":"callout","statusInfo":{"sessionId":"s1"}}`))
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = r.Story(short, "+8617010000001", 1)
	require.ErrorContains(t, err, "callout")
	go func() {
		push(t, r.StatusURL(), "secret", `{"eventType":"disconnect","statusInfo":{"sessionId":"s1"}}`)
		push(t, r.FeeURL(), "secret", `{"eventType":"fee","feeLst":[{"sessionId":"s1","bindNum":"+8617010000001"}]}`)
	}()
	c, err := r.Story(t.Context(), "+8617010000001", 1)
	require.NoError(t, err)
	require.Equal(t, []string{"callin", "callout", "disconnect"}, c.Types())
	require.Equal(t, 1, c.Fees)
	require.Empty(t, r.Wrong())

	push(t, r.StatusURL(), "other", `{"eventType":"callin","statusInfo":{"sessionId":"s3"}}`)
	require.Contains(t, r.Wrong()[0], "digest")
	push(t, r.FeeURL(), "secret", `{"eventType":"callin","statusInfo":{"sessionId":"s3"}}`)
	require.Contains(t, r.Wrong()[1], "callin event at /fee")
	push(t, r.FeeURL(), "secret", `hello`)
	require.Contains(t, r.Wrong()[2], "no JSON")
}

// TestOrder: calls are in the order in which they were placed, whichever was
// told of first.
func TestOrder(t *testing.T) {
	r, err := Start(map[string]string{"key": "secret"})
	require.NoError(t, err)
	defer r.Close()
	for _, id := range []string{"7_10_1_20260102030405@h", "7_9_5_20260102030405@h", "3_1_1_20260102030405@h", "7_11_3_20260102030405@h"} {
		require.Equal(t, 200, push(t, r.StatusURL(), "secret", `{"eventType":"callin","statusInfo":{"sessionId":"`+id+`","called":"+8617010000001"}}`))
	}
	var order []string
	for _, c := range r.Of("+8617010000001") {
		order = append(order, c.Session[:4])
	}
	require.Equal(t, []string{"7_9_", "7_10", "3_1_", "7_11"}, order)
}

func TestTexts(t *testing.T) {
	r, err := Start(map[string]string{"key": "secret"})
	require.NoError(t, err)
	defer r.Close()
	r.Reply(func(_ context.Context, p Push) []byte { return Forward(p, "+8613800000002", "data") })
	body := func(id, mode, x string) string {
		return `{"appKey":"key","smsEvent":{"smsIdentifier":"` + id + `","notificationMode":"` + mode + `","calling":"+8613800000001","virtualNumber":"` + x + `",
			"extInfo":{"extParas":[{"key":"splitNum","value":"2"},{"key":"direction","value":"1"}]}}}`
	}
	require.Equal(t, 200, push(t, r.SMSURL(), "secret", body("1", "Notify", "+8617010000001")))
	require.Equal(t, 200, push(t, r.ControlURL(), "secret", body("2", "Block", "+8617010000001")))
	require.Equal(t, 200, push(t, r.SMSURL(), "secret", body("3", "Notify", "+8617010000002")))
	go push(t, r.SMSURL(), "secret", body("4", "Notify", "+8617010000001"))
	n, err := r.Notice(t.Context(), "+8617010000001", 2)
	require.NoError(t, err)
	require.Equal(t, []string{"4", "2", "1", ""}, []string{n.ID(), n.Para("splitNum"), n.Para("direction"), n.Para("x")})
	q, err := r.Question(t.Context(), "+8617010000001", 1)
	require.NoError(t, err)
	require.Equal(t, "2", q.ID())
	require.Len(t, r.Notices(), 3)
	require.Empty(t, r.QuestionsOf("+8617010000002"))
	require.JSONEq(t, `{"actions":[{"operation":"vNumberRoute","message":{"called":"+8613800000002","calling":"+8613800000001"},"userData":"data"}]}`,
		string(Forward(r.Pushes()[1], "+8613800000002", "data")))
	require.Empty(t, r.Wrong())

	push(t, r.SMSURL(), "secret", body("5", "Block", "+8617010000001"))
	push(t, r.ControlURL(), "secret", body("6", "Notify", "+8617010000001"))
	push(t, r.SMSURL(), "other", body("7", "Notify", "+8617010000001"))
	require.Len(t, r.Wrong(), 3)
}
