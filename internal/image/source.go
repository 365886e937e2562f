// SPDX-License-Identifier: BSD-3-Clause

package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image/recipe"
	"github.com/spdk-community-ci/dispatcher/internal/image/tool"
)

// fetchLimit ends a fetch of one revision of a source repository.
const fetchLimit = 30 * time.Minute

// source is the tree that a build sees.
type source struct {
	dir           string
	url, revision string
	files         []recipe.File
}

// findSource returns the source tree: a folder that the caller has, or a
// revision fetched into work. The result is nil if the recipe wants none.
func (im *Images) findSource(ctx context.Context, r *recipe.Recipe, o BuildOptions, work string) (*source, error) {
	if r.Source == nil {
		if o.SourceDir+o.SourceURL+o.Revision != "" {
			return nil, fault.New(fault.Configuration, "the recipe %s takes no source", r.Name).WithHint("leave out --source, --source-url and --revision")
		}
		return nil, nil
	}
	src := &source{dir: o.SourceDir}
	var err error
	if src.dir != "" {
		src.url, src.revision = im.describeTree(ctx, src.dir)
	} else {
		src.url, src.revision = string(r.Source.URL), string(r.Source.Revision)
		if o.SourceURL != "" {
			src.url = o.SourceURL
		}
		if o.Revision != "" {
			src.revision = o.Revision
		}
		src.dir = filepath.Join(work, "checkout")
		if src.revision, err = im.fetch(ctx, src.url, src.revision, src.dir); err != nil {
			return nil, err
		}
	}
	var paths []string
	for _, p := range r.Source.Paths {
		paths = append(paths, string(p))
	}
	if src.files, err = recipe.Tree(os.DirFS(src.dir), paths); err != nil {
		return nil, fault.New(fault.KindOf(err), "the source tree of %s: %w", src.url, err).WithHint("%s", fault.HintOf(err))
	}
	return src, nil
}

// git runs git without asking anybody for a password.
func (im *Images) git(ctx context.Context, doing, dir string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, fetchLimit, fault.New(fault.Transient, "git did not finish within %v", fetchLimit))
	defer cancel()
	text, err := im.Tools.Output(ctx, tool.Command{Doing: doing, Name: "git", Args: append([]string{"-C", dir}, args...), Env: []string{"GIT_TERMINAL_PROMPT=0"}})
	return strings.TrimSpace(text), err
}

// fetch checks out one revision, without history, and returns its commit id.
func (im *Images) fetch(ctx context.Context, url, revision, dir string) (string, error) {
	if err := errors.Join(recipe.CheckGitURL(url), recipe.CheckRevision(revision)); err != nil {
		return "", fault.New(fault.Configuration, "the source: %w", err).WithHint("correct --source-url and --revision, or source in recipe.yml")
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", fault.New(fault.Ours, "failed to make a folder for the source: %w", err)
	}
	im.Log("fetching %s of %s", revision, url)
	doing := fmt.Sprintf("fetch %s of %s", revision, url)
	_, err := im.git(ctx, doing, dir, "init", "--quiet")
	if err == nil {
		_, err = im.git(ctx, doing, dir, "fetch", "--quiet", "--depth=1", "--no-tags", "--", url, revision)
	}
	if exit, ok := errors.AsType[*tool.ExitError](err); ok {
		return "", fault.New(fault.Configuration, "failed to %s: %w", doing, exit).
			WithHint("check address and revision; --source DIR takes a checkout that is here")
	}
	if err == nil {
		_, err = im.git(ctx, doing, dir, "checkout", "--quiet", "--detach", "FETCH_HEAD")
	}
	if err != nil {
		return "", err
	}
	return im.git(ctx, doing, dir, "rev-parse", "HEAD")
}

// describeTree tells what a folder is a checkout of, as well as can be told.
func (im *Images) describeTree(ctx context.Context, dir string) (url, revision string) {
	head, err := im.git(ctx, "describe the source", dir, "rev-parse", "HEAD")
	if err != nil {
		return dir, ""
	}
	if state, err := im.git(ctx, "describe the source", dir, "status", "--porcelain", "--untracked-files=no"); err != nil || state != "" {
		head += " with changes"
	}
	return dir, head
}

// copyFiles copies files below one folder to another one, with modes as git
// keeps them. Links stay links.
func copyFiles(from fs.FS, files []recipe.File, to string) error {
	root, err := os.OpenRoot(to)
	if err != nil {
		return fault.New(fault.Ours, "failed to open a folder: %w", err)
	}
	defer root.Close()
	for _, f := range files {
		if err := copyFile(from, f, root); err != nil {
			return fault.New(fault.Ours, "failed to copy %s: %w", f.Path, err)
		}
	}
	return nil
}

func copyFile(from fs.FS, f recipe.File, root *os.Root) error {
	if err := root.MkdirAll(filepath.Dir(f.Path), 0o755); err != nil {
		return err
	}
	if f.Mode == "120000" {
		target, err := fs.ReadLink(from, f.Path)
		if err != nil {
			return err
		}
		return root.Symlink(target, f.Path)
	}
	in, err := from.Open(f.Path)
	if err != nil {
		return err
	}
	defer in.Close()
	mode := fs.FileMode(0o644)
	if f.Mode == "100755" {
		mode = 0o755
	}
	out, err := root.OpenFile(f.Path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
