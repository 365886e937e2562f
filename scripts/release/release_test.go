// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image/registry"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// TestRelease: the tags are at one commit on top of main that names exactly what was
// published, main is left alone, and a second run changes nothing.
func TestRelease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	main := w.repo.Refs()["refs/heads/main"]
	said, err := w.release(t.Context(), "v1.2.3")
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	w.checkPromises("v1.2.3")
	refs := w.repo.Refs()
	commit := refs["refs/tags/v1.2.3"]
	if refs["refs/tags/v1"] != commit || refs["refs/heads/main"] != main || refs["refs/tags/v1.0.0"] != w.old || len(refs) != 4 {
		t.Errorf("got refs %v", refs)
	}
	if parent := w.inHub("rev-parse", commit+"^"); parent != main {
		t.Errorf("the release is on top of %s, want main, %s", parent, main)
	}
	releases := w.hub.Releases(repository)
	if len(releases) != 1 || releases[0].Draft || !releases[0].Latest || !strings.HasPrefix(releases[0].Body, "- new things\n\nMade from "+main) {
		t.Errorf("got releases %+v", releases)
	}
	if output, err := os.ReadFile(w.env["GITHUB_OUTPUT"]); err != nil || string(output) != "image="+w.image+"\ndigest="+w.digest(commit)+"\n" {
		t.Errorf("the output is %q, %v", output, err)
	}
	w.writes()
	w.must(os.RemoveAll(filepath.Join(w.dist, "dist")))
	again, err := w.release(t.Context(), "v1.2.3")
	if writes := w.writes(); err != nil || len(writes) > 0 || !strings.Contains(again, "nothing is left to do") {
		t.Errorf("again: %v, %q\n%s", err, writes, again)
	}
	if strings.Contains(said+again, appToken) || strings.Contains(said+again, ownToken) {
		t.Errorf("a token was printed:\n%s", said)
	}
}

// TestNextRelease: a later one moves the tag on, and to complete the earlier one then
// moves nothing back.
func TestNextRelease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if said, err := w.release(t.Context(), "v1.2.3"); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	w.passed(w.repo.Commit("main", map[string]string{"CHANGELOG.md": "## v1.3.0\n\n- more\n", ".github/workflows/ci.yml": "on: {push: }\n"}))
	w.git("pull", "--quiet", "--no-tags")
	if said, err := w.release(t.Context(), "v1.3.0"); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	w.checkPromises("v1.2.3")
	w.checkPromises("v1.3.0")
	newest := w.repo.Refs()["refs/tags/v1.3.0"]
	w.writes()
	said, err := w.release(t.Context(), "v1.2.3")
	if writes := w.writes(); err != nil || len(writes) > 0 || w.repo.Refs()["refs/tags/v1"] != newest {
		t.Errorf("the earlier one again: %v, %q\n%s", err, writes, said)
	}
	if _, err := w.release(t.Context(), "v1.2.4"); err == nil || !strings.Contains(err.Error(), "v1.2.4 is older than v1.3.0") {
		t.Errorf("an older one: got %v", err)
	}
}

// digest is what the action at a commit runs, as the runner reads it.
func (w *world) digest(commit string) string {
	w.t.Helper()
	m := regexp.MustCompile(`(?m)^  image: docker://` + regexp.QuoteMeta(w.image) + `@(sha256:[0-9a-f]{64})$`).FindStringSubmatch(w.inHub("show", commit+":action.yml"))
	if m == nil {
		w.t.Fatalf("action.yml of %s names no image", commit)
	}
	return m[1]
}

// checkPromises: whatever tag of a release is there, all that it names can be had;
// the moving tag besides is at a release that is published.
func (w *world) checkPromises(text string) {
	w.t.Helper()
	refs := w.repo.Refs()
	commit := refs["refs/tags/"+text]
	if commit == "" {
		if refs["refs/tags/v1"] != w.old {
			w.t.Errorf("v1 is at %s, and %s is not released", refs["refs/tags/v1"], text)
		}
		return
	}
	if changed := w.inHub("diff", "--name-only", commit+"^", commit); changed != "action.yml\nactions/setup/checksums.txt" {
		w.t.Errorf("%s changes %q", text, changed)
	}
	public := &registry.Client{Anonymous: true}
	if _, err := public.Digest(w.t.Context(), w.image+"@"+w.digest(commit)); err != nil {
		w.t.Errorf("the image of %s: %v", text, err)
	}
	if refs["refs/tags/v1"] != commit {
		return
	}
	sums := w.inHub("show", commit+":actions/setup/checksums.txt")
	for _, arch := range architectures {
		got := w.download(text + "/" + programName(arch))
		if line := fmt.Sprintf("%x  %s", sha256.Sum256(got), programName(arch)); !strings.Contains(sums, line) {
			w.t.Errorf("%s is not in\n%s", line, sums)
		}
	}
}

func (w *world) download(name string) []byte {
	w.t.Helper()
	resp, err := http.Get(w.hub.URL() + "/" + repository + "/releases/download/" + name)
	w.must(err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		w.t.Errorf("%s: %s, %v", name, resp.Status, err)
	}
	return data
}

// killPoints are the requests of a release, by what they change, at which TestKilled
// breaks it off; RELEASE_KILLS=all takes every one.
var killPoints = []string{
	"git-receive-pack", "/manifests/v1.2.3", "/assets", "/releases",
}

// TestKilled breaks a release off at each step, before the server has carried it out
// and after, or only its answer is lost: what is promised holds then, and one more run
// completes it.
func TestKilled(t *testing.T) {
	t.Parallel()
	first := newWorld(t)
	if said, err := first.release(t.Context(), "v1.2.3"); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	steps := first.writes()
	t.Logf("a release makes %d changes:\n%s", len(steps), strings.Join(steps, "\n"))
	seen, all := map[string]int{}, os.Getenv("RELEASE_KILLS") == "all"
	for i, step := range steps {
		point := slices.IndexFunc(killPoints, func(p string) bool { return strings.Contains(step, p) })
		if point < 0 && !all || !all && killPoints[point] == "/assets" && seen["/assets"] > 0 {
			continue
		}
		if point >= 0 {
			seen[killPoints[point]]++
		}
		for _, how := range []string{"before", "after", "lost"} {
			if i < 2 && how != "after" && !all {
				continue // what tries the token
			}
			t.Run(fmt.Sprintf("%s %d %s", how, i+1, filepath.Base(step)), func(t *testing.T) {
				t.Parallel()
				killed(t, i+1, how)
			})
		}
	}
	if seen["git-receive-pack"] != 4 {
		t.Errorf("%d pushes: want two that try the token, and one for each tag", seen["git-receive-pack"])
	}
}

func killed(t *testing.T, at int, how string) {
	w := newWorld(t)
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	w.gate.at, w.gate.served, w.gate.kill = at, how != "before", kill
	if how == "lost" {
		w.gate.kill = func() {}
	}
	if said, err := w.release(ctx, "v1.2.3"); err == nil && how != "lost" {
		t.Fatalf("nothing was hit\n%s", said)
	}
	w.checkPromises("v1.2.3")
	begun := w.repo.Refs()["refs/tags/v1.2.3"]
	// Somebody else lands something in between; a tag stays where it was made.
	tip := w.repo.Commit("main", map[string]string{".github/workflows/ci.yml": "on: {push: , pull_request: }\n"})
	w.passed(tip)
	w.git("pull", "--quiet", "--no-tags")
	if said, err := w.release(t.Context(), "v1.2.3"); err != nil {
		t.Fatalf("the second run: %v\n%s", err, said)
	}
	w.checkPromises("v1.2.3")
	refs := w.repo.Refs()
	if commit := refs["refs/tags/v1.2.3"]; refs["refs/tags/v1"] != commit || begun != "" && begun != commit || len(refs) != 4 {
		t.Errorf("begun at %s; got refs %v", begun, refs)
	}
	if begun == "" && w.inHub("rev-parse", "v1.2.3^") != tip {
		t.Errorf("it was not made from the new main")
	}
	if releases := w.hub.Releases(repository); len(releases) != 1 || releases[0].Draft || len(releases[0].Assets) != 3 {
		t.Errorf("got releases %+v", releases)
	}
}

// TestRefused: what stands against a release is said, all of it, before anything is
// published.
func TestRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		version string
		prepare func(w *world)
		want    []string
	}{
		"no version":     {"1.2.3", nil, []string{`"1.2.3" is no version`}},
		"a candidate":    {"v1.2.3-rc1", nil, []string{`"v1.2.3-rc1" is no version`}},
		"leading zero":   {"v1.02.3", nil, []string{"is no version"}},
		"hostile":        {"v1.2.3\n::error::x", nil, []string{`"v1.2.3 ::error::x" is no version`}},
		"older":          {"v0.9.0", nil, []string{"v0.9.0 is older than v1.0.0", `no text below a heading "## v0.9.0"`, "README.md:1:dispatcher@v1 is not v0"}},
		"next series":    {"v2.0.0", nil, []string{"README.md:1:dispatcher@v1 is not v2", `no text below a heading "## v2.0.0"`}},
		"earlier run":    {"v1.2.3", func(w *world) { w.rerun("in_progress", "") }, []string{"ci.yml has not passed for", "it is in_progress"}},
		"red":            {"v1.2.3", func(w *world) { w.rerun("completed", "failure") }, []string{"it is completed failure"}},
		"never run":      {"v1.2.3", func(w *world) { w.land("README.md", "x\n") }, []string{"ci.yml has not run for"}},
		"not main":       {"v1.2.3", func(w *world) { w.git("commit", "--quiet", "--allow-empty", "-m", "own") }, []string{"is not on main", "ci.yml has not run"}},
		"not committed":  {"v1.2.3", func(w *world) { w.must(os.WriteFile(filepath.Join(w.dir, "x"), nil, 0o644)) }, []string{"not committed: ?? x"}},
		"foreign series": {"v1.2.3", func(w *world) { w.inHub("update-ref", "refs/tags/v1", "main") }, []string{"the tag v1 is at", "which is no release"}},
		"foreign tag":    {"v1.2.3", func(w *world) { w.inHub("tag", "v1.2.3", "main") }, []string{"the tag v1.2.3 is at", "which is no release: it does not change action.yml"}},
		"forged tag":     {"v1.2.3", (*world).forge, []string{"the tag v1.2.3 is at", "which is no release: action.yml has more than another image"}},
		"no right":       {"v1.2.3", func(w *world) { delete(w.env, "RELEASE_TOKEN") }, []string{"nothing was published", "refusing to allow a GitHub App to create or update workflow"}},
		"no line":        {"v1.2.3", func(w *world) { w.land("action.yml", "runs:\n  image: docker://x\n"); w.passed(w.tip()) }, []string{"no line \"image: Dockerfile\""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if c.prepare != nil {
				c.prepare(w)
			}
			before := w.repo.Refs()
			said, err := w.release(t.Context(), c.version)
			if err == nil {
				t.Fatalf("it was not refused\n%s", said)
			}
			text := err.Error()
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("got %q, want %q in it", text, want)
				}
			}
			if after := w.repo.Refs(); fmt.Sprint(after) != fmt.Sprint(before) {
				t.Errorf("got refs %v, want %v", after, before)
			}
			for _, write := range w.writes() { // the token may be tried
				if !strings.HasSuffix(write, "git-receive-pack") {
					t.Errorf("something was published: %s", write)
				}
			}
		})
	}
}

// TestAnnotatedSeries: a moving tag that has an object of its own, as "git tag -a"
// makes, is at the release that it names, and moves on.
func TestAnnotatedSeries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.inHub("tag", "-f", "-a", "-m", "by hand", "v1", w.old)
	if said, err := w.release(t.Context(), "v1.2.3"); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	refs := w.repo.Refs()
	if commit := refs["refs/tags/v1.2.3"]; refs["refs/tags/v1"] != commit {
		t.Errorf("got refs %v", refs)
	}
}

// TestOvertaken: a release that is still going on when a later one is done moves nothing
// back and says so.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, command := range []string{"check", "build", "image"} {
		if out, err := w.run(t.Context(), "v1.2.3", command); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
	}
	w.inHub("tag", "v1.3.0", "main") // another machine's
	w.inHub("update-ref", "refs/tags/v1", "main")
	out, err := w.run(t.Context(), "v1.2.3", "publish")
	if err == nil || !strings.Contains(err.Error(), "v1.2.3 is older than v1.3.0") {
		t.Errorf("got %v\n%s", err, out)
	}
	if refs := w.repo.Refs(); refs["refs/tags/v1"] != w.tip() || refs["refs/tags/v1.2.3"] != "" {
		t.Errorf("got refs %v", refs)
	}
}

// TestImageRestored: an image that somebody deleted comes back with the next run.
func TestImageRestored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if said, err := w.release(t.Context(), "v1.2.3"); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	reference := w.image + "@" + w.digest(w.repo.Refs()["refs/tags/v1.2.3"])
	for _, at := range []string{reference, w.image + ":v1.2.3"} { // real registries delete the tag, too
		ref, err := name.ParseReference(at)
		w.must(err)
		w.must(remote.Delete(ref))
	}
	if _, err := (&registry.Client{Anonymous: true}).Digest(t.Context(), reference); !errors.Is(err, registry.ErrNotFound) {
		t.Fatalf("it is still there: %v", err)
	}
	if said, err := w.release(t.Context(), "v1.2.3"); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
	w.checkPromises("v1.2.3")
}

func (w *world) tip() string { return w.repo.Refs()["refs/heads/main"] }

// forge tags what looks like a release from main, and has one more line.
func (w *world) forge() {
	digest, main := "sha256:"+strings.Repeat("0a", 32), w.tip()
	action := strings.Replace(w.inHub("show", main+":action.yml")+"\n", buildsImage, "\n  image: docker://"+w.image+"@"+digest+"\n  pre-entrypoint: /evil\n", 1)
	w.must(os.WriteFile(filepath.Join(w.dir, "action.yml"), []byte(action), 0o644))
	w.must(os.WriteFile(filepath.Join(w.dir, checksumsFile), fmt.Appendf(nil, "# v1.2.3\n# go1.26.7, commit %s\n", main), 0o644))
	w.git("add", ".")
	w.git("commit", "--quiet", "-m", "x")
	w.inHub("fetch", "--quiet", w.dir, "HEAD:refs/tags/v1.2.3")
	w.git("reset", "--quiet", "--hard", main)
}

// land changes a file on main, here too.
func (w *world) land(file, text string) {
	w.repo.Commit("main", map[string]string{file: text})
	w.git("pull", "--quiet", "--no-tags")
}

// rerun is one more run of the checks for main's tip.
func (w *world) rerun(status, conclusion string) {
	w.hub.Advance(1e9)
	w.hub.AddRun(standin.Run{Repository: repository, Workflow: "ci.yml", Event: "push", Branch: "main", Head: w.tip(), Status: status, Conclusion: conclusion})
}

// TestPrivateImage: nobody is sent to an image that only an account can pull; once it
// is public, the next run goes on.
func TestPrivateImage(t *testing.T) {
	w := newWorld(t)
	w.gate.closed = true
	host, _, _ := strings.Cut(w.image, "/")
	t.Setenv("DOCKER_CONFIG", w.dist)
	w.must(os.WriteFile(filepath.Join(w.dist, "config.json"), fmt.Appendf(nil, `{"auths":{%q:{"username":"a","password":"b"}}}`, host), 0o600))
	_, err := w.release(t.Context(), "v1.2.3")
	if err == nil || !strings.Contains(err.Error(), "not everybody may pull "+w.image) || !strings.Contains(fault.HintOf(err), "make the package public") {
		t.Fatalf("got %v", err)
	}
	if refs := w.repo.Refs(); len(refs) != 3 || len(w.hub.Releases(repository)) > 0 {
		t.Errorf("got refs %v", refs)
	}
	w.gate.closed = false
	if said, err := w.release(t.Context(), "v1.2.3"); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	w.checkPromises("v1.2.3")
}

// TestRedirected: where the server sends git elsewhere, the token does not go along.
func TestRedirected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var mu sync.Mutex
	var seen []string
	foreign := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, r.URL.Path+" "+r.Header.Get("Authorization"))
		rw.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(foreign.Close)
	elsewhere := strings.Replace(foreign.URL, "127.0.0.1", "localhost", 1)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, elsewhere+r.URL.RequestURI(), http.StatusFound)
	}))
	t.Cleanup(server.Close)
	w.env["GITHUB_SERVER_URL"] = server.URL
	if out, err := w.run(t.Context(), "v1.2.3", "check"); err == nil || !strings.Contains(err.Error(), "failed to list the refs") {
		t.Errorf("got %v\n%s", err, out)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(seen) > 0 {
		t.Errorf("it went on to %q", seen)
	}
}

// TestMasked: the runner hears of each token once, and of what git makes of it.
func TestMasked(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	tokens := []string{"ghs_1", "ghs_1", "ghs_2"}
	source := masked(func(context.Context) (string, error) {
		token := tokens[0]
		tokens = tokens[1:]
		return token, nil
	}, &out)
	for _, want := range []string{"ghs_1", "ghs_1", "ghs_2"} {
		if got, err := source(t.Context()); got != want || err != nil {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	want := "::add-mask::ghs_1\n::add-mask::eC1hY2Nlc3MtdG9rZW46Z2hzXzE=\n::add-mask::ghs_2\n::add-mask::eC1hY2Nlc3MtdG9rZW46Z2hzXzI=\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

// TestNotes: a version's own section, and no other one's.
func TestNotes(t *testing.T) {
	t.Parallel()
	const changelog = "# Changelog\n\n## v1.10.0\n\n- ten\n\n## v1.1.0 (2026-01-05)\n\n- one\n\n### More\n\n- two\n## v1.0.0\n## v0.9.0\nlast"
	for text, want := range map[string]string{
		"v1.10.0": "- ten", "v1.1.0": "- one\n\n### More\n\n- two", "v1.0.0": "", "v0.9.0": "last", "v1.1.1": "",
	} {
		v, err := parseVersion(text)
		if got := notes(changelog, v); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", text, got, err, want)
		}
	}
}

// TestTell: an error is one line for the runner, whatever is in it.
func TestTell(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	err := errors.Join(errors.New("a\n::set-output name=x::y"), fault.New(fault.Configuration, "b").WithHint("do c"), nil)
	for _, e := range apart(err) {
		tell(&out, e, true)
	}
	if want := "::error::release: a%0A::set-output name=x::y\n::error::release: b%0Ahint: do c\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
