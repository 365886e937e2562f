// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package release

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

const (
	repository = "spdk-community-ci/dispatcher"
	version    = "v1.2.3"
	jobToken   = "ghs_jobjobjobjobjobjobjobjobjobjobjobjob0"
)

// gate stands in front of the servers: at the request with a number it carries out
// what was asked, and kills who asked.
type gate struct {
	mu     sync.Mutex
	writes int
	at     int
	kill   func()
	hits   []string
}

func (g *gate) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead || strings.HasSuffix(r.URL.Path, "git-upload-pack") ||
			strings.HasSuffix(r.URL.Path, "/access_tokens") {
			next.ServeHTTP(w, r)
			return
		}
		g.mu.Lock()
		g.writes++
		hit := g.writes == g.at
		if hit {
			g.hits = append(g.hits, r.Method+" "+r.URL.Path)
		}
		g.mu.Unlock()
		if hit {
			next.ServeHTTP(httptest.NewRecorder(), r)
			g.kill()
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, r)
	})
}

// arm has the next request with that number kill; 0 is none. It returns how many
// there were since the last call.
func (g *gate) arm(at int, kill func()) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := g.writes
	g.writes, g.at, g.kill = 0, at, kill
	return n
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newReleasing makes the servers and a repository with this project's files. What
// releases is a GitHub App.
func newReleasing(t *testing.T, g *gate, buildImage string) *rig.Releasing {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	access := github.Access{User: "releases[bot]", Contents: github.Write, Workflows: true}
	hub := github.Serve(t, github.Options{
		ImmutableReleases: true, Wrap: g.wrap, Now: time.Now,
		Apps: []github.App{{ID: 7, InstallationID: 70, Key: &key.PublicKey, Access: access}},
		Tokens: map[string]github.Access{
			jobToken:        {User: "github-actions[bot]", Contents: github.Read, Actions: github.Read, App: true},
			rig.MirrorToken: github.FullAccess,
		},
	})
	store := httptest.NewServer(g.wrap(registry.New(registry.Logger(log.New(io.Discard, "", 0)))))
	t.Cleanup(store.Close)
	r := &rig.Releasing{
		Hub: hub, Repository: repository, Image: strings.TrimPrefix(store.URL, "http://") + "/" + repository, Dir: t.TempDir(),
		Settings: []string{
			"GITHUB_TOKEN=" + jobToken, "RELEASE_APP_ID=7",
			"RELEASE_APP_PRIVATE_KEY=" + string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})),
		},
	}
	files := filepath.Join(r.Dir, "files")
	must(t, rig.Snapshot(t.Context(), files, buildImage))
	must(t, r.SetUp(t.Context(), files, version))
	return r
}

// TestRelease makes a release, killed at one step after the other, and uses it.
func TestRelease(t *testing.T) {
	runner, build := startDocker(t)
	g := &gate{}
	r := newReleasing(t, g, cmp.Or(build, "golang"))
	ctx := t.Context()
	for _, command := range []string{"check", "build"} {
		begin := time.Now()
		out, err := r.Run(ctx, command, version, r.Dist())
		must(t, err)
		t.Logf("%s took %s:\n%s", command, time.Since(begin).Round(time.Second), out)
	}
	t.Run("the same bytes", func(t *testing.T) {
		again := filepath.Join(r.Dir, "again")
		_, err := r.Run(ctx, "build", version, again)
		must(t, err)
		files, err := os.ReadDir(r.Dist())
		must(t, err)
		for _, f := range files {
			one, err := os.ReadFile(filepath.Join(r.Dist(), f.Name()))
			must(t, err)
			two, err := os.ReadFile(filepath.Join(again, f.Name()))
			must(t, err)
			if !bytes.Equal(one, two) {
				t.Errorf("%s is another one when it is built again", f.Name())
			}
		}
	})
	kills(t, r, g)
	said, err := r.Release(ctx, version)
	if n := g.arm(0, nil); err != nil || n != 0 || !strings.Contains(said, "nothing is left to do") {
		t.Errorf("once more: %v, %d changes\n%s", err, n, said)
	}
	for _, ref := range []string{version, "v1", r.Hub.Repository(repository).Refs()["refs/tags/"+version], "main"} {
		t.Run("setup at "+ref, func(t *testing.T) { setUp(t, r, ref) })
	}
	t.Run("action", func(t *testing.T) {
		if runner == "" {
			t.Skip("there is no Docker, or nobody who may start it")
		}
		runs(t, r, runner)
	})
}

// kills kills each run at another request than the one before, until one is too
// short to be hit.
func kills(t *testing.T, r *rig.Releasing, g *gate) {
	t.Helper()
	begin := time.Now()
	for at := 1; at < 60; at += 2 {
		ctx, kill := context.WithCancel(t.Context())
		g.arm(at, kill)
		_, err := r.Run(ctx, "image", version, r.Dist())
		if err == nil {
			_, err = r.Run(ctx, "publish", version, r.Dist())
		}
		killed := ctx.Err() != nil
		kill()
		g.arm(0, nil)
		check(t, r)
		if !killed {
			must(t, err)
			t.Logf("in %s runs were killed at\n%s", time.Since(begin).Round(time.Second), strings.Join(g.hits, "\n"))
			if refs := r.Hub.Repository(repository).Refs(); refs["refs/tags/v1"] != refs["refs/tags/"+version] || len(refs) != 4 {
				t.Errorf("got refs %v", refs)
			}
			return
		}
	}
	t.Fatal("it was never whole")
}

var pinned = regexp.MustCompile(`(?m)^  image: docker://[^/]+/(\S+)@(sha256:[0-9a-f]{64})$`)

// check: a tag names an image that everybody can pull; the moving tag besides is at
// a release whose files are there.
func check(t *testing.T, r *rig.Releasing) {
	t.Helper()
	repo := r.Hub.Repository(repository)
	refs := repo.Refs()
	commit := refs["refs/tags/"+version]
	if moved := refs["refs/tags/v1"]; moved != r.Old && moved != commit {
		t.Errorf("v1 is at %s", moved)
	}
	if commit == "" {
		return
	}
	action, err := rig.Git{Dir: repo.Dir()}.Run(t.Context(), "show", commit+":action.yml")
	must(t, err)
	m := pinned.FindStringSubmatch(action)
	if m == nil {
		t.Fatalf("action.yml names no image:\n%s", action)
	}
	host, _, _ := strings.Cut(r.Image, "/")
	urls := []string{"http://" + host + "/v2/" + m[1] + "/manifests/" + m[2]}
	if refs["refs/tags/v1"] == commit {
		for _, name := range []string{"dispatcher-linux-amd64", "dispatcher-linux-arm64", "checksums.txt"} {
			urls = append(urls, fmt.Sprintf("%s/%s/releases/download/%s/%s", r.Hub.URL(), repository, version, name))
		}
	}
	for _, url := range urls {
		resp, err := http.Get(url)
		must(t, err)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", url, resp.Status)
		}
	}
}

// setUp installs the program by the action of a ref, which downloads a release and
// builds what is none.
func setUp(t *testing.T, r *rig.Releasing, ref string) {
	dir, temp := t.TempDir(), t.TempDir()
	must(t, r.Export(t.Context(), ref, dir))
	cmd := exec.CommandContext(t.Context(), "bash", filepath.Join(dir, "actions/setup/install.sh"))
	cmd.Env = append(os.Environ(), "RUNNER_TEMP="+temp, "GITHUB_PATH="+temp+"/path", "GITHUB_OUTPUT="+temp+"/output", "BINARY=", "DISPATCHER_BINARY=",
		"GOFLAGS=-buildvcs=false", "DISPATCHER_DOWNLOADS="+r.Hub.URL()+"/"+repository+"/releases/download")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := "version=" + version + "\n"
	if ref == "main" {
		want = "this commit of the dispatcher is no release: it is built for this job"
	}
	if !strings.Contains(string(out), want) {
		t.Errorf("got %q, want %q in it", out, want)
	}
}
