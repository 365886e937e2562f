// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// Releasing makes releases of a repository on a GitHub stand-in: a clone of it, and
// the program of scripts/release as its workflow runs it.
type Releasing struct {
	Hub *github.Server
	// Repository is OWNER/NAME on Hub, Image where its containers go.
	Repository, Image string
	// Settings are the variables that hold tokens, as NAME=VALUE.
	Settings []string
	// Dir is a folder of its own: Clone and Dist are in it.
	Dir string
	// Old is the commit of an earlier release, v1.0.0, whose workflows were others.
	Old string

	program string
}

// Clone is the folder with the repository.
func (r *Releasing) Clone() string { return filepath.Join(r.Dir, "clone") }

// Dist is the folder that programs are built in.
func (r *Releasing) Dist() string { return filepath.Join(r.Dir, "dist") }

// SetUp fills the repository with the files of a folder, which become version's:
// what is not released yet in the changelog gets its heading. Its checks have passed.
func (r *Releasing) SetUp(ctx context.Context, files, version string) error {
	r.program = filepath.Join(r.Dir, "release")
	build := exec.CommandContext(ctx, "go", "build", "-o", r.program, module+"/scripts/release")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("failed to build scripts/release: %w\n%s", err, out)
	}
	if err := os.CopyFS(r.Clone(), os.DirFS(files)); err != nil {
		return err
	}
	changelog := filepath.Join(r.Clone(), "CHANGELOG.md")
	text, err := os.ReadFile(changelog)
	if err != nil {
		return err
	}
	if err := os.WriteFile(changelog, bytes.Replace(text, []byte("\n## "), []byte("\n## "+version+"\n\n- a rehearsal\n\n## "), 1), 0o644); err != nil {
		return err
	}
	repo, git := r.Hub.Repository(r.Repository), Git{Dir: r.Clone()}
	later := filepath.Join(r.Clone(), ".github/workflows/later.yml")
	for _, step := range [][]string{
		{"init", "-q", "--initial-branch=main"}, {"add", "--all", "--force"}, {"commit", "-q", "-m", "v1.0.0"},
		{"push", "-q", repo.Dir(), "HEAD:refs/heads/main", "HEAD:refs/tags/v1.0.0", "HEAD:refs/tags/v1"},
		{"add", later}, {"commit", "-q", "-m", "later"}, {"push", "-q", repo.Dir(), "HEAD:refs/heads/main"},
	} {
		if step[0] == "push" && r.Old == "" {
			if r.Old, err = git.Run(ctx, "rev-parse", "HEAD"); err != nil {
				return err
			}
			if err := os.WriteFile(later, []byte("on: workflow_call\n"), 0o644); err != nil {
				return err
			}
		}
		if _, err := git.Run(ctx, step...); err != nil {
			return err
		}
	}
	r.Hub.AddRun(github.Run{
		Repository: r.Repository, Workflow: "ci.yml", Event: "push", Branch: "main", Head: repo.Refs()["refs/heads/main"],
		Status: "completed", Conclusion: "success",
	})
	return nil
}

// Run executes one command, and kills it and its children when ctx ends.
func (r *Releasing) Run(ctx context.Context, command, version, dist string) (string, error) {
	args := []string{command, version}
	if command != "check" {
		args = append(args, dist)
	}
	cmd := exec.CommandContext(ctx, r.program, args...)
	cmd.Dir = r.Clone()
	cmd.Env = slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "GITHUB_") })
	cmd.Env = append(cmd.Env, "GIT_CONFIG_GLOBAL=/dev/null", "DOCKER_CONFIG="+r.Dir,
		"GITHUB_SERVER_URL="+r.Hub.URL(), "GITHUB_API_URL="+r.Hub.URL(), "GITHUB_REPOSITORY="+r.Repository,
		"GITHUB_OUTPUT="+filepath.Join(r.Dir, "output"), "RELEASE_IMAGE="+r.Image)
	cmd.Env = append(cmd.Env, r.Settings...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s: %w\n%s", command, errors.Join(err, ctx.Err()), out)
	}
	return string(out), nil
}

// Release executes all commands, as the workflow does.
func (r *Releasing) Release(ctx context.Context, version string) (string, error) {
	var said strings.Builder
	for _, command := range []string{"check", "build", "image", "publish"} {
		out, err := r.Run(ctx, command, version, r.Dist())
		said.WriteString(out)
		if err != nil {
			return said.String(), err
		}
	}
	return said.String(), nil
}

// Export writes the files of a ref of the repository to a folder.
func (r *Releasing) Export(ctx context.Context, ref, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	_, err := Git{Dir: dir}.Run(ctx, "--git-dir="+r.Hub.Repository(r.Repository).Dir(), "--work-tree="+dir, "checkout", "-q", "--force", ref, "--", ".")
	return err
}
