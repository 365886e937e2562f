// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/s3"
)

func (b *bed) names(prefix string) []string {
	b.t.Helper()
	names := []string{}
	if err := b.List(b.t.Context(), prefix, func(o Object) error { names = append(names, o.Name); return nil }); err != nil {
		b.t.Fatal(err)
	}
	return names
}

func TestList(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{PageSize: 2})
	for _, name := range []string{"a/1", "a/2 +&<é", "a/3", "ab", "b"} {
		b.put(name, "hello")
	}
	outside, err := Open(options(func(o *Options) { *o = b.o; o.Prefix = "cicero" }))
	if err != nil {
		t.Fatal(err)
	}
	(&bed{Store: outside, t: t}).put("x", "somebody else's")
	if diff := cmp.Diff([]string{"a/1", "a/2 +&<é", "a/3", "ab", "b"}, b.names("")); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a/1", "a/2 +&<é", "a/3"}, b.names("a/")); diff != "" {
		t.Errorf("a/ (-want +got):\n%s", diff)
	}
	stop := errors.New("enough")
	if err := b.List(t.Context(), "", func(Object) error { return stop }); err != stop {
		t.Errorf("got %v, want the error of visit as it is", err)
	}
}

// TestListManyPages: a page that fails is asked for again, and nothing is
// visited twice.
func TestListManyPages(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{PageSize: 700})
	want := []string{}
	for i := range pageSize + 5 {
		want = append(want, fmt.Sprintf("x/%05d", i))
		b.server.AddObject("results", "ci/"+want[i], "x")
	}
	b.fault("GET", "continuation-token", 1, faults.Cut(3000))
	b.fault("GET", "start-after", 1, faults.Answer(500, ""))
	if diff := cmp.Diff(want, b.names("x/")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(b.slept) != 2 {
		t.Errorf("got the waits %v, want two", b.slept)
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{})
	b.put("x", "hello")
	for range 2 { // the second time there is nothing to delete
		if err := b.Delete(t.Context(), "x"); err != nil {
			t.Error(err)
		}
	}
	if n := len(b.server.Objects("results")); n != 0 {
		t.Errorf("%d objects are left", n)
	}
	b.fault("DELETE", "", 0, refusal(404, "NoSuchKey", "not there"))
	if err := b.Delete(t.Context(), "x"); err != nil {
		t.Errorf("a server that says 404: got %v", err)
	}
}

// retention fills a bed with old and new objects.
func retention(t *testing.T) (*bed, time.Time) {
	b := newBed(t, s3.Options{})
	for _, name := range []string{"p/old1", "p/new1", "p/old2", "p/kept", "q/old3"} {
		b.put(name, "hello")
		if !strings.HasPrefix(name[2:], "new") {
			b.server.Age("results", "ci/"+name, 48*time.Hour)
		}
	}
	return b, time.Now().Add(-24 * time.Hour)
}

func TestDeleteOlder(t *testing.T) {
	t.Parallel()
	b, before := retention(t)
	n, bytes, err := b.DeleteOlder(t.Context(), "p/", before, func(name string) bool { return name == "p/kept" })
	if n != 2 || bytes != 10 || err != nil {
		t.Errorf("got %d objects of %d bytes, %v; want 2 of 10", n, bytes, err)
	}
	if diff := cmp.Diff([]string{"p/kept", "p/new1", "q/old3"}, b.names("")); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}

// TestDeleteOlderGoesOn: an object that cannot be deleted does not keep the
// others, but a bucket where nothing can be deleted ends it.
func TestDeleteOlderGoesOn(t *testing.T) {
	t.Parallel()
	b, before := retention(t)
	b.fault("DELETE", "old1", 0, refusal(403, "AccessDenied", "locked"))
	n, _, err := b.DeleteOlder(t.Context(), "", before, nil)
	if n != 3 || !errors.Is(err, fault.Configuration) || !strings.Contains(fmt.Sprint(err), "failed to delete p/old1") {
		t.Errorf("got %d, %v; want 3 deleted and one failure", n, err)
	}
	b = newBed(t, s3.Options{})
	for i := range 3 * maxDeleteFailures {
		b.put(fmt.Sprintf("x%02d", i), "x")
	}
	b.server.Requests()
	b.fault("DELETE", "", 0, refusal(403, "AccessDenied", "no"))
	if _, _, err := b.DeleteOlder(t.Context(), "", time.Now().Add(time.Hour), nil); !strings.Contains(fault.HintOf(err), "delete objects") {
		t.Errorf("got %v (%q)", err, fault.HintOf(err))
	}
	if n := len(b.server.Requests()); n != 1+maxDeleteFailures {
		t.Errorf("got %d requests, want %d", n, 1+maxDeleteFailures)
	}
}

func TestDropUploads(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{})
	for _, name := range []string{"old", "new"} {
		ctx, cancel := context.WithCancel(t.Context())
		b.fault("DELETE", "uploadId", 1, refusal(403, "AccessDenied", "as if killed"))
		b.fault("PUT", "partNumber=2", 1, func(next http.Handler) http.Handler { cancel(); return next })
		if err := b.Put(ctx, name, pattern(3*testPart), -1, "x/y"); err == nil {
			t.Fatal("the upload should have been cut off")
		}
	}
	b.server.Age("results", "ci/old", 48*time.Hour)
	n, err := b.DropUploads(t.Context(), "", time.Now().Add(-24*time.Hour))
	if left := b.server.Uploads(); n != 1 || err != nil || len(left) != 1 || left[0] != "ci/new" {
		t.Errorf("got %d, %v, and %q are left", n, err, left)
	}
}
