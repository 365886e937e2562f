// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// gitClient runs git as a client does, in a new repository.
func gitClient(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir, cmd.Env = dir, append(gitEnv(), "GIT_TERMINAL_PROMPT=0")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestFetchOverHTTP(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"0", "2"} {
		t.Run("v"+version, func(t *testing.T) {
			t.Parallel()
			s := Serve(t, Options{BasePath: "/gerrit"})
			p := s.Project("spdk/spdk")
			p.Commit("master", map[string]string{"x": "y\n"})
			below := p.Push(Draft{Owner: "ann"})
			open := p.Push(Draft{Owner: "ann", Parent: below})
			hidden := p.Push(Draft{Owner: "ann", Private: true})
			loose := strings.TrimSpace(git(t, p, "-c", "user.name=x", "-c", "user.email=x@example.org", "commit-tree", "-m", "x", string(open.Revision())+"^{tree}"))

			anonymous := s.URL() + "/spdk/spdk"
			signed := strings.Replace(s.URL(), "://", "://ann:password-of-ann@", 1) + "/a/spdk/spdk"
			wrong := strings.Replace(s.URL(), "://", "://ann:x@", 1) + "/a/spdk/spdk"
			tests := []struct {
				name, url, want, bad string
			}{
				{"a branch", anonymous, "refs/heads/master", ""},
				{"a patchset by ref", anonymous, open.Ref(), ""},
				{"a patchset by id", anonymous, string(open.Revision()), ""},
				{"a commit below a patchset", anonymous, string(below.Revision()), ""},
				{"another's private change", anonymous, string(hidden.Revision()), "not "},
				{"one's own private change", signed, string(hidden.Revision()), ""},
				{"with a .git suffix", signed + ".git", hidden.Ref(), ""},
				{"an unreachable commit", anonymous, loose, "not "},
				{"a wrong password", wrong, "refs/heads/master", "Authentication failed"},
				{"no such project", s.URL() + "/none", "refs/heads/master", "not found"},
			}
			for _, tt := range tests {
				dir := t.TempDir()
				if out, err := gitClient(t, dir, "init", "-q"); err != nil {
					t.Fatal(out)
				}
				out, err := gitClient(t, dir, "-c", "protocol.version="+version, "fetch", "-q", tt.url, tt.want)
				if (err != nil) != (tt.bad != "") || !strings.Contains(out, tt.bad) {
					t.Errorf("%s: got %v %q, want %q", tt.name, err, out, tt.bad)
				}
			}
			out, err := gitClient(t, t.TempDir(), "-c", "protocol.version="+version, "ls-remote", anonymous)
			if err != nil || strings.Contains(out, hidden.Ref()) || !strings.Contains(out, open.Ref()) {
				t.Errorf("ls-remote: %v\n%s", err, out)
			}
		})
	}
}

// TestWantOfHiddenObject looks at the wire: Gerrit answers with an ERR packet
// and status 200.
func TestWantOfHiddenObject(t *testing.T) {
	t.Parallel()
	s := Serve(t, Options{})
	p := s.Project("p")
	p.Commit("master", map[string]string{"x": "y\n"})
	hidden := p.Push(Draft{Private: true}).Revision()
	line := fmt.Sprintf("want %s\n", hidden)
	body := "0011command=fetch0001" + fmt.Sprintf("%04x%s", len(line)+4, line) + "0009done\n0000"
	got := s.send(t, "POST", "/p/git-upload-pack", "", body)
	want := fmt.Sprintf("ERR want %s not valid", hidden)
	if got.status != 200 || got.body != fmt.Sprintf("%04x%s", len(want)+4, want) {
		t.Errorf("got %v, want status 200 and %q", got, want)
	}
}

func BenchmarkPush(b *testing.B) {
	s := New(b.TempDir(), Options{})
	p := s.Project("p")
	p.Commit("master", map[string]string{"x": "y\n"})
	for b.Loop() {
		p.Push(Draft{})
	}
	p.Dir()
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}
