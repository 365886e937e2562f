// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"strings"
	"testing"
	"time"
)

// TestIdlePass holds a pass over many changes whose results were told, and on
// which nobody commented of late, to the requests of a pass that tells nothing.
func TestIdlePass(t *testing.T) {
	t.Parallel()
	s := reporting(t, "limits: {per-pass: 100, running: 0}\n")
	s.pushMany(40)
	s.run(t.Context(), "sync")
	if n := s.count("/comments"); n != 0 {
		t.Errorf("comments were read of %d changes on which nobody has said a word", n)
	}
	for _, r := range s.github.Runs() {
		s.github.SetJobs(r.ID, testJob("unit tests", "success"))
	}
	for range 2 {
		s.clock.advance(15 * time.Minute)
		if status := s.run(t.Context(), "sync"); status != ExitDone {
			t.Fatalf("got exit status %d: %s%s", status, s.stdout, s.stderr)
		}
	}
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	if len(s.requests) > 3 {
		t.Errorf("got %d requests, want at most 3:\n%s", len(s.requests), strings.Join(s.requests, "\n"))
	}
}
