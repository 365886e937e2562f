// SPDX-License-Identifier: BSD-3-Clause

package report

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

const (
	// logLines is how much of the end of a failing job's log is kept: it tells how the
	// job ended, and has to do where no tool says what failed.
	logLines = 60
	// maxExplained is how many jobs of a run are explained if a test failed in one of
	// them; else more are, up to maxSearched, since none of them may have failed in a
	// test. maxRemarked bounds the jobs whose annotations are read in any case: these
	// say also whether a job counts.
	maxExplained, maxRemarked, maxSearched = 8, 50, 64
	// maxEarlier is how many earlier attempts of a run are looked at for jobs.
	maxEarlier = 10
)

// whyFailed is what a run awaits where GitHub does not answer.
const whyFailed = "why jobs did not pass"

// byNeeds reads a run from what the reporting job was told, where the API does not
// answer. That can say that all is well. Why a job failed it does not say: the next
// pass will.
func byNeeds(rules verdict.Rules, run verdict.Run, needs []change.Job) verdict.RunResult {
	run.Jobs, run.Needs = needs, results(needs)
	result := rules.Fold(run)
	switch result.Outcome {
	case verdict.Passed, verdict.Skipped:
	default:
		result.Outcome, result.Awaits = verdict.Running, whyFailed
	}
	return result
}

// waits says what the verdict waits for.
func (g *gathering) waits(v verdict.Verdict) string {
	if g.awaits != "" {
		return "a later pass tells, once GitHub says " + g.awaits
	}
	return "other workflows have not ended: " + list(v.Workflows(verdict.Running))
}

// givesUp reports whether the run was the last try of a required workflow: that is
// told, without a vote, although others have not ended.
func (g *gathering) givesUp(v verdict.Verdict) bool {
	return g.awaits == "" && g.retry.GivenUp() && slices.ContainsFunc(v.Required, func(r verdict.RunResult) bool {
		return r.Run.Key == g.q.Key || r.Latest != nil && r.Latest.Run.Key == g.q.Key
	})
}

// jobs reads the jobs of an attempt of a run. Where only some jobs were repeated,
// GitHub may list those alone (cli/cli#9341): the others stand as they ended before.
func (g *gathering) jobs(ctx context.Context, id int64, attempt int) ([]change.Job, error) {
	repository := g.q.Project.CI.Repository
	jobs, err := g.Runs.Jobs(ctx, repository, id, attempt)
	names := map[string]bool{}
	for n := attempt - 1; err == nil && n > 0 && n >= attempt-maxEarlier; n-- {
		for _, j := range jobs {
			names[j.Name] = true
		}
		earlier, err := g.Runs.Jobs(ctx, repository, id, n)
		if err != nil { // no vote comes of it: GitHub says how the run ended as a whole
			break
		}
		for _, j := range earlier {
			if !names[j.Name] {
				jobs = append(jobs, j)
			}
		}
	}
	return jobs, err
}

// selfID returns the id of the job that asks, 0 if it is not sure which that is.
func (g *gathering) selfID(jobs []change.Job) (id int64) {
	for _, j := range jobs {
		if g.q.SelfJob == nil || !g.q.SelfJob(j) {
			continue
		}
		if id != 0 {
			return 0
		}
		id = j.ID
	}
	return id
}

// results are the needs by the ids of jobs.
func results(needs []change.Job) map[string]string {
	all := map[string]string{}
	for _, j := range needs {
		all[j.Name] = j.Conclusion
	}
	return all
}

// explain reads what tells why jobs failed, those first that failed by themselves. A
// verdict is possible without, so what cannot be read is left out.
func (g *gathering) explain(ctx context.Context, run *verdict.Run, rules verdict.Rules) {
	ignored := rules.Ignored(*run)
	var bad []*change.Job
	for i := range run.Jobs {
		if job := &run.Jobs[i]; !good(*job) && !ignored(*job) {
			job.Unread = true
			bad = append(bad, job)
		}
	}
	slices.SortStableFunc(bad, func(a, b *change.Job) int { return cmp.Compare(urgency(*a), urgency(*b)) })
	for i, job := range bad[:min(len(bad), maxRemarked)] {
		remarks := g.remarks(ctx, job)
		if i < maxExplained {
			job.Unread = away(g.log(ctx, job)) && away(remarks)
		}
	}
	for i := maxExplained; i < min(len(bad), maxSearched) && rules.Fold(*run).Outcome != verdict.Failed; i++ {
		remarks := error(nil)
		if i >= maxRemarked {
			remarks = g.remarks(ctx, bad[i])
		}
		bad[i].Unread = away(g.log(ctx, bad[i])) && away(remarks)
	}
	if rules.Fold(*run).Outcome == verdict.Failed { // the names of their steps will do
		for _, job := range bad {
			job.Unread = false
		}
	}
	repository := g.q.Project.CI.Repository
	list, err := g.Details.Artifacts(ctx, repository, run.Run.ID)
	if err != nil && g.Publisher != nil {
		g.warn(fmt.Errorf("no artifacts of %s are published: %w", run.Key, err))
		g.note("the artifacts could not be published", err.Error())
	}
	run.Artifacts = list
}

// remarks reads what a job remarked. Who may not read annotations hears of it once:
// the log has the same words but for what GitHub itself remarks.
func (g *gathering) remarks(ctx context.Context, job *change.Job) error {
	list, err := g.Details.Annotations(ctx, g.q.Project.CI.Repository, *job)
	switch {
	case err == nil:
		job.Annotations = list
	case errors.Is(err, fault.Configuration) && !g.blind:
		g.blind = true
		g.warn(fault.New(fault.Configuration, "annotations are refused, so logs and test reports alone tell why jobs failed: %w", err).WithHint("%s", fault.HintOf(err)))
	}
	return err
}

// log reads what the failing step of a job ran and printed.
func (g *gathering) log(ctx context.Context, job *change.Job) error {
	log, err := g.Details.JobLog(ctx, g.q.Project.CI.Repository, *job, logLines)
	if err == nil {
		job.FailedRun, job.LogTail, job.Told = log.Run, log.Tail, log.Told
		g.shorten(job.Told.Failures)
	}
	return err
}

// away reports whether GitHub did not answer. That it does not let us see something
// is an answer.
func away(err error) bool { return err != nil && fault.KindOf(err) == fault.Transient }

// unread reports whether nobody could say of a job why it failed.
func unread(j change.Job) bool { return j.Unread }

// urgency puts what failed before what was stopped because of it.
func urgency(j change.Job) int {
	if j.Conclusion == "cancelled" {
		return 1
	}
	return 0
}

// good jobs need no explanation; one that has not ended has none.
func good(j change.Job) bool {
	switch j.Conclusion {
	case "success", "skipped", "neutral":
		return true
	}
	return j.Status != "completed"
}

// pinned is a run's page for one attempt, which a rerun does not change.
func pinned(url string, attempt int) string {
	if url == "" || attempt < 1 || strings.Contains(url, "/attempts/") {
		return url
	}
	return fmt.Sprintf("%s/attempts/%d", url, attempt)
}
