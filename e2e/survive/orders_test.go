//go:build e2e

package survive

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/gate"
)

// ordered hangs up calls of the first node by way of the second one: by the customer's
// API and by the command line in turn. Both sides hear of it at once, and the customer is
// told what ended it.
func (p *pair) ordered(calls []*talks) {
	p.t.Helper()
	for i, k := range calls {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		require.Eventually(p.t, func() bool { return len(p.customer.Of(k.x)) == 1 }, 10*time.Second, 20*time.Millisecond, "the customer hears of the call")
		session := p.customer.Of(k.x)[0].Session
		begun, soon := time.Now(), 4*time.Second
		if i%2 == 0 {
			p.stop(ctx, p.nodes[1], session)
		} else {
			soon = 10 * time.Second // two processes begin and end meanwhile
			_, err := p.nodes[1].Run(ctx, "cdr", "hangup", session)
			require.NoError(p.t, err)
			_, err = p.nodes[1].Run(ctx, "cdr", "hangup", session)
			require.ErrorContains(p.t, err, "the call is ", "it cannot be ended twice")
		}
		for _, m := range k.side {
			_, err := m.call.WaitEnd(ctx)
			require.NoError(p.t, err)
		}
		require.Less(p.t, time.Since(begun), soon)
		story, err := p.customer.Story(ctx, k.x, 1)
		require.NoError(p.t, err)
		require.EqualValues(p.t, 8017, story.Event("disconnect")["stateCode"])
		require.Equal(p.t, 1, story.Fees)
		cancel()
	}
}

// stop is the customer's order to hang up a call.
func (p *pair) stop(ctx context.Context, node *gate.Gate, session string) {
	p.t.Helper()
	body := fmt.Sprintf(`{"sessionid":%q,"signal":"call_stop"}`, session)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, node.API()+"/rest/httpsessions/callStop/v2.0", strings.NewReader(body))
	require.NoError(p.t, err)
	const nonce = "66C92B11FF8A425FB8D4CCFE0ED9ED1F"
	created := time.Now().UTC().Format("2006-01-02T15:04:05Z")
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(nonce + created))
	req.Header.Set("Content-Type", "application/json;charset=UTF-8")
	req.Header.Set("Authorization", `AKSK realm="SDP",profile="UsernameToken",type="Appkey"`)
	req.Header.Set("X-AKSK", fmt.Sprintf(`UsernameToken Username="%s",PasswordDigest="%s",Nonce="%s",Created="%s"`,
		app, base64.StdEncoding.EncodeToString(mac.Sum(nil)), nonce, created))
	res, err := http.DefaultClient.Do(req)
	require.NoError(p.t, err)
	defer res.Body.Close()
	var answer struct{ Resultcode string }
	require.NoError(p.t, json.NewDecoder(res.Body).Decode(&answer))
	require.Equal(p.t, "0", answer.Resultcode)
}
