// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

// told matches the words of a message's last line about one run.
var told = regexp.MustCompile(`attempt=(\d+) outcome=(\S+)`)

// tells are the ends of runs that messages on a change tell, oldest first, as
// "ATTEMPT OUTCOME"; a message that tells of several has them joined by a comma.
func tells(c *gerrit.Change) (all []string) {
	for _, m := range c.Messages() {
		var one []string
		for _, found := range told.FindAllStringSubmatch(m.Text, -1) {
			if found[2] != "running" {
				one = append(one, found[1]+" "+found[2])
			}
		}
		if len(one) > 0 {
			all = append(all, strings.Join(one, ", "))
		}
	}
	return all
}

// expects holds what was told on a change, and the bot's vote.
func (s *story) expects(c *gerrit.Change, vote int, want ...string) {
	s.Helper()
	if got := tells(c); !slices.Equal(got, want) {
		s.Errorf("told %q, want %q; the last pass:\n%s%s", got, want, s.stdout, s.stderr)
	}
	if got := c.Votes()["Verified"]["bot"]; got != vote {
		s.Errorf("got the vote %d, want %d", got, vote)
	}
}

// quietly makes passes and checks that none fails.
func (s *story) quietly(n int, every time.Duration) {
	s.Helper()
	for range n {
		s.clock.advance(every)
		if status := s.run(s.Context(), "sync"); status != ExitDone {
			s.Errorf("got exit status %d:\n%s%s", status, s.stdout, s.stderr)
		}
	}
}

// TestDeletedRun: somebody deletes a run on GitHub's page, before it has ended or
// after. That is told once, votes nothing, and a comment begins anew.
func TestDeletedRun(t *testing.T) {
	t.Parallel()
	for _, ended := range []bool{false, true} {
		s := reporting(t, "")
		c := s.push("ann", "nvme: split the probe loop", nil)
		s.run(t.Context(), "sync")
		if ended {
			s.ends(testJob("unit", "failure", "not ok 1"))
		}
		s.github.DeleteRun(s.github.Runs()[0].ID)
		s.quietly(4, 15*time.Minute)
		s.expects(c, 0, "0 missing")
		c.Reply("ann", "recheck")
		s.quietly(1, 15*time.Minute)
		s.ends(testJob("unit", "success"))
		s.quietly(2, 15*time.Minute)
		s.expects(c, 1, "0 missing", "1 passed")
	}
}
