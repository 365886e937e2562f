// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// Git runs C git in one folder, in a fixed environment: no configuration of the
// machine or the user, and fixed dates unless Env says otherwise.
type Git struct {
	// Dir is where git runs.
	Dir string
	// User and Password are sent as Basic auth to every server; without a user
	// nothing is sent.
	User, Password string
	// Env holds extra KEY=VALUE pairs.
	Env []string
}

// gitEnv is the environment of every git process here, servers included.
func gitEnv() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LC_ALL=C", "TZ=UTC",
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=Admin", "GIT_AUTHOR_EMAIL=admin@example.com", "GIT_AUTHOR_DATE=2026-01-02T03:04:05Z",
		"GIT_COMMITTER_NAME=Admin", "GIT_COMMITTER_EMAIL=admin@example.com", "GIT_COMMITTER_DATE=2026-01-02T03:04:05Z",
	}
}

// Command returns a git process that is ready to start. Credentials go through
// the environment, never through the command line.
func (g Git) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = g.Dir
	config := [][2]string{{"gc.auto", "0"}, {"init.defaultBranch", "master"}, {"advice.detachedHead", "false"}}
	if g.User != "" {
		basic := base64.StdEncoding.EncodeToString([]byte(g.User + ":" + g.Password))
		config = append(config, [2]string{"http.extraHeader", "Authorization: Basic " + basic})
	}
	cmd.Env = append(gitEnv(), "GIT_CONFIG_COUNT="+strconv.Itoa(len(config)))
	for i, kv := range config {
		cmd.Env = append(cmd.Env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, kv[0]), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, kv[1]))
	}
	cmd.Env = append(cmd.Env, g.Env...)
	return cmd
}

// Run runs git and returns its standard output without the last newline.
func (g Git) Run(ctx context.Context, args ...string) (string, error) {
	return g.Pipe(ctx, nil, args...)
}

// Pipe is Run with a standard input.
func (g Git) Pipe(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	cmd := g.Command(ctx, args...)
	var out, errOut bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &errOut
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("git %s: %w\n%s", strings.Join(args, " "), err, errOut.String())
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

// LsRemote returns a server's refs that match the patterns, by name.
func (g Git) LsRemote(ctx context.Context, url string, patterns ...string) (map[string]string, error) {
	out, err := g.Run(ctx, append([]string{"ls-remote", url}, patterns...)...)
	if err != nil {
		return nil, err
	}
	refs := map[string]string{}
	for line := range strings.Lines(out) {
		oid, name, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if ok && !strings.HasSuffix(name, "^{}") {
			refs[name] = oid
		}
	}
	return refs, nil
}
