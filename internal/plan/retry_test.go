// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// endedAgo is the entry that an attempt ended so, so long ago.
func endedAgo(attempt int, o verdict.Outcome, ago time.Duration) string {
	return fmt.Sprintf("ended %d/%s/%d", attempt, o, noon.Add(-ago).Unix())
}

// TestEndsThatTellNothing: a pair is done by a result. Other ends count only as long
// as their cause lasts, and lost runners are tried again, by a schedule.
func TestEndsThatTellNothing(t *testing.T) {
	t.Parallel()
	schedule := func(p *config.Project) {
		p.Report.Retries, p.Report.RetryAfter = 3, []time.Duration{0, time.Hour}
	}
	never := func(p *config.Project) { p.Report.Retries = 0 }
	gate := func(p *config.Project) { p.Workflows[0].Trust = config.Trust{Label: "Allow", Value: 1} }
	left := func(p *config.Project) { p.Workflows[0].Branches = []string{"v1.x"} }
	silent := func(p *config.Project) { p.Report = config.Report{} }
	lost, setup := verdict.RunnerLost, verdict.SetupFailed
	const gone, givenUp = "attempt 1 was stopped, and the reason for that is gone", `; a comment "recheck" starts it again`
	tests := []struct {
		name string
		edit func(*config.Project)
		refs []string
		said verdict.Outcome // by a message, a minute ago, of run 99
		want string
	}{
		{"passed", nil, []string{"ended 1/passed"}, "", "idle"},
		{"failed", nil, []string{"ended 1/failed"}, "", "idle"},
		{"timed out", nil, []string{"ended 1/timed-out"}, "", "idle"},
		{"neutral", nil, []string{"ended 1/neutral"}, "", `no verdict 1: attempt 1 said neither yes nor no` + givenUp},
		{"cancelled", nil, []string{"ended 1/cancelled"}, "", "no verdict 1: attempt 1 was cancelled" + givenUp},
		{"cancelled after a result", nil, []string{"runs 1/98", "ended 1/failed", "runs 2/99", "ended 2/cancelled"}, "", "idle"},
		{"missing", nil, []string{"ended 1/missing"}, "", "no verdict 1: attempt 1 has no run" + givenUp},

		{"superseded", nil, []string{"ended 1/superseded"}, "", "dispatch 2: " + gone},
		{"superseded, and a gate holds it now", gate, []string{"ended 1/superseded"}, "", "wait 1: waits for Allow +1 from somebody else than its author"},
		{"superseded, and a filter leaves it out now", left, []string{"ended 1/superseded"}, "", "skip 1: not for branch master"},
		{"superseded after a result", nil, []string{"ended 1/failed", "ended 2/superseded"}, "", "dispatch 3: attempt 2 was stopped, and the reason for that is gone"},

		{"lost", schedule, []string{endedAgo(1, lost, 0)}, "", "dispatch 2: retry 1 of 3: attempt 1 ended as runner-lost"},
		{"lost twice, just now", schedule, []string{endedAgo(1, lost, time.Hour), endedAgo(2, setup, time.Minute)}, "",
			"wait 2: attempt 2 failed outside the tests; retry 2 of 3 from 2026-11-24 12:59 on"},
		{"lost twice, an hour ago", schedule, []string{endedAgo(1, lost, 2*time.Hour), endedAgo(2, setup, time.Hour)}, "", "dispatch 3: retry 2 of 3: attempt 2 ended as setup-failed"},
		{"the last wait is that of all that follow", schedule, []string{endedAgo(1, lost, 3*time.Hour), endedAgo(2, lost, 2*time.Hour), endedAgo(3, lost, 59*time.Minute)}, "",
			"wait 3: attempt 3 lost the runner; retry 3 of 3 from 2026-11-24 12:01 on"},
		{"lost too often", schedule, []string{endedAgo(1, lost, 0), endedAgo(2, lost, 0), endedAgo(3, lost, 0), endedAgo(4, lost, 0)}, "", "no verdict 4: given up: attempt 4 lost the runner" + givenUp},
		{"lost too often after a result", schedule, []string{"ended 1/failed", endedAgo(2, lost, 0), endedAgo(3, lost, 0), endedAgo(4, lost, 0), endedAgo(5, lost, 0)}, "", "idle"},
		{"lost after a result", schedule, []string{"ended 1/failed", endedAgo(2, lost, 0)}, "", "dispatch 3: retry 1 of 3: attempt 2 ended as runner-lost"},
		{"lost at a time that is not known", schedule, []string{endedAgo(1, lost, 0), "ended 2/runner-lost"}, "", "dispatch 3: retry 2 of 3: attempt 2 ended as runner-lost"},
		{"lost, and nothing is tried again", never, []string{endedAgo(1, lost, 0)}, "", "no verdict 1: given up: attempt 1 lost the runner" + givenUp},
		{"lost, and called off", schedule, []string{endedAgo(1, lost, 0), "stopped 1"}, "", "skip 2: a comment called it off"},
		{"lost, and a gate holds it now", func(p *config.Project) { schedule(p); gate(p) }, []string{endedAgo(1, lost, 0)}, "", "wait 1: waits for Allow +1 from somebody else than its author"},

		{"lost, as its own report says", schedule, nil, lost, "dispatch 2: retry 1 of 3: attempt 1 ended as runner-lost"},
		{"lost twice, as its own report says", schedule, []string{"runs 1/98", endedAgo(1, lost, time.Hour), "runs 2/99"}, lost, "wait 2: attempt 2 lost the runner; retry 2 of 3 from 2026-11-24 12:59 on"},
		{"lost, nothing is tried again, as its own report says", never, nil, lost, "no verdict 1: given up: attempt 1 lost the runner" + givenUp},
		{"cancelled, as its own report says", nil, nil, verdict.Cancelled, "no verdict 1: attempt 1 was cancelled" + givenUp},
		{"lost, where nothing is told", silent, []string{endedAgo(1, lost, 0)}, "", "idle"},
		{"superseded, where nothing is told", silent, []string{"ended 1/superseded"}, "", "idle"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := project(reporting, func(p *config.Project) { p.Report.Commands.Off = true })
			if tt.edit != nil {
				tt.edit(p)
			}
			refs := tt.refs
			if len(refs) == 0 || refs[0] != "runs 1/98" {
				refs = append([]string{"runs 1/99"}, refs...)
			}
			c := open(7, patchset(2, change.Rework))
			if tt.said != "" {
				attempt := 1
				if refs[0] == "runs 1/98" {
					attempt = 2
				}
				st := ends("autorun.yml", attempt, tt.said, func(st *Standing) { st.RunID = 99 })
				m := tells("none", st)
				m.Author.Username, m.At = "ci", noon.Add(-time.Minute)
				c.Messages = []change.Message{m}
			}
			s := snapshot(p, []change.Change{c}, refsOf(refs...)...)
			s.RunsByID = map[int64]change.Run{70: {ID: 70, Status: "in_progress"}, 98: {ID: 98, Status: "completed"}, 99: {ID: 99, Status: "completed", Updated: noon}}
			var got []string
			made := Make(p, s, noon)
			for _, a := range made.Actions {
				if a.Change != nil && a.Verb != Vote && a.Verb != Report {
					got = append(got, fmt.Sprintf("%s %d: %s", a.Verb, a.Key.Attempt, a.Reason))
				}
			}
			if len(got) == 0 && len(made.Idle) == 1 {
				got = []string{"idle"}
			}
			if text := strings.Join(got, "\n"); text != tt.want {
				t.Errorf("got %q, want %q", text, tt.want)
			}
		})
	}
}
