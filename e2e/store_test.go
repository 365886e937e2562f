// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/publish"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/s3"
	"github.com/spdk-community-ci/dispatcher/internal/store"
)

const s3Key, s3Secret = rig.BucketsKey, rig.BucketsSecret

// bucketServer is a real S3 server (versitygw over a folder) with a proxy in
// front of it that can make requests go wrong.
type bucketServer struct {
	faults.Set
	t        *testing.T
	endpoint string // the proxy's
	// sent and received are bytes of bodies that passed the proxy.
	sent, received atomic.Int64
}

func startBuckets(t *testing.T) *bucketServer {
	t.Helper()
	server, err := rig.StartBuckets(t.Context(), "results")
	must(t, err)
	t.Cleanup(server.Stop)
	b := &bucketServer{t: t}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { // the host is signed, so it stays
			r.SetURL(&url.URL{Scheme: "http", Host: server.Address})
			r.Out.Host = r.In.Host
		},
		Transport: &http.Transport{DisableCompression: true},
		ErrorLog:  log.New(io.Discard, "", 0), // connections are cut on purpose
	}
	front := httptest.NewServer(b.count(b.Wrap(proxy)))
	t.Cleanup(front.Close)
	b.endpoint = front.URL
	return b
}

// count counts what passes.
func (b *bucketServer) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = rig.Counted{ReadCloser: r.Body, N: &b.sent}
		next.ServeHTTP(countedAnswer{w, &b.received}, r)
	})
}

type countedAnswer struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (c countedAnswer) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.n.Add(int64(n))
	return n, err
}

// Unwrap lets the proxy flush and break connections.
func (c countedAnswer) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// open returns a store on the server.
func (b *bucketServer) open(change func(*store.Options)) *store.Store {
	b.t.Helper()
	o := store.Options{
		Endpoint: b.endpoint, Key: s3Key, Secret: s3Secret, Bucket: "results", Prefix: "ci",
		Now: time.Now, Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
	change(&o)
	st, err := store.Open(o)
	must(b.t, err)
	return st
}

func asIs(*store.Options) {}

// fault makes requests whose method and address match go wrong, once.
func (b *bucketServer) fault(method, path string, do func(http.Handler) http.Handler) {
	b.Add(faults.Rule{Method: method, Path: regexp.MustCompile(path), Times: 1, Do: do})
}

// TestStore: objects come back as they went, whatever happens on the way.
func TestStore(t *testing.T) {
	t.Parallel()
	b := startBuckets(t)
	st := b.open(asIs)
	ctx := t.Context()
	small := []byte("hello, world\n")
	big := make([]byte, 64<<20+12345)
	rand.Read(big)
	for _, c := range []struct {
		name   string
		data   []byte
		size   int64
		method string
		path   string
		do     func(http.Handler) http.Handler
	}{
		{name: "empty.txt", data: []byte{}, size: 0},
		{name: "small.txt", data: small, size: int64(len(small))},
		{name: "a b/c+d/ünï & <x> 100%.txt", data: small, size: -1},
		{name: "big", data: big, size: int64(len(big))},
		{name: "big-streamed", data: big, size: -1},
		{name: "upload cut", data: big[:20<<20], size: -1, method: "PUT", path: "partNumber=2", do: s3.CutUpload(3 << 20)},
		{name: "reply lost", data: big[:20<<20], size: -1, method: "PUT", path: "partNumber=3", do: faults.LoseReply()},
		{name: "end lost", data: big[:20<<20], size: -1, method: "POST", path: "uploadId", do: faults.LoseReply()},
		{name: "small cut", data: small, size: -1, method: "PUT", path: "small%20cut", do: s3.CutUpload(3)},
	} {
		if c.do != nil {
			b.fault(c.method, c.path, c.do)
		}
		if err := st.Put(ctx, c.name, bytes.NewReader(c.data), c.size, "text/x-test"); err != nil {
			t.Errorf("%s: %v (%s)", c.name, err, fault.HintOf(err))
			continue
		}
		o, err := st.Stat(ctx, c.name)
		if err != nil || o.Size != int64(len(c.data)) || o.ContentType != "text/x-test" || time.Since(o.Modified).Abs() > 10*time.Minute {
			t.Errorf("%s: got %+v, %v", c.name, o, err)
		}
		if got := digestOf(t, st, c.name); got != sha256.Sum256(c.data) {
			t.Errorf("%s: other bytes came back", c.name)
		}
	}
	b.fault("GET", "big", faults.Cut(1<<20))
	r, _, err := st.Get(ctx, "big")
	must(t, err)
	defer r.Close()
	if _, err := io.Copy(io.Discard, r); !errors.Is(err, fault.Transient) {
		t.Errorf("a download that is cut: got %v", err)
	}
	if _, err := st.Stat(ctx, "not there"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an object that is not there: got %v", err)
	}
}

// TestTransfers: an image that is cut off on its way, up or down, goes on from
// there; little is sent twice, and what arrives is what was sent.
func TestTransfers(t *testing.T) {
	t.Parallel()
	const part, workers = 8 << 20, 3
	const size = 12*part + 12345
	b := startBuckets(t)
	st := b.open(asIs)
	dir := t.TempDir()
	image := filepath.Join(dir, "image")
	data := make([]byte, size)
	rand.Read(data)
	must(t, os.WriteFile(image, data, 0o644))

	cut := func(method, path string, do func(http.Handler) http.Handler, transfer func(ctx context.Context) error) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		b.Add(faults.Rule{Method: method, Path: regexp.MustCompile(path), Skip: 6, Times: 1, Do: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer cancel()
				do(next).ServeHTTP(w, r)
			})
		}})
		if err := transfer(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want that it was cut off", err)
		}
		must(t, transfer(t.Context()))
	}
	wasted := func(what string, moved int64) {
		t.Helper()
		t.Logf("%s: %d of %d bytes twice", what, moved-size, size)
		if moved-size > workers*part+1<<20 {
			t.Errorf("%s: %d bytes were moved twice, want at most %d", what, moved-size, workers*part)
		}
	}
	cut("PUT", "partNumber", s3.CutUpload(part/2), func(ctx context.Context) error {
		return st.Upload(ctx, "image", image, store.UploadOptions{Workers: workers})
	})
	wasted("upload", b.sent.Load())
	if n, err := st.DropUploads(t.Context(), "", time.Now().Add(time.Hour)); n != 0 || err != nil {
		t.Errorf("%d unfinished uploads are left, %v", n, err)
	}
	o, err := st.Stat(t.Context(), "image")
	if want := fmt.Sprintf("%x", sha256.Sum256(data)); err != nil || o.SHA256 != want || o.Size != size {
		t.Errorf("got %+v, %v; want the SHA-256 %s", o, err, want)
	}
	got := filepath.Join(dir, "got")
	b.received.Store(0)
	cut("GET", "/image", faults.Cut(part/2), func(ctx context.Context) error {
		return st.Download(ctx, "image", got, store.DownloadOptions{Workers: workers})
	})
	wasted("download", b.received.Load())
	if back, err := os.ReadFile(got); err != nil || !bytes.Equal(back, data) {
		t.Errorf("other bytes came back, %v", err)
	}
	if left, _ := filepath.Glob(dir + "/*.*"); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
}

// TestOneOfSeveralWriters: a real server lets one of them succeed.
func TestOneOfSeveralWriters(t *testing.T) {
	t.Parallel()
	b := startBuckets(t)
	st := b.open(asIs)
	if can, err := st.Conditional(t.Context()); !can || err != nil {
		t.Fatalf("got %t, %v", can, err)
	}
	var group sync.WaitGroup
	var won, lost atomic.Int32
	for i := range 4 {
		path := filepath.Join(t.TempDir(), "image")
		must(t, os.WriteFile(path, bytes.Repeat([]byte{byte(i)}, 9<<20), 0o644))
		group.Go(func() {
			switch err := st.Upload(t.Context(), "image", path, store.UploadOptions{OnlyNew: true}); {
			case err == nil:
				won.Add(1)
			case errors.Is(err, store.ErrExists):
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	group.Wait()
	if won.Load() != 1 || lost.Load() != 3 {
		t.Errorf("%d won and %d lost, want 1 and 3", won.Load(), lost.Load())
	}
	must(t, st.Copy(t.Context(), "image", "copy"))
	a, err := st.Stat(t.Context(), "image")
	must(t, err)
	c, err := st.Stat(t.Context(), "copy")
	if err != nil || a.SHA256 == "" || c.SHA256 != a.SHA256 || c.Size != a.Size {
		t.Errorf("copy: got %+v, %v; want what %+v is", c, err, a)
	}
	if n, err := st.DropUploads(t.Context(), "", time.Now().Add(time.Hour)); n != 0 || err != nil {
		t.Errorf("%d unfinished uploads are left, %v", n, err)
	}
}

func digestOf(t *testing.T, st *store.Store, name string) (sum [sha256.Size]byte) {
	t.Helper()
	r, _, err := st.Get(t.Context(), name)
	must(t, err)
	defer r.Close()
	h := sha256.New()
	_, err = io.Copy(h, r)
	must(t, err)
	return [sha256.Size]byte(h.Sum(nil))
}

// TestStoreRefusals: a real server's answers are told for what they are.
func TestStoreRefusals(t *testing.T) {
	t.Parallel()
	b := startBuckets(t)
	for name, c := range map[string]struct {
		change     func(*store.Options)
		text, hint string
	}{
		"wrong secret":   {func(o *store.Options) { o.Secret = "wrong" }, "SignatureDoesNotMatch", "S3_SECRET does not belong to S3_KEY"},
		"wrong key":      {func(o *store.Options) { o.Key = "wrong" }, "XAdminUserNotFound", "check S3_KEY"},
		"missing bucket": {func(o *store.Options) { o.Bucket = "missing" }, "NoSuchBucket", "create the bucket missing"},
		"wrong region":   {func(o *store.Options) { o.Region = "eu-west-1" }, "AuthorizationHeaderMalformed", "set S3_REGION"},
	} {
		st := b.open(c.change)
		for doing, err := range map[string]error{
			"put":  st.Put(t.Context(), "x", strings.NewReader("x"), 1, "text/plain"),
			"list": st.List(t.Context(), "", func(store.Object) error { return nil }),
		} {
			if !errors.Is(err, fault.Configuration) || !strings.Contains(fmt.Sprint(err), c.text) || !strings.Contains(fault.HintOf(err), c.hint) {
				t.Errorf("%s, %s: got %v (%v, %q), want %q and %q", name, doing, err, fault.KindOf(err), fault.HintOf(err), c.text, c.hint)
			}
		}
	}
}

// TestStoreRetention: what is old goes, uploads that were never finished too.
func TestStoreRetention(t *testing.T) {
	t.Parallel()
	b := startBuckets(t)
	st := b.open(asIs)
	ctx := t.Context()
	for i := range 30 {
		must(t, st.Put(ctx, fmt.Sprintf("p/%02d/x.txt", i), strings.NewReader("hello"), 5, "text/plain"))
	}
	cutCtx, cancel := context.WithCancel(ctx)
	b.fault("DELETE", "uploadId", faults.Answer(500, "")) // the clean-up fails, as if we were killed
	b.fault("PUT", "partNumber=2", func(next http.Handler) http.Handler { cancel(); return next })
	if err := st.Put(cutCtx, "p/unfinished", io.LimitReader(rand.Reader, 20<<20), -1, "x/y"); err == nil {
		t.Fatal("the upload should have been cut off")
	}
	old, _, err := st.DeleteOlder(ctx, "p/", time.Now().Add(-time.Hour), nil)
	if old != 0 || err != nil {
		t.Errorf("nothing is old: got %d, %v", old, err)
	}
	soon := time.Now().Add(time.Hour)
	n, size, err := st.DeleteOlder(ctx, "p/", soon, func(name string) bool { return strings.HasPrefix(name, "p/2") })
	if n != 20 || size != 100 || err != nil {
		t.Errorf("got %d objects of %d bytes, %v; want 20 of 100", n, size, err)
	}
	var left []string
	must(t, st.List(ctx, "p/", func(o store.Object) error { left = append(left, o.Name); return nil }))
	if len(left) != 10 || left[0] != "p/20/x.txt" {
		t.Errorf("left: %q", left)
	}
	if n, err := st.DropUploads(ctx, "p/", soon); n != 1 || err != nil {
		t.Errorf("got %d uploads, %v; want 1", n, err)
	}
	if n, err := st.DropUploads(ctx, "p/", soon); n != 0 || err != nil {
		t.Errorf("again: got %d uploads, %v; want none", n, err)
	}
}

// TestPublishToRealStore: what a reader's browser gets.
func TestPublishToRealStore(t *testing.T) {
	t.Parallel()
	b := startBuckets(t)
	st := b.open(asIs)
	p := &publish.Publisher{Store: st, Source: downloads{t}, Now: time.Now, TempDir: t.TempDir()}
	out, err := p.Publish(t.Context(), publish.Batch{
		Project: "spdk/spdk", Key: change.Key{ID: change.ID{Change: 1, Patchset: 2}, Workflow: "autorun.yml", Attempt: 1}, Repository: "spdk/ci",
		Jobs:      []change.Job{{ID: 1, Name: "unit tests", Conclusion: "failure"}},
		Artifacts: []change.Artifact{{ID: 2, Name: "results"}},
	})
	must(t, err)
	if len(out.Problems()) != 0 {
		t.Errorf("problems: %q", out.Problems())
	}
	for name, want := range map[string]string{
		"index.html":                    "text/html; charset=utf-8",
		"logs/unit-tests.txt":           "text/plain; charset=utf-8",
		"artifacts/results/report.html": "text/plain; charset=utf-8",
		"artifacts/results/disk.img":    "application/octet-stream",
	} {
		name = "spdk/spdk/1/2/autorun.yml/1/" + name
		o, err := st.Stat(t.Context(), name)
		if err != nil || o.ContentType != want {
			t.Errorf("%s: got %q, %v; want %q", name, o.ContentType, err, want)
		}
	}
	n, _, err := publish.Expire(t.Context(), st, "spdk/spdk", time.Now().Add(time.Hour), time.Minute)
	if n != 4 || err != nil {
		t.Errorf("got %d files deleted, %v; want 4", n, err)
	}
}

// downloads is GitHub as far as it matters here.
type downloads struct{ t *testing.T }

func (d downloads) Log(context.Context, string, int64) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(strings.Repeat("\x1b[31ma line of a long log\x1b[0m\r\n", 1<<20))), nil
}

func (d downloads) Artifact(context.Context, string, int64) (io.ReadCloser, error) {
	r, w := io.Pipe()
	go func() {
		z := zip.NewWriter(w)
		f, err := z.Create("report.html")
		if err == nil {
			_, err = io.WriteString(f, "<script>alert(1)</script>")
		}
		if err == nil {
			f, err = z.CreateHeader(&zip.FileHeader{Name: "disk.img", Method: zip.Store})
		}
		if err == nil {
			_, err = io.CopyN(f, rand.Reader, 20<<20)
		}
		w.CloseWithError(errors.Join(err, z.Close()))
	}()
	return r, nil
}
