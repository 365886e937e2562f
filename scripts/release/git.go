// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// publicEnv is this process's environment without what children must not see.
func publicEnv() []string {
	return slices.DeleteFunc(os.Environ(), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return strings.HasPrefix(name, "RELEASE_") || strings.Contains(name, "TOKEN") || strings.HasPrefix(name, "GIT_")
	})
}

// git runs git in the repository's folder and returns what it prints, without the
// last newline.
func (r *releaser) git(ctx context.Context, args ...string) (string, error) {
	return r.gitWith(ctx, nil, "", args...)
}

// gitWith is git with more of an environment and with a standard input.
func (r *releaser) gitWith(ctx context.Context, env []string, stdin string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = r.dir
	cmd.Env = append(append(publicEnv(), "LC_ALL=C", "GIT_TERMINAL_PROMPT=0"), env...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, change.OneLine(change.Clip(out.String()+said.String(), 2000)))
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

// remotely is git for commands that speak to the server. The token reaches git in
// its environment, not in an address, and is sent to that server only: git would send
// its headers on to where that redirects, so it follows nowhere.
func (r *releaser) remotely(ctx context.Context, args ...string) (string, error) {
	env := []string{"GIT_CONFIG_COUNT=0"}
	if r.token != nil {
		token, err := r.token(ctx)
		if err != nil {
			return "", err
		}
		env = []string{
			"GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_0=http." + r.remote + ".extraHeader",
			"GIT_CONFIG_VALUE_0=Authorization: Basic " + basic(token),
			"GIT_CONFIG_KEY_1=http." + r.remote + ".followRedirects", "GIT_CONFIG_VALUE_1=false",
		}
	}
	return r.gitWith(ctx, env, "", args...)
}

// basic is a token as git sends it.
func basic(token string) string {
	return base64.StdEncoding.EncodeToString([]byte("x-access-token:" + token))
}

// push pushes one ref if it is at old, which is empty where there must be none; an
// empty commit deletes it. An answer that was lost is no failure where the ref is
// what it should be.
func (r *releaser) push(ctx context.Context, name, old, commit string) error {
	_, err := r.remotely(ctx, "push", "--porcelain", "--atomic", "--force-with-lease="+name+":"+old, r.remote, commit+":"+name)
	if err == nil || ctx.Err() != nil {
		return err
	}
	refs, askErr := r.refs(ctx, name)
	if askErr == nil && refs[name].object == commit {
		return nil
	}
	f := fault.New(fault.Configuration, "failed to push %s to %s: %w", name, r.remote, err)
	if strings.Contains(err.Error(), "refusing to allow") {
		f.Hint = tokenHint
	}
	return f
}

// ref is where a ref is. A tag may have an object of its own, which names the commit.
type ref struct{ object, commit string }

// refs are the server's refs that match patterns.
func (r *releaser) refs(ctx context.Context, patterns ...string) (map[string]ref, error) {
	out, err := r.remotely(ctx, append([]string{"ls-remote", r.remote}, patterns...)...)
	if err != nil {
		return nil, fault.New(fault.Transient, "failed to list the refs of %s: %w", r.remote, err)
	}
	refs := map[string]ref{}
	for line := range strings.Lines(out) {
		id, name, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if tag, peeled := strings.CutSuffix(name, "^{}"); ok && peeled { // behind the tag itself
			refs[tag] = ref{refs[tag].object, id}
		} else if ok {
			refs[name] = ref{id, id}
		}
	}
	return refs, nil
}

// file returns a file as a commit has it.
func (r *releaser) file(ctx context.Context, commit, name string) (string, error) {
	return r.git(ctx, "show", commit+":"+name)
}

// commitOn makes a commit on top of another one, with some files replaced. Its id
// follows from the parent and the files alone.
func (r *releaser) commitOn(ctx context.Context, parent string, files map[string]string, message string) (string, error) {
	index, err := os.CreateTemp("", "release-index-*")
	if err != nil {
		return "", err
	}
	index.Close()
	os.Remove(index.Name()) // git does not take an empty one
	defer os.Remove(index.Name())
	date, err := r.git(ctx, "show", "--no-patch", "--format=%ct +0000", parent)
	if err != nil {
		return "", err
	}
	env := []string{"GIT_INDEX_FILE=" + index.Name()}
	for _, who := range []string{"AUTHOR", "COMMITTER"} {
		env = append(env, "GIT_"+who+"_NAME=release", "GIT_"+who+"_EMAIL=release@users.noreply.github.com", "GIT_"+who+"_DATE="+date)
	}
	if _, err := r.gitWith(ctx, env, "", "read-tree", parent); err != nil {
		return "", err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		blob, err := r.gitWith(ctx, env, files[name], "hash-object", "-w", "--stdin")
		if err != nil {
			return "", err
		}
		if _, err := r.gitWith(ctx, env, "", "update-index", "--add", "--cacheinfo", "100644,"+blob+","+name); err != nil {
			return "", err
		}
	}
	tree, err := r.gitWith(ctx, env, "", "write-tree")
	if err != nil {
		return "", err
	}
	return r.gitWith(ctx, env, message, "commit-tree", "--no-gpg-sign", "-p", parent, tree)
}
