package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// result is a row.
type result struct {
	rate    float64 // binds per second
	took    []time.Duration
	refused int
	cpu     float64 // of the node, in ms per request
}

func (r *result) at(percent int) string {
	if len(r.took) == 0 {
		return "-"
	}
	return r.took[(len(r.took)-1)*percent/100].Round(10 * time.Microsecond).String()
}

// made numbers the pairs of the whole run, so that none comes twice.
var made atomic.Int64

// load has clients bind pairs, one after the other each, for a time.
func load(ctx context.Context, n *process, way string, clients int, last time.Duration) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, last)
	defer cancel()
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	var r result
	var failure error
	var mu sync.Mutex
	var all sync.WaitGroup
	before, err := n.Use()
	if err != nil {
		return r, err
	}
	began := time.Now()
	for range clients {
		all.Go(func() {
			for ctx.Err() == nil {
				start := time.Now()
				code, err := bind(client, n.address, way)
				took := time.Since(start)
				mu.Lock()
				switch {
				case err != nil:
					failure = err
					cancel()
				case code == "0":
					r.took = append(r.took, took)
				default:
					r.refused++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	span := time.Since(began)
	after, err := n.Use()
	if err := errors.Join(failure, err); err != nil {
		return r, fmt.Errorf("bind with %d clients: %w", clients, err)
	}
	slices.Sort(r.took)
	r.rate = float64(len(r.took)) / span.Seconds()
	r.cpu = (after.CPU() - before.CPU()).Seconds() * 1000 / float64(max(1, len(r.took)+r.refused))
	return r, nil
}

// bind binds another pair and gives the result code.
func bind(client *http.Client, address, way string) (string, error) {
	i := int(made.Add(1))
	body := map[string]string{"callerNum": fmt.Sprintf("+86138%08d", 2*i), "calleeNum": fmt.Sprintf("+86138%08d", 2*i+1)}
	switch way {
	case "named":
		body["relationNum"] = xNumber(i)
	case "by area":
		body["areaCode"] = area(i)
	}
	text, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequest(http.MethodPost, "http://"+address+"/rest/caas/relationnumber/partners/v1.0", bytes.NewReader(text))
	if err != nil {
		return "", err
	}
	sign(req.Header)
	res, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	var answer struct{ ResultCode, ResultDesc string }
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&answer); err != nil {
		return "", fmt.Errorf("the answer %d: %w", res.StatusCode, err)
	}
	return answer.ResultCode, nil
}

// sign puts on the headers of WSSE (API 2.2, 2.3).
func sign(h http.Header) {
	nonce, created := rand.Text(), time.Now().UTC().Format("2006-01-02T15:04:05Z")
	sum := sha256.Sum256([]byte(nonce + created + appSecret))
	h.Set("Content-Type", "application/json;charset=UTF-8")
	h.Set("Authorization", `WSSE realm="SDP",profile="UsernameToken",type="Appkey"`)
	h.Set("X-WSSE", fmt.Sprintf(`UsernameToken Username="%s",PasswordDigest="%s",Nonce="%s",Created="%s"`,
		appKey, base64.StdEncoding.EncodeToString(sum[:]), nonce, created))
}
