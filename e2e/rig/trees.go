// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Trees is a folder of bare repositories of other projects, OWNER+NAME/repo.
// Nothing in it is changed.
type Trees string

// Dir returns the folder of a repository OWNER/NAME that is there.
func (f Trees) Dir(name string) (string, error) {
	dir := filepath.Join(string(f), strings.ReplaceAll(name, "/", "+"), "repo")
	if _, err := os.Stat(filepath.Join(dir, "objects")); err != nil {
		return "", fmt.Errorf("there is no repository %s: %w", name, err)
	}
	return dir, nil
}

// Git runs git in a repository OWNER/NAME.
func (f Trees) Git(ctx context.Context, name string, args ...string) (string, error) {
	dir, err := f.Dir(name)
	if err != nil {
		return "", err
	}
	return Git{Dir: dir, Env: []string{"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"}}.Run(ctx, args...)
}

// Lend lets the bare repository to use the objects of OWNER/NAME without a copy,
// and points a ref of it at a commit.
func (f Trees) Lend(ctx context.Context, name, to, ref, commit string) error {
	dir, err := f.Dir(name)
	if err != nil {
		return err
	}
	objects, err := filepath.Abs(filepath.Join(dir, "objects"))
	if err != nil {
		return err
	}
	info := filepath.Join(to, "objects/info")
	if err := os.MkdirAll(info, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(info, "alternates"), []byte(objects+"\n"), 0o644); err != nil {
		return err
	}
	_, err = Git{Dir: to}.Run(ctx, "update-ref", ref, commit)
	return err
}

// Give copies the packs of OWNER/NAME into the bare repository to, which a server
// may have open, and points a ref of it at a commit.
func (f Trees) Give(ctx context.Context, name, to, ref, commit string) error {
	dir, err := f.Dir(name)
	if err != nil {
		return err
	}
	if err := os.CopyFS(filepath.Join(to, "objects/pack"), os.DirFS(filepath.Join(dir, "objects/pack"))); err != nil {
		return err
	}
	_, err = Git{Dir: to}.Run(ctx, "update-ref", ref, commit)
	return err
}

// Shallow makes a small bare repository at to, which has one commit of OWNER/NAME
// under the same ref, and no history.
func (f Trees) Shallow(ctx context.Context, name, to, ref string) error {
	dir, err := f.Dir(name)
	if err != nil {
		return err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	refspec := ref + ":" + ref
	if ref == "HEAD" {
		refspec = "HEAD:refs/heads/master"
	}
	for _, args := range [][]string{
		{"init", "--quiet", "--bare", "."}, {"fetch", "--quiet", "--depth=1", "file://" + dir, refspec},
	} {
		if _, err := (Git{Dir: to, Env: []string{"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"}}).Run(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}
