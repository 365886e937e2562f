// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
)

// spdkSources are what SPDK's scripts clone, and the refs that they take.
var spdkSources = map[string]string{
	"axboe/fio": "refs/tags/fio-3.35", "axboe/liburing": "refs/tags/liburing-2.2", "brendangregg/FlameGraph": "HEAD",
}

// buildImage makes the image, unless this version of it is in the cache, and has
// its smoke test run in the container and in the booted disk.
func (b *spdkBed) buildImage(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	dir, err := rig.CacheDir()
	must(t, err)
	b.out, b.source = filepath.Join(dir, "spdk-images"), filepath.Join(dir, "spdk-source.tar.gz")
	base := "dispatcher-e2e/spdk-base:bookworm"
	if docker("image", "inspect", base) != nil {
		files := t.TempDir()
		for name, ref := range spdkSources {
			must(t, b.trees.Shallow(ctx, name, filepath.Join(files, "git", name+".git"), ref))
			must(t, os.Symlink(filepath.Base(name)+".git", filepath.Join(files, "git", name)))
		}
		must(t, os.CopyFS(filepath.Join(files, "ca"), os.DirFS("/usr/local/share/ca-certificates")))
		must(t, docker("build", "--quiet", "--build-arg", "BASE="+imageBase, "--file", "testdata/spdk/base.Dockerfile", "--tag", base, files))
	}
	tree := filepath.Join(t.TempDir(), "spdk")
	from, err := b.trees.Dir("spdk/spdk")
	must(t, err)
	_, err = rig.Git{}.Run(ctx, "clone", "--quiet", "--shared", from, tree)
	must(t, err)
	build := []string{"build", "spdk-debian", "--recipes", "../images", "--out", b.out, "--base", base, "--source", tree}
	said := b.image(t, build...)
	version := regexp.MustCompile(`spdk-debian@([0-9a-f]{16})`).FindStringSubmatch(said)[1]
	built := "dispatcher/spdk-debian:" + version
	if docker("image", "inspect", built) != nil { // another daemon built it
		b.image(t, append(build, "--force")...)
	}
	b.image(t, "verify", "spdk-debian", "--recipes", "../images", "--out", b.out)
	b.tagCached(t, built)
	size, err := exec.CommandContext(ctx, "docker", "image", "inspect", "--format", "{{.Size}}", built).Output()
	must(t, err)
	b.disk, err = filepath.Abs(filepath.Join(b.out, "spdk-debian", version, "disk.qcow2"))
	must(t, err)
	disk, err := os.Stat(b.disk)
	must(t, err)
	t.Logf("container: %s bytes; disk: %d bytes", strings.TrimSpace(string(size)), disk.Size())
}

// tagCached names the image as the environments have it, with one thing more: ccache
// keeps what it can in the cache, so that DPDK is compiled once. SPDK itself it cannot,
// because unit tests are built with -fprofile-update=atomic, which ccache 4.7 does not
// know.
func (b *spdkBed) tagCached(t *testing.T, built string) {
	t.Helper()
	gateway, err := exec.CommandContext(t.Context(), "docker", "network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", "bridge").Output()
	must(t, err)
	l, err := net.Listen("tcp", net.JoinHostPort(strings.TrimSpace(string(gateway)), "0"))
	must(t, err)
	dir := filepath.Join(filepath.Dir(b.source), "spdk-ccache")
	must(t, os.MkdirAll(dir, 0o755))
	server := &http.Server{Handler: keyFiles(dir)}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	context := t.TempDir()
	must(t, os.WriteFile(filepath.Join(context, "Dockerfile"), []byte("FROM "+built+"\nENV PATH=/usr/lib/ccache:$PATH CCACHE_REMOTE_STORAGE=http://"+l.Addr().String()+"\n"), 0o644))
	must(t, docker("build", "--quiet", "--tag", spdkImage, context))
}

// keyFiles is what ccache wants of a server: values by their keys.
type keyFiles string

func (dir keyFiles) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	file := filepath.Join(string(dir), strings.ReplaceAll(strings.Trim(r.URL.Path, "/"), "/", "-"))
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		http.ServeFile(w, r, file)
	case http.MethodPut:
		part, err := os.CreateTemp(string(dir), ".part-*")
		if err == nil {
			_, err = io.Copy(part, r.Body)
			err = errors.Join(err, part.Close())
		}
		if err == nil {
			err = os.Rename(part.Name(), file)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	default:
		http.Error(w, "GET and PUT are all there is", http.StatusMethodNotAllowed)
	}
}

// image runs dispatcher image and returns what it printed.
func (b *spdkBed) image(t *testing.T, args ...string) string {
	t.Helper()
	r, err := rig.Run(t.Context(), world.bin, append(os.Environ(), "GITHUB_ACTIONS=", "GITHUB_OUTPUT="), nil, append([]string{"image"}, args...)...)
	must(t, err)
	t.Logf("image %s: %s", strings.Join(args, " "), r)
	if r.Code != 0 {
		t.FailNow()
	}
	return r.Stdout
}
