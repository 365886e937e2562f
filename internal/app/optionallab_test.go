// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/environments"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// labRun is a run of the workflow autorun that has a required environment, and an
// optional one in a lab.
type labRun struct {
	*story
	id     int64
	change *gerrit.Change
	jobs   map[string]github.Job
	output func(string) string
}

func newLabRun(t *testing.T, edits ...func(*servers)) *labRun {
	t.Helper()
	s := reporting(t, "", edits...)
	r := &labRun{story: s, change: s.push("ann", "nvme: split the probe loop", nil), jobs: map[string]github.Job{}}
	s.run(t.Context(), "sync")
	r.id = s.github.Runs()[0].ID
	s.env["GITHUB_ACTIONS"], s.env["GITHUB_REPOSITORY"], s.env["GITHUB_TOKEN"] = "true", "example/ci", token
	s.env["REVISION"], s.env["PROJECT"], s.env["LAB_DEADLINE"] = strings.Repeat("0a", 20), "spdk/spdk", "30m"
	s.env["ENVIRONMENTS"] = "environments:\n  - {name: unit, kind: docker, image: debian}\n  - {name: nvme, kind: metal, runs-on: [self-hosted, lab], optional: true}\n"
	r.output = s.output()
	if status := s.run(t.Context(), "environments", "plan"); status != ExitDone {
		t.Fatalf("got %d: %s", status, s.stdout)
	}
	s.env["PLAN"] = *decode(t, r.output("plan"), new(string))
	if optional := *decode(t, r.output("optional"), new([]environments.Entry)); len(optional) != 1 || r.output("metal") != "[]" || optional[0].Name != "nvme"+environments.LabSuffix || optional[0].Kind != environments.Metal {
		t.Fatalf("got the optional jobs %+v, and %s", optional, r.output("metal"))
	}
	s.env["GITHUB_RUN_ID"], s.env["GITHUB_RUN_ATTEMPT"] = fmt.Sprint(r.id), "1"
	return r
}

// ours is a job of the workflow with its own step.
func (r *labRun) ours(name, step, conclusion string) github.Job {
	status := "completed"
	if conclusion == "" {
		status = "in_progress"
	}
	return github.Job{Name: "autorun / " + name, Status: status, Conclusion: conclusion, Runner: "hosted-" + name, Steps: []github.Step{
		{Name: "setup: the dispatcher at this workflow's own commit", Status: "completed", Conclusion: "success"},
		{Name: step, Status: status, Conclusion: conclusion},
	}}
}

func (r *labRun) set(jobs ...github.Job) {
	for _, j := range jobs {
		r.jobs[j.Name] = j
	}
	var all []github.Job
	for _, name := range []string{"unit", "nvme" + environments.LabSuffix, "lab", "report", "give-up"} {
		if j, ok := r.jobs["autorun / "+name]; ok {
			all = append(all, j)
		}
	}
	r.github.SetJobs(r.id, all...)
}

// watches has the job lab watch to its end, and returns what it tells the others.
func (r *labRun) watches() string {
	r.Helper()
	r.set(r.ours("lab", "rig: wait for the lab's runners", ""))
	r.env["GITHUB_JOB"] = "lab"
	r.output = r.story.output()
	if status := r.run(r.Context(), "environments", "watch"); status != ExitDone {
		r.Fatalf("watch ended with %d: %s", status, r.stdout)
	}
	r.set(r.ours("lab", "rig: wait for the lab's runners", "success"))
	return r.output("offline")
}

// reports has the job report tell Gerrit.
func (r *labRun) reports(unit string) int {
	r.Helper()
	r.set(r.ours("report", "Tell Gerrit", ""))
	r.env["GITHUB_JOB"] = "report"
	r.env["INPUT_NEEDS"] = fmt.Sprintf(`{"plan": "success", "source": "success", "docker": "%s", "guest": "skipped", "metal": "skipped", "lab": "success"}`, unit)
	status := r.run(r.Context(), "report", "--key", "101/1/autorun.yml/1")
	r.env["INPUT_NEEDS"] = ""
	r.set(r.ours("report", "Tell Gerrit", map[bool]string{true: "success", false: "failure"}[status == ExitDone]))
	return status
}

// givesUp has the last job end the run. As on GitHub it is cancelled itself, and has
// a step more.
func (r *labRun) givesUp(offline string) {
	r.Helper()
	r.set(r.ours("give-up", "rig: end the run without the labs that are offline", ""))
	r.env["GITHUB_JOB"], r.env["OFFLINE"] = "give-up", offline
	r.output = r.story.output()
	if status := r.run(r.Context(), "environments", "give-up"); status != ExitDone {
		r.Errorf("give-up ended with %d: %s", status, r.stdout)
	}
	if r.output("cancelled") != "true" {
		return
	}
	if status := r.run(r.Context(), "environments", "give-up", "--force"); status != ExitDone {
		r.Errorf("give-up ended with %d: %s", status, r.stdout)
	}
	if run := r.github.Runs()[0]; run.Status != "completed" || run.Conclusion != "cancelled" {
		r.Errorf("the run is %s/%s", run.Status, run.Conclusion)
	}
}

// TestOptionalLabIsOffline: the required environments vote at once, whether the run
// tells it or a later pass, and the run ends without the lab.
func TestOptionalLabIsOffline(t *testing.T) {
	t.Parallel()
	if environments.LabSuffix != verdict.LabSuffix {
		t.Fatalf("a job ends in %q, and is known by %q", environments.LabSuffix, verdict.LabSuffix)
	}
	for name, c := range map[string]struct {
		unit string
		vote int
		deaf bool // GitHub leaves the job in its queue
		late bool // Gerrit is down while the run could report
	}{
		"green": {unit: "success", vote: 1}, "red": {unit: "failure", vote: -1}, "deaf": {unit: "success", vote: 1, deaf: true},
		"late": {unit: "success", vote: 1, late: true}, "late and red": {unit: "failure", vote: -1, late: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newLabRun(t, func(o *servers) { o.github.DeafQueue = c.deaf })
			unit := testJob("autorun / unit", c.unit, "boom")
			r.set(unit, github.Job{Name: "autorun / nvme" + environments.LabSuffix, ContinueOnError: true})
			begun := r.clock.Now()
			if got, waited := r.watches(), r.clock.Now().Sub(begun); got != "1" || waited < 30*time.Minute || waited > 32*time.Minute || !strings.Contains(r.stdout, "reported without it") {
				t.Fatalf("got offline %q after %v: %s", got, waited, r.stdout)
			}
			if c.late {
				r.gerrit.Faults.Add(faults.Rule{Method: "POST", Do: faults.Answer(503, "x")})
			}
			if status := r.reports(c.unit); (status == ExitDone) == c.late {
				t.Errorf("report ended with %d: %s%s", status, r.stdout, r.stderr)
			}
			if c.late {
				r.gerrit.Faults.Clear()
			} else if got := r.change.Votes()["Verified"]["bot"]; got != c.vote {
				t.Errorf("the run got the vote %d, want %d: %s", got, c.vote, r.stdout)
			}
			r.givesUp("1")
			r.env["GITHUB_RUN_ID"], r.env["GITHUB_JOB"] = "", ""
			for range 4 {
				r.clock.advance(15 * time.Minute)
				r.run(t.Context(), "sync")
			}
			said := r.change.Messages()
			last := said[len(said)-1].Text
			if got := r.change.Votes()["Verified"]["bot"]; got != c.vote || len(r.github.Runs()) != 1 {
				t.Errorf("got the vote %d and %d runs, want %d and 1:\n%s\n%s", got, len(r.github.Runs()), c.vote, last, r.stdout)
			}
			if !strings.Contains(last, "nvme (optional lab)` was not run: no runner of its lab took it") {
				t.Errorf("got the message %s", last)
			}
			r.run(t.Context(), "sync")
			if writes := r.writes(); len(writes) > 0 {
				t.Errorf("there is something left to do: %q", writes)
			}
		})
	}
}

// TestOptionalLabComes: a lab that takes its job is waited for, and told of.
func TestOptionalLabComes(t *testing.T) {
	t.Parallel()
	r := newLabRun(t)
	nvme := testJob("autorun / nvme"+environments.LabSuffix, "failure", "boom")
	nvme.ContinueOnError = true
	nvme.Steps = append([]github.Step{{Name: "setup: the dispatcher at this workflow's own commit", Status: "completed", Conclusion: "success"}}, nvme.Steps...)
	r.set(testJob("autorun / unit", "success"), nvme)
	if got := r.watches(); got != "" {
		t.Errorf("got offline %q", got)
	}
	r.reports("success")
	said := r.change.Messages()
	if last := said[len(said)-1].Text; r.change.Votes()["Verified"]["bot"] != 1 || !strings.Contains(last, "nvme (optional lab)` failed in `Run make test`") {
		t.Errorf("got the message %s", last)
	}
}

// TestGivesUpNothingThatWorks: a lab that comes in the last moment, or in an attempt
// after that in which it was offline, is not stopped in the middle of its test.
func TestGivesUpNothingThatWorks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		offline string
		comes   time.Duration // when the lab takes the job
		cancels bool
	}{
		"it is taken before the last look":            {"1", 0, false},
		"nobody takes it":                             {"1", time.Hour, true},
		"it was offline in an attempt before":         {"0", 20 * time.Minute, false},
		"it was offline in an attempt before, and is": {"0", time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newLabRun(t)
			waits := github.Job{Name: "autorun / nvme" + environments.LabSuffix, ContinueOnError: true}
			works, done := waits, waits
			works.Status, works.Runner = "in_progress", "lab-1"
			done.Status, done.Conclusion, done.Runner = "completed", "success", "lab-1"
			unit := testJob("autorun / unit", "success")
			r.set(unit, waits)
			r.set(r.ours("lab", "rig: wait for the lab's runners", "success"))
			r.set(r.ours("report", "Tell Gerrit", "success"))
			begun := r.clock.Now()
			r.clock.onSleep = func() {
				switch waited := r.clock.Now().Sub(begun); {
				case waited >= c.comes+40*time.Minute:
					r.set(done)
				case waited >= c.comes:
					r.set(works)
				}
			}
			r.clock.onSleep()
			r.givesUp(c.offline)
			run := r.github.Runs()[0]
			if (run.Conclusion == "cancelled") != c.cancels || c.cancels && c.offline == "0" && r.clock.Now().Sub(begun) < 30*time.Minute {
				t.Errorf("the run is %s/%s after %v: %s", run.Status, run.Conclusion, r.clock.Now().Sub(begun), r.stdout)
			}
			if !c.cancels && !strings.Contains(r.stdout, "nothing is given up") {
				t.Errorf("got %s", r.stdout)
			}
		})
	}
}
