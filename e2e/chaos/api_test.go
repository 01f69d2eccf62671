//go:build e2e

package chaos

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// The codes of answers that matter here (codes.md).
const (
	done         = "0"
	internal     = "1010001"
	isBound      = "1012010"
	noSuchRecord = "1012007"
	notBound     = "1012001"
)

// reply is what the API answered.
type reply struct {
	status int
	Code   string `json:"resultcode"`
	ID     string `json:"subscriptionId"`
	text   string
}

const path = "/rest/caas/relationnumber/partners/v1.0"

// client waits longer than the API takes at most.
var client = &http.Client{Timeout: 25 * time.Second}

func (n *node) bind(ctx context.Context, p *pair) (reply, error) {
	body, err := json.Marshal(map[string]any{"callerNum": p.a, "calleeNum": p.b, "relationNum": p.x})
	if err != nil {
		return reply{}, err
	}
	return n.ask(ctx, http.MethodPost, path, body)
}

func (n *node) unbind(ctx context.Context, p *pair, id string) (reply, error) {
	return n.ask(ctx, http.MethodDelete, path+"?"+url.Values{"subscriptionId": {id}, "relationNum": {p.x}}.Encode(), nil)
}

// binding asks for the id of a pair's binding, empty if there is none.
func (n *node) binding(ctx context.Context, p *pair) (id string, err error) {
	r, err := n.ask(ctx, http.MethodGet, path+"?"+url.Values{"relationNum": {p.x}, "callerNum": {p.a}}.Encode(), nil)
	if err != nil || r.Code == noSuchRecord {
		return "", err
	}
	if r.Code != done {
		return "", fmt.Errorf("query a binding: %s", r.text)
	}
	var list struct {
		All []struct {
			ID string `json:"subscriptionId"`
			A  string `json:"callerNum"`
		} `json:"relationNumList"`
	}
	if err := json.Unmarshal([]byte(r.text), &list); err != nil {
		return "", err
	}
	for _, one := range list.All {
		if one.A == p.a {
			return one.ID, nil
		}
	}
	return "", nil
}

// ask sends a request, signed with AKSK.
func (n *node) ask(ctx context.Context, method, target string, body []byte) (reply, error) {
	req, err := http.NewRequestWithContext(ctx, method, n.API()+target, bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	const nonce = "66C92B11FF8A425FB8D4CCFE0ED9ED1F"
	created := time.Now().UTC().Format("2006-01-02T15:04:05Z")
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(nonce + created))
	req.Header.Set("Content-Type", "application/json;charset=UTF-8")
	req.Header.Set("Authorization", `AKSK realm="SDP",profile="UsernameToken",type="Appkey"`)
	req.Header.Set("X-AKSK", fmt.Sprintf(`UsernameToken Username="%s",PasswordDigest="%s",Nonce="%s",Created="%s"`,
		app, base64.StdEncoding.EncodeToString(mac.Sum(nil)), nonce, created))
	res, err := client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	r := reply{status: res.StatusCode, text: string(text)}
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	return r, err
}
