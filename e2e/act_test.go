// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// What the workflows that run for real are about.
const (
	actProject = "spdk/spdk"  // in Gerrit
	actMirror  = "owner/spdk" // on the GitHub stand-in
	actTool    = "spdk-community-ci/dispatcher"
	// actEnvironment is what the project is tested in. No registry has it.
	actEnvironment = "127.0.0.1:1/environment:bookworm"
	// jobToken is the token of every job: what GitHub gives to one that asks for
	// actions: write.
	jobToken = "ghs_jobjobjobjobjobjobjobjobjobjobjobjob0"
)

// TestAct has the workflows of this repository run for real: jobs run in Docker,
// by nektos/act, and speak to a real Gerrit. The stories share two processors.
func TestAct(t *testing.T) {
	needDocker(t)
	b := newActBed(t)
	t.Run("stories", func(t *testing.T) {
		t.Run("loop", b.testLoop)
		t.Run("by hand", b.testByHand)
		t.Run("images", b.testImages)
		t.Run("kinds", b.testKinds)
	})
}

// needDocker skips where Docker cannot run. CI never goes without.
func needDocker(t *testing.T) {
	t.Helper()
	refuse := t.Skip
	if os.Getenv("CI") != "" {
		refuse = t.Fatal
	}
	if _, err := exec.LookPath("dockerd"); err != nil || os.Getuid() != 0 {
		refuse("workflows run in Docker, which must be installed (scripts/install-tools.sh) and started as root")
	}
	startDocker(t)
	makeBase(t)
}

// actBed is a Gerrit project, a GitHub whose workflows run in Docker, and an
// author.
type actBed struct {
	hub *github.Server
	act *rig.Act
	// work is the author's clone, base the first commit with the whole project.
	work rig.Git
	base string
	// caller is the CI repository's autorun.yml.
	caller string
	images imageHub
	// patience is how long a run may take.
	patience time.Duration
}

// newActBed returns a bed with a small project.
func newActBed(t *testing.T) *actBed {
	t.Helper()
	b := newBed(t)
	must(t, docker("tag", imageBase, actEnvironment))
	b.createProject(t)
	return b
}

// newBed returns a bed without a project.
func newBed(t *testing.T) *actBed {
	t.Helper()
	ctx := t.Context()
	b := &actBed{patience: 8 * time.Minute, images: newImageHub(t), hub: github.Serve(t, github.Options{
		Tokens: map[string]github.Access{
			rig.MirrorToken: github.FullAccess,
			jobToken:        {User: "github-actions[bot]", Contents: github.Read, Actions: github.Write, Checks: github.Read, App: true},
		},
		Now: time.Now,
	})}
	runner, err := rig.RunnerImage(ctx, "testdata/act/images/runner.Dockerfile", imageBase)
	must(t, err)
	build, err := rig.BuildImage(ctx, "testdata/act/images/build.Dockerfile", runner)
	must(t, err)
	lab, err := rig.RunnerImage(ctx, "testdata/act/images/lab.Dockerfile", runner)
	must(t, err)
	guests, err := rig.RunnerImage(ctx, "testdata/act/images/guest.Dockerfile", lab)
	must(t, err)
	disk, err := rig.GuestImage(ctx, "..")
	must(t, err)
	dir := t.TempDir()
	tool := filepath.Join(dir, "tool")
	must(t, rig.Snapshot(ctx, tool, build))
	_, err = rig.Publish(ctx, b.hub.Repository(actTool), tool, "v1")
	must(t, err)
	b.act = &rig.Act{
		Hub: b.hub, Dir: dir, Image: runner, Labs: map[string]string{"lab": lab, "kvm": guests}, Binary: world.bin, Actions: actions(t, tool), Log: t.Logf,
		Volumes: []string{disk + ":" + guestDisk + ":ro"},
		Secrets: map[string]string{
			"GITHUB_TOKEN": jobToken, "GHPA_TOKEN": rig.MirrorToken, "GERRIT_USERNAME": botUser, "GERRIT_PASSWORD": botPassword,
			"S3_ENDPOINT_URL": b.images.store, "S3_KEY": s3Key, "S3_SECRET": s3Secret,
		},
		Variables: map[string]string{"SPDK_REPOS_NAME": actMirror, "S3_BUCKET": "results"},
	}
	b.publishCallers(t)
	idle, err := b.act.Start(ctx)
	must(t, err)
	t.Cleanup(func() {
		idle()
		must(t, b.act.Clean(context.WithoutCancel(ctx)))
	})
	return b
}
