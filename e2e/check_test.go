// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"fmt"
	"strings"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
)

// checkAll compares the three systems: every open patchset is on the mirror as
// it is in Gerrit and has exactly one run of each workflow; nothing else was
// relayed that Gerrit does not have, or was started twice.
func (s *scene) checkAll(workflows ...string) {
	s.t.Helper()
	if len(workflows) == 0 {
		workflows = []string{"autorun.yml"}
	}
	ours, theirs := s.mirrorRefs(), s.gerritRefs()
	if got, want := ours["refs/heads/master"], theirs["refs/heads/master"]; got != want {
		s.t.Errorf("the mirror's master is at %s, want %s", got, want)
	}
	for name, oid := range ours {
		switch {
		case strings.HasPrefix(name, "refs/changes/"):
			if theirs[name] != oid {
				s.t.Errorf("the mirror has %s at %s, Gerrit at %q", name, oid, theirs[name])
			}
		case name != "HEAD" && name != "refs/heads/master" && !strings.HasPrefix(name, "refs/dispatcher/"):
			s.t.Errorf("the mirror has a ref that nobody asked for: %s", name)
		}
	}
	runs := s.runsByPatchset()
	for _, c := range s.startable() {
		if got := ours[c.Ref()]; got != c.Revision {
			s.t.Errorf("change %d: the mirror has %s at %q, want %s", c.Number, c.Ref(), got, c.Revision)
		}
		for _, w := range workflows {
			if key := fmt.Sprintf("%d/%d/%s", c.Number, c.Patchset(), w); runs[key] != 1 {
				s.t.Errorf("patchset %s was started %d times, want once", key, runs[key])
			}
		}
	}
	for key, n := range runs {
		if n > 1 {
			s.t.Errorf("patchset %s was started %d times", key, n)
		}
	}
	s.checkInputs(theirs)
	s.checkObjects()
}

// checkInputs holds what the runs were given to what Gerrit has.
func (s *scene) checkInputs(theirs map[string]string) {
	s.t.Helper()
	for _, r := range s.hub.Runs() {
		in := r.Inputs
		if in["revision"] != theirs[in["ref"]] || in["project"] != s.project || in["branch"] != "master" ||
			!strings.HasPrefix(in["key"], in["change"]+"/"+in["patchset"]+"/") ||
			in["change_url"] != fmt.Sprintf("%s/c/%s/+/%s", world.gerrit.URL, s.project, in["change"]) {
			s.t.Errorf("run %d was given %v", r.ID, in)
		}
	}
}

// checkObjects has git verify that every ref of the mirror is whole.
func (s *scene) checkObjects() {
	s.t.Helper()
	git := rig.Git{Dir: world.mirror.Repository(s.mirror)}
	if out, err := git.Run(s.t.Context(), "fsck", "--full", "--strict", "--no-dangling"); err != nil {
		s.t.Errorf("the mirror is damaged: %v\n%s", err, out)
	}
}
