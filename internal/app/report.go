// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/action"
	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/flake"
	"github.com/spdk-community-ci/dispatcher/internal/gerrit"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/report"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

const reportHelp = `Usage: dispatcher report [flags]

Tells Gerrit what became of a workflow run: one message and one vote over all
workflows of the patchset, when the last of them has ended. Put it into the last
job of a workflow, with "if: always()" and all other jobs in "needs". The run is
the one that the job is part of, unless --run names another.

`

// reportFlags are what the command line of report says.
type reportFlags struct {
	inputs  map[string]string
	key     string
	run     int64
	attempt int
	needs   string
	// findings are test reports of this job, as names or globs.
	findings pathList
}

// report is the command of that name.
func (a *App) report(ctx context.Context, args []string) int {
	flags, err := a.parseReport(args)
	if errors.Is(err, flag.ErrHelp) {
		return ExitDone
	}
	if err != nil {
		return ExitConfiguration // it was told
	}
	out := action.New(a.Getenv, a.Stdout)
	defer out.Close()
	if flags.key == "" {
		fmt.Fprintln(a.Stdout, "This run was not started by the dispatcher: there is nothing to report.")
		return ExitDone
	}
	cfg, err := a.load(out, flags.inputs)
	if err != nil {
		return ExitConfiguration // it was told
	}
	done, err := a.reportRun(ctx, cfg, flags, out)
	if err != nil {
		a.tell(out, err)
		if errors.Is(err, fault.Configuration) {
			return ExitConfiguration
		}
		return ExitFailed
	}
	return a.showReport(out, done)
}

// parseReport reads flags, and what the runner says about the job's own run.
func (a *App) parseReport(args []string) (reportFlags, error) {
	f := reportFlags{inputs: map[string]string{}}
	set := flag.NewFlagSet("report", flag.ContinueOnError)
	number := func(variable string) int64 {
		n, _ := strconv.ParseInt(a.Getenv(variable), 10, 64) // 0 where there is no runner
		return n
	}
	set.StringVar(&f.key, "key", a.Getenv("INPUT_KEY"), "the run's key, as the input key of its workflow gave it")
	set.Int64Var(&f.run, "run", number("GITHUB_RUN_ID"), "number of the run")
	set.IntVar(&f.attempt, "attempt", int(number("GITHUB_RUN_ATTEMPT")), "attempt of the run; 0 is the latest")
	set.StringVar(&f.needs, "needs", a.Getenv("INPUT_NEEDS"), "the job's needs context as JSON, for when the API does not answer")
	err := f.findings.Set(a.Getenv("INPUT_FINDINGS"))
	set.Var(&f.findings, "findings", "JUnit or SARIF file of this job to comment on lines with, or a glob; may be given several times")
	return f, errors.Join(err, a.parseFlags(set, reportHelp, f.inputs, args))
}

// reportRun finds the project that a run belongs to and reports on it.
func (a *App) reportRun(ctx context.Context, cfg *config.Config, flags reportFlags, out *action.Action) (report.Done, error) {
	key, err := change.ParseKey(flags.key)
	if err != nil {
		return report.Done{}, fault.New(fault.Configuration, "input key: %w", err).
			WithHint("give ${{ inputs.key }}, as the dispatcher sent it")
	}
	needs, err := parseNeeds(flags.needs)
	if err != nil {
		return report.Done{}, err
	}
	wire := newWiring(a, func(string, ...any) {}, out.Mask, cfg.Secrets())
	p, err := wire.projectOf(ctx, cfg, key)
	if err != nil {
		return report.Done{}, err
	}
	if !p.Report.On() {
		return report.Done{Silent: "neither a label nor messages are configured"}, nil
	}
	review, err := wire.gerrit(p.Gerrit)
	if err != nil {
		return report.Done{}, err
	}
	hub, err := wire.github(p)
	if err != nil {
		return report.Done{}, err
	}
	refs, err := wire.ledgerOf(ctx, p, key.Change)
	if err != nil {
		return report.Done{}, err
	}
	reporter := wire.reporter(p, review, hub, func(ctx context.Context) ([]change.Change, error) {
		return review.Open(ctx, gerrit.Query{Project: p.Name, MaxAge: flake.Window, Messages: true})
	})
	found, warnings := localFindings(flags.findings, p.CI.Repository)
	done, err := reporter.Report(ctx, report.Request{
		Project: p, Key: key, RunID: flags.run, Attempt: flags.attempt,
		Needs: needs, Ignore: reportingJob(a.Getenv("GITHUB_JOB")), Findings: found,
		Standings: func(c *change.Change) []plan.Standing {
			return plan.Standings(p, &plan.Snapshot{Changes: []change.Change{*c}, Mirror: refs}, c, a.Now())
		},
	})
	a.warn(out, append(warnings, done.Warnings...))
	return done, err
}

// reportingJob is the job that this process is part of: it has not ended.
func reportingJob(id string) []string {
	if id == "" {
		return nil
	}
	return []string{id, "** / " + id}
}

// parseNeeds reads GitHub's needs context: job ids with their results.
func parseNeeds(text string) ([]change.Job, error) {
	if text == "" {
		return nil, nil
	}
	var needs map[string]struct {
		Result string `json:"result"`
	}
	if err := json.Unmarshal([]byte(text), &needs); err != nil {
		return nil, fault.New(fault.Configuration, "input needs is not what GitHub gives: %w", err).
			WithHint("give ${{ toJSON(needs) }}")
	}
	var jobs []change.Job
	for _, name := range slices.Sorted(maps.Keys(needs)) {
		jobs = append(jobs, change.Job{Name: name, Status: "completed", Conclusion: needs[name].Result})
	}
	return jobs, nil
}

// showReport prints what was posted, or why nothing was.
func (a *App) showReport(out *action.Action, done report.Done) int {
	switch {
	case done.Silent != "":
		fmt.Fprintf(a.Stdout, "Nothing was posted: %s.\n", change.OneLine(done.Silent))
	case done.Voted:
		fmt.Fprintf(a.Stdout, "Posted, with the vote %s.\n", strings.TrimSpace(voteText("", done.Vote)))
	default:
		fmt.Fprintln(a.Stdout, "Posted, without a vote.")
	}
	if done.Refused != "" {
		out.Warning("Gerrit did not take the vote: " + done.Refused)
	}
	vote := ""
	if done.Voted {
		vote = strconv.Itoa(done.Vote)
	}
	err := errors.Join(out.SetOutput("outcome", string(cmp.Or(done.Outcome, verdict.Unknown))), out.SetOutput("vote", vote), out.Summary(done.Summary))
	if err != nil {
		a.tell(out, err)
		return ExitFailed
	}
	return ExitDone
}
