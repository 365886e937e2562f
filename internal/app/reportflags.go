// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

// reportFlags are what the command line of report says, as it was written.
type reportFlags struct {
	inputs                   map[string]string
	key, run, attempt, needs string
	// job is the id of the job that reports, as the runner gives it.
	job string
	// findings are test reports of this job, as names or globs.
	findings pathList
}

// reportAsk is what report was asked for.
type reportAsk struct {
	key     change.Key
	run     int64
	attempt int // 0 is the latest
	needs   []change.Job
	job     int64 // 0 is not known
	// findings are test reports of this job, as names or globs.
	findings pathList
}

// parseReport reads flags, and what the runner says about the job's own run.
func (a *App) parseReport(args []string) (reportFlags, error) {
	f := reportFlags{inputs: map[string]string{}}
	set := flag.NewFlagSet("report", flag.ContinueOnError)
	set.StringVar(&f.key, "key", a.Getenv("INPUT_KEY"), "the run's key, as the input key of its workflow gave it")
	set.StringVar(&f.run, "run", a.Getenv("GITHUB_RUN_ID"), "`number` of the run, as in its page's address")
	set.StringVar(&f.attempt, "attempt", a.Getenv("GITHUB_RUN_ATTEMPT"), "attempt of the run, a `number`; 0 is the latest")
	set.StringVar(&f.needs, "needs", a.Getenv("INPUT_NEEDS"), "the job's needs context as `JSON`; without it, nothing is said of a run that has not ended")
	set.StringVar(&f.job, "job-id", a.Getenv("INPUT_JOB-ID"), "`id` of the job that reports, as the runner gives it; it does not count")
	err := f.findings.Set(a.Getenv("INPUT_FINDINGS"))
	set.Var(&f.findings, "findings", "test report or SARIF file of this job, for names of failed tests and comments on lines, or a glob; may be given several times")
	return f, errors.Join(err, a.parseFlags(set, reportHelp, f.inputs, args))
}

// check reads what the flags say, and finds all mistakes. Whether the run is the
// key's is not its business.
func (f reportFlags) check() (ask reportAsk, err error) {
	var problems config.Problems
	note := func(place, hint string, err error) {
		if err != nil {
			text := place + ": " + change.OneLine(change.Clip(err.Error(), 300))
			problems = append(problems, config.Problem{Text: text, Hint: hint})
		}
	}
	ask.findings = f.findings
	ask.key, err = change.ParseKey(f.key)
	note("input key", "give ${{ inputs.key }}, as the dispatcher sent it", err)
	ask.run, err = parseRun(f.run)
	note("--run", "in a job, leave it out; elsewhere, give the number that follows /runs/ in the address of the run's page", err)
	ask.attempt, err = parseAttempt(f.attempt)
	note("--attempt", "write a whole number: 1 for the first attempt, 0 for the latest", err)
	ask.needs, err = parseNeeds(f.needs)
	note("input needs", "give ${{ toJSON(needs) }}, or the results alone: {\"JOB\": \"${{ needs.JOB.result }}\"}", err)
	ask.job, err = parseJob(f.job)
	note("input job-id", "leave it out: the runner fills it in", err)
	if problems != nil {
		return ask, problems
	}
	return ask, nil
}

// parseRun reads the number of a run. GitHub counts in 64 bits.
func parseRun(text string) (int64, error) {
	if text == "" {
		return 0, errors.New("no run is named")
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s is not the number of a run", quoted(text))
	}
	return n, nil
}

// parseAttempt reads an attempt; where nothing is said, it is the latest.
func parseAttempt(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s is not an attempt", quoted(text))
	}
	return int(n), nil
}

// parseJob reads the id of a job; runners that do not know it give nothing.
func parseJob(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s is not the id of a job", quoted(text))
	}
	return n, nil
}

// parseNeeds reads GitHub's needs context, job ids with their results, or the
// results alone: outputs are in the context, too, and no program can be started
// with a variable of 128 KiB (Linux, MAX_ARG_STRLEN).
func parseNeeds(text string) ([]change.Job, error) {
	if text == "" {
		return nil, nil
	}
	var needs map[string]need
	if err := json.Unmarshal([]byte(text), &needs); err != nil {
		return nil, fmt.Errorf("it is not what GitHub gives: %w", err)
	}
	var jobs []change.Job
	for _, name := range slices.Sorted(maps.Keys(needs)) {
		jobs = append(jobs, change.Job{Name: name, Status: "completed", Conclusion: needs[name].Result})
	}
	return jobs, nil
}

// need is what became of one job.
type need struct {
	Result string `json:"result"`
}

// UnmarshalJSON takes a result alone, too.
func (n *need) UnmarshalJSON(text []byte) error {
	if text[0] == '"' {
		return json.Unmarshal(text, &n.Result)
	}
	type whole need
	return json.Unmarshal(text, (*whole)(n))
}

// quoted shows a value of the user's on one line, and not too long.
func quoted(s string) string { return `"` + change.OneLine(change.Clip(s, 60)) + `"` }
