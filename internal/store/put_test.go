// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/s3"
)

func TestPutSizes(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{})
	for _, size := range []int64{0, 1, testPart - 1, testPart, testPart + 1, 2 * testPart, 2*testPart + 77} {
		for _, announced := range []int64{size, -1} {
			name := fmt.Sprintf("f/%d-%d", size, announced)
			if err := b.Put(t.Context(), name, pattern(size), announced, "text/x-test"); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			want, _ := io.ReadAll(pattern(size))
			if !bytes.Equal(b.server.Content("results", "ci/"+name), want) {
				t.Errorf("%s: the server has other bytes", name)
			}
			o, err := b.Stat(t.Context(), name)
			if err != nil || o.Size != size || o.ContentType != "text/x-test" || o.Name != name || time.Since(o.Modified).Abs() > time.Hour {
				t.Errorf("%s: got %+v, %v", name, o, err)
			}
			if parts := strings.HasPrefix(o.ETag[32:], "-"); parts != (size >= testPart) {
				t.Errorf("%s: got the tag %s", name, o.ETag)
			}
		}
	}
	if left := b.server.Uploads(); len(left) != 0 {
		t.Errorf("unfinished uploads: %q", left)
	}
}

// TestPutIsSigned: every request carries the payload's real hash.
func TestPutIsSigned(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{}, func(o *Options) { o.UserAgent = "dispatcher/1" })
	b.put("x", "hello")
	r := b.server.Requests()
	if len(r) != 1 || r[0].Method != "PUT" || r[0].Path != "/results/ci/x" {
		t.Fatalf("got %+v, want one PUT", r)
	}
	got := []string{r[0].Header.Get("X-Amz-Content-Sha256"), r[0].Header.Get("Content-Md5"), r[0].Header.Get("User-Agent")}
	want := []string{"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", "XUFAKrxLKna5cZ2REBfFkg==", "dispatcher/1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

// TestPutSourceFails: nothing is stored of a source that does not give what it
// should, and its error is kept.
func TestPutSourceFails(t *testing.T) {
	t.Parallel()
	gone := fault.New(fault.Configuration, "no right to read it")
	for _, c := range []struct {
		name string
		r    io.Reader
		size int64
		kind fault.Kind
		text string
	}{
		{"too short", pattern(10), 11, fault.Permanent, "ended after 10 of 11 bytes"},
		{"too long", pattern(12), 11, fault.Permanent, "does not end after the 11 bytes"},
		{"a byte too long for the parts", pattern(testPart + 1), testPart, fault.Permanent, "does not end after"},
		{"short of a part", pattern(testPart + 1), 2 * testPart, fault.Permanent, "ended after 65537 of 131072"},
		{"cut", io.MultiReader(pattern(10), broken{io.ErrUnexpectedEOF}), -1, fault.Transient, "unexpected EOF"},
		{"cut in a later part", io.MultiReader(pattern(testPart+10), broken{io.ErrUnexpectedEOF}), -1, fault.Transient, "unexpected EOF"},
		{"classified", io.MultiReader(pattern(testPart+10), broken{gone}), -1, fault.Configuration, "no right to read it"},
		{"far too large", pattern(1 << 40), MaxObject + 1, fault.Permanent, "larger than 78 GiB"},
	} {
		b := newBed(t, s3.Options{})
		err := b.Put(t.Context(), "x", c.r, c.size, "text/plain")
		if fault.KindOf(err) != c.kind || !strings.Contains(fmt.Sprint(err), c.text) {
			t.Errorf("%s: got %v (%v), want %v and %q", c.name, err, fault.KindOf(err), c.kind, c.text)
		}
		if n, left := len(b.server.Objects("results")), b.server.Uploads(); n != 0 || len(left) != 0 {
			t.Errorf("%s: %d objects and the uploads %q are left", c.name, n, left)
		}
	}
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// TestPutTriesAgain: what goes wrong on the way is sent again, and nothing else
// is.
func TestPutTriesAgain(t *testing.T) {
	t.Parallel()
	const size = 2*testPart + 5
	slow := faults.Answer(503, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>", "Retry-After", "7")
	for _, c := range []struct {
		name, method, path string
		do                 func(http.Handler) http.Handler
		slept              []time.Duration
	}{
		{"cut", "PUT", "partNumber=2", s3.CutUpload(testPart / 2), []time.Duration{time.Second}},
		{"reply lost", "PUT", "partNumber=2", faults.LoseReply(), []time.Duration{time.Second}},
		{"slow down", "POST", "uploads=", slow, []time.Duration{7 * time.Second}},
		{"not stored", "PUT", "partNumber=3", faults.Answer(200, "", "ETag", `"d41d8cd98f00b204e9800998ecf8427e"`), []time.Duration{time.Second}},
		{"start lost", "POST", "uploads=", faults.LoseReply(), []time.Duration{time.Second}},
		{"end lost", "POST", "uploadId", faults.LoseReply(), []time.Duration{time.Second}},
		{"end cut", "POST", "uploadId", faults.Cut(20), []time.Duration{time.Second}},
		{"failed after 200", "POST", "uploadId", faults.Answer(200, "<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>"), []time.Duration{time.Second}},
	} {
		b := newBed(t, s3.Options{})
		b.fault(c.method, c.path, 1, c.do)
		if err := b.Put(t.Context(), "x", pattern(size), size, "text/plain"); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		want, _ := io.ReadAll(pattern(size))
		if !bytes.Equal(b.server.Content("results", "ci/x"), want) {
			t.Errorf("%s: the server has other bytes", c.name)
		}
		if diff := cmp.Diff(c.slept, b.slept); diff != "" {
			t.Errorf("%s: waits (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestPutGivesUp(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{})
	b.fault("PUT", "", 0, faults.Answer(503, ""))
	err := b.Put(t.Context(), "x", strings.NewReader("hello"), 5, "text/plain")
	if !errors.Is(err, fault.Transient) {
		t.Errorf("got %v, want a transient failure", err)
	}
	if diff := cmp.Diff([]time.Duration{time.Second, 2 * time.Second, 4 * time.Second}, b.slept); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
	if n := len(b.server.Requests()); n != maxTries {
		t.Errorf("got %d requests, want %d", n, maxTries)
	}
}

// TestLostPart: a server that forgets a part fails the upload as a whole.
func TestLostPart(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{})
	b.server.LosePart(1)
	err := b.Put(t.Context(), "x", pattern(testPart+1), -1, "text/plain")
	if !errors.Is(err, fault.Transient) || !strings.Contains(err.Error(), "InvalidPart") {
		t.Errorf("got %v, want a transient InvalidPart", err)
	}
	if n := len(b.server.Objects("results")); n != 0 || len(b.server.Uploads()) != 0 {
		t.Errorf("%d objects and the uploads %q are left", n, b.server.Uploads())
	}
}

// TestEndLostAndOldObject: the object that stood there before is not taken for
// the new one.
func TestEndLostAndOldObject(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{})
	b.put("x", strings.Repeat("o", 9))
	b.fault("POST", "uploadId", 0, faults.Answer(404, "<Error><Code>NoSuchUpload</Code><Message>gone</Message></Error>"))
	err := b.Put(t.Context(), "x", pattern(testPart+1), -1, "text/plain")
	if err == nil || !strings.Contains(err.Error(), "NoSuchUpload") {
		t.Errorf("got %v, want NoSuchUpload", err)
	}
}

// TestPutEnds: a caller that gives up is obeyed, also in the middle of a part.
func TestPutEnds(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	b.fault("PUT", "partNumber=2", 0, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			cancel()
			io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		})
	})
	err := b.Put(ctx, "x", pattern(2*testPart), -1, "text/plain")
	if !errors.Is(err, context.Canceled) || fault.KindOf(err) != fault.Unknown {
		t.Errorf("got %v (%v), want that the caller cancelled", err, fault.KindOf(err))
	}
	if len(b.server.Uploads()) != 0 {
		t.Errorf("the uploads %q are left", b.server.Uploads())
	}
}

func TestWithoutSleep(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{}, func(o *Options) { o.Sleep = nil })
	b.fault("", "", 0, faults.Answer(500, ""))
	if _, err := b.Stat(t.Context(), "x"); !errors.Is(err, fault.Transient) {
		t.Errorf("got %v, want a transient failure", err)
	}
	if n := len(b.server.Requests()); n != 1 {
		t.Errorf("got %d requests, want 1", n)
	}
}
