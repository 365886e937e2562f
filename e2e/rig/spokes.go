// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/spdk-community-ci/dispatcher/internal/standin/githttp"
)

// Spokes serves repositories with GitHub's own receive-pack
// (github.com/github/spokes-receive-pack). That program reads a push into a
// quarantine, checks it and reports; what follows at GitHub is not public, so
// this front does the least of it: it runs the pre-receive hook, moves the
// quarantine and updates the refs, one push at a time. Reads are C git's.
type Spokes struct {
	root, program string
	env           []string
	read          *githttp.Handler
	mu            sync.Mutex
	pushes        int
}

// NewSpokes builds the program from a checkout of its repository and serves what
// is below root, with env added to its environment.
func NewSpokes(ctx context.Context, checkout, root string, env ...string) (*Spokes, error) {
	s := &Spokes{root: root, program: filepath.Join(root, "spokes-receive-pack"), env: append(gitEnv(), env...)}
	s.env = append(s.env, "GIT_SOCKSTAT_VAR_spokes_quarantine=bool:true")
	s.read = &githttp.Handler{Root: root}
	_, err := goTool(ctx, checkout, "build", "-o", s.program, ".")
	return s, err
}

// ServeHTTP implements http.Handler.
func (s *Spokes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	push := r.URL.Query().Get("service") == "git-receive-pack" || strings.HasSuffix(r.URL.Path, "/git-receive-pack")
	if !push {
		s.read.ServeHTTP(w, r)
		return
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), ".git/")
	dir := filepath.Join(s.root, filepath.FromSlash(name)+".git")
	s.mu.Lock()
	defer s.mu.Unlock()
	if strings.HasSuffix(r.URL.Path, "/info/refs") {
		out, err := s.run(r.Context(), dir, nil, "--http-backend-info-refs")
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/x-git-receive-pack-advertisement")
		fmt.Fprintf(w, "001f# service=git-receive-pack\n0000%s", out)
		return
	}
	s.receive(w, r, dir)
}

// receive lets the program read a push and does what it leaves to others.
func (s *Spokes) receive(w http.ResponseWriter, r *http.Request, dir string) {
	var head bytes.Buffer
	updates, err := readUpdates(io.TeeReader(r.Body, &head))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.pushes++
	out, err := s.run(r.Context(), dir, io.MultiReader(&head, r.Body))
	report, rest := splitBands(out)
	if len(report) == 0 {
		http.Error(w, fmt.Sprintf("no report: %v", err), http.StatusInternalServerError)
		return
	}
	defer os.RemoveAll(s.quarantine(dir))
	if report[0] == "unpack ok" {
		rest = append(rest, s.finish(r.Context(), dir, report[1:], updates)...)
	}
	w.Header().Set("Content-Type", "application/x-git-receive-pack-result")
	w.Write(append(rest, banded(report)...))
}

// finish updates the refs that the report says are fine, and changes the lines
// of the report about the others. It returns what the hook said, banded.
func (s *Spokes) finish(ctx context.Context, dir string, report []string, updates map[string]refUpdate) []byte {
	said, err := s.hook(ctx, dir, updates)
	if err == nil {
		packs, _ := filepath.Glob(filepath.Join(s.quarantine(dir), "pack", "*")) // the pattern is well formed
		for _, pack := range packs {
			if err = os.Rename(pack, filepath.Join(dir, "objects/pack", filepath.Base(pack))); err != nil {
				break
			}
		}
	}
	for i, line := range report {
		ref, fine := strings.CutPrefix(line, "ok ")
		if !fine {
			continue
		}
		reason := ""
		if err != nil {
			reason = err.Error()
		} else if _, err := (Git{Dir: dir}).Run(ctx, updates[ref].command(ref)...); err != nil {
			reason = "failed to update ref"
		}
		if reason != "" {
			report[i] = "ng " + ref + " " + reason
		}
	}
	return said
}

// hook runs the repository's pre-receive hook, if it has one, with the objects
// of the push in sight.
func (s *Spokes) hook(ctx context.Context, dir string, updates map[string]refUpdate) (said []byte, err error) {
	hook := filepath.Join(dir, "hooks/pre-receive")
	if _, err := os.Stat(hook); err != nil {
		return nil, nil
	}
	var stdin strings.Builder
	for ref, u := range updates {
		fmt.Fprintf(&stdin, "%s %s %s\n", u.old, u.new, ref)
	}
	cmd := exec.CommandContext(ctx, hook)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(stdin.String())
	cmd.Env = append(s.env[:len(s.env):len(s.env)], "GIT_DIR=.", "GIT_OBJECT_DIRECTORY="+s.quarantine(dir),
		"GIT_ALTERNATE_OBJECT_DIRECTORIES="+filepath.Join(dir, "objects"))
	text, err := cmd.CombinedOutput()
	if len(text) > 0 {
		said = pkt(2, text)
	}
	if err != nil {
		err = fmt.Errorf("pre-receive hook declined")
	}
	return said, err
}

// run runs GitHub's program on a repository.
func (s *Spokes) run(ctx context.Context, dir string, stdin io.Reader, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, s.program, append(append([]string{"--stateless-rpc"}, args...), dir)...)
	cmd.Env = append(s.env[:len(s.env):len(s.env)], "GIT_SOCKSTAT_VAR_quarantine_id="+filepath.Base(s.quarantine(dir)))
	cmd.Stdin = stdin
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("spokes-receive-pack: %w\n%s", err, errOut.Bytes())
	}
	return out.Bytes(), err
}

// quarantine returns the folder for the objects of the push that is being served.
func (s *Spokes) quarantine(dir string) string {
	return filepath.Join(dir, "objects", fmt.Sprintf("rig-quarantine-%d", s.pushes))
}
