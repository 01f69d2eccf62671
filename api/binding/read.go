package binding

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"unicode/utf8"

	"axgate/provision"
)

// Bounds of a body. What the API knows has less than 2 KiB and one level below
// the object.
const (
	maxBody  = 64 << 10 // bytes
	maxDepth = 16
)

// read finds the parameters of a request: of POST and PUT in the body, of GET
// and DELETE in the URL. A body of those is no business of ours, whatever it
// holds; nor is the Content-Type.
func read(w http.ResponseWriter, r *http.Request) (p *params, err error) {
	if r.Method == http.MethodPost || r.Method == http.MethodPut {
		p, err = readBody(http.MaxBytesReader(w, r.Body, maxBody))
	} else {
		p, err = readQuery(r.URL.RawQuery)
	}
	if err != nil {
		return nil, err
	}
	p.query = r.URL.RawQuery
	return p, nil
}

func readQuery(raw string) (*params, error) {
	q, err := url.ParseQuery(raw)
	if err != nil {
		return nil, provision.Invalid("query", "it is not well-formed: the + of a number is sent as %%2B, other special characters in the same way")
	}
	p := &params{values: make(map[string]any, len(q)), twice: map[string]bool{}}
	for name, list := range q {
		p.twice[name] = len(list) > 1
		if list[0] != "" { // in an address, empty is absent
			p.values[name] = list[0]
		}
	}
	return p, nil
}

func readBody(r io.Reader) (*params, error) {
	text, err := io.ReadAll(r)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, invalidBody("it has more than %d bytes", maxBody)
	case err != nil:
		return nil, invalidBody("it could not be read to its end")
	case !utf8.Valid(text):
		return nil, invalidBody("it is not UTF-8")
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // some clients mark UTF-8
	if !json.Valid(text) {
		return nil, invalidBody("it is not JSON")
	}
	b := body{dec: json.NewDecoder(bytes.NewReader(text))}
	b.dec.UseNumber()
	value, err := b.value("body", 0)
	if err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, invalidBody("it is not a JSON object")
	}
	return &params{values: object}, nil
}

func invalidBody(detail string, args ...any) error { return provision.Invalid("body", detail, args...) }

// body is JSON that is known to be valid.
type body struct{ dec *json.Decoder }

// value reads a value, as encoding/json does but for keys that come twice: it
// is not known which one is meant. What is null is left out of objects.
func (b *body) value(name string, depth int) (any, error) {
	t, err := b.dec.Token()
	if err != nil {
		return nil, invalidBody("it is not JSON")
	}
	delim, ok := t.(json.Delim)
	switch {
	case !ok:
		return t, nil
	case depth == maxDepth:
		return nil, invalidBody("it has more than %d levels", maxDepth)
	case delim == '{':
		return b.object(depth + 1)
	}
	return b.array(name, depth+1)
}

func (b *body) object(depth int) (any, error) {
	object, seen := map[string]any{}, map[string]bool{}
	for b.dec.More() {
		t, err := b.dec.Token()
		if err != nil {
			return nil, invalidBody("it is not JSON")
		}
		key, _ := t.(string)
		if seen[key] {
			return nil, provision.Invalid(short(key), "it is there twice")
		}
		seen[key] = true
		v, err := b.value(key, depth)
		if err != nil {
			return nil, err
		}
		if v != nil {
			object[key] = v
		}
	}
	_, err := b.dec.Token() // its end
	return object, err
}

func (b *body) array(name string, depth int) (any, error) {
	list := []any{}
	for b.dec.More() {
		v, err := b.value(name, depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := b.dec.Token() // its end
	return list, err
}

// short keeps a name that a client chose to the length of one of ours.
func short(name string) string {
	const most = 32
	if r := []rune(name); len(r) > most {
		return string(r[:most])
	}
	return name
}
