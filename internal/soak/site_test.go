// SPDX-License-Identifier: BSD-3-Clause

package soak

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// site is a project of Gerrit and its mirror.
type site struct {
	world    *world
	name     string // of the project
	project  *gerrit.Project
	mirror   *github.Repository
	memory   *memory // nil with C git
	branches map[string]bool
	commits  map[string]bool // that branches pointed at
	places
}

func (w *world) newSite(name string) *site {
	s := &site{
		world: w, name: name, project: w.gerrit.Project(name), mirror: w.github.Repository("example/" + path.Base(name)),
		branches: map[string]bool{}, commits: map[string]bool{}, places: newPlaces(),
	}
	s.mirror.SetIssue(github.Issue{Number: 12, Title: "reset test is flaky"})
	if w.config.Git == "memory" {
		s.memory = &memory{refs: map[string]string{}, source: s.heads, may: s.shows, site: s, mood: "well"}
		branch, gitea := strings.CutSuffix(w.config.Protected, "-gitea")
		s.memory.protected, s.memory.gitea = "refs/heads/"+branch, gitea
	}
	return s
}

// grow puts a commit on a branch of each project.
func (w *world) grow(branch string) {
	for _, s := range w.sites {
		s.branches[branch] = true
		oid := s.project.Commit(branch, map[string]string{"README.md": fmt.Sprintf("%s, step %d\n", branch, w.step)})
		s.commits[string(oid)] = true
	}
}

// heads are the branches and tags as Gerrit shows them.
func (s *site) heads() map[string]string {
	refs := map[string]string{}
	for name := range s.branches {
		refs["refs/heads/"+name] = string(s.project.Tip(name))
	}
	maps.Copy(refs, s.tags)
	return refs
}

// shows reports whether Gerrit lets the dispatcher fetch a commit: that of a
// patchset that it may see, or on which such a patchset is built.
func (s *site) shows(oid string) bool {
	for _, c := range s.world.changes {
		if c.site != s || !s.world.visible(c) {
			continue
		}
		for below := c; below != nil; below = below.parent {
			if slices.ContainsFunc(below.sets, func(p patchset) bool { return p.revision == oid }) {
				return true
			}
		}
	}
	return s.commits[oid]
}

// patchsetOf returns the change whose patchset a commit is, and its number, or nil.
func (s *site) patchsetOf(oid string) (*subject, int) {
	for _, c := range s.world.changes {
		if i := slices.IndexFunc(c.sets, func(p patchset) bool { return c.site == s && p.revision == oid }); i >= 0 {
			return c, i + 1
		}
	}
	return nil, 0
}

// refs are those of the mirror.
func (s *site) refs() map[string]string {
	if m := s.memory; m != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		return maps.Clone(m.refs)
	}
	return s.mirror.Refs()
}

// forge writes a ref of the mirror, as anybody may who can push there; with no
// object it deletes it.
func (s *site) forge(ref, oid string) error {
	if m := s.memory; m != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.refs[ref] = oid; oid == "" {
			delete(m.refs, ref)
		}
		return nil
	}
	args := []string{"update-ref", ref, oid}
	if oid == "" {
		args = []string{"update-ref", "-d", ref}
	}
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = s.mirror.Dir(), []string{"PATH=" + os.Getenv("PATH"), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1"}
	return cmd.Run()
}

// git returns the site that a git request is to, and whether to its mirror.
func (n *network) git(host, path string) (s *site, mirror bool) {
	mirror = host == n.mirror
	for _, s := range n.sites {
		name := s.name
		if mirror {
			name = "example/" + name[strings.LastIndex(name, "/")+1:]
		}
		if strings.Contains(path, "/"+name+"/git-") || strings.Contains(path, "/"+name+".git/git-") {
			return s, mirror
		}
	}
	return nil, mirror
}
