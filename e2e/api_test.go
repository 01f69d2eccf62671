//go:build e2e

package e2e

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"time"
)

// reply is what the API answered.
type reply struct {
	status int
	header http.Header
	body   []byte
	closes bool // the server hangs up after it
}

// direct is a client that follows no redirect, as customers are told to have.
var direct = &http.Client{Timeout: step, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// call sends a request, signed for an app with AKSK.
func call(ctx context.Context, client *http.Client, method, address, app string, body io.Reader) (reply, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return reply{}, err
	}
	const nonce = "66C92B11FF8A425FB8D4CCFE0ED9ED1F"
	created := time.Now().UTC().Format("2006-01-02T15:04:05Z")
	mac := hmac.New(sha256.New, []byte("secret-of-"+app))
	mac.Write([]byte(nonce + created))
	req.Header.Set("Content-Type", "application/json;charset=UTF-8")
	req.Header.Set("Authorization", `AKSK realm="SDP",profile="UsernameToken",type="Appkey"`)
	req.Header.Set("X-AKSK", fmt.Sprintf(`UsernameToken Username="%s",PasswordDigest="%s",Nonce="%s",Created="%s"`,
		app, base64.StdEncoding.EncodeToString(mac.Sum(nil)), nonce, created))
	return send(client, req)
}

func send(client *http.Client, req *http.Request) (reply, error) {
	res, err := client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, text, res.Close}, err
}
