// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// Snapshot copies the files of the dispatcher's repository, as they are now,
// into dir. What its Dockerfile builds in becomes buildImage.
func Snapshot(ctx context.Context, dir, buildImage string) error {
	root, err := ModuleRoot(ctx)
	if err != nil {
		return err
	}
	list, err := Git{Dir: root, Env: []string{"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"}}.
		Run(ctx, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(list, "\x00"), "\x00") {
		if strings.HasPrefix(name, "e2e/") || strings.HasPrefix(name, "bench/") {
			continue // as .dockerignore has it
		}
		if err := copyFile(filepath.Join(root, name), filepath.Join(dir, name)); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	file := filepath.Join(dir, "Dockerfile")
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	text := buildForm.ReplaceAllString(string(data), "ARG BUILD_IMAGE="+buildImage)
	if text == string(data) {
		return fmt.Errorf("the Dockerfile names no BUILD_IMAGE")
	}
	return os.WriteFile(file, []byte(text), 0o644)
}

var buildForm = regexp.MustCompile(`(?m)^ARG BUILD_IMAGE=.*$`)

func copyFile(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, data, info.Mode().Perm())
}

// Publish makes the files of a folder the content of a repository's main branch
// and of some tags, and returns the commit.
func Publish(ctx context.Context, repository *github.Repository, dir string, tags ...string) (string, error) {
	work, err := os.MkdirTemp("", "rig-publish-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	git := Git{Dir: dir, Env: []string{"GIT_DIR=" + work, "GIT_WORK_TREE=" + dir}}
	push := []string{"push", "-q", "--force", repository.Dir(), "HEAD:refs/heads/main"}
	for _, tag := range tags {
		push = append(push, "HEAD:refs/tags/"+tag)
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "--all", "--force"}, {"commit", "-q", "-m", "publish"}, push} {
		if _, err := git.Run(ctx, args...); err != nil {
			return "", err
		}
	}
	return git.Run(ctx, "rev-parse", "HEAD")
}

// usesLine is a step or a job that uses something of another repository.
var usesLine = regexp.MustCompile(`(?m)^[\s-]*uses:\s*["']?([\w.-]+/[\w.-]+)[^@\s]*@([^\s"'#]+)`)

// Uses finds what the workflows of folders use, as OWNER/NAME@REF.
func Uses(dirs ...string) ([]string, error) {
	var list []string
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "*.y*ml"))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			for _, m := range usesLine.FindAllStringSubmatch(string(data), -1) {
				list = append(list, m[1]+"@"+m[2])
			}
		}
	}
	return list, nil
}
