// SPDX-License-Identifier: BSD-3-Clause

package report

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// gathering is what is known for one report.
type gathering struct {
	*Reporter
	q      Request
	change *change.Change
	self   change.Account
	// debt is what the change is owed, where no run is reported; spoken is how often
	// we had said something on it before.
	debt   plan.Debt
	spoken int
	// calledOff are the attempts that a comment called off.
	calledOff map[change.Key]bool
	// left are those whose runs we cancelled because the change was left alone.
	left map[change.Key]bool
	// parts are which attempts of their runs earlier results are of.
	parts map[change.Key]int
	// outcome and attempt are those of the run that is reported on.
	outcome verdict.Outcome
	attempt int
	// awaits is what is not known of that run before it has ended.
	awaits string
	// runs are those that were read, by their numbers.
	runs  map[int64]change.Run
	retry verdict.Retry
	// links, notes and warnings are what became of what is done beside the verdict.
	links    []verdict.Link
	notes    []verdict.Note
	warnings []error
	// found is what test reports and annotations add.
	found found
	// open are the artifacts, by id, of which everybody can open a copy.
	open map[int64]bool
}

func newGathering(r *Reporter, q Request, c *change.Change) *gathering {
	g := &gathering{Reporter: r, q: q, change: c, runs: map[int64]change.Run{}, calledOff: map[change.Key]bool{}, left: map[change.Key]bool{}, parts: map[change.Key]int{}}
	if q.Run.ID != 0 {
		g.runs[q.Run.ID] = q.Run
	}
	return g
}

// verdict reads the runs of all workflows and combines them.
func (g *gathering) verdict(ctx context.Context) (verdict.Verdict, error) {
	g.retry.Most = g.q.Project.Report.Retries
	var wants []verdict.Want
	here := false
	for _, st := range g.q.Standings(g.change) {
		w := verdict.Want{Key: st.Key, Optional: st.Optional, Expected: st.Expected}
		g.calledOff[st.Key], g.left[st.Key] = st.CalledOff, st.Left
		if st.Key == g.q.Key {
			here, w.Expected, st.RunID = true, false, g.q.RunID
			g.retry.Done = st.Wasted
		} else if w.Expected && st.Outcome == "" && g.ended(ctx, st) {
			w.Expected = false
		}
		w.Going.Run.ID = st.RunID
		if !w.Expected {
			if err := g.result(ctx, st, &w); err != nil {
				return verdict.Verdict{}, err
			}
		}
		wants = append(wants, w)
	}
	if !here && g.q.Debt == nil { // the configuration has changed since it was started
		run, err := g.run(ctx, g.q.Key, g.q.RunID)
		if err != nil {
			return verdict.Verdict{}, err
		}
		wants = append(wants, verdict.Want{Key: g.q.Key, Run: run, Optional: true})
	}
	g.retry.Of = g.outcome
	g.retry.After = g.q.Project.Report.Wait(g.retry.Done + 1)
	return verdict.NewPolicy(g.q.Project.Report.Votes).Combine(wants), nil
}

// result reads the run of one workflow. Where it told nothing, the result of an
// earlier attempt stands.
func (g *gathering) result(ctx context.Context, st plan.Standing, w *verdict.Want) (err error) {
	if w.Run, err = g.believed(ctx, st.Key, st.Source(), st.RunID); err != nil {
		return err
	}
	if w.Run != nil && st.From > 0 {
		w.Run.Run.Carried = st.From
		g.note(fmt.Sprintf("%s was not run again: the result of patchset %d stands", st.Workflow, st.From), "")
	}
	if err = g.fallBack(ctx, st, w); err != nil || st.Before.Key.Attempt == 0 || w.Run != nil && (w.Run.Outcome.Result() || w.Run.Outcome == verdict.Running) {
		return err
	}
	g.parts[st.Before.Key] = st.Before.Part
	before, err := g.believed(ctx, st.Before.Key, st.Before.Source(), st.Before.RunID)
	if err != nil || before == nil {
		return err
	}
	// Of an earlier attempt GitHub's list of jobs may be all there is.
	if !before.Outcome.Result() && st.Before.Told {
		before.Outcome = st.Before.Outcome
	}
	if !before.Outcome.Result() {
		return nil
	}
	latest := verdict.Missing
	if w.Run != nil {
		latest = w.Run.Outcome
	}
	whose := fmt.Sprintf("run %d", st.Before.Key.Attempt)
	if before.Run.Carried = st.Before.From; st.Before.From > 0 {
		whose = fmt.Sprintf("patchset %d", st.Before.From)
	}
	g.note(fmt.Sprintf("run %d of %s %s; the result of %s stands", st.Key.Attempt, st.Workflow, latest.Phrase(), whose), "")
	w.Key, w.Run, w.Latest = st.Before.Key, before, w.Run
	return nil
}

// believed reads a run, unless it is not the one that source stands for.
func (g *gathering) believed(ctx context.Context, key, source change.Key, id int64) (*verdict.RunResult, error) {
	if run, known, err := g.lookUp(ctx, id); err == nil && known {
		why := plan.Foreign(g.q.Project, source, run)
		switch {
		case why != "" && key == g.q.Key:
			return nil, fault.New(fault.Configuration, "run %d is not the one of %s: %s", id, key, why).
				WithHint("give report the key and the number of the same run")
		case why != "":
			g.warn(fmt.Errorf("run %d does not count as the one of %s: %s", id, key, why))
			return nil, nil
		}
	}
	return g.run(ctx, key, id)
}

// ended reports whether another workflow's run has ended, though nobody has noted
// that yet. Two that end at once must not wait for each other. One that we cancelled
// is started anew.
func (g *gathering) ended(ctx context.Context, st plan.Standing) bool {
	if st.RunID == 0 {
		return false
	}
	run, known, err := g.lookUp(ctx, st.RunID)
	return err == nil && known && run.Status == "completed" && !(st.Left && run.Conclusion == "cancelled")
}

// lookUp reads a run, unless it was read before.
func (g *gathering) lookUp(ctx context.Context, id int64) (run change.Run, known bool, err error) {
	if run, known = g.runs[id]; known || id == 0 {
		return run, known, nil
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
	rules := g.rules(mine && run.Self == 0)
	var result verdict.RunResult
	switch {
	case (err != nil || !known) && mine && len(g.q.Needs) > 0:
		result = byNeeds(rules, run, g.q.Needs)
	case err == nil && !known && mine && g.q.Attempt > 0: // one of its own jobs asks
		result = verdict.RunResult{Run: run, Outcome: verdict.Running, Awaits: "what became of the run"}
	case err != nil:
		return nil, fmt.Errorf("failed to read run %d of %s: %w", id, key, err)
	case !known && mine:
		g.outcome = verdict.Missing
		return nil, nil
	case !known:
		return nil, nil
	default:
		g.explain(ctx, &run, rules)
		result = rules.Fold(run)
		if result.Outcome == verdict.Unknown && mine && run.Run.Status != "completed" && slices.ContainsFunc(run.Jobs, unread) {
			result.Outcome, result.Awaits = verdict.Running, whyFailed
		}
	}
	if mine {
		g.outcome, g.attempt, g.awaits = result.Outcome, run.Attempt, result.Awaits
	}
	return &result, nil
}

// read reads a run and its jobs.
func (g *gathering) read(ctx context.Context, key change.Key, id int64) (run verdict.Run, known bool, err error) {
	run = verdict.Run{Key: key, Superseded: key.Patchset != g.change.Current.Number || g.left[key], CalledOff: g.calledOff[key]}
	if key == g.q.Key {
		run.Attempt = g.q.Attempt
		run.Run.ID = id
	}
	if id == 0 {
		return run, false, nil
	}
	found, known, err := g.lookUp(ctx, id)
	if err != nil || !known {
		return run, known, err
	}
	run.Run = found
	if run.Attempt = g.attemptOf(key, found); run.Attempt != found.Attempt {
		g.endOf(ctx, &run)
	}
	if !found.OnePage {
		run.Run.URL = pinned(found.URL, run.Attempt)
	}
	if run.Jobs, err = g.jobs(ctx, id, run.Attempt); key == g.q.Key {
		run.Needs, run.Self = results(g.q.Needs), g.selfID(run.Jobs)
	}
	return run, true, err
}

// endOf reads how an earlier attempt of a run ended. What cannot be read is not known.
func (g *gathering) endOf(ctx context.Context, run *verdict.Run) {
	earlier, known, err := g.Runs.RunAttempt(ctx, g.q.Project.CI.Repository, run.Run.ID, run.Attempt)
	if err != nil || !known {
		earlier = change.Run{}
	}
	run.Run.Status, run.Run.Conclusion = earlier.Status, earlier.Conclusion
}

func (g *gathering) rules(mine bool) verdict.Rules {
	r := g.q.Project.Report
	rules := verdict.Rules{Ignore: r.Ignore, MayFail: r.MayFail, Setup: r.Setup}
	if len(rules.Ignore) == 0 {
		rules.Ignore = verdict.ReportJobs
	}
	if mine {
		rules.Ignore = slices.Concat(rules.Ignore, g.q.Ignore)
	}
	return rules
}

// list names a few things on one line.
func list(names []string) string {
	const most = 10
	if more := len(names) - most; more > 0 {
		names = append(names[:most:most], fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}
