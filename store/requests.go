package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"axgate/routing"
)

// Count is how often something happened in its span.
type Count struct {
	N     int
	Until time.Time // when it begins anew, by the clock of Redis
}

// CountRequest counts a request of an app, over all nodes; the count begins
// anew a span after its first.
func (c *Cache) CountRequest(ctx context.Context, app string, span time.Duration) (Count, error) {
	return c.count(ctx, "count a request", requestsKey(app), 1, span, 0)
}

// CountTextTo counts a text to X, over all nodes; the count begins anew a span
// after its first.
func (c *Cache) CountTextTo(ctx context.Context, x routing.X, span time.Duration) (Count, error) {
	return c.count(ctx, "count a text to X", textsToKey(x), 1, span, 0)
}

// CountTextFrom is the same for a sender.
func (c *Cache) CountTextFrom(ctx context.Context, n routing.Number, span time.Duration) (Count, error) {
	return c.count(ctx, "count a text of a sender", textsFromKey(n), 1, span, 0)
}

// CountFailure counts a failed authentication from an address, over all nodes.
// A count that reaches the limit rises no more and stands for a span.
func (c *Cache) CountFailure(ctx context.Context, address string, span time.Duration, limit int) (Count, error) {
	return c.count(ctx, "count a failed authentication", failuresKey(address), 1, span, limit)
}

// Failures is what CountFailure has counted.
func (c *Cache) Failures(ctx context.Context, address string, span time.Duration) (Count, error) {
	return c.count(ctx, "look for failed authentications", failuresKey(address), 0, span, 0)
}

func (c *Cache) count(ctx context.Context, what, key string, add int, span time.Duration, limit int) (Count, error) {
	v, err := c.perform(ctx, what, c.scripts.count, []string{key}, add, span.Milliseconds(), limit)
	if err != nil {
		return Count{}, err
	}
	list, _ := v.([]any)
	if len(list) != 2 {
		return Count{}, fmt.Errorf("%s in Redis: %v is no count", what, v)
	}
	n, isN := list[0].(int64)
	until, isText := list[1].(string)
	at, err := time.Parse(time.RFC3339, until)
	if !isN || !isText || err != nil {
		return Count{}, fmt.Errorf("%s in Redis: %v is no count", what, v)
	}
	return Count{int(n), at}, nil
}

// UseNonce notes a nonce of an app for so long. Not fresh: it was noted before,
// by any node.
func (c *Cache) UseNonce(ctx context.Context, app, nonce string, counts time.Duration) (fresh bool, err error) {
	if counts < time.Millisecond {
		return false, errors.New("note a nonce: its time is over")
	}
	v, err := c.perform(ctx, "note a nonce", c.scripts.once, []string{nonceKey(app, nonce)}, strconv.FormatInt(counts.Milliseconds(), 10))
	return v == int64(1), err
}

func requestsKey(app string) string { return "axgate:requests:{" + app + "}" }

func textsToKey(x routing.X) string { return "axgate:texts:to:{" + string(x) + "}" }

func textsFromKey(n routing.Number) string { return "axgate:texts:from:{" + string(n) + "}" }

func failuresKey(address string) string { return "axgate:failures:{" + address + "}" }

// nonceKey has a hash in place of the nonce, which may be of any length.
func nonceKey(app, nonce string) string {
	sum := sha256.Sum256([]byte(nonce))
	return "axgate:nonce:{" + app + "}:" + hex.EncodeToString(sum[:16])
}
