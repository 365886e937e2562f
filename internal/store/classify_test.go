// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/s3"
)

// refusal is an error answer of S3.
func refusal(status int, code, message string) func(http.Handler) http.Handler {
	return faults.Answer(status, fmt.Sprintf("<Error><Code>%s</Code><Message>%s</Message></Error>", code, message))
}

// TestClassify: each failure says what it is, where, and what to do.
func TestClassify(t *testing.T) {
	t.Parallel()
	page := faults.Answer(200, "<html>Please log in</html>", "Content-Type", "text/html")
	for _, c := range []struct {
		name       string
		do         func(http.Handler) http.Handler
		change     func(*Options)
		kind       fault.Kind
		text, hint string // parts of them
	}{
		{"wrong secret", nil, func(o *Options) { o.Secret = "wrong" }, fault.Configuration, "403 SignatureDoesNotMatch", "S3_SECRET does not belong to S3_KEY"},
		{"wrong key", nil, func(o *Options) { o.Key = "wrong" }, fault.Configuration, "InvalidAccessKeyId", "check S3_KEY"},
		{"wrong key at versitygw", refusal(404, "XAdminUserNotFound", "No user exists"), nil, fault.Configuration, "404 XAdminUserNotFound", "check S3_KEY"},
		{"no bucket", nil, func(o *Options) { o.Bucket = "missing" }, fault.Configuration, "404 NoSuchBucket", "create the bucket missing at 127.0.0.1"},
		{"wrong region", nil, func(o *Options) { o.Region = "eu-west-1" }, fault.Configuration, "expecting 'us-east-1'", "set S3_REGION to us-east-1"},
		{"no right", refusal(403, "AccessDenied", "Access Denied"), nil, fault.Configuration, "403 AccessDenied: Access Denied", "give the key S3_KEY the right to write objects in the bucket results"},
		{"full", refusal(403, "QuotaExceeded", ""), nil, fault.Configuration, "403 QuotaExceeded", "make room"},
		{"disk full", faults.Answer(507, ""), nil, fault.Configuration, "answered 507", "make room"},
		{"slow down", refusal(503, "SlowDown", "Please reduce your request rate."), nil, fault.Transient, "503 SlowDown: Please reduce", ""},
		{"changed on the way", refusal(400, "BadDigest", "md5"), nil, fault.Transient, "400 BadDigest", "changes what is sent"},
		{"too many", faults.Answer(429, "slow"), nil, fault.Transient, "answered 429", ""},
		{"broken", faults.Answer(500, "<html>oops", "Content-Type", "text/html; charset=utf-8"), nil, fault.Transient, "answered 500 with a web page", ""},
		{"not found here", faults.Answer(404, "no"), nil, fault.Configuration, "answered 404", "check S3_ENDPOINT_URL and S3_BUCKET"},
		{"login page", page, nil, fault.Configuration, "answered 200 with a web page", "check S3_ENDPOINT_URL"},
		{"moved", faults.Answer(301, "", "Location", "https://elsewhere.example/"), nil, fault.Permanent, "answered 301", ""},
		{"moved to a region", faults.Answer(301, "", "X-Amz-Bucket-Region", "eu-north-1"), func(o *Options) { o.Region = "us-east-1" }, fault.Configuration, "answered 301", "S3_REGION to eu-north-1"},
		{"no multi-part", faults.Answer(501, ""), nil, fault.Configuration, "answered 501", "does not offer this part"},
		{"bad request", refusal(400, "InvalidArgument", "what?"), nil, fault.Permanent, "400 InvalidArgument: what?", ""},
		{"cut", s3.CutUpload(1), nil, fault.Transient, "the connection to 127.0.0.1", ""},
		{"hostile", refusal(400, "A\nB", "::error::&#x1f;&#x85;&#x202e;"+strings.Repeat("x", 5000)), nil, fault.Permanent, "answered 400", ""},
		{"hostile words", refusal(400, "A\nB", "::error::&#x85;&#x202e;"+strings.Repeat("x", 5000)), nil, fault.Permanent, "400 A B: ::error:: xxx", ""},
	} {
		b := newBed(t, s3.Options{}, func(o *Options) {
			o.Sleep = nil
			if c.change != nil {
				c.change(o)
			}
		})
		if c.do != nil {
			b.fault("", "", 0, c.do)
		}
		err := b.Put(t.Context(), "a/x.txt", strings.NewReader(strings.Repeat("h", 500)), -1, "text/plain")
		if fault.KindOf(err) != c.kind || !strings.Contains(fmt.Sprint(err), c.text) || !strings.Contains(fault.HintOf(err), c.hint) ||
			(fault.HintOf(err) == "") != (c.hint == "") {
			t.Errorf("%s: got %v (%v, hint %q), want %v, %q and the hint %q", c.name, err, fault.KindOf(err), fault.HintOf(err), c.kind, c.text, c.hint)
		}
		checkError(t, err)
	}
}

// checkError holds all errors to the same form.
func checkError(t *testing.T, err error) {
	t.Helper()
	text := err.Error() + fault.HintOf(err)
	if !strings.HasPrefix(text, "failed to store a/x.txt: ") || strings.ContainsFunc(text, hidden) || len(text) > 800 {
		t.Errorf("got %q, want one short line that says what failed", text)
	}
	for _, secret := range []string{testSecret[:12], "Signature=", "AWS4-HMAC"} {
		if strings.Contains(text, strings.ReplaceAll(secret, " ", "_")) {
			t.Errorf("%q is in %q", secret, text)
		}
	}
}

// TestClockSkew: both times are told, whatever the request was.
func TestClockSkew(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{Now: func() time.Time { return time.Now().Add(-20 * time.Minute) }}, func(o *Options) {
		o.Now = func() time.Time { return time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC) }
	})
	b.fault("", "", 0, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", "Mon, 05 Jan 2026 07:40:00 GMT")
			next.ServeHTTP(w, r)
		})
	})
	err := b.Put(t.Context(), "x", strings.NewReader("x"), 1, "text/plain")
	_, statErr := b.Stat(t.Context(), "x") // a HEAD, whose answer has no code
	for _, err := range []error{err, statErr} {
		want := "this host's clock says 2026-01-05T08:00:00Z, the storage's says 2026-01-05T07:40:00Z"
		if !errors.Is(err, fault.Ours) || !strings.Contains(err.Error(), want) || !strings.Contains(fault.HintOf(err), "NTP") {
			t.Errorf("got %v (%v, %q), want %q", err, fault.KindOf(err), fault.HintOf(err), want)
		}
	}
}

// TestNoAnswer: failures below HTTP.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	failing := func(err error) http.RoundTripper {
		return &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, err }}
	}
	for _, c := range []struct {
		name, endpoint string
		transport      http.RoundTripper
		kind           fault.Kind
		text, hint     string
	}{
		{"unknown authority", secure.URL, &http.Transport{TLSClientConfig: &tls.Config{}}, fault.Configuration, "certificate", "PEM file"},
		{"no TLS there", strings.Replace(plain.URL, "http:", "https:", 1), &http.Transport{}, fault.Configuration, "TLS", "does not speak TLS"},
		{"no such host", "https://s3.example.org", failing(&net.DNSError{Err: "no such host", Name: "s3.example.org", IsNotFound: true}), fault.Configuration, "no such host", "check the host in S3_ENDPOINT_URL"},
		{"refused", "https://s3.example.org", failing(errors.New("connection refused")), fault.Transient, "the connection to s3.example.org broke: connection refused", ""},
		{"address is not repeated", "https://s3.example.org", failing(&url.Error{Op: "Put", URL: "https://s3.example.org/x", Err: errors.New("oops")}), fault.Transient, "broke: oops", ""},
	} {
		s, err := Open(Options{Endpoint: c.endpoint, Key: "k", Secret: "s", Bucket: "results", Transport: c.transport, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		err = s.Put(t.Context(), "a/x.txt", strings.NewReader("x"), 1, "text/plain")
		if fault.KindOf(err) != c.kind || !strings.Contains(fmt.Sprint(err), c.text) || !strings.Contains(fault.HintOf(err), c.hint) {
			t.Errorf("%s: got %v (%v, %q), want %v, %q, %q", c.name, err, fault.KindOf(err), fault.HintOf(err), c.kind, c.text, c.hint)
		}
		checkError(t, err)
	}
}

// TestLongAnswers: a server cannot fill the memory.
func TestLongAnswers(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{}, func(o *Options) { o.Sleep = nil })
	endless := func(status int) func(http.Handler) http.Handler {
		return func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/xml")
				w.WriteHeader(status)
				line := []byte(strings.Repeat(" ", 4096))
				for range 100_000 { // 400 MB, unless the client goes away
					if _, err := w.Write(line); err != nil {
						return
					}
				}
				t.Error("the client read all of it")
			})
		}
	}
	b.fault("GET", "", 1, endless(200))
	b.fault("GET", "", 1, endless(400))
	if err := b.List(t.Context(), "", nil); !errors.Is(err, fault.Configuration) || !strings.Contains(err.Error(), "longer than 4 MiB") {
		t.Errorf("a list: got %v", err)
	}
	if err := b.List(t.Context(), "", nil); !errors.Is(err, fault.Permanent) {
		t.Errorf("a refusal: got %v", err)
	}
}
