// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// sink is S3 as far as uploads go, and keeps nothing.
type sink struct{ parts, bytes atomic.Int64 }

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
		body = "<CompleteMultipartUploadResult><Bucket>b</Bucket><ETag>opaque</ETag></CompleteMultipartUploadResult>"
	}
	resp := &http.Response{StatusCode: 200, Status: "200 OK", ProtoMajor: 1, ProtoMinor: 1, Header: header, Request: r, Body: io.NopCloser(strings.NewReader(body))}
	if r.Method == http.MethodHead {
		header.Set("Content-Length", "209715200")
		header.Set("Last-Modified", "Mon, 05 Jan 2026 08:00:00 GMT")
	}
	return resp, nil
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
