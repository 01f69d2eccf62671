package sdp

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strings"
)

// maxParts of a multipart body are looked at.
const maxParts = 16

// find is the SDP in a body: all of it, or the first such part of a multipart
// body.
func find(contentType string, body []byte) ([]byte, error) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil { // a broken parameter does not hide what it is
		kind, _, _ = strings.Cut(contentType, ";")
		kind = strings.ToLower(strings.TrimSpace(kind))
	}
	switch {
	case kind == "application/sdp":
		return body, nil
	case !strings.HasPrefix(kind, "multipart/"):
		return nil, fmt.Errorf("%w: %.60q", ErrType, contentType)
	case params["boundary"] == "":
		return nil, fmt.Errorf("%w: multipart without a boundary", ErrMalformed)
	}
	parts := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for range maxParts {
		part, err := parts.NextRawPart()
		if err != nil {
			break
		}
		kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if kind != "application/sdp" {
			continue
		}
		text, _ := io.ReadAll(io.LimitReader(part, maxSDP+1)) // a missing last boundary does not matter
		return text, nil
	}
	return nil, fmt.Errorf("%w: no SDP part", ErrType)
}
