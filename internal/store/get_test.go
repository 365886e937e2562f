// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/s3"
)

// read gets an object whole.
func (b *bed) read(ctx context.Context, name string) ([]byte, Object, error) {
	r, o, err := b.Get(ctx, name)
	if err != nil {
		return nil, o, err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	return data, o, err
}

func TestGet(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{})
	b.put("a/b c+d.txt", "hello")
	data, o, err := b.read(t.Context(), "a/b c+d.txt")
	if err != nil || string(data) != "hello" || o.Size != 5 || o.ContentType != "text/plain" || o.Name != "a/b c+d.txt" {
		t.Errorf("got %q, %+v, %v", data, o, err)
	}
	if err := b.Put(t.Context(), "big", pattern(testPart+9), -1, "x/y"); err != nil {
		t.Fatal(err)
	}
	want, _ := io.ReadAll(pattern(testPart + 9))
	if data, _, err := b.read(t.Context(), "big"); err != nil || !bytes.Equal(data, want) {
		t.Errorf("got %d bytes, %v", len(data), err)
	}
}

func TestNotFound(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{})
	_, _, err := b.Get(t.Context(), "nope")
	_, statErr := b.Stat(t.Context(), "nope")
	for _, err := range []error{err, statErr} {
		if !errors.Is(err, ErrNotFound) || !errors.Is(err, fault.Permanent) {
			t.Errorf("got %v (%v), want ErrNotFound", err, fault.KindOf(err))
		}
	}
}

// TestGetFails: what comes is whole and right, or there is an error.
func TestGetFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		do   func(http.Handler) http.Handler
		text string
	}{
		{"cut", faults.Cut(3), "the connection to"},
		{"damaged", faults.Answer(200, "hallo", "ETag", `"5d41402abc4b2a76b9719d911017c592"`, "Last-Modified", "Mon, 05 Jan 2026 08:00:00 GMT"), "digest"},
		{"truncated", faults.Truncate(3), "digest"},
		{"silent", stall(2), "sent nothing"},
	} {
		b := newBed(t, s3.Options{})
		b.put("x", "hello")
		b.idle = 50 * time.Millisecond
		b.fault("GET", "", 0, c.do)
		data, _, err := b.read(t.Context(), "x")
		if !errors.Is(err, fault.Transient) || !strings.Contains(err.Error(), c.text) || !strings.Contains(err.Error(), "failed to read x") {
			t.Errorf("%s: got %q, %v; want %q", c.name, data, err, c.text)
		}
	}
}

// stall passes on so many bytes and then says nothing.
func stall(n int) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(&slow{ResponseWriter: w, left: n, ctx: r.Context()}, r)
		})
	}
}

type slow struct {
	http.ResponseWriter
	left int
	ctx  context.Context
}

func (s *slow) Write(p []byte) (int, error) {
	s.ResponseWriter.Write(p[:s.left])
	http.NewResponseController(s.ResponseWriter).Flush()
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

func TestGetTriesAgain(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{})
	b.put("x", "hello")
	b.fault("GET", "", 1, faults.Answer(500, ""))
	b.fault("GET", "", 1, faults.LoseReply())
	if data, _, err := b.read(t.Context(), "x"); err != nil || string(data) != "hello" {
		t.Errorf("got %q, %v", data, err)
	}
	if len(b.slept) == 0 { // net/http repeats the second one by itself
		t.Error("there was no wait")
	}
}

func TestGetEnds(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{})
	b.put("x", "hello")
	b.fault("GET", "", 0, stall(2))
	ctx, cancel := context.WithCancel(t.Context())
	r, _, err := b.Get(ctx, "x")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cancel()
	if _, err := io.ReadAll(r); !errors.Is(err, context.Canceled) || fault.KindOf(err) != fault.Unknown {
		t.Errorf("got %v (%v), want that the caller cancelled", err, fault.KindOf(err))
	}
}

// TestPackedObject: what is stored in packed form comes as it is.
func TestPackedObject(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{})
	packed := "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"
	b.put("x.gz", packed)
	b.fault("GET", "", 0, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept-Encoding") != "identity" {
				t.Errorf("got Accept-Encoding %q", r.Header.Get("Accept-Encoding"))
			}
			w.Header().Set("Content-Encoding", "gzip")
			next.ServeHTTP(w, r)
		})
	})
	if data, _, err := b.read(t.Context(), "x.gz"); err != nil || string(data) != packed {
		t.Errorf("got %q, %v", data, err)
	}
}
