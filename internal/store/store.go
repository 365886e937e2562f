// SPDX-License-Identifier: BSD-3-Clause

// Package store keeps objects in S3-compatible storage: it writes, reads, lists
// and deletes them below one prefix of one bucket, and says where readers find
// them. It is the only package that imports minio-go.
//
// It does not know what the objects are, makes no buckets, and sets no access
// rights: whether strangers can open a link is decided where the bucket is kept.
//
// Every request goes through one door (door.go), which sees the server's answer
// before the client library does, stops the library's own retries, and bounds
// what is read. What is uploaded is sent with its SHA-256, which the server
// checks, and the server's own digest (an MD5) is compared with ours afterwards.
package store

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// PathStyle says where a request names the bucket.
type PathStyle string

// The path styles. Auto is virtual-host style at Amazon and Google, and path
// style elsewhere.
const (
	Auto    PathStyle = "auto"    // the same as an empty one
	Path    PathStyle = "path"    // https://ENDPOINT/BUCKET/NAME
	Virtual PathStyle = "virtual" // https://BUCKET.ENDPOINT/NAME
)

// Options describe the storage and the account used there.
type Options struct {
	// Endpoint is the server's address (S3_ENDPOINT_URL), such as
	// https://s3.us-west-004.backblazeb2.com; it may have a path, which becomes
	// part of what is signed.
	Endpoint string
	// Key and Secret are the account (S3_KEY, S3_SECRET).
	Key, Secret string
	// Region is the bucket's (S3_REGION); if empty, it is taken from the endpoint's
	// host or from what the server says.
	Region string
	// Bucket must exist.
	Bucket string
	// Prefix stands in front of all names, with a slash behind it; it may be
	// empty.
	Prefix string
	// PathStyle (S3_PATH_STYLE) is Auto if empty.
	PathStyle PathStyle
	// PublicURL is the address below which readers find the bucket's objects (a
	// CDN or a custom domain); if empty, it is the bucket's own address.
	PublicURL string
	// Transport carries the requests; nil is http.DefaultTransport.
	Transport http.RoundTripper
	// UserAgent is sent with each request if not empty.
	UserAgent string
	// Now is this host's clock, to tell when it disagrees with the server's;
	// it must be set.
	Now func() time.Time
	// Sleep waits between two tries and ends early with ctx; nil makes each
	// request try once.
	Sleep func(context.Context, time.Duration) error
}

// Store is one prefix of one bucket. It may be used from several goroutines.
type Store struct {
	o       Options
	at      *url.URL // the endpoint, without a final slash
	prefix  string   // empty or with a final slash
	public  string   // without a final slash
	door    *door
	guessed bool // the region: the server may say another one
	core    atomic.Pointer[minio.Core]
	idle    time.Duration
	part    int64 // size in bytes

	probe       sync.Mutex
	conditional *bool // nil before it was tried

	mu   sync.Mutex
	left left
}

// Open checks the options and returns a store, or one error with all that is wrong
// with them. It sends nothing.
func Open(o Options) (*Store, error) {
	found := checkOptions(&o)
	s := &Store{o: o, idle: idleLimit, part: partSize}
	at, bad := parseEndpoint(o.Endpoint)
	if bad == nil {
		bad = checkClear(o, at)
	}
	if bad != nil {
		return nil, problems(append(found, bad))
	}
	if s.public, bad = publicURL(o, at); bad != nil {
		found = append(found, bad)
	}
	if err := problems(found); err != nil {
		return nil, err
	}
	s.at = at
	if o.Prefix != "" {
		s.prefix = o.Prefix + "/"
	}
	region := o.Region
	if region == "" {
		region, s.guessed = regionOf(at.Hostname()), true
	}
	s.door = &door{next: o.Transport, agent: o.UserAgent, base: at.EscapedPath(), key: o.Key, secret: o.Secret}
	if s.door.next == nil {
		s.door.next = http.DefaultTransport
	}
	return s, s.connect(region)
}

// connect makes the client for a region. It sends nothing.
func (s *Store) connect(region string) error {
	core, err := minio.NewCore(s.at.Host, &minio.Options{
		Creds:  credentials.NewStaticV4(s.o.Key, s.o.Secret, ""),
		Secure: s.at.Scheme == "https",
		Region: region, BucketLookup: lookup[s.o.PathStyle], Transport: s.door,
		MaxRetries: 1, // ours are in call.go
	})
	if err != nil {
		return fault.New(fault.Configuration, "failed to use the storage endpoint: %w", err).
			WithHint("check S3_ENDPOINT_URL")
	}
	s.core.Store(core)
	return nil
}

var lookup = map[PathStyle]minio.BucketLookupType{
	Auto: minio.BucketLookupAuto, Path: minio.BucketLookupPath, Virtual: minio.BucketLookupDNS,
}
