// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/s3"
)

const (
	testKey    = "AKTESTKEY"
	testSecret = "a secret / that must + never be seen="
)

// testPart is the size of a part in most tests.
const testPart = 64 << 10

// bed is a store on a server of its own.
type bed struct {
	*Store
	t        *testing.T
	server   *s3.Server
	endpoint string

	mu    sync.Mutex
	slept []time.Duration
}

func newBed(t *testing.T, server s3.Options, change ...func(*Options)) *bed {
	t.Helper()
	server.Key, server.Secret = testKey, strings.ReplaceAll(testSecret, " ", "_")
	server.MinPart = testPart
	server.Buckets = append(server.Buckets, "results")
	b := &bed{t: t}
	b.server, b.endpoint = s3.Serve(t, server)
	o := Options{
		Endpoint: b.endpoint, Key: testKey, Secret: server.Secret, Bucket: "results", Prefix: "ci",
		Transport: &http.Transport{}, Now: time.Now, Sleep: b.sleep,
	}
	for _, do := range change {
		do(&o)
	}
	b.open(o)
	t.Cleanup(func() { o.Transport.(*http.Transport).CloseIdleConnections() })
	return b
}

func (b *bed) open(o Options) {
	b.t.Helper()
	var err error
	if b.Store, err = Open(o); err != nil {
		b.t.Fatal(err)
	}
	b.part = testPart
}

func (b *bed) sleep(ctx context.Context, d time.Duration) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.slept = append(b.slept, d)
	return ctx.Err()
}

// fault makes requests whose method and address match go wrong so many times; 0
// is always.
func (b *bed) fault(method, path string, times int, do func(http.Handler) http.Handler) {
	b.server.Faults.Add(faults.Rule{Method: method, Path: regexp.MustCompile(path), Times: times, Do: do})
}

// put stores text and fails the test if that does not work.
func (b *bed) put(name, text string) {
	b.t.Helper()
	if err := b.Put(b.t.Context(), name, strings.NewReader(text), int64(len(text)), "text/plain"); err != nil {
		b.t.Fatal(err)
	}
}

// pattern gives n bytes that differ from part to part.
func pattern(n int64) io.Reader { return io.LimitReader(&counting{}, n) }

type counting struct{ n uint64 }

func (c *counting) Read(p []byte) (int, error) {
	for i := range p {
		c.n++
		p[i] = byte(c.n ^ c.n>>8 ^ c.n>>16 ^ c.n>>24)
	}
	return len(p), nil
}
