// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// worktree is a clone of a repository, used with C git and a token.
type worktree struct {
	t          *testing.T
	dir, token string
}

// clone makes a worktree; the token may be empty.
func clone(t *testing.T, r *Repository, token string) *worktree {
	t.Helper()
	w := &worktree{t, t.TempDir(), token}
	if out, err := w.git("clone", "--quiet", r.GitURL(), "."); err != nil {
		t.Fatalf("clone: %v\n%s", err, out)
	}
	return w
}

func (w *worktree) git(args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = w.dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LC_ALL=C", "GIT_TERMINAL_PROMPT=0",
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com",
		"GIT_AUTHOR_DATE=1700000000 +0000", "GIT_COMMITTER_DATE=1700000000 +0000",
	}
	if w.token != "" {
		basic := base64.StdEncoding.EncodeToString([]byte("x-access-token:" + w.token))
		cmd.Env = append(cmd.Env, "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=http.extraHeader", "GIT_CONFIG_VALUE_0=Authorization: Basic "+basic)
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// commit changes a file and returns the new commit.
func (w *worktree) commit(file, text string) string {
	w.t.Helper()
	path := filepath.Join(w.dir, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
	for _, args := range [][]string{{"add", "."}, {"commit", "--quiet", "-m", file}} {
		if out, err := w.git(args...); err != nil {
			w.t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	id, err := w.git("rev-parse", "HEAD")
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.TrimSpace(id)
}

var gitTokens = map[string]Access{
	"full":   FullAccess,
	"reader": {User: "reader", Contents: Read},
	"plain":  {User: "plain", Contents: Write},
	"app":    {User: "dispatcher[bot]", Contents: Write, App: true},
}

func TestPush(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{Tokens: gitTokens})
	r := repository(s)
	w := clone(t, r, "full")
	id := w.commit(".github/workflows/new.yml", "on: push\n")
	if out, err := w.git("push", "origin", "HEAD:refs/changes/01/1/1", "HEAD:refs/heads/main", "HEAD:refs/pull/1/head"); err == nil ||
		!strings.Contains(out, "refs/pull/1/head (deny updating a hidden ref)") {
		t.Errorf("push: %v\n%s", err, out)
	}
	refs := r.Refs()
	if refs["refs/changes/01/1/1"] != id || refs["refs/heads/main"] != id || refs["refs/pull/1/head"] != "" {
		t.Errorf("got refs %v, want two of them at %s", refs, id)
	}
}

func TestGitAccess(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{Tokens: gitTokens})
	open := repository(s)
	closed := s.Repository("org/closed").SetPrivate()
	closed.Commit("main", map[string]string{"README": "x"})
	missing := s.URL() + "/org/gone.git"
	w := clone(t, open, "")
	for _, tc := range []struct {
		name, token string
		args        []string
		want        string // in git's output; empty for success
	}{
		{"read a public one", "", []string{"ls-remote", open.GitURL()}, ""},
		{"read without .git", "", []string{"ls-remote", strings.TrimSuffix(open.GitURL(), ".git")}, ""},
		{"read a private one", "", []string{"ls-remote", closed.GitURL()}, "could not read Username"},
		{"read a private one with a token", "reader", []string{"ls-remote", closed.GitURL()}, ""},
		{"wrong token", "wrong", []string{"ls-remote", open.GitURL()}, "could not read Username"},
		{"missing", "full", []string{"ls-remote", missing}, "remote: Repository not found."},
		{"missing, no token", "", []string{"ls-remote", missing}, "could not read Username"},
		{"push without a token", "", []string{"push", open.GitURL(), "HEAD:refs/heads/x"}, "could not read Username"},
		{"push with a reader's", "reader", []string{"push", open.GitURL(), "HEAD:refs/heads/x"}, "remote: Permission to org/ci.git denied to reader."},
	} {
		w.token = tc.token
		out, err := w.git(tc.args...)
		if (err == nil) != (tc.want == "") || !strings.Contains(out, tc.want) {
			t.Errorf("%s: got %v, %s; want %q", tc.name, err, out, tc.want)
		}
	}
}

// TestWorkflowScope pushes commits that change workflow files, and one that does
// not, with tokens that may not change such files.
func TestWorkflowScope(t *testing.T) {
	t.Parallel()
	for token, reason := range map[string]string{
		"plain": "refusing to allow a Personal Access Token to create or update workflow `.github/workflows/new.yml` without `workflow` scope",
		"app":   "refusing to allow a GitHub App to create or update workflow `.github/workflows/new.yml` without `workflows` permission",
	} {
		t.Run(token, func(t *testing.T) {
			t.Parallel()
			s := serve(t, Options{Tokens: gitTokens})
			r := repository(s)
			w := clone(t, r, token)
			fine := w.commit("README", "changed\n")
			bad := w.commit(".github/workflows/new.yml", "on: push\n")
			out, err := w.git("push", "origin", fine+":refs/changes/01/1/1", bad+":refs/changes/02/2/1")
			if err == nil || !strings.Contains(out, "("+reason+")") {
				t.Errorf("got %v\n%s", err, out)
			}
			if refs := r.Refs(); refs["refs/changes/01/1/1"] != fine || refs["refs/changes/02/2/1"] != "" {
				t.Errorf("got refs %v, want only the first change", refs)
			}
			if out, err := w.git("push", "origin", ":refs/changes/01/1/1"); err != nil {
				t.Errorf("delete: %v\n%s", err, out)
			}
		})
	}
}

func TestRefuseRefs(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{Tokens: gitTokens, RefuseRefs: []RefRule{
		{"refs/heads/none/*", "no branches here"}, {"refs/dispatcher/*", "custom refs are not allowed"},
	}})
	r := repository(s)
	w := clone(t, r, "full")
	w.commit("README", "changed\n")
	out, err := w.git("push", "origin", "HEAD:refs/dispatcher/a/b", "HEAD:refs/heads/none/x", "HEAD:refs/heads/x")
	for _, want := range []string{"(custom refs are not allowed)", "(no branches here)", "[new branch]"} {
		if err == nil || !strings.Contains(out, want) {
			t.Errorf("got %v\n%s, want %q", err, out, want)
		}
	}
	if refs := r.Refs(); len(refs) != 2 {
		t.Errorf("got refs %v, want main and x", refs)
	}
}

func TestMaxPush(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{Tokens: gitTokens, MaxPush: 2000})
	r := repository(s)
	w := clone(t, r, "full")
	w.commit("noise", noise(5000))
	out, err := w.git("push", "origin", "HEAD:refs/heads/x")
	if err == nil || !strings.Contains(out, "pack exceeds maximum allowed size") {
		t.Errorf("got %v\n%s", err, out)
	}
	if refs := r.Refs(); len(refs) != 1 {
		t.Errorf("got refs %v, want main alone", refs)
	}
}

// noise is text that does not compress well.
func noise(n int) string {
	var b strings.Builder
	x := uint32(1)
	for range n {
		x = x*1664525 + 1013904223
		b.WriteByte(byte(' ' + x>>25%95))
	}
	return b.String()
}

func TestRewriteReport(t *testing.T) {
	t.Parallel()
	reasons := map[string]string{"refs/a": "because"}
	const declined = "000eunpack ok\n001cng refs/a hook declined\n000eok refs/b\n0000"
	const rewritten = "000eunpack ok\n0016ng refs/a because\n000eok refs/b\n0000"
	for name, tc := range map[string]struct{ body, want string }{
		"plain":         {declined, rewritten},
		"another ref":   {"001cng refs/c hook declined\n0000", "001cng refs/c hook declined\n0000"},
		"another cause": {"001bng refs/a unpack failed0000", "001bng refs/a unpack failed0000"},
		"side band":     {"0007\x02hi0041\x01" + declined + "0000", "0007\x02hi003b\x01" + rewritten + "0000"},
		"empty":         {"", "0000"},
		"malformed":     {"zzzz", "0000"},
	} {
		if got := string(rewriteReport([]byte(tc.body), reasons)); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}
