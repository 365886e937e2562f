// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	containers "github.com/google/go-containerregistry/pkg/registry"

	standin "github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

const (
	repository = "spdk-community-ci/dispatcher"
	ownToken   = "ghs_job"     // what a job has: it can have no Workflows
	appToken   = "ghs_release" // what the environment release has
)

// world is a GitHub with one release behind it, a registry, and a clone of main.
type world struct {
	t    *testing.T
	hub  *standin.Server
	gate *gate
	repo *standin.Repository
	// image is the registry's place for containers, dir the clone, dist what was built.
	image, dir, dist string
	env              map[string]string
	old              string // the commit of v1.0.0 and v1
}

// gate stands in front of the servers. It notes what changes something, and can
// break the connection to whoever asks, before or after one of these requests was
// served: as a kill at that moment would.
type gate struct {
	mu     sync.Mutex
	writes []string
	at     int // the number of the request that is hit, from 1; 0 is none
	served bool
	kill   func()
	closed bool // the registry lets nobody in without an account
}

func (g *gate) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isWrite(r) {
			next.ServeHTTP(w, r)
			return
		}
		g.mu.Lock()
		g.writes = append(g.writes, r.Method+" "+r.URL.Path)
		hit := len(g.writes) == g.at
		g.mu.Unlock()
		if !hit {
			next.ServeHTTP(w, r)
			return
		}
		if g.served {
			next.ServeHTTP(httptest.NewRecorder(), r)
		}
		g.kill()
		panic(http.ErrAbortHandler)
	})
}

func isWrite(r *http.Request) bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead && !strings.HasSuffix(r.URL.Path, "git-upload-pack")
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, gate: &gate{}, dir: t.TempDir(), dist: t.TempDir()}
	w.hub = standin.Serve(t, standin.Options{
		ImmutableReleases: true, Wrap: w.gate.wrap,
		Tokens: map[string]standin.Access{
			ownToken: {User: "github-actions[bot]", Contents: standin.Write, Actions: standin.Read, App: true},
			appToken: {User: "releases[bot]", Contents: standin.Write, Workflows: true, App: true},
		},
	})
	store, place := newRegistry(t)
	hub := httptest.NewServer(w.gate.wrap(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.gate.closed && r.Header.Get("Authorization") == "" {
			rw.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			rw.WriteHeader(http.StatusUnauthorized)
			return
		}
		store.ServeHTTP(rw, r)
	})))
	t.Cleanup(hub.Close)
	w.image = strings.TrimPrefix(hub.URL, "http://") + place + "/" + repository
	w.env = map[string]string{
		"GITHUB_SERVER_URL": w.hub.URL(), "GITHUB_API_URL": w.hub.URL(), "GITHUB_REPOSITORY": repository, "GITHUB_TOKEN": ownToken,
		"RELEASE_TOKEN": appToken, "RELEASE_IMAGE": w.image, "GITHUB_OUTPUT": filepath.Join(w.dist, "output"),
	}
	w.repo = w.hub.Repository(repository)
	action, err := os.ReadFile("../../action.yml")
	w.must(err)
	w.old = w.repo.Commit("main", map[string]string{
		"action.yml": string(action), "CHANGELOG.md": "# Changelog\n\n## Unreleased\n\n- later\n\n## v1.2.3 - 2026-01-05\n\n- new things\n\n## v1.0.0\n\n- all\n",
		".github/workflows/ci.yml": "on: push\n", "README.md": "uses: spdk-community-ci/dispatcher@v1\n", "actions/setup/action.yml": "runs: {using: composite}\n",
	})
	w.inHub("tag", "v1.0.0", w.old)
	w.inHub("tag", "v1", w.old)
	w.passed(w.repo.Commit("main", map[string]string{".github/workflows/ci.yml": "on: [push]\n"}))
	w.git("clone", "--quiet", w.repo.GitURL(), ".")
	w.must(os.WriteFile(filepath.Join(w.dist, "authorities.pem"), []byte("authorities\n"), 0o644))
	return w
}

// newRegistry is a registry of this test's own, or the one on this machine that
// RELEASE_REGISTRY gives the address of, and a place in it that nobody has used.
func newRegistry(t *testing.T) (handler http.Handler, place string) {
	t.Helper()
	address := os.Getenv("RELEASE_REGISTRY")
	if address == "" {
		return containers.New(containers.Logger(log.New(io.Discard, "", 0))), ""
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return httputil.NewSingleHostReverseProxy(u), fmt.Sprintf("/at%d", time.Now().UnixNano())
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// passed is a green run of the checks for a commit.
func (w *world) passed(commit string) {
	w.hub.AddRun(standin.Run{Repository: repository, Workflow: "ci.yml", Event: "push", Branch: "main", Head: commit, Status: "completed", Conclusion: "success"})
}

func (w *world) git(args ...string) string { w.t.Helper(); return w.gitIn(w.dir, args...) }

func (w *world) inHub(args ...string) string { w.t.Helper(); return w.gitIn(w.repo.Dir(), args...) }

func (w *world) gitIn(dir string, args ...string) string {
	w.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(publicEnv(), "GIT_CONFIG_GLOBAL=/dev/null", "LC_ALL=C",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org")
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// run executes one command of the program with compilers that take no time.
func (w *world) run(ctx context.Context, text, command string) (string, error) {
	w.t.Helper()
	var out bytes.Buffer
	r, err := newReleaser(text, func(name string) string { return w.env[name] }, &out)
	if err != nil {
		return "", err
	}
	r.dir, r.dist, r.certificates = w.dir, filepath.Join(w.dist, "dist"), filepath.Join(w.dist, "authorities.pem")
	r.http = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r.sleep = func(context.Context, time.Duration) error { return nil }
	r.goVersion = func(context.Context, string, string) (string, error) { return "go1.26.7", nil }
	r.compile = func(_ context.Context, tree, _, arch, tags, to string) error {
		ci, err := os.ReadFile(filepath.Join(tree, ".github/workflows/ci.yml"))
		if err != nil {
			return err
		}
		return os.WriteFile(to, fmt.Appendf(nil, "%s %s %s %s", text, arch, tags, ci), 0o755)
	}
	commands := map[string]func(context.Context) error{"check": r.check, "build": r.build, "image": r.pushImage, "publish": r.publish}
	err = commands[command](ctx)
	return out.String(), err
}

// release executes all commands, as the workflow does, up to the first that fails.
func (w *world) release(ctx context.Context, text string) (said string, err error) {
	w.t.Helper()
	for _, command := range []string{"check", "build", "image", "publish"} {
		out, err := w.run(ctx, text, command)
		said += out
		if err != nil {
			return said, fmt.Errorf("%s: %w", command, err)
		}
	}
	return said, nil
}

// writes returns what changed something since the last call.
func (w *world) writes() []string {
	w.gate.mu.Lock()
	defer w.gate.mu.Unlock()
	list := slices.Clone(w.gate.writes)
	w.gate.writes = nil
	return list
}
