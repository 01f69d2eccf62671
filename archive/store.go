package archive

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// StoreConfig is where an S3-compatible store is.
type StoreConfig struct {
	Endpoint string // host or host:port
	Bucket   string
	Region   string // empty: the store is asked
	Prefix   string // of the names of objects, such as recordings/

	// The keys; empty: those of CredentialsFile, or else of the environment
	// (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN).
	AccessKey, SecretKey string
	CredentialsFile      string // of the form of ~/.aws/credentials, its section default

	PathStyle bool   // the bucket is in the path, not in the host name
	Plain     bool   // HTTP without TLS
	CA        string // PEM file of the only authorities of the store's certificate; empty: those of the system
}

// Store is a bucket of an S3-compatible store.
type Store struct {
	client *minio.Client
	http   *http.Transport
	cfg    StoreConfig
}

// OpenStore prepares to use a store; nothing is asked of it yet.
func OpenStore(c StoreConfig) (*Store, error) {
	transport, err := minio.DefaultTransport(!c.Plain)
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	transport.ResponseHeaderTimeout = 30 * time.Second
	if c.CA != "" {
		pem, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, fmt.Errorf("open the store: %w", err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("open the store: %s has no certificate", c.CA)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	o := &minio.Options{Creds: c.keys(), Secure: !c.Plain, Transport: transport, Region: c.Region, BucketLookup: minio.BucketLookupDNS, MaxRetries: 2}
	if c.PathStyle {
		o.BucketLookup = minio.BucketLookupPath
	}
	client, err := minio.New(c.Endpoint, o)
	if err != nil {
		return nil, fmt.Errorf("open the store %s: %w", c.Endpoint, err)
	}
	return &Store{client, transport, c}, nil
}

func (c *StoreConfig) keys() *credentials.Credentials {
	switch {
	case c.AccessKey != "":
		return credentials.NewStaticV4(c.AccessKey, c.SecretKey, "")
	case c.CredentialsFile != "":
		return credentials.NewFileAWSCredentials(c.CredentialsFile, "default")
	}
	return credentials.NewEnvAWS()
}

// Close ends idle connections.
func (s *Store) Close() { s.http.CloseIdleConnections() }

// Name tells stores apart: what is in one is not in another.
func (s *Store) Name() string { return "s3:" + s.cfg.Bucket + "/" + s.cfg.Prefix }

// Check tells what is wrong with the store, if anything is.
func (s *Store) Check(ctx context.Context) error {
	ok, err := s.client.BucketExists(ctx, s.cfg.Bucket)
	if err == nil && !ok {
		err = errors.New("there is no such bucket")
	}
	if err != nil {
		return fmt.Errorf("the bucket %s at %s: %w", s.cfg.Bucket, s.cfg.Endpoint, err)
	}
	return nil
}

func (s *Store) key(name string) string { return s.cfg.Prefix + name }

const wavType = "audio/wav"

// Put stores a file, and returns once the store has confirmed all of it.
func (s *Store) Put(ctx context.Context, name string, from io.Reader, bytes int64) error {
	o := minio.PutObjectOptions{ContentType: wavType, SendContentMd5: true, PartSize: 64 << 20}
	put, err := s.client.PutObject(ctx, s.cfg.Bucket, s.key(name), from, bytes, o)
	if err == nil && put.Size != bytes {
		err = fmt.Errorf("it has %d bytes of %d", put.Size, bytes)
	}
	var is minio.ObjectInfo
	if err == nil {
		is, err = s.client.StatObject(ctx, s.cfg.Bucket, s.key(name), minio.StatObjectOptions{})
	}
	switch {
	case err != nil:
	case is.Size != bytes:
		err = fmt.Errorf("%d bytes of %d are there", is.Size, bytes)
	case is.ETag != put.ETag: // what an earlier try left may be as long
		err = errors.New("what is there is not what was put")
	}
	if err != nil {
		return fmt.Errorf("store %s: %w", name, err)
	}
	return nil
}

// Content is a file that is read.
type Content interface {
	io.ReadSeekCloser
	io.ReaderAt
}

// Open opens a file that is stored. An error that is fs.ErrNotExist tells that
// it is not there.
func (s *Store) Open(ctx context.Context, name string) (Content, File, error) {
	o, err := s.client.GetObject(ctx, s.cfg.Bucket, s.key(name), minio.GetObjectOptions{})
	if err != nil {
		return nil, File{}, notThere(name, err)
	}
	is, err := o.Stat()
	if err != nil {
		return nil, File{}, errors.Join(notThere(name, err), o.Close())
	}
	return o, File{name, is.Size, is.LastModified}, nil
}

func notThere(name string, err error) error {
	if minio.ToErrorResponse(err).StatusCode == http.StatusNotFound {
		err = fs.ErrNotExist
	}
	return fmt.Errorf("open %s in the store: %w", name, err)
}

// Address is where anyone gets a file from the store itself for so long; a
// store takes a week at most.
func (s *Store) Address(ctx context.Context, name string, valid time.Duration) (string, error) {
	const longest = 7 * 24 * time.Hour
	how := url.Values{"response-content-type": {wavType}, "response-content-disposition": {`attachment; filename="` + name + `"`}}
	u, err := s.client.PresignedGetObject(ctx, s.cfg.Bucket, s.key(name), min(max(valid, time.Second), longest), how)
	if err != nil {
		return "", fmt.Errorf("make the address of %s in the store: %w", name, err)
	}
	return u.String(), nil
}

// Remove deletes a file; one that is not there is gone already.
func (s *Store) Remove(ctx context.Context, name string) error {
	if err := s.client.RemoveObject(ctx, s.cfg.Bucket, s.key(name), minio.RemoveObjectOptions{}); err != nil {
		return fmt.Errorf("delete %s from the store: %w", name, err)
	}
	return nil
}

// Each gives the files that are stored to work, some at a time in the order of
// their names, until it fails.
func (s *Store) Each(ctx context.Context, most int, work func([]File) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var files []File
	for o := range s.client.ListObjects(ctx, s.cfg.Bucket, minio.ListObjectsOptions{Prefix: s.cfg.Prefix, Recursive: true, MaxKeys: most}) {
		if o.Err != nil {
			return fmt.Errorf("list what is stored: %w", o.Err)
		}
		if name := o.Key[len(s.cfg.Prefix):]; isName(name) {
			files = append(files, File{name, o.Size, o.LastModified})
		}
		if len(files) == most {
			if err := work(files); err != nil {
				return err
			}
			files = files[:0]
		}
	}
	if err := ctx.Err(); err != nil || len(files) == 0 {
		return err
	}
	return work(files)
}
