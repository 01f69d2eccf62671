package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"axgate/routing"
)

// Use is what one owner has of the use of an account or X, or others have of it.
type Use struct {
	Calls  int           // up now
	Minute int64         // number of the minute in which Begun began
	Begun  int           // calls
	Day    int64         // number of the day of Talk
	Talk   time.Duration // of all calls together; what is less than a millisecond is lost
}

// UseShare is the use that an owner tells of. An owner is one node from its
// start on: what it tells is all that it has, not what came since.
type UseShare struct {
	Key   string // AccountUse or XUse
	Owner string // no blanks
	Use   Use
	Keep  time.Duration // how long what stands there is of any use
}

// AccountUse is the key of an account's use.
func AccountUse(sp string) string { return "axgate:use:account:{" + sp + "}" }

// XUse is the key of an X's use.
func XUse(x routing.X) string { return "axgate:use:x:{" + string(x) + "}" }

// ShareUse tells the other nodes of this one's shares, all in one round trip,
// and returns for each what the others have, of the same minute and day. The
// calls of an owner count for a lease.
func (c *Cache) ShareUse(ctx context.Context, shares []UseShare, lease time.Duration) ([]Use, error) {
	answers, err := c.pipeline(ctx, "share what is used", len(shares), func(i int) order {
		s := &shares[i]
		return order{c.scripts.use, []string{s.Key}, []any{s.Owner, s.Use.Calls, s.Use.Minute, s.Use.Begun, s.Use.Day,
			strconv.FormatInt(s.Use.Talk.Milliseconds(), 10), lease.Milliseconds(), s.Keep.Milliseconds()}}
	})
	if err != nil {
		return nil, err
	}
	others := make([]Use, len(shares))
	for i, a := range answers {
		_, v, err := signed(a)
		if err != nil {
			return nil, fmt.Errorf("share what is used in Redis: %w", err)
		}
		list, _ := v.([]any)
		n := make([]int64, 0, 3)
		for _, one := range list {
			if count, ok := one.(int64); ok {
				n = append(n, count)
			}
		}
		if len(n) != 3 {
			return nil, fmt.Errorf("share what is used in Redis: %v cannot be read", v)
		}
		others[i] = Use{Calls: int(n[0]), Minute: shares[i].Use.Minute, Begun: int(n[1]), Day: shares[i].Use.Day, Talk: time.Duration(n[2]) * time.Millisecond}
	}
	return others, nil
}
