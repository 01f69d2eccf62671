package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/archive/archivetest"
)

// TestDoctorSeesTheStore: a bucket that is there, and keys that are wrong.
func TestDoctorSeesTheStore(t *testing.T) {
	s := archivetest.Serve(t)
	conf := func(secret string) string {
		return write(t, "recording: {store: {endpoint: \""+strings.TrimPrefix(s.URL, "http://")+"\", bucket: "+archivetest.Bucket+", region: eu, tls: false, access_key: "+
			archivetest.Key+", secret_key: "+secret+"}}\n")
	}
	ask := func(file string) string {
		r := start("-c", file, "doctor")
		r.ended(t)
		return r.out.String()
	}
	require.Contains(t, ask(conf(archivetest.Secret)), "the bucket "+archivetest.Bucket)
	told := ask(conf("another-secret"))
	require.Regexp(t, "fail +store", told)
	require.NotContains(t, told, "another-secret")
}
