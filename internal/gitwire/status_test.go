// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// answerWith serves one answer to everything.
func answerWith(t *testing.T, status int, body string, header ...string) string {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	})
}

func TestStatusKinds(t *testing.T) {
	t.Parallel()
	cases := []struct {
		status int
		body   string
		header []string
		kind   fault.Kind
		after  time.Duration
		hint   string
	}{
		{status: 401, kind: fault.Configuration, hint: "token has expired"},
		{status: 403, body: "You are not allowed", kind: fault.Configuration, hint: "collaborator"},
		{status: 403, kind: fault.Configuration, hint: "collaborator"},
		{status: 403, body: "Permission to o/r.git denied to bot.", kind: fault.Configuration, hint: "collaborator"},
		{status: 403, body: "Write access to repository not granted.", kind: fault.Configuration, hint: "collaborator"},
		{status: 403, body: "This repository was archived so it is read-only.", kind: fault.Configuration, hint: "unarchive"},
		{status: 403, body: "Your account is suspended. Please visit https://support.github.com for more information.", kind: fault.Configuration, hint: "not suspended"},
		{status: 403, body: "Permission to archived/saml-suspended.git denied to bot.", kind: fault.Configuration, hint: "collaborator"},
		{status: 403, body: "Nobody knows this text", kind: fault.Configuration, hint: "-"},
		{status: 403, body: "You have exceeded a secondary rate limit.", kind: fault.Transient},
		{status: 403, header: []string{"Retry-After", "60"}, kind: fault.Transient, after: time.Minute},
		{status: 404, body: "Not Found", kind: fault.Configuration, hint: "404"},
		{status: 400, kind: fault.Permanent},
		{status: 405, kind: fault.Configuration},
		{status: 408, kind: fault.Transient},
		{status: 413, body: "<html>\r\n<h1>413 Request Entity Too Large</h1>", kind: fault.Permanent, hint: "size"},
		{status: 425, kind: fault.Transient},
		{status: 429, header: []string{"Retry-After", "Wed, 21 Oct 2026 07:30:00 GMT", "Date", "Wed, 21 Oct 2026 07:28:00 GMT"}, kind: fault.Transient, after: 2 * time.Minute},
		{status: 499, kind: fault.Transient},
		{status: 500, kind: fault.Transient},
		{status: 501, kind: fault.Transient},
		{status: 503, header: []string{"Retry-After", "120"}, kind: fault.Transient, after: 2 * time.Minute},
		{status: 304, kind: fault.Configuration},
	}
	for _, c := range cases {
		r := open(t, answerWith(t, c.status, c.body, c.header...), Options{})
		_, err := r.Push(t.Context(), PushRequest{Commands: []Command{{"refs/heads/x", strings.Repeat("a", 40), ""}}})
		if fault.KindOf(err) != c.kind || fault.RetryAfter(err) != c.after || !strings.Contains(fault.HintOf(err), strings.Trim(c.hint, "-")) || c.hint == "-" && fault.HintOf(err) != "" {
			t.Errorf("%d %q: got %v: kind %v, after %v, hint %q; want %v, %v, %q", c.status, c.body, err,
				fault.KindOf(err), fault.RetryAfter(err), fault.HintOf(err), c.kind, c.after, c.hint)
		}
		e, ok := errors.AsType[*StatusError](err)
		if !ok || e.Status != c.status || e.RetryAfter != c.after || e.URL != r.String()+"/git-receive-pack" || e.Body != printable(c.body, 300) {
			t.Errorf("%d: got StatusError %+v", c.status, e)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	const date = "Wed, 21 Oct 2026 07:28:00 GMT"
	cases := map[[2]string]time.Duration{
		{"", date}:                              0,
		{"0", date}:                             0,
		{"7", ""}:                               7 * time.Second,
		{"-7", date}:                            0,
		{"soon", date}:                          0,
		{"999999999", date}:                     maxRetryAfter,
		{"99999999999999999999", date}:          0,
		{"Wed, 21 Oct 2026 07:28:30 GMT", date}: 30 * time.Second,
		{"Wed, 21 Oct 2026 07:28:30 GMT", ""}:   0, // from when?
		{"Wed, 21 Oct 2020 07:28:30 GMT", date}: 0,
		{"Wed, 21 Oct 2099 07:28:30 GMT", date}: maxRetryAfter,
	}
	for in, want := range cases {
		h := http.Header{"Retry-After": {in[0]}, "Date": {in[1]}}
		if got := retryAfter(h); got != want {
			t.Errorf("retryAfter(%q, Date %q) = %v, want %v", in[0], in[1], got, want)
		}
	}
}

func TestChunksRefused(t *testing.T) {
	t.Parallel()
	const page = "<html>\r\n<head><title>400 Bad Request</title></head>"
	cases := []struct {
		status int
		body   string
		size   int
		want   bool
	}{
		{411, "", 2 << 20, true},
		{400, "Chunked transfer encoding is not supported", 2 << 20, true},
		{501, "Transfer-Encoding not implemented", 2 << 20, true},
		{501, "Not Implemented", 2 << 20, true},
		{501, "", 2 << 20, true},
		{505, "505 HTTP Version Not Supported.", 2 << 20, true},
		{400, page, 2 << 20, true},
		{413, page, 2 << 20, true},
		{400, "0017ERR bad object names", 2 << 20, false}, // git's own reason
		{400, "no such repository", 2 << 20, false},
		{403, "", 2 << 20, true},
		{405, page, 2 << 20, true},
		{422, "", 2 << 20, true},
		{500, "", 2 << 20, true},
		{502, page, 2 << 20, true},
		{403, "Permission to o/r.git denied to bot.", 2 << 20, false},
		{500, "the database is down", 2 << 20, false},
		{401, "", 2 << 20, false}, // as the following, it says by its status what is wrong
		{404, "", 2 << 20, false},
		{408, "", 2 << 20, false},
		{429, "", 2 << 20, false},
		{503, "", 2 << 20, false},
		{504, page, 2 << 20, false},
		{400, "chunked", 10, false}, // this body was not sent in chunks
	}
	for _, c := range cases {
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength < 0 || c.size < 1<<20 {
				http.Error(w, c.body, c.status)
				return
			}
			w.Header().Set("Content-Type", "application/x-git-receive-pack-result")
			io.Copy(io.Discard, r.Body)
			io.WriteString(w, packets("unpack ok\n", "ok refs/heads/x\n")+"0000")
		})
		r := open(t, url, Options{})
		q := func() PushRequest {
			return PushRequest{Commands: []Command{{"refs/heads/x", "", strings.Repeat("a", 40)}}, Pack: strings.NewReader(string(noise(c.size)))}
		}
		_, err := r.Push(t.Context(), q())
		if errors.Is(err, ErrLengthRequired) != c.want || err == nil || c.want && errors.Is(err, fault.Transient) != (c.status == 500 || c.status == 502) {
			t.Errorf("%d %q: got %v, want ErrLengthRequired: %v", c.status, c.body, err, c.want)
		}
		if !c.want {
			continue
		}
		spooled := q()
		spooled.Spool = true
		if report := mustPush(t, r, spooled); report.Results[0].Reason != "" {
			t.Errorf("spooled: got report %+v, want ok", report)
		}
	}
}

// TestChunksLost: a cut connection, or an answer as to an empty request, may
// come of chunks, but only if chunks were sent. What the server did is unknown.
func TestChunksLost(t *testing.T) {
	t.Parallel()
	ways := map[string]http.HandlerFunc{
		"cut": func(_ http.ResponseWriter, r *http.Request) {
			io.CopyN(io.Discard, r.Body, 100)
			panic(http.ErrAbortHandler)
		},
		"empty": func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/x-git-receive-pack-result")
		},
	}
	for name, h := range ways {
		r := open(t, serve(t, h), Options{})
		for size, want := range map[int]bool{10: false, 2 << 20: true} {
			_, err := r.Push(t.Context(), PushRequest{Commands: createX(), Pack: bytes.NewReader(noise(size))})
			if errors.Is(err, ErrLengthRequired) != want || !errors.Is(err, fault.Transient) {
				t.Errorf("%s, %d bytes: got %v, want a transient error, ErrLengthRequired: %v", name, size, err, want)
			}
		}
	}
	broken := fault.New(fault.Transient, "%w", errBroken)
	pack := io.MultiReader(bytes.NewReader(noise(2<<20)), errReader{broken})
	_, err := open(t, serve(t, ways["empty"]), Options{}).Push(t.Context(), PushRequest{Commands: createX(), Pack: pack})
	if errors.Is(err, ErrLengthRequired) || !errors.Is(err, errSource) {
		t.Errorf("a source that broke: got %v, want the source's error alone", err)
	}
	_, err = open(t, "http://127.0.0.1:1/r.git", Options{}).Push(t.Context(), PushRequest{Commands: createX(), Pack: bytes.NewReader(noise(2 << 20))})
	if errors.Is(err, ErrLengthRequired) {
		t.Errorf("nobody listens: got %v", err)
	}
}

func TestAnswersThatAreNotGit(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ contentType, body, want string }{
		"login page": {"text/html; charset=utf-8", "<!DOCTYPE html>\n<title>Sign\x1b[31m in</title>", `answered with text/html instead of git's protocol: "<!DOCTYPE html> <title>Sign [31m in</title>"`},
		"wrong type": {"application/x-git-upload-pack-advertisement", "001e# service", "x-git-upload-pack-advertisement instead"},
		"broken":     {"///", "", "no content type instead"},
	}
	for name, c := range cases {
		err := open(t, answerWith(t, 200, c.body, "Content-Type", c.contentType), Options{}).ListRefs(t.Context(), nil, nil)
		wantError(t, err, c.want, fault.Configuration)
		if !strings.Contains(fault.HintOf(err), "login page") {
			t.Errorf("%s: got hint %q, want it to name a login page", name, fault.HintOf(err))
		}
	}
}

func TestNetworkErrors(t *testing.T) {
	t.Parallel()
	closed := httptest.NewServer(nil)
	closed.Close()
	err := open(t, closed.URL+"/r.git", Options{}).ListRefs(t.Context(), nil, nil)
	wantError(t, err, "refused", fault.Transient)

	secure := httptest.NewUnstartedServer(nil)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	err = open(t, secure.URL+"/r.git", Options{}).ListRefs(t.Context(), nil, nil)
	wantError(t, err, "certificate", fault.Configuration)

	classified := fault.New(fault.Ours, "x")
	for _, c := range []struct {
		err  error
		kind fault.Kind
	}{
		{&net.DNSError{IsNotFound: true}, fault.Configuration},
		{&net.DNSError{IsTemporary: true}, fault.Transient},
		{&tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: &x509.Certificate{}}}, fault.Configuration},
		{io.EOF, fault.Transient},
		{context.Canceled, fault.Transient},
		{classified, fault.Ours},
	} {
		if got := fault.KindOf(classifyNetwork(c.err)); got != c.kind {
			t.Errorf("%v: got %v, want %v", c.err, got, c.kind)
		}
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		packets("ERR no/such unavailable"): "no/such unavailable",
		"ERR":                              "ERR",
		"ERROR":                            "ERROR",
		strings.Repeat("x", 9999):          strings.Repeat("x", shownBody) + "...",
	} {
		if got := errorText(strings.NewReader(in)); got != want {
			t.Errorf("errorText(%.20q) = %q, want %q", in, got, want)
		}
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                                "",
		" a\tb\r\n\x00 c ":                "a b c",
		"\x1b]0;x\x07":                    "]0;x",
		"\xff\xfe":                        "",
		strings.Repeat("e", 11):           strings.Repeat("e", 10) + "...",
		strings.Repeat("\u00e9", 6):       strings.Repeat("\u00e9", 5) + "...",
		"a" + strings.Repeat("\u00e9", 6): "a" + strings.Repeat("\u00e9", 4) + "...",
	} {
		if got := printable(in, 10); got != want {
			t.Errorf("printable(%q) = %q, want %q", in, got, want)
		}
	}
}
