// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// repository is a bare repository that one long-lived git fast-import process
// writes to: a commit costs no process. What it wrote is visible to other git
// processes after flush.
type repository struct {
	dir    string
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	stderr bytes.Buffer
	last   int            // the last mark
	marks  map[string]int // commit id -> mark: until flush only the mark names it
	dirty  bool
}

// gitEnv is a fixed environment: nobody's configuration, language or clock.
func gitEnv() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LC_ALL=C", "TZ=UTC",
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
	}
}

func runGit(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = dir, gitEnv()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}

// newRepository makes a bare repository and starts its writer.
func newRepository(dir string) (*repository, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if _, err := runGit(dir, "init", "--quiet", "--bare", "--template=", "--initial-branch=master", "."); err != nil {
		return nil, err
	}
	r := &repository{dir: dir, marks: map[string]int{}, cmd: exec.Command("git", "-c", "core.fsync=none", "fast-import", "--quiet", "--force", "--date-format=raw", "--done")}
	r.cmd.Dir, r.cmd.Env, r.cmd.Stderr = dir, gitEnv(), &r.stderr
	var err error
	if r.stdin, err = r.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := r.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	r.stdout = bufio.NewReader(stdout)
	return r, r.cmd.Start()
}

// commit is what one commit is made of.
type commit struct {
	ref     string
	parent  string // "" for a root commit
	author  *Account
	when    time.Time
	message string
	files   map[string]string // path -> content
}

// write makes a commit, points its ref at it and returns its id.
func (r *repository) write(c commit) (string, error) {
	r.last++
	r.dirty = true
	var b bytes.Buffer
	who := fmt.Sprintf("%s <%s> %d +0000", c.author.Name, c.author.Email, c.when.Unix())
	if c.parent == "" { // else the ref's own commit would be the parent
		fmt.Fprintf(&b, "reset %s\n\n", c.ref)
	}
	fmt.Fprintf(&b, "commit %s\nmark :%d\nauthor %s\ncommitter %s\ndata %d\n%s\n", c.ref, r.last, who, who, len(c.message), c.message)
	if c.parent != "" {
		fmt.Fprintf(&b, "from :%d\n", r.marks[c.parent])
	}
	for _, path := range slices.Sorted(maps.Keys(c.files)) {
		if id, ok := strings.CutPrefix(c.files[path], submodule); ok {
			fmt.Fprintf(&b, "M 160000 %s %s\n", id, quotePath(path))
			continue
		}
		fmt.Fprintf(&b, "M 100644 inline %s\ndata %d\n%s\n", quotePath(path), len(c.files[path]), c.files[path])
	}
	fmt.Fprintf(&b, "\nget-mark :%d\n", r.last)
	revision, err := r.ask(b.Bytes())
	if err == nil {
		r.marks[revision] = r.last
	}
	return revision, err
}

// point moves a ref.
func (r *repository) point(ref, revision string) error {
	r.dirty = true
	_, err := fmt.Fprintf(r.stdin, "reset %s\nfrom :%d\n\n", ref, r.marks[revision])
	return err
}

// flush makes all commits and refs visible to other processes.
func (r *repository) flush() error {
	if !r.dirty {
		return nil
	}
	line, err := r.ask([]byte("checkpoint\nprogress flushed\n"))
	if err == nil && line != "progress flushed" {
		err = fmt.Errorf("git fast-import answers %q", line)
	}
	r.dirty = err != nil
	return err
}

// ask writes commands of which the last one answers with a line.
func (r *repository) ask(commands []byte) (string, error) {
	if _, err := r.stdin.Write(commands); err != nil {
		return "", fmt.Errorf("git fast-import: %w", err)
	}
	line, err := r.stdout.ReadString('\n')
	if err != nil {
		r.cmd.Wait() // the process is gone: its last words are complete now
		return "", fmt.Errorf("git fast-import: %w: %s", err, strings.TrimSpace(r.stderr.String()))
	}
	return strings.TrimSuffix(line, "\n"), nil
}

// close ends the writer.
func (r *repository) close() error {
	_, err := io.WriteString(r.stdin, "done\n")
	r.stdin.Close()
	if waitErr := r.cmd.Wait(); waitErr != nil {
		return fmt.Errorf("git fast-import: %w: %s", waitErr, strings.TrimSpace(r.stderr.String()))
	}
	return err
}

// submodule begins the text of a file that is a submodule's commit.
const submodule = "\x00submodule "

// Submodule is the text of a file that stands for a submodule at a commit, 40 hex
// digits.
func Submodule(commit string) string { return submodule + commit }

// quotePath writes a path as fast-import's C-style string.
func quotePath(path string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(path) + `"`
}
