// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
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
	ask, err := flags.check()
	if err != nil {
		a.tell(out, err)
		return ExitConfiguration
	}
	cfg, err := a.load(out, flags.inputs)
	if err != nil {
		return ExitConfiguration // it was told
	}
	done, p, err := a.reportRun(ctx, cfg, ask, out)
	if err != nil {
		a.tell(out, err)
		if errors.Is(err, fault.Configuration) {
			return ExitConfiguration
		}
		return ExitFailed
	}
	if cfg.DryRun {
		showDryReport(out, p, ask.key, done)
	}
	return a.showReport(out, p, done, cfg.DryRun)
}

// reportRun finds the project that a run belongs to and reports on it.
func (a *App) reportRun(ctx context.Context, cfg *config.Config, ask reportAsk, out *action.Action) (report.Done, *config.Project, error) {
	wire := newWiring(a, func(string, ...any) {}, out.Mask, cfg.Secrets())
	p, err := wire.projectOf(ctx, cfg, ask.key)
	if err != nil {
		return report.Done{}, nil, err
	}
	done, err := a.reportOn(ctx, wire, p, cfg.DryRun, ask)
	err = wire.suggest(ctx, p, err)
	a.warn(out, slices.Concat(wire.warnings, done.Warnings, wire.transports.clocks.warnings()))
	return done, p, err
}

// reportOn reports on a run of a project.
func (a *App) reportOn(ctx context.Context, wire *wiring, p *config.Project, dryRun bool, ask reportAsk) (report.Done, error) {
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
	refs, err := wire.ledgerOf(ctx, p, ask.key)
	if err != nil {
		return report.Done{}, err
	}
	self, err := review.Self(ctx)
	if err != nil {
		return report.Done{}, err
	}
	reporter := wire.reporter(p, review, hub, func(ctx context.Context) ([]change.Change, error) {
		return review.Open(ctx, gerrit.Query{Project: p.Name, MaxAge: flake.Window, Messages: true})
	})
	if err := a.readOwn(wire, p, hub, ask.run, reporter); err != nil {
		return report.Done{}, err
	}
	found, warnings := localFindings(ask.findings)
	done, err := reporter.Report(ctx, report.Request{
		Project: p, Key: ask.key, RunID: ask.run, Attempt: ask.attempt, DryRun: dryRun,
		Needs: ask.needs, SelfJob: a.selfJob(p, ask), Ignore: reportingJob(a.Getenv("GITHUB_JOB")),
		Findings: found, Unread: warnings, Started: refs.Started,
		Standings: func(c *change.Change) []plan.Standing {
			return plan.Standings(p, &plan.Snapshot{Changes: []change.Change{*c}, Mirror: refs, Self: self.ID}, c, a.Now())
		},
	})
	done.Warnings = append(warnings, done.Warnings...)
	return done, err
}

// selfJob knows the job that this process is part of, where it is one of the run:
// by the id that the runner gives, or else by the runner, which has one job at a
// time. The API shows a job's name, and only its id is in GITHUB_JOB
// (actions/runner#852).
func (a *App) selfJob(p *config.Project, ask reportAsk) func(change.Job) bool {
	runner := a.Getenv("RUNNER_NAME")
	switch {
	case a.Getenv("GITHUB_REPOSITORY") != p.CI.Repository || a.Getenv("GITHUB_RUN_ID") != strconv.FormatInt(ask.run, 10):
		return nil
	case ask.job != 0:
		return func(j change.Job) bool { return j.ID == ask.job }
	case runner == "":
		return nil
	}
	return func(j change.Job) bool { return j.Status == "in_progress" && j.Runner == runner }
}

// reportingJob is the name of that job if it has none of its own, in case it is not
// known otherwise.
func reportingJob(id string) []string {
	if id == "" {
		return nil
	}
	return []string{id, "** / " + id}
}

// showReport prints what was posted, or why nothing was.
func (a *App) showReport(out *action.Action, p *config.Project, done report.Done, dryRun bool) int {
	switch {
	case dryRun: // it was shown
	case done.Silent != "":
		fmt.Fprintf(a.Stdout, "Nothing was posted: %s.\n", change.OneLine(done.Silent))
	case done.Voted:
		fmt.Fprintf(a.Stdout, "Posted, with the vote %s.\n", strings.TrimSpace(voteText("", done.Vote)))
	default:
		fmt.Fprintln(a.Stdout, "Posted, without a vote.")
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
	if done.Refused != "" {
		a.tell(out, refusal(p, done))
		return ExitConfiguration
	}
	return ExitDone
}
