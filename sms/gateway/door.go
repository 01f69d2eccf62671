// Package gateway is the way of texts by HTTP, for networks that are reached
// neither by a SIP trunk nor by a phone of ours: a gateway posts the texts that
// were written to an X, and is posted those that go out. docs/sms-gateway.md is
// its contract.
package gateway

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"axgate/routing"
	"axgate/sms"
)

// Path is where gateways post texts: below it are <name>/messages.
const Path = "/sms/v1/gateways/"

const (
	resource = "/messages"
	jsonType = "application/json"
	mostBody = 64 << 10 // bytes
	patience = 20 * time.Second
)

// Office takes texts.
type Office interface {
	Receive(ctx context.Context, in sms.Incoming) (sms.Receipt, error)
}

// DoorConfig is what a Door needs to know.
type DoorConfig struct {
	Tokens map[string]string // of each gateway by its name; empty: it brings no texts
	Office Office
	Plan   routing.Plan
	Now    func() time.Time // nil: time.Now
	Log    zerolog.Logger
}

// Door takes the texts that gateways post.
type Door struct {
	cfg    DoorConfig
	tokens map[string][sha256.Size]byte
	nobody [sha256.Size]byte // is compared with where there is no such gateway
	wrong  zerolog.Logger    // of wrong tokens: whoever tries many does not fill the disk
}

var _ http.Handler = (*Door)(nil)

// NewDoor makes a door.
func NewDoor(cfg DoorConfig) *Door {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	d := &Door{cfg: cfg, tokens: map[string][sha256.Size]byte{}, nobody: sha256.Sum256([]byte(rand.Text())),
		wrong: cfg.Log.Sample(&zerolog.BurstSampler{Burst: 20, Period: time.Minute})}
	for name, token := range cfg.Tokens {
		if token != "" {
			d.tokens[name] = sha256.Sum256([]byte(token))
		}
	}
	return d
}

// ServeHTTP answers POST <Path><name>/messages.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	below, under := strings.CutPrefix(r.URL.Path, Path)
	name, is := strings.CutSuffix(below, resource)
	switch {
	case !under || !is || name == "" || strings.Contains(name, "/"):
		problem(http.StatusNotFound, "there is nothing here: texts go to "+Path+"<gateway>"+resource).write(w)
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		problem(http.StatusMethodNotAllowed, "texts are posted").write(w)
	case !d.knows(name, r.Header.Get("Authorization")):
		d.wrong.Warn().Str("gateway", fmt.Sprintf("%.64q", name)).Str("from", r.RemoteAddr).Msg("an SMS gateway that is not known, or its token is wrong")
		w.Header().Set("WWW-Authenticate", `Bearer realm="axgate"`)
		problem(http.StatusUnauthorized, "the gateway is not known, or this is not its token: send the header Authorization: Bearer <token>").write(w)
	case !isJSON(r.Header.Values("Content-Type")):
		problem(http.StatusUnsupportedMediaType, "the body has to be "+jsonType+" in UTF-8").write(w)
	default:
		d.post(w, r, name)
	}
}

// knows tells whether a gateway shows its token. It takes as long for a name
// that there is as for one that there is not.
func (d *Door) knows(name, header string) bool {
	scheme, token, _ := strings.Cut(strings.TrimSpace(header), " ")
	want, known := d.tokens[name]
	if !known {
		want = d.nobody
	}
	shown := sha256.Sum256([]byte(strings.TrimSpace(token)))
	same := subtle.ConstantTimeCompare(shown[:], want[:]) == 1
	return same && known && strings.EqualFold(scheme, "Bearer")
}

func isJSON(headers []string) bool {
	if len(headers) != 1 {
		return false
	}
	kind, params, err := mime.ParseMediaType(headers[0])
	if err != nil || kind != jsonType {
		return false
	}
	for name, value := range params {
		if name != "charset" || !strings.EqualFold(value, "utf-8") {
			return false
		}
	}
	return true
}

// post takes a text of a gateway that is known.
func (d *Door) post(w http.ResponseWriter, r *http.Request, name string) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		problem(http.StatusRequestEntityTooLarge, fmt.Sprintf("the body has more than %d bytes", mostBody)).write(w)
		return
	case err != nil:
		problem(http.StatusBadRequest, "the body did not come whole").write(w)
		return
	}
	m, wrong := read(body)
	if wrong == nil {
		wrong = m.check(&d.cfg.Plan)
	}
	if wrong != nil {
		wrong.problem().write(w)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	receipt, err := d.cfg.Office.Receive(ctx, d.incoming(name, m))
	if err != nil {
		level := zerolog.ErrorLevel
		if r.Context().Err() != nil { // the gateway is gone
			level = zerolog.DebugLevel
		}
		d.cfg.Log.WithLevel(level).Err(err).Str("gateway", name).Msg("a text of an SMS gateway was not taken")
		w.Header().Set("Retry-After", "5")
		problem(http.StatusServiceUnavailable, "the text was not taken for a fault of ours: send it again").write(w)
		return
	}
	reply(w, receipt)
}

// incoming is a text that was read as the office wants it.
func (d *Door) incoming(name string, m *message) sms.Incoming {
	in := sms.Incoming{Source: name, Key: key(name, m), X: m.x, Sender: m.sender, Text: m.text, Part: m.part, At: d.cfg.Now()}
	// When it was written says whether it comes too late. A clock that is wrong
	// must not make it ancient.
	const oldest = 7 * 24 * time.Hour
	if now := in.At; m.at.Before(now) && !m.at.IsZero() {
		in.At = m.at
		if in.At.Before(now.Add(-oldest)) {
			in.At = now.Add(-oldest)
		}
	}
	return in
}

// key names a text by its gateway and what that calls it. Parts may have the id
// of their text, or each its own.
func key(name string, m *message) string {
	seq := 0
	if m.part != nil {
		seq = m.part.Seq
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s %s", seq, name, m.id)) // a name has no blank
	return "http:" + base64.RawURLEncoding.EncodeToString(sum[:])
}
