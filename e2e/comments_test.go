// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// writes posts a comment as the administrator: in the message itself, as older
// web pages and tools do, or in the reply field of the newer web page.
func (s *scene) writes(d *draft, text string, reply bool) {
	s.t.Helper()
	in := map[string]any{"message": text}
	if reply {
		in = map[string]any{"comments": map[string]any{"/PATCHSET_LEVEL": []any{map[string]any{"message": text, "unresolved": false}}}}
	}
	must(s.t, world.gerrit.Post(s.t.Context(), fmt.Sprintf("changes/%d/revisions/current/review", s.author.number(d)), in, nil))
}

// upload pushes a change and makes a pass.
func (s *scene) upload(subject string) *draft {
	s.t.Helper()
	d := s.author.write(subject)
	s.author.push(d, "")
	s.pass()
	return d
}

// TestComments obeys comments on a real Gerrit.
func TestComments(t *testing.T) {
	s := newScene(t, "comments", 11, settings{})
	s.reporting()
	again := s.upload("a change that is checked again")
	s.ends("failure", "not ok 1 - nvme reset")
	s.pass()
	s.expect(again, -1, 1, "not ok 1 - nvme reset")
	s.writes(again, "recheck", true)
	s.pass()
	s.expect(again, -1, 2, "Starting attempt 2 of")
	s.ends("success", "ok 1")
	s.pass()
	s.expect(again, +1, 3, "(run 2)")

	failed := s.upload("a change whose failed jobs run again")
	s.ends("failure", "not ok 2 - bdev")
	s.pass()
	before := len(s.hub.Runs())
	s.writes(failed, "recheck failed", false)
	s.pass()
	if runs := s.hub.Runs(); len(runs) != before || runs[before-1].Attempt != 2 {
		t.Errorf("got %d runs, the last at attempt %d; want %d and attempt 2", len(runs), runs[before-1].Attempt, before)
	}
	s.ends("success", "ok 2")
	s.pass()
	s.expect(failed, +1, 3, "attempt 2)")

	known := s.upload("a change with a known failure")
	s.ends("failure", "not ok 3 - vhost")
	s.pass()
	s.expect(known, -1, 1, "vhost")
	s.hub.Repository(s.mirror).SetIssue(github.Issue{Number: 12, Title: "vhost is flaky"})
	s.writes(known, "false positive: #12", true)
	s.pass()
	s.expect(known, 0, 2, "The failure is noted on #12.")
	if got := s.hub.Repository(s.mirror).Comments(12); len(got) != 1 || !strings.Contains(got[0].Body, "not ok 3 - vhost") {
		t.Errorf("got %+v on the issue, want the failure", got)
	}

	s.staysRed()

	stopped := s.upload("a change whose run is called off")
	s.writes(stopped, "cancel", true)
	s.pass()
	s.expect(stopped, 0, 1, "Cancelling attempt 1 of")
	if runs := s.hub.Runs(); runs[len(runs)-1].Conclusion != "cancelled" {
		t.Errorf("the run is %+v, want it cancelled", runs[len(runs)-1])
	}
}

// staysRed: nobody takes a -1 away by asking for a run and calling it off.
func (s *scene) staysRed() {
	s.t.Helper()
	kept := s.upload("a change that stays red")
	s.ends("failure", "not ok 4 - iscsi")
	s.pass()
	s.expect(kept, -1, 1, "iscsi")
	s.writes(kept, "false positive: #12", true)
	s.pass()
	s.expect(kept, 0, 2, "The failure is noted on #12.")
	s.writes(kept, "cancel", true)
	s.pass()
	s.settle()
	s.expect(kept, -1, 4, "the result of run 1 stands")
	s.quiet(kept, -1, 4)
}

// TestKillDuringReport kills the pass that reports at points all along its way:
// in the end there is one message and one vote.
func TestKillDuringReport(t *testing.T) {
	s := newScene(t, "kill-report", 12, settings{grace: killGrace})
	s.reporting()
	s.upload("a change to measure with")
	s.ends("failure", "not ok")
	begin := time.Now()
	s.pass()
	span := time.Since(begin)
	const kills = 12
	killed := 0
	for i := range kills {
		d := s.upload(fmt.Sprintf("a change whose report is killed, %d", i))
		s.ends("failure", "not ok")
		r := s.run(time.After(span/3 + span*time.Duration(i)/kills))
		if r.Killed {
			killed++
		}
		s.pass()
		s.pass()
		s.expect(d, -1, 1, "not ok")
	}
	t.Logf("%d of %d passes of about %s were killed", killed, kills, span.Round(time.Millisecond))
	if killed == 0 {
		t.Error("no pass was killed")
	}
}
