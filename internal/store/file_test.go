// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/s3"
)

// sourceOf makes a file of so many bytes.
func sourceOf(t *testing.T, size int64) (path string, data []byte) {
	t.Helper()
	data, _ = io.ReadAll(pattern(size))
	path = filepath.Join(t.TempDir(), "image.qcow2")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path, data
}

// sent counts the requests of a method whose address holds a text.
func (b *bed) sent(method, text string) (n int) {
	for _, r := range b.server.Requests() {
		if r.Method == method && strings.Contains(r.Path, text) {
			n++
		}
	}
	return n
}

// wantStored fails the test unless the server has this, and nothing is left over.
func (b *bed) wantStored(what, name, path string, data []byte) {
	b.t.Helper()
	if !bytes.Equal(b.server.Content("results", "ci/"+name), data) {
		b.t.Errorf("%s: the server has other bytes", what)
	}
	o, err := b.Stat(b.t.Context(), name)
	if want := fmt.Sprintf("%x", sha256.Sum256(data)); err != nil || o.SHA256 != want {
		b.t.Errorf("%s: got the SHA-256 %s, %v; want %s", what, o.SHA256, err, want)
	}
	if left := b.server.Uploads(); len(left) != 0 {
		b.t.Errorf("%s: unfinished uploads: %q", what, left)
	}
	if _, err := os.Stat(path + ".upload"); !errors.Is(err, os.ErrNotExist) {
		b.t.Errorf("%s: the record of the upload is left: %v", what, err)
	}
}

func TestUpload(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{0, 1, testPart, testPart + 1, 5 * testPart, 9*testPart + 7} {
		b := newBed(t, s3.Options{PageSize: 2})
		path, data := sourceOf(t, size)
		var seen []int64
		tell := func(done, total int64) {
			if total != size {
				t.Errorf("%d bytes: got the total %d", size, total)
			}
			seen = append(seen, done)
		}
		if err := b.Upload(t.Context(), "image", path, UploadOptions{Progress: tell, Workers: 3}); err != nil {
			t.Errorf("%d bytes: %v", size, err)
			continue
		}
		b.wantStored(fmt.Sprintf("%d bytes", size), "image", path, data)
		if !slices.IsSorted(seen) || len(seen) == 0 || seen[len(seen)-1] != size {
			t.Errorf("%d bytes: got the progress %d", size, seen)
		}
		b.server.Requests()
		if err := b.Upload(t.Context(), "image", path, UploadOptions{}); err != nil || b.sent("PUT", "") != 0 {
			t.Errorf("%d bytes: sent again, or %v", size, err)
		}
	}
}

// TestUploadResumes: what the server has is not sent again.
func TestUploadResumes(t *testing.T) {
	t.Parallel()
	const parts = 10
	for _, c := range []struct {
		name    string
		between func(b *bed, path string) // what happens before the second try
		sends   int
	}{
		{"as it was", func(*bed, string) {}, 4},
		{"no record", func(_ *bed, path string) { os.Remove(path + ".upload") }, parts},
		{"half a record", func(_ *bed, path string) { os.Truncate(path+".upload", 30) }, parts},
		{"ended by the server", func(b *bed, _ string) {
			if n, err := b.DropUploads(b.t.Context(), "", farFuture); n != 1 || err != nil {
				b.t.Errorf("dropped %d, %v", n, err)
			}
		}, parts},
		{"other content", func(_ *bed, path string) {
			data, _ := os.ReadFile(path)
			data[3]++
			os.WriteFile(path, data, 0o644)
		}, parts},
	} {
		b := newBed(t, s3.Options{PageSize: 3})
		path, _ := sourceOf(t, parts*testPart)
		b.server.Faults.Add(faults.Rule{Method: "PUT", Path: partNumber, Skip: 6, Do: faults.Answer(503, "")})
		err := b.Upload(t.Context(), "image", path, UploadOptions{Workers: 1})
		if !errors.Is(err, fault.Transient) {
			t.Fatalf("%s: got %v, want a transient failure", c.name, err)
		}
		if _, err := b.Stat(t.Context(), "image"); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: half of it can be seen: %v", c.name, err)
		}
		b.server.Faults.Clear()
		c.between(b, path)
		b.server.Requests()
		first := int64(-1)
		tell := func(done, _ int64) {
			if first < 0 {
				first = done
			}
		}
		if err := b.Upload(t.Context(), "image", path, UploadOptions{Workers: 1, Progress: tell}); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if n := b.sent("PUT", "partNumber"); n != c.sends || first != testPart {
			t.Errorf("%s: got %d parts sent, and first %d bytes; want %d", c.name, n, first, c.sends)
		}
		data, _ := os.ReadFile(path)
		if c.name == "no record" || c.name == "half a record" { // nobody can know of the first try
			if n, err := b.DropUploads(t.Context(), "", farFuture); n != 1 || err != nil {
				t.Errorf("%s: dropped %d, %v", c.name, n, err)
			}
		}
		b.wantStored(c.name, "image", path, data)
	}
}

// TestUploadMeetsFaults: what goes wrong on the way is mended.
func TestUploadMeetsFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, method, path string
		do                 func(http.Handler) http.Handler
	}{
		{"part cut", "PUT", "partNumber=2", s3.CutUpload(testPart / 2)},
		{"part's answer lost", "PUT", "partNumber=3", faults.LoseReply()},
		{"part not stored", "PUT", "partNumber=3", faults.Answer(200, "", "ETag", `"d41d8cd98f00b204e9800998ecf8427e"`)},
		{"begin lost", "POST", "uploads=", faults.LoseReply()},
		{"end's answer lost", "POST", "uploadId", faults.LoseReply()},
		{"ended by somebody", "PUT", "partNumber=4", faults.Answer(404, "<Error><Code>NoSuchUpload</Code></Error>")},
		{"slow down", "PUT", "partNumber=4", faults.Answer(503, "<Error><Code>SlowDown</Code></Error>", "Retry-After", "3")},
	} {
		for _, onlyNew := range []bool{false, true} {
			b := newBed(t, s3.Options{})
			path, data := sourceOf(t, 5*testPart+1)
			b.fault(c.method, c.path, 1, c.do)
			if err := b.Upload(t.Context(), "image", path, UploadOptions{OnlyNew: onlyNew}); err != nil {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			if c.name == "begin lost" || c.name == "ended by somebody" { // here the server still has it
				b.DropUploads(t.Context(), "", farFuture)
			}
			b.wantStored(c.name, "image", path, data)
		}
	}
}

// TestUploadLosesParts: parts that the server forgets are sent again.
func TestUploadLosesParts(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{})
	path, data := sourceOf(t, 5*testPart)
	b.server.LosePart(2)
	b.server.LosePart(5)
	if err := b.Upload(t.Context(), "image", path, UploadOptions{}); err != nil {
		t.Fatal(err)
	}
	if n := b.sent("PUT", "partNumber"); n != 7 {
		t.Errorf("got %d parts sent, want 7", n)
	}
	b.wantStored("lost", "image", path, data)
	for range 2 * maxRounds {
		b.server.LosePart(1)
	}
	path, _ = sourceOf(t, 3*testPart)
	if err := b.Upload(t.Context(), "other", path, UploadOptions{}); !errors.Is(err, fault.Transient) || !strings.Contains(err.Error(), "InvalidPart") {
		t.Errorf("always lost: got %v, want a transient InvalidPart", err)
	}
}

// TestUploadFails: the error says what is wrong, and what may be resumed stays.
func TestUploadFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		change     func(*Options)
		do         func(http.Handler) http.Handler
		kind       fault.Kind
		text, hint string
		left       int // unfinished uploads
	}{
		{"key refused", func(o *Options) { o.Secret = "wrong" }, nil, fault.Configuration, "SignatureDoesNotMatch", "S3_SECRET", 0},
		{"bucket gone", nil, faults.Answer(404, "<Error><Code>NoSuchBucket</Code></Error>"), fault.Configuration, "NoSuchBucket", "create the bucket", 1},
		{"right withdrawn", nil, faults.Answer(403, "<Error><Code>AccessDenied</Code></Error>"), fault.Configuration, "AccessDenied", "the right to write", 1},
		{"full", nil, faults.Answer(507, ""), fault.Configuration, "507", "make room", 1},
		{"clock", nil, faults.Answer(403, "<Error><Code>RequestTimeTooSkewed</Code></Error>"), fault.Ours, "clock", "NTP", 1},
		{"refused for good", nil, faults.Answer(400, "<Error><Code>InvalidRequest</Code></Error>"), fault.Permanent, "InvalidRequest", "", 0},
	} {
		b := newBed(t, s3.Options{}, func(o *Options) {
			if c.change != nil {
				c.change(o)
			}
		})
		path, _ := sourceOf(t, 3*testPart)
		if c.do != nil {
			b.fault("PUT", "partNumber=2", 0, c.do)
		}
		err := b.Upload(t.Context(), "image", path, UploadOptions{Workers: 1})
		if fault.KindOf(err) != c.kind || !strings.Contains(fmt.Sprint(err), c.text) || !strings.Contains(fault.HintOf(err), c.hint) {
			t.Errorf("%s: got %v (%v, %q), want %v, %q and %q", c.name, err, fault.KindOf(err), fault.HintOf(err), c.kind, c.text, c.hint)
		}
		if left := b.server.Uploads(); len(left) != c.left {
			t.Errorf("%s: the uploads %q are left, want %d", c.name, left, c.left)
		}
	}
}

// TestUploadOfAChangingFile: what is stored under a digest has it.
func TestUploadOfAChangingFile(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{})
	path, _ := sourceOf(t, 3*testPart)
	b.fault("PUT", "partNumber=3", 1, func(next http.Handler) http.Handler {
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			t.Error(err)
		}
		file.WriteString("more")
		file.Close()
		return next
	})
	err := b.Upload(t.Context(), "image", path, UploadOptions{})
	if !errors.Is(err, fault.Permanent) || !strings.Contains(err.Error(), "was changed meanwhile") {
		t.Errorf("got %v, want that it was changed", err)
	}
	if n := len(b.server.Objects("results")) + len(b.server.Uploads()); n != 0 {
		t.Errorf("%d objects or uploads are left", n)
	}
	for name, path := range map[string]string{"missing": filepath.Join(t.TempDir(), "x"), "folder": t.TempDir()} {
		if err := b.Upload(t.Context(), "x", path, UploadOptions{}); err == nil || !strings.Contains(err.Error(), "failed to upload x") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestUploadEnds(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{})
	path, data := sourceOf(t, 6*testPart)
	ctx, cancel := context.WithCancel(t.Context())
	b.fault("PUT", "partNumber=4", 1, func(http.Handler) http.Handler {
		cancel()
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	})
	err := b.Upload(ctx, "image", path, UploadOptions{Workers: 2})
	if !errors.Is(err, context.Canceled) || fault.KindOf(err) != fault.Unknown {
		t.Errorf("got %v (%v), want that the caller cancelled", err, fault.KindOf(err))
	}
	if err := b.Upload(t.Context(), "image", path, UploadOptions{}); err != nil {
		t.Fatal(err)
	}
	b.wantStored("after that", "image", path, data)
}

// TestOnlyNew: of several writers one succeeds, on any kind of server; the same
// content is no conflict.
func TestOnlyNew(t *testing.T) {
	t.Parallel()
	for _, conditions := range []s3.Conditions{s3.Obeyed, s3.Ignored, s3.Refused} {
		for _, size := range []int64{10, 3 * testPart} {
			b := newBed(t, s3.Options{Conditions: conditions})
			can, err := b.Conditional(t.Context())
			if can != (conditions == s3.Obeyed) || err != nil {
				t.Errorf("%v: got %t, %v", conditions, can, err)
			}
			path, data := sourceOf(t, size)
			o := UploadOptions{OnlyNew: true}
			for range 2 {
				if err := b.Upload(t.Context(), "image", path, o); err != nil {
					t.Errorf("%v, %d bytes: %v", conditions, size, err)
				}
			}
			other, _ := sourceOf(t, size+1)
			if err := b.Upload(t.Context(), "image", other, o); !errors.Is(err, ErrExists) || !errors.Is(err, fault.Permanent) {
				t.Errorf("%v, %d bytes: got %v, want ErrExists", conditions, size, err)
			}
			// Somebody writes it between the look and the write.
			rule := faults.Rule{Method: "HEAD", Times: 1, Do: faults.Answer(404, "")}
			b.server.Faults.Add(rule)
			if err := b.Upload(t.Context(), "image", other, o); conditions == s3.Obeyed && !errors.Is(err, ErrExists) {
				t.Errorf("%v, %d bytes, late: got %v, want ErrExists", conditions, size, err)
			}
			if conditions == s3.Obeyed {
				b.wantStored("only new", "image", other, data)
			}
			if objects := b.server.Objects("results"); len(objects) != 1 {
				t.Errorf("%v: got %+v, want no probe to be left", conditions, objects)
			}
		}
	}
}

func TestPutNew(t *testing.T) {
	t.Parallel()
	for _, conditions := range []s3.Conditions{s3.Obeyed, s3.Ignored} {
		b := newBed(t, s3.Options{Conditions: conditions})
		var got []string
		for _, text := range []string{"a", "a", "b"} {
			err := b.PutNew(t.Context(), "claim", []byte(text), "text/plain")
			got = append(got, fmt.Sprint(err))
		}
		want := []string{"<nil>", "<nil>", "failed to store claim: there is such an object already"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", conditions, diff)
		}
		// The answer to our own write is lost: it is ours all the same.
		b.fault("PUT", "other", 1, faults.LoseReply())
		if err := b.PutNew(t.Context(), "other", []byte("x"), "text/plain"); err != nil {
			t.Errorf("%v: answer lost: %v", conditions, err)
		}
		if err := b.PutNew(t.Context(), "large", make([]byte, testPart+1), "x/y"); !errors.Is(err, fault.Permanent) {
			t.Errorf("too large: got %v", err)
		}
	}
}

func TestCopy(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{})
	path, data := sourceOf(t, 3*testPart)
	if err := b.Upload(t.Context(), "a b+c", path, UploadOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := b.Copy(t.Context(), "a b+c", "latest"); err != nil {
		t.Fatal(err)
	}
	b.wantStored("copy", "latest", path, data)
	if err := b.Copy(t.Context(), "missing", "latest"); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	b.fault("PUT", "latest", 1, faults.Answer(200, "<Error><Code>InternalError</Code></Error>"))
	if err := b.Copy(t.Context(), "a b+c", "latest"); err != nil || len(b.slept) != 1 {
		t.Errorf("failed after 200: got %v and the waits %v", err, b.slept)
	}
}
