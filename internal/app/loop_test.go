// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

// TestLifeOfChanges is the normal loop, from upload to the end of a change.
func TestLifeOfChanges(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	s.says("Ann uploads a stack of two, Bob a fix and a draft.")
	one := s.push("ann", "nvme: split the probe loop", nil)
	two := s.push("ann", "nvme: probe in parallel", one)
	fix := s.push("bob", "bdev: fix a leak on reset", nil)
	draft := s.project.Push(gerrit.Draft{Owner: "bob", Subject: "vhost: half of an idea", WIP: true})
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/1", "102/1/autorun.yml/1", "103/1/autorun.yml/1")

	s.says("Ann amends the lower change and rebases the upper one; Bob's draft is ready.")
	s.clock.advance(15 * time.Minute)
	one.Amend(map[string]string{"lib/nvme.c": "int probe;\n"})
	two.Rebase()
	draft.SetWIP(false)
	s.pass(ExitDone)
	s.endsWell(one, two, fix, draft)

	s.says("The stack is merged, Bob gives up his fix and his idea. Their refs stay for two weeks.")
	two.Submit()
	fix.Abandon()
	draft.Abandon()
	s.clock.advance(time.Hour)
	s.pass(ExitDone)
	if _, there := s.mirror.Refs()[fix.Ref()]; !there {
		t.Errorf("%s is gone at once", fix.Ref())
	}

	s.says("A week later he takes the fix up again. It was tested before.")
	s.clock.advance(7 * 24 * time.Hour)
	fix.Restore()
	s.pass(ExitDone)
	s.endsWell(fix)

	s.says("Another week later, the refs of what stayed closed go.")
	s.clock.advance(7 * 24 * time.Hour)
	s.pass(ExitDone)
	for name := range s.mirror.Refs() {
		if strings.Contains(name, "/101/") || strings.Contains(name, "/104/") {
			t.Errorf("%s is still there", name)
		}
	}

	s.says("The idea comes back, too: nobody remembers that it was tested, so it is tested again.")
	before := len(s.github.Runs())
	draft.Restore()
	s.pass(ExitDone)
	if got := len(s.github.Runs()) - before; got != 1 {
		t.Errorf("got %d runs after the restore, want 1", got)
	}
	s.clean(s.mirror.Refs())
}
