// Package archivetest gives tests a store of recordings: an S3 server in memory
// that is asked by HTTP and checks signatures.
package archivetest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"
	"github.com/rclone/gofakes3/signature"
	"github.com/stretchr/testify/require"

	"axgate/archive"
)

// Of every Server.
const (
	Bucket = "recordings-of-test"
	Key    = "AKIATESTTESTTEST"
	Secret = "a secret of the test"
)

// Server is an S3 server that checks signatures, and that the test can have
// fail.
type Server struct {
	*httptest.Server
	Fails, Puts atomic.Int32 // requests that fail from now on; files that were put
	Torn        atomic.Bool  // what is put is cut short
}

// Serve starts one that ends with the test.
func Serve(t testing.TB) *Server {
	t.Helper()
	backend := s3mem.New()
	require.NoError(t, backend.CreateBucket(context.Background(), Bucket))
	s3 := gofakes3.New(backend).Server()
	s := &Server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.Fails.Add(-1) >= 0 {
			http.Error(w, "not now", http.StatusServiceUnavailable)
			return
		}
		s.Fails.Store(0)
		wrong := signature.V4SignVerifyWithLookup(r, func(k string) (string, bool) { return Secret, k == Key })
		if wrong != signature.ErrNone {
			http.Error(w, "the signature is wrong", http.StatusForbidden)
			return
		}
		if q := r.URL.Query(); q.Has("delimiter") && q.Get("delimiter") == "" { // which is none, and this server takes for one
			q.Del("delimiter")
			r.URL.RawQuery = q.Encode()
		}
		if r.Method == http.MethodPut {
			s.Puts.Add(1)
			if s.Torn.Load() {
				w.Header().Set("ETag", `"00000000000000000000000000000000"`)
				return
			}
		}
		s3.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// Store uses the server's bucket, unless edit says otherwise; it may be nil.
func (s *Server) Store(t testing.TB, edit func(*archive.StoreConfig)) *archive.Store {
	t.Helper()
	c := archive.StoreConfig{Endpoint: strings.TrimPrefix(s.URL, "http://"), Bucket: Bucket, Prefix: "calls/", Region: "eu-test-1", AccessKey: Key, SecretKey: Secret, PathStyle: true, Plain: true}
	if edit != nil {
		edit(&c)
	}
	store, err := archive.OpenStore(c)
	require.NoError(t, err)
	t.Cleanup(store.Close)
	return store
}
