// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/s3"
)

var (
	farFuture  = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
	partNumber = regexp.MustCompile("partNumber=")
)

// stored makes an object of so many bytes.
func (b *bed) stored(size int64) (data []byte) {
	b.t.Helper()
	path, data := sourceOf(b.t, size)
	if err := b.Upload(b.t.Context(), "image", path, UploadOptions{}); err != nil {
		b.t.Fatal(err)
	}
	b.server.Requests()
	return data
}

// wantFile fails the test unless the file is there, whole, and nothing else.
func wantFile(t *testing.T, what, path string, data []byte) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("%s: got %d bytes, %v; want %d", what, len(got), err, len(data))
	}
	list, _ := os.ReadDir(filepath.Dir(path))
	if len(list) != 1 {
		t.Errorf("%s: beside the file are %v", what, list)
	}
}

func TestDownload(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{0, 1, testPart, testPart + 1, 9*testPart + 7} {
		b := newBed(t, s3.Options{})
		data := b.stored(size)
		path := filepath.Join(t.TempDir(), "image")
		done := int64(0)
		err := b.Download(t.Context(), "image", path, DownloadOptions{Workers: 3, Progress: func(d, total int64) {
			if d <= done || total != size {
				t.Errorf("%d bytes: got %d of %d after %d", size, d, total, done)
			}
			done = d
		}})
		if err != nil || done != size {
			t.Errorf("%d bytes: got %d, %v", size, done, err)
		}
		wantFile(t, fmt.Sprint(size, " bytes"), path, data)
	}
}

// TestDownloadResumes: what is here does not come again, unless it cannot be
// trusted.
func TestDownloadResumes(t *testing.T) {
	t.Parallel()
	const parts = 10
	for _, c := range []struct {
		name    string
		between func(b *bed, path string)
		gets    int
	}{
		{"as it was", func(*bed, string) {}, 4},
		{"no record", func(_ *bed, path string) { os.Remove(path + ".part.done") }, parts},
		{"no file", func(_ *bed, path string) { os.Remove(path + ".part") }, parts},
		{"half a line", func(_ *bed, path string) { appendTo(path+".part.done", "7") }, 4},
		{"odd record", func(_ *bed, path string) { appendTo(path+".part.done", "x\n7\n") }, parts},
		{"replaced", func(b *bed, _ string) { b.put("image", strings.Repeat("n", parts*testPart)) }, parts},
		{"damaged", func(_ *bed, path string) { writeAt(path+".part", 5, "damage") }, 4 + parts},
	} {
		b := newBed(t, s3.Options{})
		b.stored(parts * testPart)
		path := filepath.Join(t.TempDir(), "image")
		b.server.Faults.Add(faults.Rule{Method: "GET", Skip: 6, Do: faults.Answer(503, "")})
		if err := b.Download(t.Context(), "image", path, DownloadOptions{Workers: 1}); !errors.Is(err, fault.Transient) {
			t.Fatalf("%s: got %v, want a transient failure", c.name, err)
		}
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: half of it can be seen: %v", c.name, err)
		}
		b.server.Faults.Clear()
		c.between(b, path)
		b.server.Requests()
		if err := b.Download(t.Context(), "image", path, DownloadOptions{Workers: 1}); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if n := b.sent("GET", ""); n != c.gets {
			t.Errorf("%s: got %d requests, want %d", c.name, n, c.gets)
		}
		wantFile(t, c.name, path, b.server.Content("results", "ci/image"))
	}
}

func appendTo(path, text string) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	f.WriteString(text)
}

func writeAt(path string, at int64, text string) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	f.WriteAt([]byte(text), at)
}

// TestDownloadMeetsFaults: what goes wrong on the way comes again.
func TestDownloadMeetsFaults(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(http.Handler) http.Handler{
		"cut":         faults.Cut(testPart / 2),
		"truncated":   faults.Truncate(testPart / 2),
		"lost":        faults.LoseReply(),
		"unavailable": faults.Answer(503, "<Error><Code>SlowDown</Code></Error>", "Retry-After", "2"),
	} {
		b := newBed(t, s3.Options{})
		data := b.stored(4 * testPart)
		path := filepath.Join(t.TempDir(), "image")
		b.fault("GET", "", 2, do)
		if err := b.Download(t.Context(), "image", path, DownloadOptions{}); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		wantFile(t, name, path, data)
	}
}

// TestDownloadOfAChangingObject: the file is one object, not half of each of two.
func TestDownloadOfAChangingObject(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{})
	b.stored(4 * testPart)
	path := filepath.Join(t.TempDir(), "image")
	other := strings.Repeat("o", 4*testPart)
	b.server.Faults.Add(faults.Rule{Method: "GET", Skip: 2, Times: 1, Do: func(next http.Handler) http.Handler {
		b.server.AddObject("results", "ci/image", other)
		return next
	}})
	if err := b.Download(t.Context(), "image", path, DownloadOptions{Workers: 1}); err != nil {
		t.Fatal(err)
	}
	wantFile(t, "replaced once", path, []byte(other))
	n := 0
	b.fault("GET", "", 0, func(next http.Handler) http.Handler {
		n++
		b.server.AddObject("results", "ci/image", strings.Repeat(fmt.Sprint(n%10), 4*testPart))
		return next
	})
	if err := b.Download(t.Context(), "image", path, DownloadOptions{Workers: 1}); !errors.Is(err, fault.Transient) || !strings.Contains(err.Error(), "replaced") {
		t.Errorf("always replaced: got %v", err)
	}
}

// TestDownloadFails: nothing wrong gets a name.
func TestDownloadFails(t *testing.T) {
	t.Parallel()
	wrong := strings.Repeat("5", 64)
	whole := faults.Answer(200, strings.Repeat("w", 3*testPart), "ETag", `"x"`, "Last-Modified", "Mon, 05 Jan 2026 08:00:00 GMT")
	for _, c := range []struct {
		name       string
		object     string
		o          DownloadOptions
		do         func(http.Handler) http.Handler
		kind       fault.Kind
		text, hint string
	}{
		{"bucket missing", "nope", DownloadOptions{}, faults.Answer(404, "<Error><Code>NoSuchBucket</Code></Error>"), fault.Configuration, "NoSuchBucket", "create the bucket"},
		{"missing", "nope", DownloadOptions{}, nil, fault.Permanent, "there is no such object", ""},
		{"other digest", "image", DownloadOptions{SHA256: wrong}, nil, fault.Permanent, "not " + wrong, ""},
		{"no digest", "image", DownloadOptions{SHA256: "abc"}, nil, fault.Permanent, `"abc" is no SHA-256`, ""},
		{"digest of a foreign object", "foreign", DownloadOptions{SHA256: wrong}, nil, fault.Permanent, "its SHA-256 is", "upload it again"},
		{"damaged", "image", DownloadOptions{}, damage, fault.Permanent, "its SHA-256 is", "upload it again"},
		{"damaged foreign object", "foreign", DownloadOptions{}, damage, fault.Permanent, "its digest is not", "upload it again"},
		{"ranges ignored", "image", DownloadOptions{}, whole, fault.Transient, "replaced", ""},
		{"key refused", "image", DownloadOptions{}, faults.Answer(403, "<Error><Code>AccessDenied</Code></Error>"), fault.Configuration, "AccessDenied", "read objects"},
		{"bucket gone", "image", DownloadOptions{}, faults.Answer(404, "<Error><Code>NoSuchBucket</Code></Error>"), fault.Configuration, "NoSuchBucket", "create the bucket"},
	} {
		b := newBed(t, s3.Options{})
		b.stored(3 * testPart)
		b.server.AddObject("results", "ci/foreign", strings.Repeat("f", 2*testPart))
		if c.do != nil {
			b.fault("GET", "", 0, c.do)
		}
		path := filepath.Join(t.TempDir(), "image")
		err := b.Download(t.Context(), c.object, path, c.o)
		if fault.KindOf(err) != c.kind || !strings.Contains(fmt.Sprint(err), c.text) || !strings.Contains(fault.HintOf(err), c.hint) {
			t.Errorf("%s: got %v (%v, %q), want %v, %q and %q", c.name, err, fault.KindOf(err), fault.HintOf(err), c.kind, c.text, c.hint)
		}
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: there is a file: %v", c.name, err)
		}
	}
}

// damage changes a byte of each answer.
func damage(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(damaging{w}, r)
	})
}

type damaging struct{ http.ResponseWriter }

func (d damaging) Write(p []byte) (int, error) {
	p = bytes.Clone(p)
	p[0]++
	return d.ResponseWriter.Write(p)
}

// TestDownloadWithoutRanges: something in front of the server that drops the
// range is told for what it is.
func TestDownloadWithoutRanges(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{})
	b.stored(3 * testPart)
	b.fault("GET", "", 0, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			o, _ := b.server.Object("results", "ci/image")
			w.Header().Set("ETag", `"`+o.ETag+`"`)
			w.Header().Set("Last-Modified", "Mon, 05 Jan 2026 08:00:00 GMT")
			w.Write(b.server.Content("results", "ci/image"))
		})
	})
	err := b.Download(t.Context(), "image", filepath.Join(t.TempDir(), "image"), DownloadOptions{})
	if !errors.Is(err, fault.Configuration) || !strings.Contains(fault.HintOf(err), "range requests") {
		t.Errorf("got %v (%q)", err, fault.HintOf(err))
	}
}

func TestDownloadEnds(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{})
	data := b.stored(6 * testPart)
	path := filepath.Join(t.TempDir(), "image")
	ctx, cancel := context.WithCancel(t.Context())
	b.server.Faults.Add(faults.Rule{Method: "GET", Skip: 3, Times: 1, Do: func(http.Handler) http.Handler {
		cancel()
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	}})
	if err := b.Download(ctx, "image", path, DownloadOptions{Workers: 2}); !errors.Is(err, context.Canceled) || fault.KindOf(err) != fault.Unknown {
		t.Errorf("got %v (%v), want that the caller cancelled", err, fault.KindOf(err))
	}
	b.server.Requests()
	if err := b.Download(t.Context(), "image", path, DownloadOptions{}); err != nil {
		t.Fatal(err)
	}
	if n := b.sent("GET", ""); n > 5 {
		t.Errorf("got %d requests for 6 parts of which 2 were here", n)
	}
	wantFile(t, "after that", path, data)
}
