// SPDX-License-Identifier: BSD-3-Clause

package soak

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// places are branches and tags beside those that changes are for. ends are what they
// are like at the end, foreign is what people put on the mirror by themselves.
type places struct {
	tags          map[string]string // of Gerrit, by full name
	seen, foreign map[string]string // of the mirror, as the last pass left it
}

func newPlaces() places {
	return places{tags: map[string]string{}, seen: map[string]string{}, foreign: map[string]string{}}
}

// place lets people change tags and branches: "tag t1 master", "untag t1", "drop rel",
// and on the first mirror "foreign tags/t1".
func (w *world) place(e event) error {
	for i, s := range w.sites {
		var err error
		ref := "refs/tags/" + e.arg(1)
		switch e[0] {
		case "tag":
			if s.branches[e.arg(2)] {
				s.tags[ref] = string(s.project.Tip(e.arg(2)))
				err = s.inGerrit("update-ref", ref, s.tags[ref])
			}
		case "untag":
			if delete(s.tags, ref); s.memory == nil {
				err = s.inGerrit("update-ref", "-d", ref)
			}
		case "drop":
			if s.branches[e.arg(1)] {
				delete(s.branches, e.arg(1))
				err = s.inGerrit("update-ref", "-d", "refs/heads/"+e.arg(1))
			}
		default:
			ref = "refs/" + e.arg(1)
			if oid := s.refs()["refs/heads/stable"]; i == 0 && oid != "" {
				err = s.forge(ref, oid)
				s.foreign[ref], s.seen[ref] = oid, oid
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// inGerrit runs git in the project's repository.
func (s *site) inGerrit(args ...string) error {
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = s.project.Dir(), []string{"PATH=" + os.Getenv("PATH"), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1"}
	return cmd.Run()
}

// placed are the mirror's branches and tags.
func (s *site) placed() map[string]string {
	refs := s.refs()
	maps.DeleteFunc(refs, func(ref, _ string) bool {
		return !strings.HasPrefix(ref, "refs/heads/") && !strings.HasPrefix(ref, "refs/tags/")
	})
	return refs
}

// touched is R19 after each pass: what others put on the mirror is left alone, but that
// a branch goes on to where Gerrit's is.
func (w *world) touched() {
	for _, s := range w.sites {
		now := s.placed()
		for ref, was := range s.seen {
			if now[ref] == was {
				continue
			}
			if s.foreign[ref] == was && (now[ref] == "" || strings.HasPrefix(ref, "refs/tags/")) {
				w.violates("R19", "%s of %s was somebody else's, and went from %s to %q", ref, s.name, was, now[ref])
			}
			delete(s.foreign, ref)
		}
		s.seen = now
	}
}

// follows is R19 at the end: the mirror has Gerrit's branches and tags.
func (w *world) follows(last *pass) {
	held := slices.ContainsFunc(w.sites, func(s *site) bool {
		return slices.ContainsFunc(last.of(s).Warnings, func(text string) bool { return strings.Contains(text, "are gone from Gerrit at once") })
	})
	for _, s := range w.sites {
		ours, theirs := s.placed(), s.heads()
		for ref, want := range theirs {
			branch, isBranch := strings.CutPrefix(ref, "refs/heads/")
			left := isBranch && (w.config.Branches != "all" && w.config.Branches != branch || strings.TrimSuffix(w.config.Protected, "-gitea") == branch)
			if ours[ref] != want && !left && s.foreign[ref] == "" {
				w.violates("R19", "%s of %s is at %q on the mirror, want %s:\n%s", ref, s.name, ours[ref], want, last.text())
			}
		}
		for ref := range ours {
			if theirs[ref] == "" && s.foreign[ref] == "" && !held {
				w.violates("R19", "%s of %s is gone from Gerrit, and still on the mirror:\n%s", ref, s.name, last.text())
			}
		}
	}
}
