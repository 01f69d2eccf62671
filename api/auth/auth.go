// Package auth tells which app sent a request, and whether it may: WSSE and
// AKSK (api sections 2.2 and 2.3), the app's state, its addresses and its share
// of requests.
package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/netip"
	"time"

	"github.com/rs/zerolog"

	"axgate/api/answer"
)

// App is the app that sent a request.
type App struct {
	Key     string // app_key
	Account string // spId
	Mode    string // AX, AXB, AXE, AXYB or X
	Frozen  bool   // the account is in arrears: it may not bind or unbind (1010029), and gets no recordings
}

// Credentials are an app with what its requests are held to.
type Credentials struct {
	App
	Secret    string
	Paused    bool
	Networks  []netip.Prefix // where its requests may come from; none: from anywhere
	Rate      int            // requests per minute; 0: the usual rate, negative: no limit
	OnceNonce bool           // a nonce that was used before is refused
}

// Apps knows the apps.
type Apps interface {
	// Credentials finds an app; not ok: there is none of that key.
	Credentials(ctx context.Context, key string) (c Credentials, ok bool, err error)
}

// Config is what a Verifier goes by.
type Config struct {
	Apps   Apps
	Window time.Duration // how far Created may be from the clock; 0: 24 h

	Counts       Counts        // nil: this node counts alone, and knows no nonces
	Rate         int           // requests of an app per minute if it has no rate of its own; 0: no limit
	LockoutAfter int           // failed authentications of an address within LockoutFor; 0: no lock-out
	LockoutFor   time.Duration // 0: 30 min

	Now func() time.Time // nil: time.Now
	Log zerolog.Logger
}

// Verifier tells who sent a request. It is safe for use by many goroutines.
type Verifier struct {
	cfg     Config
	lockout lockout
	flow    flow
}

// New makes a Verifier.
func New(cfg Config) *Verifier {
	if cfg.Window == 0 {
		cfg.Window = 24 * time.Hour
	}
	if cfg.LockoutFor == 0 {
		cfg.LockoutFor = 30 * time.Minute
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Verifier{
		cfg:     cfg,
		lockout: lockout{most: cfg.LockoutAfter, span: cfg.LockoutFor, counts: cfg.Counts, now: cfg.Now, log: cfg.Log, known: map[string]failures{}},
		flow:    flow{usual: cfg.Rate, counts: cfg.Counts, now: cfg.Now, log: cfg.Log, apps: map[string]tally{}},
	}
}

// The answers besides those for malformed headers (codes section 1.1).
var (
	wrongCreated = bad("1023031", "The format of Created is wrong.")
	wrongDigest  = &answer.Refusal{HTTP: http.StatusUnauthorized, Code: "1010010", Desc: "Invalid digest."}
	outOfTime    = &answer.Refusal{HTTP: http.StatusUnauthorized, Code: "1010013", Desc: "Time out limit."}
	unknownApp   = &answer.Refusal{HTTP: http.StatusForbidden, Code: "1010003", Desc: "Invalid app_key."}
	wrongAddress = &answer.Refusal{HTTP: http.StatusForbidden, Code: "1020166", Desc: "The app client ip is not in ip white list."}
	lockedOut    = &answer.Refusal{HTTP: http.StatusForbidden, Code: "1020176", Desc: "Authentication failed, try again later"}
	overRate     = &answer.Refusal{HTTP: http.StatusForbidden, Code: "1010010", Desc: "The flow control upper limit is reached on the platform."}
	pausedApp    = &answer.Refusal{HTTP: http.StatusForbidden, Code: "1010008", Desc: "The status of the app_key is unavailable."}
)

// App tells which app sent the request, or the answer if it is to be refused.
// The headers and the address are all it looks at; it has to be asked once per
// request, for each request counts.
func (v *Verifier) App(r *http.Request) (App, *answer.Refusal) {
	ctx, from := r.Context(), source(r)
	if v.lockout.locked(ctx, addressOf(from)) {
		return App{}, lockedOut
	}
	t, refusal := read(r.Header)
	if refusal != nil {
		return App{}, refusal
	}
	created, err := time.Parse(time.RFC3339, t.created)
	if err != nil {
		return App{}, wrongCreated
	}
	c, refusal := v.credentials(ctx, &t)
	if refusal == unknownApp || refusal == wrongDigest { // what a guess meets
		v.lockout.failed(ctx, addressOf(from))
	}
	if refusal == nil {
		refusal = v.admit(ctx, &c, &t, created, from)
	}
	if refusal != nil {
		return App{}, refusal
	}
	return c.App, nil
}

// admit tells whether an app that has proved itself may make the request.
func (v *Verifier) admit(ctx context.Context, c *Credentials, t *token, created time.Time, from netip.Addr) *answer.Refusal {
	now := v.cfg.Now()
	switch {
	case !inTime(created, now, v.cfg.Window):
		return outOfTime
	case !c.lets(from):
		return wrongAddress
	case c.Paused:
		return pausedApp
	case !v.flow.takes(ctx, c.Key, c.Rate):
		return overRate
	}
	if !c.OnceNonce || v.cfg.Counts == nil {
		return nil
	}
	// A token that was used is as one whose time is over; until then it could
	// be used again.
	fresh, err := v.cfg.Counts.UseNonce(context.WithoutCancel(ctx), c.Key, t.nonce, created.Add(v.cfg.Window).Sub(now)+time.Second)
	if err != nil {
		return v.failed(err, "note a nonce")
	}
	if !fresh {
		return outOfTime
	}
	return nil
}

// lets tells whether an app's requests may come from an address.
func (c *Credentials) lets(from netip.Addr) bool {
	for _, n := range c.Networks {
		if n.Contains(from) {
			return true
		}
	}
	return len(c.Networks) == 0
}

// source is where a request comes from.
func source(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap().WithZone("")
}

func (v *Verifier) failed(err error, doing string) *answer.Refusal {
	v.cfg.Log.Error().Err(err).Msg(doing + " of an API request")
	internal := answer.Internal
	return &internal
}

// credentials finds the app that a token names, and has it prove that it knows
// the secret.
func (v *Verifier) credentials(ctx context.Context, t *token) (Credentials, *answer.Refusal) {
	if !isKey(t.username) {
		return Credentials{}, unknownApp
	}
	c, ok, err := v.cfg.Apps.Credentials(ctx, t.username)
	if err != nil {
		return c, v.failed(err, "read the app")
	}
	if !ok {
		return c, unknownApp
	}
	// Over Created as it came: another spelling has another digest.
	if subtle.ConstantTimeCompare([]byte(digest(t.scheme, c.Secret, t.nonce+t.created)), []byte(t.digest)) != 1 {
		return c, wrongDigest
	}
	return c, nil
}

// isKey tells whether a text can be an app_key: visible ASCII, 1 to 128.
func isKey(s string) bool {
	const longest = 128
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != "" && len(s) <= longest
}

// digest is PasswordDigest over Nonce and Created.
func digest(scheme, secret, message string) string {
	var sum []byte
	if scheme == aksk {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(message))
		sum = mac.Sum(nil)
	} else {
		s := sha256.Sum256([]byte(message + secret))
		sum = s[:]
	}
	return base64.StdEncoding.EncodeToString(sum)
}

// beijing is how far a clock in China is ahead of UTC: clients in the field
// mark its time Z.
const beijing = 8 * time.Hour

// inTime tells whether Created is close enough to now, as UTC or as UTC+8.
func inTime(created, now time.Time, window time.Duration) bool {
	return created.Sub(now).Abs() <= window || created.Add(-beijing).Sub(now).Abs() <= window
}
