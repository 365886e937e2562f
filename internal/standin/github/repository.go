// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Repository is a bare git repository and what GitHub knows about it.
type Repository struct {
	srv     *Server
	id      int64
	name    string // OWNER/NAME
	dir     string
	private bool
	branch  string // the default branch
	issues  map[int]*Issue
	files   map[fileAt]content
}

// fileAt names a file of a commit, which never changes; content is what git
// said of it.
type fileAt struct{ commit, path string }

type content struct {
	id   string
	data []byte
	ok   bool
}

// Repository returns the repository of that name (OWNER/NAME) and makes it if
// there is none: public and empty, with the default branch main.
func (s *Server) Repository(name string) *Repository {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.ToLower(name)
	if r := s.repositories[key]; r != nil {
		return r
	}
	r := &Repository{
		srv: s, id: int64(1000 + len(s.repositories)), name: name, branch: "main", dir: filepath.Join(s.dir, name+".git"),
		issues: map[int]*Issue{}, files: map[fileAt]content{},
	}
	if err := r.create(); err != nil {
		s.o.Fail(err)
	}
	s.repositories[key] = r
	return r
}

func (r *Repository) create() error {
	if owner, name, ok := strings.Cut(r.name, "/"); !ok || owner == "" || name == "" || strings.Contains(name, "/") {
		return fmt.Errorf("%q is not OWNER/NAME", r.name)
	}
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return err
	}
	if _, err := r.git(nil, "init", "--quiet", "--bare", "--template=", "--initial-branch="+r.branch, "."); err != nil {
		return err
	}
	return r.configure()
}

// configure appends to the configuration that git has made: one process less
// for each setting.
func (r *Repository) configure() error {
	text := `[uploadpack]
	allowAnySHA1InWant = true ; as GitHub does
[receive]
	hideRefs = refs/pull ; "deny updating a hidden ref"
	autogc = false ; a process less for each push
[gc]
	auto = 0
[core]
	fsync = none ; nothing here has to survive a crash
`
	if n := r.srv.o.MaxPush; n > 0 {
		text += fmt.Sprintf("[receive]\n\tmaxInputSize = %d\n", n)
	}
	f, err := os.OpenFile(filepath.Join(r.dir, "config"), os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// Dir returns the bare repository's folder.
func (r *Repository) Dir() string { return r.dir }

// GitURL returns the address for git over HTTP.
func (r *Repository) GitURL() string { return r.srv.URL() + "/" + r.name + ".git" }

// SetPrivate hides the repository from everybody without a token for it.
func (r *Repository) SetPrivate() *Repository {
	r.srv.mu.Lock()
	defer r.srv.mu.Unlock()
	r.private = true
	return r
}

// Commit adds a commit to a branch and returns its id. The files replace those
// of the same name; an empty text removes one.
func (r *Repository) Commit(branch string, files map[string]string) string {
	r.srv.mu.Lock()
	defer r.srv.mu.Unlock()
	var b bytes.Buffer
	ref := "refs/heads/" + branch
	when := r.srv.now().Unix()
	fmt.Fprintf(&b, "commit %s\nauthor Octo Cat <octocat@example.com> %d +0000\ncommitter Octo Cat <octocat@example.com> %d +0000\ndata 7\nchanged\n", ref, when, when)
	if _, ok := r.resolve(ref); ok {
		fmt.Fprintf(&b, "from %s^0\n", ref)
	}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if files[path] == "" {
			fmt.Fprintf(&b, "D %s\n", path)
			continue
		}
		fmt.Fprintf(&b, "M 100644 inline %s\ndata %d\n%s\n", path, len(files[path]), files[path])
	}
	if _, err := r.git(&b, "fast-import", "--quiet", "--force", "--date-format=raw"); err != nil {
		r.srv.o.Fail(err)
	}
	commit, _ := r.resolve(ref)
	return commit
}

// Refs returns the repository's refs and what they point at.
func (r *Repository) Refs() map[string]string {
	out, err := r.git(nil, "for-each-ref", "--format=%(refname) %(objectname)")
	if err != nil {
		r.srv.o.Fail(err)
	}
	refs := map[string]string{}
	for line := range strings.Lines(out) {
		name, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		refs[name] = id
	}
	return refs
}

// resolve returns the commit that a revision names. A branch is read as git
// does, from its own file, where it has one: each dispatch asks, and a process
// of git takes longer than all the rest of it.
func (r *Repository) resolve(revision string) (string, bool) {
	if strings.HasPrefix(revision, "refs/heads/") && filepath.IsLocal(revision) {
		text, err := os.ReadFile(filepath.Join(r.dir, revision))
		if id := strings.TrimSpace(string(text)); err == nil && len(id) == 40 {
			return id, true
		}
	}
	out, err := r.git(nil, "rev-parse", "--verify", "--quiet", "--end-of-options", revision+"^{commit}")
	return strings.TrimSpace(out), err == nil
}

// branchOrTag returns the commit of a branch or tag, by short or full name.
func (r *Repository) branchOrTag(ref string) (string, bool) {
	for _, name := range []string{"refs/heads/" + ref, "refs/tags/" + ref, ref} {
		if !strings.HasPrefix(name, "refs/heads/") && !strings.HasPrefix(name, "refs/tags/") {
			continue
		}
		if commit, ok := r.resolve(name); ok {
			return commit, true
		}
	}
	return "", false
}

// file returns the blob id and the bytes of a file at a commit.
func (r *Repository) file(commit, path string) (id string, data []byte, ok bool) {
	at := fileAt{commit, path}
	c, known := r.files[at]
	if !known {
		c.id, c.data, c.ok = r.readFile(commit, path)
		r.files[at] = c
	}
	return c.id, c.data, c.ok
}

func (r *Repository) readFile(commit, path string) (id string, data []byte, ok bool) {
	out, err := r.git(nil, "rev-parse", "--verify", "--quiet", "--end-of-options", commit+":"+path)
	if err != nil {
		return "", nil, false
	}
	id = strings.TrimSpace(out)
	text, err := r.git(nil, "cat-file", "blob", id)
	return id, []byte(text), err == nil
}

// git runs git in the repository in a fixed environment: nobody's
// configuration, language or clock.
func (r *Repository) git(stdin *bytes.Buffer, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = r.dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LC_ALL=C", "TZ=UTC",
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
	}
	if stdin != nil {
		cmd.Stdin = stdin
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}
