// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"net/http"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// TestOlderServers start runs without naming them, or do not know the field
// that asks for it.
func TestOlderServers(t *testing.T) {
	t.Parallel()
	for name, details := range map[string]github.Details{"204": github.IgnoreDetails, "refused": github.RefuseDetails} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := begin(t, "", func(o *servers) { o.github.Details = details })
			one := s.push("ann", "nvme: split the probe loop", nil)
			two := s.push("bob", "bdev: fix a leak on reset", nil)
			s.pass(ExitDone)
			s.endsWell(one, two)
		})
	}
}

// TestLateRuns are listed only some time after they were started, by a server
// that does not name them; and an answer is lost.
func TestLateRuns(t *testing.T) {
	t.Parallel()
	s := begin(t, "grace: 10m", func(o *servers) {
		o.github.Details, o.github.VisibilityDelay = github.IgnoreDetails, 2*time.Minute
	})
	one := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	s.endsWell(one)
	s.says("The answer to a call is lost.")
	two := s.push("bob", "bdev: fix a leak on reset", nil)
	s.github.Faults.Add(faults.Rule{Path: theCall, Times: 1, Do: faults.LoseReply()})
	s.pass(ExitDone)
	s.says("The run is not listed yet.")
	s.clock.advance(time.Minute)
	s.pass(ExitDone)
	s.says("Now it is.")
	s.clock.advance(5 * time.Minute)
	s.pass(ExitDone)
	s.endsWell(one, two)
}

// TestLostCall never reaches GitHub. It is made again when the grace time is
// over, and not before.
func TestLostCall(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	one := s.push("ann", "nvme: split the probe loop", nil)
	s.github.Faults.Add(faults.Rule{Path: theCall, Times: 1, Do: faults.Answer(502, "Bad Gateway")})
	s.pass(ExitDone)
	s.clock.advance(5 * time.Minute)
	s.pass(ExitDone)
	s.clock.advance(9 * time.Minute)
	s.pass(ExitDone)
	s.runs()
	s.clock.advance(2 * time.Minute)
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/2")
	s.endsWell(one)
}

// TestKilled ends a pass before each of its requests in turn, as a runner does
// with a job that is cancelled. The next passes make up for it.
func TestKilled(t *testing.T) {
	t.Parallel()
	s := begin(t, "limits: {pace: 0s, running: 0}")
	for at := 1; ; at++ {
		one := s.push("ann", "nvme: split the probe loop", nil)
		two := s.push("ann", "nvme: probe in parallel", one)
		ctx, kill := context.WithCancel(t.Context())
		var seen atomic.Int32
		s.transport = before(func(*http.Request) {
			if int(seen.Add(1)) == at {
				kill()
			}
		})
		status := s.run(ctx, "sync")
		kill()
		s.transport = nil
		if status == ExitConfiguration {
			t.Errorf("killed at %d: got status %d\n%s", at, status, s.stdout)
		}
		s.clock.advance(15 * time.Minute)
		s.recovers(one, two)
		if int(seen.Load()) < at {
			s.endsWell(one, two)
			return
		}
	}
}

// TestStopped shows what a pass says that is told to stop.
func TestStopped(t *testing.T) {
	t.Parallel()
	s := begin(t, "limits: {pace: 0s}")
	for _, scene := range []struct {
		name string
		path *regexp.Regexp
	}{
		{"While the changes are read.", oneChange},
		{"Before the push.", thePush},
		{"Before the first call.", theCall},
	} {
		one := s.push("ann", "bdev: "+scene.name, nil)
		two := s.push("bob", "nvme: "+scene.name, nil)
		ctx, stop := context.WithCancel(t.Context())
		s.transport = before(func(r *http.Request) {
			if scene.path.MatchString(r.URL.Path) {
				stop()
			}
		})
		s.says(scene.name)
		s.written(s.run(ctx, "sync"), "sync")
		stop()
		s.transport = nil
		s.clock.advance(15 * time.Minute)
		s.endsWell(one, two)
	}
}

// TestRepositoryDispatch sends an event in the place of starting a workflow.
func TestRepositoryDispatch(t *testing.T) {
	t.Parallel()
	s := begin(t, "workflows: [{event: autorun.yml}]")
	s.workflow("on-event.yml", "run-name: ${{ github.event.client_payload.key }}\non: {repository_dispatch: {types: [autorun.yml]}}\n")
	one := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/1")
	run := s.github.Runs()[0]
	if got := run.Payload["revision"]; got != string(one.Revision()) {
		t.Errorf("the payload has the revision %v", got)
	}
	if got := run.Payload["gerrit"].(map[string]any)["GERRIT_REFSPEC"]; got != one.Ref() {
		t.Errorf("the payload has the refspec %v", got)
	}
	s.says("The answer is lost.")
	s.push("bob", "bdev: fix a leak on reset", nil)
	s.github.Faults.Add(faults.Rule{Path: theCall, Times: 1, Do: faults.LoseReply()})
	s.pass(ExitDone)
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/1", "102/1/autorun.yml/1")
}
