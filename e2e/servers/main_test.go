// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package servers

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
	"github.com/spdk-community-ci/dispatcher/internal/standin/githttp"
)

// host is a kind of git server, started when a test first asks for it.
type host struct {
	name   string
	create func(ctx context.Context, repository string) (rig.Hosted, error)
	// skip says why the host cannot be had here.
	skip string
}

// hosts are all kinds. GitHub's program has no module and no binary that is
// served anywhere, so only who has a checkout of it can test with it.
var hosts = []host{
	{name: "git", create: createGit},
	{name: "gitea", create: func(ctx context.Context, name string) (rig.Hosted, error) {
		g, err := gitea()
		if err != nil {
			return rig.Hosted{}, err
		}
		return g.Create(ctx, name)
	}},
	{name: "soft-serve", create: func(ctx context.Context, name string) (rig.Hosted, error) {
		s, err := softServe()
		if err != nil {
			return rig.Hosted{}, err
		}
		return s.Create(ctx, name)
	}},
	{name: "spokes", create: createSpokes, skip: skipSpokes()},
}

// each plays a scenario with every kind of server.
func each(t *testing.T, scenario func(b *bed)) {
	t.Helper()
	t.Parallel()
	for _, h := range hosts {
		t.Run(h.name, func(t *testing.T) {
			if h.skip != "" {
				t.Skip(h.skip)
			}
			t.Parallel()
			scenario(newBed(t, h))
		})
	}
}

func skipSpokes() string {
	if os.Getenv("E2E_SPOKES") == "" {
		return "E2E_SPOKES names no checkout of github.com/github/spokes-receive-pack (make e2e-spokes)"
	}
	return ""
}

// world is what all tests share.
var world struct {
	dir  string   // of git and spokes, removed at the end
	env  []string // of each server: git programs that can be killed
	mu   sync.Mutex
	stop []func()
}

var (
	gitea = sync.OnceValues(func() (*rig.Gitea, error) {
		g, err := rig.StartGitea(context.Background(), world.env...)
		if err == nil {
			atEnd(g.Stop)
		}
		return g, err
	})
	softServe = sync.OnceValues(func() (*rig.SoftServe, error) {
		s, err := rig.StartSoftServe(context.Background(), world.env...)
		if err == nil {
			atEnd(s.Stop)
		}
		return s, err
	})
	cGit = sync.OnceValue(func() string {
		s := httptest.NewServer(&githttp.Handler{Root: world.dir, User: "rig", Env: world.env})
		atEnd(s.Close)
		return s.URL
	})
	spokes = sync.OnceValues(func() (string, error) {
		h, err := rig.NewSpokes(context.Background(), os.Getenv("E2E_SPOKES"), world.dir, world.env...)
		if err != nil {
			return "", err
		}
		s := httptest.NewServer(h)
		atEnd(s.Close)
		return s.URL, nil
	})
)

func createGit(ctx context.Context, name string) (rig.Hosted, error) { return bare(ctx, cGit(), name) }

func createSpokes(ctx context.Context, name string) (rig.Hosted, error) {
	url, err := spokes()
	if err != nil {
		return rig.Hosted{}, err
	}
	return bare(ctx, url, "spokes-"+name)
}

// bare makes an empty repository that a server finds at url/NAME.git.
func bare(ctx context.Context, url, name string) (rig.Hosted, error) {
	h := rig.Hosted{URL: url + "/" + name + ".git", Token: "any", Dir: filepath.Join(world.dir, filepath.FromSlash(name)+".git")}
	_, err := rig.Git{Dir: world.dir}.Run(ctx, "init", "-q", "--bare", h.Dir)
	return h, err
}

func atEnd(stop func()) {
	world.mu.Lock()
	defer world.mu.Unlock()
	world.stop = append(world.stop, stop)
}

// TestMain keeps a developer's own GitHub token out of the tests.
func TestMain(m *testing.M) { os.Exit(withWorld(m)) }

func withWorld(m *testing.M) int {
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "GITHUB_") || strings.HasPrefix(name, "GH_") {
			os.Unsetenv(name)
		}
	}
	os.Setenv("CI", "true") // asks no key store
	var err error
	if world.dir, err = os.MkdirTemp("", "e2e-servers-*"); err != nil {
		panic(err)
	}
	os.Setenv("GH_CONFIG_DIR", filepath.Join(world.dir, "none"))
	defer os.RemoveAll(world.dir)
	defer func() {
		for _, stop := range world.stop {
			stop()
		}
	}()
	if world.env, err = rig.UnpackKiller(context.Background(), world.dir); err != nil {
		panic(err)
	}
	return m.Run()
}
