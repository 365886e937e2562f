// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// spdkImage is the environment that SPDK is tested in: what images/spdk-debian
// makes. No registry has it.
const spdkImage = "127.0.0.1:1/spdk-debian:latest"

// spdkNearest are commits to take where the folder lacks what SPDK's master wants:
// its forks are younger than what can be had of them.
var spdkNearest = map[string]struct{ repository, revision string }{
	"dpdk":           {"DPDK/dpdk", "v26.03"},
	"intel-ipsec-mb": {"intel/intel-ipsec-mb", "v1.5"},
	"isa-l-crypto":   {"intel/isa-l_crypto", "v2.26"},
}

// TestSPDK is the first day of SPDK's CI with SPDK's own tree: the recipe makes an
// image with its pkgdep.sh, and three patchsets are tested in it with all unit
// tests, from Gerrit to the vote. E2E_SPDK is a folder of bare repositories.
func TestSPDK(t *testing.T) {
	if os.Getenv("E2E_SPDK") == "" {
		t.Skip("E2E_SPDK=FOLDER names no repositories of SPDK and its submodules (make spdk)")
	}
	needDocker(t)
	b := &spdkBed{actBed: newBed(t), trees: rig.Trees(os.Getenv("E2E_SPDK"))}
	b.patience = 3 * time.Hour
	b.buildImage(t)
	b.createProject(t)

	t.Run("passes", func(t *testing.T) {
		change := b.pointers(t)
		b.runs(t, change, +1, "autorun: 1 job passed")
	})
	t.Run("breaks a test", func(t *testing.T) {
		change := b.upload(t, "util: expect a longer host name", "test/unit/lib/util/string.c/string_ut.c", "CU_ASSERT_EQUAL(strlen(host), 11);", "CU_ASSERT_EQUAL(strlen(host), 12);")
		b.runs(t, change, -1, "test_parse_ip_addr", "string_ut.c:27", "CU_ASSERT_EQUAL(strlen(host),12)")
	})
	t.Run("breaks the build", func(t *testing.T) {
		change := b.upload(t, "util: count in another variable", "lib/util/string.c", "size_t len = strlen(s);", "size_t lenght = strlen(s);")
		b.runs(t, change, -1, "lib/util/string.c", "error: ")
	})
	t.Run("in a guest", b.inGuest)
}

// spdkBed is an actBed whose project is SPDK.
type spdkBed struct {
	*actBed
	trees rig.Trees
	// config and env are those of passes.
	config string
	env    []string
	// out is where images are, disk the one that boots.
	out, disk string
	// source is the tarball of the change that passes, as the job "source" made it.
	source string
}

// createProject gives Gerrit and the mirror SPDK's master, the stand-in of GitHub
// the submodules, and the CI repository what it tests in.
func (b *spdkBed) createProject(t *testing.T) {
	t.Helper()
	ctx, g := t.Context(), world.gerrit
	master, err := b.trees.Git(ctx, "spdk/spdk", "rev-parse", "HEAD")
	must(t, err)
	b.base = master
	must(t, g.CreateProject(ctx, actProject))
	must(t, g.Grant(ctx, actProject, "refs/heads/*", "label-Verified", rig.RegisteredUsers, rig.Rule{Action: "ALLOW", Min: -1, Max: 1}))
	from, err := b.trees.Dir("spdk/spdk")
	must(t, err)
	must(t, b.trees.Give(ctx, "spdk/spdk", g.Repository(actProject), "refs/heads/master", master))
	must(t, b.trees.Lend(ctx, "spdk/spdk", b.hub.Repository(actMirror).Dir(), "refs/heads/master", master))
	b.work = g.Git(t.TempDir())
	b.git(t, "clone", "--quiet", "--shared", from, ".")
	b.git(t, "remote", "set-url", "origin", g.GitURL(actProject))

	b.hub.Repository(rig.CIRepository).Commit("main", map[string]string{".github/environments.yml": b.environments(t)})
	b.setCaller(strings.Replace(b.caller, "      label: Verified\n", "      label: Verified\n      instead-of: https://github.com/ "+b.hub.URL()+"/\n", 1))
	b.config, b.env, err = rig.Config{
		GerritURL: g.URL, Project: actProject, User: botUser, Password: botPassword,
		Mirror: actMirror, MirrorURL: b.hub.Repository(actMirror).GitURL(), APIURL: b.hub.URL(),
	}.Write(t.TempDir())
	must(t, err)
}

// environments is the default list's environment for unit tests, in our image and
// with the time that it may take on any machine.
func (b *spdkBed) environments(t *testing.T) string {
	t.Helper()
	r, err := rig.Run(t.Context(), world.bin, os.Environ(), nil, "environments", "default")
	must(t, err)
	var list struct{ Environments []map[string]any }
	must(t, yaml.Unmarshal([]byte(r.Stdout), &list))
	i := slices.IndexFunc(list.Environments, func(e map[string]any) bool { return e["name"] == "unit" })
	unit := list.Environments[i]
	unit["image"], unit["minutes"] = spdkImage, 170
	text, err := yaml.Marshal(map[string]any{"environments": []any{unit}})
	must(t, err)
	t.Logf("the environments:\n%s", text)
	return string(text)
}

// pointers uploads a change to SPDK's master, which moves the submodules that the
// folder lacks to the nearest commits that it has, and makes it what other changes
// are based on.
func (b *spdkBed) pointers(t *testing.T) int {
	t.Helper()
	ctx := t.Context()
	b.git(t, "checkout", "--quiet", "--force", "--detach", b.base)
	modules := b.git(t, "config", "--file", ".gitmodules", "--get-regexp", `\.path$`)
	for line := range strings.Lines(modules) {
		key, path, _ := strings.Cut(strings.TrimSpace(line), " ")
		url := b.git(t, "config", "--file", ".gitmodules", "--get", strings.TrimSuffix(key, "path")+"url")
		name := strings.TrimSuffix(strings.TrimPrefix(url, "https://github.com/"), ".git")
		wanted, from := strings.Fields(b.git(t, "ls-tree", "HEAD", path))[2], name
		if _, err := b.trees.Git(ctx, from, "cat-file", "-e", wanted+"^{commit}"); err != nil {
			near := spdkNearest[path]
			from = near.repository
			wanted, err = b.trees.Git(ctx, from, "rev-parse", "--verify", near.revision+"^{commit}")
			must(t, err)
			t.Logf("the submodule %s: taking %s of %s", path, near.revision, from)
			b.git(t, "update-index", "--cacheinfo", "160000,"+wanted+","+path)
		}
		must(t, b.trees.Lend(ctx, from, b.hub.Repository(name).Dir(), "refs/heads/main", wanted))
	}
	readme := filepath.Join(b.work.Dir, "README.md")
	must(t, os.WriteFile(readme, []byte(readFile(t, readme)+"\n"), 0o644))
	b.git(t, "add", "README.md")
	b.git(t, "commit", "--quiet", "--message", "submodules: take commits that can be had here\n\nChange-Id: I"+strings.Repeat("5d", 20))
	b.git(t, "push", "--quiet", "origin", "HEAD:refs/for/master")
	b.base = b.git(t, "rev-parse", "HEAD")
	changes, err := world.gerrit.Changes(ctx, "project:"+actProject)
	must(t, err)
	if len(changes) != 1 {
		t.Fatalf("got %d changes, want one", len(changes))
	}
	return changes[0].Number
}

// runs makes a pass, waits for the run that it starts, and looks at the verdict.
func (b *spdkBed) runs(t *testing.T, change, vote int, says ...string) {
	t.Helper()
	begin, known := time.Now(), len(b.hub.Runs())
	r, err := rig.Run(t.Context(), world.bin, b.env, nil, "sync", "--config", b.config)
	must(t, err)
	t.Logf("sync: %s", r)
	runs := b.hub.Runs()
	if len(runs) != known+1 {
		t.Fatalf("a pass started %d runs, want one", len(runs)-known)
	}
	run := b.await(t, runs[known].ID)
	b.show(t, run.ID)
	b.keep(t, run)
	t.Logf("the run took %s", time.Since(begin).Round(time.Second))
	b.expect(t, change, vote, says...)
}

// keep leaves the test's log in the cache, for whoever wants to look at it, and the
// source of what passed.
func (b *spdkBed) keep(t *testing.T, run github.Run) {
	t.Helper()
	files := b.act.Artifacts(run.ID)
	log, source := files["results-unit/log.txt"], files["source/source.tar.gz"]
	file := filepath.Join(filepath.Dir(b.source), fmt.Sprintf("spdk-%s.log", filepath.Base(t.Name())))
	must(t, os.WriteFile(file, []byte(log), 0o644))
	t.Logf("the log is %s, %d bytes; the source has %d bytes", file, len(log), len(source))
	if run.Conclusion == "success" {
		must(t, os.WriteFile(b.source, []byte(source), 0o644))
	}
}
