package config

import (
	"strings"
	"time"
)

// Recording is how calls are recorded, and where recordings are.
type Recording struct {
	Dir     string         `key:"dir" help:"directory of the files; empty: recordings in the data directory"`
	MinTalk time.Duration  `key:"min_talk" help:"shorter talks leave no file; 0: all leave one"`
	Store   RecordingStore `key:"store"`
}

// RecordingStore is an S3-compatible store.
type RecordingStore struct {
	Endpoint  string `key:"endpoint" help:"host or host:port of an S3-compatible store to which finished recordings are brought; they stay in recording.dir until it has confirmed them; empty: they stay there"`
	Bucket    string `key:"bucket" help:"the bucket, which has to be there; nothing else should be under prefix"`
	Prefix    string `key:"prefix" help:"what the names of the objects begin with, such as recordings/"`
	Region    string `key:"region" help:"of the bucket; empty: the store is asked"`
	AccessKey string `key:"access_key" help:"empty: that of credentials_file, or else AWS_ACCESS_KEY_ID of the environment"`
	SecretKey string `key:"secret_key" secret:"true" help:"empty: that of credentials_file, or else AWS_SECRET_ACCESS_KEY of the environment"`
	KeyFile   string `key:"credentials_file" help:"file of the form of ~/.aws/credentials, of which the section default is read"`
	PathStyle bool   `key:"path_style" help:"the bucket stands in the path of addresses, not in the host name"`
	TLS       bool   `key:"tls" help:"false: plain HTTP, for labs"`
	CA        string `key:"ca" help:"PEM file of the only authorities that the store's certificate may be of; empty: those of the system"`
	Redirect  bool   `key:"redirect" help:"links to recordings lead to the store itself, for as long as they hold; false, or if recordings are encrypted (keys): they are handed out by the nodes"`
}

func (k *checker) recording(r *Recording) {
	k.span("recording.min_talk", r.MinTalk, 0, time.Minute)
	s := &r.Store
	if s.Endpoint == "" {
		return
	}
	if strings.Contains(s.Endpoint, "/") || strings.ContainsAny(s.Endpoint, " @?#") {
		k.wrong("recording.store.endpoint", "%.80q: use host or host:port, such as s3.example.com", s.Endpoint)
	}
	k.needed("recording.store.bucket", s.Bucket)
	if strings.HasPrefix(s.Prefix, "/") || strings.Contains(s.Prefix, "..") || strings.Contains(s.Prefix, "//") {
		k.wrong("recording.store.prefix", "%.80q: use the beginning of a name, such as recordings/", s.Prefix)
	}
	if (s.AccessKey == "") != (s.SecretKey == "") {
		k.wrong("recording.store.access_key", "it and secret_key go together: give both or neither")
	}
}
