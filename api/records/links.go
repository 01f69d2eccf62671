package records

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Download is the path below which recordings are fetched.
const Download = "/records/"

// Links make and check the addresses of recordings. Nodes with the same key
// take each other's.
type Links struct {
	key []byte
}

// NewLinks makes links that are signed with a key.
func NewLinks(key string) *Links { return &Links{[]byte(key)} }

// The query of a link.
const (
	untilField = "until" // seconds since 1970
	keyField   = "key"
)

// URL is where anyone gets a recording until an instant, from a node whose API
// has the base address.
func (l *Links) URL(base, file string, until time.Time) string {
	end := strconv.FormatInt(until.Unix(), 10)
	return base + Download + url.PathEscape(file) + "?" + untilField + "=" + end + "&" + keyField + "=" + l.sign(file, end)
}

// check tells whether a link with such a query leads to the file at an instant.
func (l *Links) check(file string, query url.Values, at time.Time) bool {
	end := query.Get(untilField)
	until, err := strconv.ParseInt(end, 10, 64)
	signed := hmac.Equal([]byte(l.sign(file, end)), []byte(query.Get(keyField)))
	return err == nil && signed && at.Unix() < until
}

// left is for how long a link that was checked still holds.
func (l *Links) left(query url.Values, at time.Time) time.Duration {
	until, _ := strconv.ParseInt(query.Get(untilField), 10, 64)
	return time.Unix(until, 0).Sub(at)
}

func (l *Links) sign(file, until string) string {
	mac := hmac.New(sha256.New, l.key)
	mac.Write([]byte(file + "\n" + until))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// isName tells whether a text can be the name of a recording: it names no
// other place than the directory of the recordings.
func isName(s string) bool {
	const longest = 128 // api section 6
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '_' && c != '-' && c != '.' {
			return false
		}
	}
	return strings.HasSuffix(s, ".wav") && s[0] != '.' && len(s) <= longest
}
