// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// moved serves redirects: path on this server to the same path below target.
func moved(t *testing.T, status int, target string) string {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		http.Redirect(w, r, target+strings.TrimPrefix(r.URL.RequestURI(), "/r.git"), status)
	})
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	id := b.repo("new.git").history("refs/heads/master", 1, 1)[0]
	for _, status := range []int{301, 302, 303, 307, 308} {
		r := open(t, moved(t, status, b.url+"/new.git"), Options{})
		want := []Ref{{"HEAD", id}, {"refs/heads/master", id}}
		for range 2 {
			if diff := cmp.Diff(want, listAll(t, r)); diff != "" {
				t.Errorf("%d (-want +got):\n%s", status, diff)
			}
		}
		if r.String() != b.url+"/new.git" {
			t.Errorf("%d: the address is %s, want the new one", status, r)
		}
		requests := []string{"GET /new.git/info/refs?service=git-upload-pack", "POST /new.git/git-upload-pack", "POST /new.git/git-upload-pack"}
		if diff := cmp.Diff(requests, b.seen()); diff != "" {
			t.Errorf("%d: requests (-want +got):\n%s", status, diff)
		}
	}
}

func TestRedirectedPush(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	source, m := b.repo("source.git"), b.repo("new.git")
	id := source.bulk("refs/heads/master", 2<<20)
	pack := source.pack(id)
	r := open(t, moved(t, 308, b.url+"/new.git"), Options{})
	q := func(ref string, spool bool) PushRequest {
		return PushRequest{Commands: []Command{{ref, "", id}}, Pack: bytes.NewReader(pack), Spool: spool}
	}
	_, err := r.Push(t.Context(), q("refs/heads/a", false))
	wantError(t, err, "moved to "+b.url+"/new.git", fault.Transient)
	if m.objects() != 0 {
		t.Error("the mirror has objects, want none yet")
	}
	if mustPush(t, r, q("refs/heads/a", false)); m.rev("refs/heads/a") != id {
		t.Error("the second try did not reach the new address")
	}
	// With its length known the pack can be sent again at once.
	r = open(t, moved(t, 307, b.url+"/new.git"), Options{})
	if mustPush(t, r, q("refs/heads/b", true)); m.rev("refs/heads/b") != id {
		t.Error("the spooled push did not reach the new address")
	}
}

// gitlab has a repository at /r.git and redirects info/refs of /r to it. The
// services are not there, as GitLab's routes have it (config/routes/git_http.rb);
// its other ones answer in their stead.
func (b *bed) gitlab(status int) string {
	b.t.Helper()
	return strings.TrimSuffix(serve(b.t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if tail, ok := strings.CutPrefix(r.URL.RequestURI(), "/r/info/refs?"); ok {
			http.Redirect(w, r, b.url+"/r.git/info/refs?"+tail, http.StatusMovedPermanently)
			return
		}
		http.Error(w, "<html>not here", status)
	}), ".git")
}

func TestRedirectOfInfoRefsAlone(t *testing.T) {
	t.Parallel()
	for _, status := range []int{404, 405, 410, 422} {
		b := newBed(t)
		m := b.repo("r.git")
		id := m.history("refs/heads/master", 1, 1)[0]
		r := open(t, b.gitlab(status), Options{})
		if diff := cmp.Diff([]Ref{{"HEAD", id}, {"refs/heads/master", id}}, listAll(t, r)); diff != "" || r.String() != b.url+"/r.git" {
			t.Errorf("%d: refs of %s (-want +got):\n%s", status, r, diff)
		}
		if mustPush(t, r, PushRequest{Commands: []Command{{"refs/heads/a", "", id}}, Pack: emptyPack()}); m.rev("refs/heads/a") != id {
			t.Errorf("%d: the push did not arrive", status)
		}
	}
	b := newBed(t)
	if err := open(t, b.gitlab(403), Options{}).ListRefs(t.Context(), nil, nil); err == nil || b.seen() != nil {
		t.Errorf("403: got %v, and the address was looked up", err)
	}
}

// TestNothingThere: one look is enough, and the first answer is what is told.
func TestNothingThere(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	r := b.remote("none.git", Options{})
	for range 2 {
		wantError(t, r.ListRefs(t.Context(), nil, nil), "status 404", fault.Configuration)
	}
	want := []string{"POST /none.git/git-upload-pack", "GET /none.git/info/refs?service=git-upload-pack", "POST /none.git/git-upload-pack"}
	if diff := cmp.Diff(want, b.seen()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestRedirectToAServerThatWantsCredentials(t *testing.T) {
	t.Parallel()
	r := open(t, moved(t, 301, answerWith(t, 401, "")), Options{Credential: func(context.Context) (string, string, error) {
		return "me", "secret", nil
	}})
	err := r.ListRefs(t.Context(), nil, nil)
	wantError(t, err, "401", fault.Configuration)
	if hint := fault.HintOf(err); !strings.Contains(hint, "give the final address") {
		t.Errorf("got hint %q, want it to say that the credentials stayed here", hint)
	}
}

func TestRedirectToAnotherServerDropsCredentials(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.repo("new.git").history("refs/heads/master", 1, 1)
	r := open(t, moved(t, 307, b.url+"/new.git"), Options{Credential: func(context.Context) (string, string, error) {
		return "me", "secret", nil
	}})
	listAll(t, r)
	for _, req := range b.requests {
		if _, _, ok := req.BasicAuth(); ok {
			t.Errorf("%s %s got the credentials of another server", req.Method, req.URL)
		}
	}
}

func TestBadRedirects(t *testing.T) {
	t.Parallel()
	login := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			io.WriteString(w, "<html>Sign in")
			return
		}
		http.Redirect(w, r, "/login", http.StatusFound)
	})
	// A page that answers as git does, but is not where git would look.
	odd := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/odd" {
			w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
			return
		}
		http.Redirect(w, r, "/odd", http.StatusFound)
	})
	hops := 0
	endless := serve(t, func(w http.ResponseWriter, r *http.Request) {
		hops++
		http.Redirect(w, r, fmt.Sprintf("/%d%s?%s", hops, r.URL.Path, r.URL.RawQuery), http.StatusFound)
	})
	onlyPost := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
			return
		}
		http.Redirect(w, r, r.URL.Path, http.StatusFound)
	})
	nowhere := answerWith(t, http.StatusFound, "", "Location", "http://%zz/")
	for address, want := range map[string]string{
		login:    "answered with text/html",
		odd:      "not a repository's /info/refs",
		endless:  "redirects more than 5 times",
		onlyPost: "status 302",
		nowhere:  "not a URL",
	} {
		err := open(t, address, Options{}).ListRefs(t.Context(), nil, nil)
		wantError(t, err, want, fault.Configuration)
	}
	if hops != 1+maxRedirects+1 {
		t.Errorf("followed %d hops, want %d after the POST", hops, maxRedirects+1)
	}
}

func TestRedirected(t *testing.T) {
	t.Parallel()
	from, err := url.Parse("https://a.example/r/info/refs?service=x")
	if err != nil {
		t.Fatal(err)
	}
	to, err := redirected(from, "https://user:secret@b.example/r/info/refs#x")
	if err != nil || to.String() != "https://b.example/r/info/refs" {
		t.Errorf("got %v, %v; want the address without user and fragment", to, err)
	}
	for _, location := range []string{"http://a.example/r/info/refs", "ftp://a.example/r", "javascript:alert(1)", "https://", ""} {
		if to, err := redirected(from, location); err == nil {
			t.Errorf("redirected to %v by %q, want a refusal", to, location)
		}
	}
}

func TestMayHoldCredentials(t *testing.T) {
	t.Parallel()
	cases := []struct {
		from, to string
		want     bool
	}{
		{"https://a/x", "https://a/y", true},
		{"https://a/x", "https://A:443/y", true},
		{"http://a/x", "https://a/x", true},
		{"https://a/x", "http://a/x", false},
		{"https://a/x", "https://a:8443/x", false},
		{"https://a/x", "https://b/x", false},
		{"https://a.b/x", "https://x.a.b/x", false},
	}
	for _, c := range cases {
		from, _ := url.Parse(c.from)
		to, _ := url.Parse(c.to)
		if got := mayHoldCredentials(from, to); got != c.want {
			t.Errorf("from %s to %s: got %v, want %v", c.from, c.to, got, c.want)
		}
	}
}
