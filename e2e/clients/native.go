package clients

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// native is the client in Go.
type native struct {
	ctx     context.Context
	account Account
	http    http.Client
}

func newNative(ctx context.Context, a Account) *native {
	return &native{ctx: ctx, account: a, http: http.Client{
		Timeout:       15 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, // clients are told to
	}}
}

func (n *native) Send(method, target, body string) (int, string, error) {
	req, err := http.NewRequestWithContext(n.ctx, method, n.account.Base+target, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	a := n.account
	nonce, created := rand.Text(), time.Now().Format("2006-01-02T15:04:05Z") // local time, marked Z
	req.Header.Set("Content-Type", "application/json;charset=UTF-8")
	req.Header.Set("Authorization", a.Scheme+` realm="SDP",profile="UsernameToken",type="Appkey"`)
	req.Header.Set("X-"+a.Scheme, fmt.Sprintf(`UsernameToken Username="%s",PasswordDigest="%s",Nonce="%s",Created="%s"`, a.Key, a.digest(nonce+created), nonce, created))
	answer, err := n.http.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	if to := answer.Header.Get("Location"); to != "" {
		return answer.StatusCode, to, nil
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	return answer.StatusCode, string(text), err
}

func (a *Account) digest(text string) string {
	if a.Scheme == "WSSE" {
		sum := sha256.Sum256([]byte(text + a.Secret))
		return base64.StdEncoding.EncodeToString(sum[:])
	}
	mac := hmac.New(sha256.New, []byte(a.Secret))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (n *native) Close() error {
	n.http.CloseIdleConnections()
	return nil
}
