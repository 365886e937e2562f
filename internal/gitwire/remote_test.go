// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

func TestOpen(t *testing.T) {
	t.Parallel()
	good := map[string]string{
		"https://review.example.com/spdk/spdk":  "https://review.example.com/spdk/spdk",
		"https://Host.Example:8443/a/spdk.git/": "https://host.example:8443/a/spdk.git",
		"HTTP://127.0.0.1:80/a/x%2Fy//":         "http://127.0.0.1:80/a/x%2Fy",
		"https://h":                             "https://h",
	}
	for in, want := range good {
		r, err := Open(in, Options{})
		if err != nil || r.String() != want {
			t.Errorf("Open(%q) = %v, %v; want %s", in, r, err, want)
			continue
		}
		if got, want := r.endpoint(refsPath[1:]+"?service=x").String(), want+"/info/refs?service=x"; got != want {
			t.Errorf("endpoint of %q: got %s, want %s", in, got, want)
		}
	}
	const ssh = "SSH sources are out of scope: give the HTTPS address"
	bad := map[string]string{
		"ssh://git@host/x":            ssh,
		"git+ssh://host/x":            ssh,
		"git@host:spdk/spdk":          ssh,
		"host:spdk/spdk":              ssh,
		"git://host/x":                `scheme "git" is out of scope`,
		"file:///srv/x":               `scheme "file" is out of scope`,
		"/srv/x":                      "must begin with https://",
		"https://me:secret@host/x":    "must not hold a user name",
		"https://secret@host/x":       "must not hold a user name",
		"https://":                    "is not a URL",
		"https://host/%zz":            "is not a URL",
		"https://host:port/x":         "is not a URL",
		"https://host/x?token=secret": "a host and a path only",
		"https://host/x#y":            "a host and a path only",
	}
	for in, want := range bad {
		_, err := Open(in, Options{})
		if wantError(t, err, want, fault.Configuration); strings.Contains(err.Error(), "secret") {
			t.Errorf("Open(%q) repeats the secret: %v", in, err)
		}
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.v0 = true // so that there is a GET, too
	b.repo("src.git").history("refs/heads/master", 1, 1)
	asked := 0
	r := b.remote("src.git", Options{UserAgent: "test/1", Credential: func(context.Context) (string, string, error) {
		asked++
		return "me", "secret", nil
	}})
	listAll(t, r)
	var got []string
	for _, req := range b.requests {
		user, password, _ := req.BasicAuth()
		got = append(got, req.Method+" "+user+":"+password+" "+req.UserAgent())
	}
	if diff := cmp.Diff([]string{"POST me:secret git/2.18 (test/1)", "GET me:secret git/2.18 (test/1)", "GET me:secret git/2.18 (test/1)"}, got); diff != "" || asked != 3 {
		t.Errorf("asked %d times; requests (-want +got):\n%s", asked, diff)
	}
	if err := b.remote("none.git", r.options).ListRefs(t.Context(), nil, nil); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got error %v, want one without the password", err)
	}
}

func TestCredentialsThatCannotBeHad(t *testing.T) {
	t.Parallel()
	cause := fault.New(fault.Configuration, "no token")
	r := open(t, "https://127.0.0.1:1/r", Options{Credential: func(context.Context) (string, string, error) { return "", "", cause }})
	err := r.ListRefs(t.Context(), nil, nil)
	wantError(t, err, "failed to get the credentials for 127.0.0.1:1: no token", cause, fault.Configuration)
}

func TestCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("the pass is over")
	r := open(t, serve(t, func(_ http.ResponseWriter, req *http.Request) {
		io.Copy(io.Discard, req.Body) // net/http looks for a client that left only after that
		cancel(reason)
		<-req.Context().Done()
	}), Options{})
	err := r.ListRefs(ctx, nil, nil)
	wantError(t, err, "the pass is over", reason)
	if fault.KindOf(err) != fault.Unknown {
		t.Errorf("got kind %v, want none: nobody failed", fault.KindOf(err))
	}
}
