// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package rig_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
)

// TestServers pushes one commit through both servers and reads their logs.
func TestServers(t *testing.T) {
	ctx := t.Context()
	gerrit, err := rig.StartGerrit(ctx, rig.GerritOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(gerrit.Stop)
	mirror, err := rig.StartMirror(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mirror.Stop)

	must(t, gerrit.SetUp(ctx))
	must(t, gerrit.CreateProject(ctx, "spdk/spdk"))
	must(t, mirror.Create(ctx, "owner/spdk"))

	work := filepath.Join(t.TempDir(), "work")
	git := gerrit.Git(t.TempDir())
	run(t, git, "clone", "-q", gerrit.GitURL("spdk/spdk"), work)
	git.Dir = work
	must(t, os.WriteFile(filepath.Join(work, "a"), []byte("a\n"), 0o644))
	run(t, git, "add", "a")
	run(t, git, "commit", "-q", "-m", "add a\n\nChange-Id: I"+strings.Repeat("1", 40))
	run(t, git, "push", "-q", "origin", "HEAD:refs/for/master")
	changes, err := gerrit.Changes(ctx, "project:spdk/spdk")
	must(t, err)
	if len(changes) != 1 || changes[0].Revision != run(t, git, "rev-parse", "HEAD") || changes[0].Ref() != "refs/changes/01/1/1" {
		t.Errorf("got changes %+v, want the pushed one", changes)
	}
	requests, err := gerrit.Requests(ctx)
	must(t, err)
	if last := requests[len(requests)-1]; last.Method != "GET" || last.User != rig.AdminUser || last.Status != 200 || !strings.HasPrefix(last.URI, "/gerrit/a/changes/?") {
		t.Errorf("got last request %+v, want the query", last)
	}

	if _, err := mirror.Requests(ctx); err != nil {
		t.Fatal(err)
	}
	git = mirror.Git(work)
	run(t, git, "push", "-q", mirror.GitURL("owner/spdk"), "HEAD:refs/changes/01/1/1")
	requests, err = mirror.Requests(ctx)
	must(t, err)
	if last := requests[len(requests)-1]; last.Method != "POST" || last.Status != 200 || last.URI != "/owner/spdk.git/git-receive-pack" || last.In < 200 {
		t.Errorf("got last request %+v, want the push", last)
	}
	refs, err := git.LsRemote(ctx, mirror.ReadOnlyURL("owner/spdk"))
	must(t, err)
	if refs["refs/changes/01/1/1"] != changes[0].Revision {
		t.Errorf("got refs %v on the mirror, want the change", refs)
	}
	if _, err := git.Run(ctx, "push", mirror.ReadOnlyURL("owner/spdk"), "HEAD:refs/heads/x"); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("got error %v from a push to the read-only address, want 403", err)
	}
	git.Password = "wrong"
	if _, err := git.LsRemote(ctx, mirror.GitURL("owner/spdk")); err == nil {
		t.Error("the mirror took a wrong password")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, git rig.Git, args ...string) string {
	t.Helper()
	out, err := git.Run(t.Context(), args...)
	must(t, err)
	return out
}
