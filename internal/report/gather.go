// SPDX-License-Identifier: BSD-3-Clause

package report

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// gathering is what is known for one report.
type gathering struct {
	*Reporter
	q      Request
	change *change.Change
	// outcome and attempt are those of the run that is reported on.
	outcome verdict.Outcome
	attempt int
	// runs are those that were read, by their numbers.
	runs  map[int64]change.Run
	retry verdict.Retry
	// links, notes and warnings are what became of what is done beside the verdict.
	links    []verdict.Link
	notes    []verdict.Note
	warnings []error
	// open are the artifacts, by id, of which everybody can open a copy.
	open map[int64]bool
}

const (
	// maxExplained bounds the jobs of a run whose logs are read.
	maxExplained = 8
	// logLines is how much of a failing job's log is looked at.
	logLines = 60
)

// verdict reads the runs of all workflows and combines them.
func (g *gathering) verdict(ctx context.Context) (verdict.Verdict, error) {
	g.retry.Most = g.q.Project.Report.Retries
	var wants []verdict.Want
	here := false
	for _, st := range g.q.Standings(g.change) {
		w := verdict.Want{Key: st.Key, Optional: st.Optional, Expected: st.Expected}
		if st.Key == g.q.Key {
			here, w.Expected, st.RunID = true, false, g.q.RunID
			g.retry.Done = st.Wasted
		} else if w.Expected && g.ended(ctx, st.RunID) {
			w.Expected = false
		}
		if !w.Expected {
			run, err := g.run(ctx, st.Key, st.RunID)
			if err != nil {
				return verdict.Verdict{}, err
			}
			w.Run = run
		}
		wants = append(wants, w)
	}
	if !here { // the configuration has changed since it was started
		run, err := g.run(ctx, g.q.Key, g.q.RunID)
		if err != nil {
			return verdict.Verdict{}, err
		}
		wants = append(wants, verdict.Want{Key: g.q.Key, Run: run, Optional: true})
	}
	return policy(g.q.Project).Combine(wants), nil
}

// ended reports whether another workflow's run has ended, though nobody has noted
// that yet. Two that end at once must not wait for each other.
func (g *gathering) ended(ctx context.Context, id int64) bool {
	if id == 0 {
		return false
	}
	run, known, err := g.lookUp(ctx, id)
	return err == nil && known && run.Status == "completed"
}

// lookUp reads a run, unless it was read before.
func (g *gathering) lookUp(ctx context.Context, id int64) (run change.Run, known bool, err error) {
	if run, known = g.runs[id]; known {
		return run, true, nil
	}
	run, known, err = g.Runs.Run(ctx, g.q.Project.CI.Repository, id)
	if err == nil && known {
		g.runs[id] = run
	}
	return run, known, err
}

// run reads one run and folds its jobs; nil stands for one that GitHub does not
// know.
func (g *gathering) run(ctx context.Context, key change.Key, id int64) (*verdict.RunResult, error) {
	mine := key == g.q.Key
	run, known, err := g.read(ctx, key, id)
	rules := g.rules(mine)
	switch {
	case err != nil && mine && len(g.q.Needs) > 0:
		run.Jobs, rules.TrustResult = g.q.Needs, true
	case err != nil:
		return nil, fmt.Errorf("failed to read run %d of %s: %w", id, key, err)
	case !known && mine:
		g.outcome = verdict.Missing
		return nil, nil
	case !known:
		return nil, nil
	default:
		g.explain(ctx, &run)
	}
	result := rules.Fold(run)
	if mine {
		g.outcome, g.attempt = result.Outcome, run.Attempt
	}
	return &result, nil
}

// read reads a run and its jobs.
func (g *gathering) read(ctx context.Context, key change.Key, id int64) (run verdict.Run, known bool, err error) {
	run = verdict.Run{Key: key, Superseded: key.Patchset != g.change.Current.Number}
	if key == g.q.Key {
		run.Attempt = g.q.Attempt
		run.Run.ID = id
	}
	if id == 0 {
		return run, false, nil
	}
	repository := g.q.Project.CI.Repository
	found, known, err := g.lookUp(ctx, id)
	if err != nil || !known {
		return run, known, err
	}
	run.Run = found
	if run.Attempt == 0 {
		run.Attempt = found.Attempt
	}
	run.Run.URL = pinned(found.URL, run.Attempt)
	run.Jobs, err = g.Runs.Jobs(ctx, repository, id, run.Attempt)
	return run, true, err
}

// explain reads what tells why jobs failed. A verdict is possible without, so
// what cannot be read is left out.
func (g *gathering) explain(ctx context.Context, run *verdict.Run) {
	repository := g.q.Project.CI.Repository
	explained := 0
	for i := range run.Jobs {
		job := &run.Jobs[i]
		if good(job.Conclusion) || explained == maxExplained {
			continue
		}
		explained++
		if list, err := g.Details.Annotations(ctx, repository, *job); err == nil {
			job.Annotations = list
		}
		if tail, err := g.Details.LogTail(ctx, repository, job.ID, logLines); err == nil {
			job.LogTail = tail
		}
	}
	list, err := g.Details.Artifacts(ctx, repository, run.Run.ID)
	if err != nil && g.Publisher != nil {
		g.warn(fmt.Errorf("no artifacts of %s are published: %w", run.Key, err))
		g.note("the artifacts could not be published", err.Error())
	}
	run.Artifacts = list
}

// good conclusions need no explanation; a job that has not ended has none.
func good(conclusion string) bool {
	switch conclusion {
	case "", "success", "skipped", "neutral":
		return true
	}
	return false
}

// pinned is a run's page for one attempt, which a rerun does not change.
func pinned(url string, attempt int) string {
	if url == "" || attempt < 1 || strings.Contains(url, "/attempts/") {
		return url
	}
	return fmt.Sprintf("%s/attempts/%d", url, attempt)
}

// defaultIgnore are the jobs that verdict.Rules leaves out by itself.
var defaultIgnore = []string{"report", "** / report"}

func (g *gathering) rules(mine bool) verdict.Rules {
	r := g.q.Project.Report
	rules := verdict.Rules{Ignore: r.Ignore, MayFail: r.MayFail, Setup: r.Setup}
	if len(rules.Ignore) == 0 {
		rules.Ignore = defaultIgnore
	}
	if mine {
		rules.Ignore = slices.Concat(rules.Ignore, g.q.Ignore)
	}
	return rules
}

func policy(p *config.Project) verdict.Policy {
	votes := map[verdict.Outcome]int{}
	for name, vote := range p.Report.Votes {
		votes[verdict.Outcome(name)] = vote
	}
	return verdict.Policy{Votes: votes}
}

// list names a few things on one line.
func list(names []string) string {
	const most = 10
	if more := len(names) - most; more > 0 {
		names = append(names[:most:most], fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}
