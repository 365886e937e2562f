// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// sink is S3 as far as uploads go, and keeps nothing. Downloads from it are
// zeros.
type sink struct {
	parts, bytes atomic.Int64
	size         int64 // of what is downloaded; 0 before it is there
}

func (s *sink) RoundTrip(r *http.Request) (*http.Response, error) {
	body, header := "", http.Header{}
	switch q := r.URL.Query(); {
	case q.Has("uploads"):
		body = "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
	case q.Has("partNumber"):
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			return nil, err
		}
		s.bytes.Add(n)
		s.parts.Add(1)
		header.Set("ETag", `"opaque"`)
	case r.Method == http.MethodPost:
		s.size = s.bytes.Load()
		body = "<CompleteMultipartUploadResult><Bucket>b</Bucket><ETag>opaque</ETag></CompleteMultipartUploadResult>"
	}
	if r.Method == http.MethodHead && s.size == 0 {
		return &http.Response{StatusCode: 404, Status: "404 Not Found", Header: header, Request: r, Body: http.NoBody}, nil
	}
	resp := &http.Response{StatusCode: 200, Status: "200 OK", ProtoMajor: 1, ProtoMinor: 1, Header: header, Request: r, Body: io.NopCloser(strings.NewReader(body))}
	switch r.Method {
	case http.MethodHead:
		header.Set("Content-Length", fmt.Sprint(s.size))
		header.Set("Etag", `"opaque"`)
		header.Set("Last-Modified", "Mon, 05 Jan 2026 08:00:00 GMT")
	case http.MethodGet:
		var first, last int64
		if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &first, &last); err != nil {
			return nil, err
		}
		resp.StatusCode, resp.Body = 206, io.NopCloser(io.LimitReader(zeros{}, last+1-first))
		header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, last, s.size))
		header.Set("Etag", `"opaque"`)
		header.Set("Last-Modified", "Mon, 05 Jan 2026 08:00:00 GMT")
		s.bytes.Add(last + 1 - first)
	}
	return resp, nil
}

// TestTransfersAreFlat moves a file of 400 MB up and down, four parts at a time.
func TestTransfersAreFlat(t *testing.T) {
	const size = 400 << 20
	var s sink
	st, err := Open(options(func(o *Options) { o.Transport = &s; o.Now = time.Now }))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	base := heap()
	var most uint64
	watch := func(int64, int64) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapInuse)
	}
	if err := st.Upload(t.Context(), "x", path, UploadOptions{Progress: watch}); err != nil || s.bytes.Load() != size {
		t.Errorf("upload: got %d bytes, %v", s.bytes.Load(), err)
	}
	s.bytes.Store(0)
	if err := st.Download(t.Context(), "x", path, DownloadOptions{Progress: watch}); err != nil || s.bytes.Load() != size {
		t.Errorf("download: got %d bytes, %v", s.bytes.Load(), err)
	}
	const limit = 48 << 20
	if most > base+limit {
		t.Errorf("the heap grew by %d MiB, want at most %d", (most-base)>>20, limit>>20)
	}
	t.Logf("the heap grew by %d MiB", (most-base)>>20)
}

// TestMemoryIsFlat streams 200 MB of unknown size.
func TestMemoryIsFlat(t *testing.T) {
	const size = 200 << 20
	var s sink
	st, err := Open(options(func(o *Options) { o.Transport = &s; o.Now = time.Now }))
	if err != nil {
		t.Fatal(err)
	}
	peak := &peakReader{r: io.LimitReader(zeros{}, size)}
	peak.base = heap()
	if err := st.Put(t.Context(), "x", peak, -1, "x/y"); err != nil {
		t.Fatal(err)
	}
	if s.bytes.Load() != size || s.parts.Load() != 25 {
		t.Errorf("got %d bytes in %d parts", s.bytes.Load(), s.parts.Load())
	}
	const limit = 40 << 20
	if peak.most > limit {
		t.Errorf("the heap grew by %d MiB, want at most %d", peak.most>>20, limit>>20)
	}
	t.Logf("the heap grew by %d MiB", peak.most>>20)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

// peakReader measures the heap once for each 4 MiB.
type peakReader struct {
	r          io.Reader
	read, next int64
	base       uint64
	most       uint64
}

func (p *peakReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if p.read += int64(n); p.read >= p.next {
		p.next += 4 << 20
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if m.HeapInuse > p.base {
			p.most = max(p.most, m.HeapInuse-p.base)
		}
	}
	return n, err
}
