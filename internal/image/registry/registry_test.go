// SPDX-License-Identifier: BSD-3-Clause

package registry

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	server "github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// serve starts a registry on 127.0.0.1; wrap may be nil.
func serve(t *testing.T, wrap func(http.Handler) http.Handler) string {
	t.Helper()
	h := server.New(server.Logger(log.New(io.Discard, "", 0)))
	if wrap != nil {
		h = wrap(h)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// saved makes a file as "docker save" writes it.
func saved(t *testing.T) string {
	t.Helper()
	img, err := random.Image(1000, 3)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "image.tar")
	tag, _ := name.NewTag("dispatcher/tiny:1")
	if err := tarball.WriteToFile(file, tag, img); err != nil {
		t.Fatal(err)
	}
	return file
}

func client(env map[string]string) *Client {
	return &Client{UserAgent: "test/1", Getenv: func(name string) string { return env[name] }}
}

// TestPushTagDigest: what was pushed is found under its tag and under another
// one that is moved to it.
func TestPushTagDigest(t *testing.T) {
	t.Parallel()
	c, repo := client(nil), serve(t, nil)+"/o/tiny"
	first, err := c.Push(t.Context(), saved(t), repo+":one")
	if err != nil || first.Size < 3000 || !strings.HasPrefix(first.Digest, "sha256:") {
		t.Fatalf("got %+v, %v", first, err)
	}
	second, err := c.Push(t.Context(), saved(t), repo+":two")
	if err != nil || second.Digest == first.Digest {
		t.Fatalf("got %+v, %v", second, err)
	}
	for _, step := range []struct{ from, want string }{
		{repo + ":one", first.Digest}, {repo + ":two", second.Digest}, {repo + "@" + first.Digest, first.Digest},
	} {
		if err := c.Tag(t.Context(), step.from, "latest"); err != nil {
			t.Fatal(err)
		}
		if got, err := c.Digest(t.Context(), repo+":latest"); got != step.want || err != nil {
			t.Errorf("after moving latest to %s: got %s, %v; want %s", step.from, got, err, step.want)
		}
	}
	if got, err := c.Digest(t.Context(), repo+":one"); got != first.Digest || err != nil {
		t.Errorf("the first one: got %s, %v", got, err)
	}
}

// TestRefusals: each failure says what it is and what to do.
func TestRefusals(t *testing.T) {
	t.Parallel()
	answer := func(status int, code string) func(http.Handler) http.Handler {
		return func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/v2/" {
					return
				}
				w.WriteHeader(status)
				fmt.Fprintf(w, `{"errors":[{"code":%q,"message":"hm\u001b[31m"}]}`, code)
			})
		}
	}
	for _, c := range []struct {
		name string
		wrap func(http.Handler) http.Handler
		kind fault.Kind
		text string
		hint string
	}{
		{"missing", nil, fault.Configuration, "there is no such image", "docker login"},
		{"no right", answer(403, "DENIED"), fault.Configuration, "refuses it: 403", "docker login 127.0.0.1"},
		{"broken", answer(500, "UNKNOWN"), fault.Transient, "answered 500", ""},
		{"throttled", answer(429, "TOOMANYREQUESTS"), fault.Transient, "answered 429", ""},
		{"odd", answer(400, "NAME_INVALID"), fault.Permanent, "answered 400", ""},
	} {
		host := serve(t, c.wrap)
		_, err := client(nil).Digest(t.Context(), host+"/o/n:1")
		if fault.KindOf(err) != c.kind || !strings.Contains(fmt.Sprint(err), c.text) || !strings.Contains(fault.HintOf(err), c.hint) {
			t.Errorf("%s: got %v (%v, %q)", c.name, err, fault.KindOf(err), fault.HintOf(err))
		}
		if c.name == "missing" && !errors.Is(err, ErrNotFound) {
			t.Errorf("it should be ErrNotFound: %v", err)
		}
		_, err = client(nil).Push(t.Context(), saved(t), host+"/o/n:1")
		if c.wrap != nil && (err == nil || strings.Contains(err.Error(), "\x1b")) {
			t.Errorf("%s: push: got %v", c.name, err)
		}
	}
	if _, err := client(nil).Digest(t.Context(), "127.0.0.1:1/o/n:1"); !errors.Is(err, fault.Transient) {
		t.Errorf("nobody listens: got %v", err)
	}
	if _, err := client(nil).Digest(t.Context(), "UPPER/case"); !errors.Is(err, fault.Configuration) {
		t.Errorf("a bad name: got %v", err)
	}
	file := filepath.Join(t.TempDir(), "broken.tar")
	if err := os.WriteFile(file, []byte("no tar"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := client(nil).Push(t.Context(), file, "127.0.0.1:1/o/n:1"); !errors.Is(err, fault.Ours) {
		t.Errorf("a broken file: got %v", err)
	}
}

// TestCredentials: a token goes to GitHub's registry and to no other one, and
// who logged in with Docker is preferred.
func TestCredentials(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("DOCKER_CONFIG", dir)
	login := base64.StdEncoding.EncodeToString([]byte("ann:hush"))
	text := fmt.Sprintf(`{"auths":{"registry.example.org":{"auth":%q}}}`, login)
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		registry string
		env      map[string]string
		user     string
		password string
	}{
		{"ghcr.io", map[string]string{"GITHUB_TOKEN": "a", "GITHUB_ACTOR": "bot"}, "bot", "a"},
		{"ghcr.io", map[string]string{"GHPA_TOKEN": "b"}, "token", "b"},
		{"ghcr.io", nil, "", ""},
		{"quay.example.org", map[string]string{"GITHUB_TOKEN": "a"}, "", ""},
		{"registry.example.org", map[string]string{"GITHUB_TOKEN": "a"}, "ann", "hush"},
	} {
		r, err := name.NewRegistry(c.registry)
		if err != nil {
			t.Fatal(err)
		}
		auth, err := keychain{client(c.env).Getenv}.Resolve(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := auth.Authorization()
		if err != nil || got.Username != c.user || got.Password != c.password {
			t.Errorf("%s with %v: got %+v, %v", c.registry, c.env, got, err)
		}
		if (auth == authn.Anonymous) != (c.user == "") {
			t.Errorf("%s with %v: got %v", c.registry, c.env, auth)
		}
	}
}
