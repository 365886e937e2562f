// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"testing"
	"time"
)

// TestFullChange is a change that has as many updates as Gerrit allows: its result
// is told to nobody. That is a matter for a person once, a quiet line after that,
// and holds no other change.
func TestFullChange(t *testing.T) {
	t.Parallel()
	s := reporting(t, "", func(o *servers) { o.gerrit.MaxUpdates = 3 })
	full := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	full.Comment("bob", "why?")
	full.Comment("ann", "it is long")
	s.ends(testJob("build", "success"))
	other := s.push("bob", "bdev: fix a leak on reset", nil)
	s.clock.advance(15 * time.Minute)
	s.pass(ExitConfiguration)
	s.ends(testJob("build", "success"))
	s.says("It is known now.")
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	s.votes(full, nil)
	s.votes(other, map[string]int{"bot": 1})
	s.says("An hour later it is tried again.")
	s.clock.advance(time.Hour)
	s.pass(ExitDone)
}
