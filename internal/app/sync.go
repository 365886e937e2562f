// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/action"
	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/flake"
	"github.com/spdk-community-ci/dispatcher/internal/reconcile"
)

const syncHelp = `Usage: dispatcher sync [flags]

One pass over every configured project: reads the open changes from Gerrit and
the refs of the mirror, relays the patchsets that the mirror lacks, and starts
their workflows. Nothing else is remembered; run it as often as you like.

Settings come from flags, from the inputs of the action (INPUT_NAME), or from a
file. Secrets come from the environment only: GHPA_TOKEN, GERRIT_USERNAME,
GERRIT_PASSWORD.

`

// syncFlags are what the command line of sync says.
type syncFlags struct {
	inputs        map[string]string
	json, verbose bool
}

// sync is the command of that name.
func (a *App) sync(ctx context.Context, args []string) int {
	flags, err := a.parseSync(args)
	if errors.Is(err, flag.ErrHelp) {
		return ExitDone
	}
	if err != nil {
		return ExitConfiguration // it was told
	}
	out := action.New(a.Getenv, a.Stdout)
	defer out.Close()
	cfg, err := a.load(out, flags.inputs)
	if err != nil {
		return ExitConfiguration // it was told
	}
	results, more := a.passes(ctx, cfg, flags, out.Mask)
	if err := a.show(out, results, more, flags); err != nil {
		a.tell(out, err)
		return max(exitStatus(results), ExitFailed)
	}
	return exitStatus(results)
}

// parseSync reads the flags: one for each input that is no secret, and a few of
// the command's own.
func (a *App) parseSync(args []string) (syncFlags, error) {
	f := syncFlags{inputs: map[string]string{}}
	set := flag.NewFlagSet("sync", flag.ContinueOnError)
	set.BoolVar(&f.json, "json", false, "print the result as JSON")
	set.BoolVar(&f.verbose, "verbose", false, "tell on standard error about each push and wait")
	return f, a.parseFlags(set, syncHelp, f.inputs, args)
}

// passes runs one pass for each project. A project that cannot be connected
// does not stop the others.
func (a *App) passes(ctx context.Context, cfg *config.Config, flags syncFlags, mask func(...string)) ([]reconcile.Result, aside) {
	progress := &progress{out: a.Stderr, on: a.Terminal && !flags.json}
	defer progress.clear()
	wire := newWiring(a, func(format string, args ...any) {
		if flags.verbose {
			progress.clear()
			fmt.Fprintln(a.Stderr, change.OneLine(fmt.Sprintf(format, args...)))
		}
	}, mask, cfg.Secrets())
	var results []reconcile.Result
	more := aside{flaky: map[string][]flake.Row{}}
	taken := map[string]map[change.Key]string{} // by CI repository
	for i := range cfg.Projects {
		p := &cfg.Projects[i]
		doors, err := wire.doors(p)
		if err != nil {
			results = append(results, reconcile.Result{Project: p.Name, Problems: []error{err}})
			continue
		}
		pass := reconcile.Pass{
			Project: p, Doors: doors, Now: a.Now, Sleep: a.Sleep, DryRun: cfg.DryRun, Taken: taken[ciOf(p)],
			Progress: func(text string) { progress.show(p.Name + ": " + text) },
		}
		r := pass.Run(ctx)
		if taken[ciOf(p)] == nil {
			taken[ciOf(p)] = map[change.Key]string{}
		}
		for _, k := range r.Listed {
			if taken[ciOf(p)][k] == "" {
				taken[ciOf(p)][k] = p.Name
			}
		}
		r.Problems = causes(r.Problems)
		for i, err := range r.Problems {
			r.Problems[i] = wire.suggest(ctx, p, err)
		}
		lines, notes := wire.leftOut.take()
		r.Lines, r.Warnings = append(r.Lines, lines...), append(r.Warnings, notes...)
		results = append(results, r)
		for _, text := range r.Warnings {
			wire.warnings = append(wire.warnings, fmt.Errorf("%s: %s", p.Name, text))
		}
		if rows := wire.witnesses[p].ledger(ctx, p, a); len(rows) > 0 {
			more.flaky[p.Name] = rows
		}
		if !cfg.DryRun && ctx.Err() == nil {
			if err := wire.expire(ctx, p); err != nil {
				wire.warnings = append(wire.warnings, fmt.Errorf("%s: failed to delete old results: %w", p.Name, err))
			}
		}
	}
	if cfg.DryRun {
		more.unchecked = uncheckedBySync(cfg)
	}
	more.warnings = append(wire.warnings, wire.transports.clocks.warnings()...)
	return results, more
}

// ciOf tells CI repositories apart.
func ciOf(p *config.Project) string { return strings.ToLower(p.CI.APIURL + " " + p.CI.Repository) }

// load reads the configuration and masks its secrets before anything else is
// printed; it tells what is wrong with it.
func (a *App) load(out *action.Action, flags map[string]string) (*config.Config, error) {
	cfg, err := config.Load(config.Source{Getenv: a.Getenv, ReadFile: a.ReadFile, Flags: flags})
	if err != nil {
		a.tell(out, err)
		return nil, err
	}
	out.Mask(cfg.Secrets()...)
	return cfg, nil
}

// tell prints why the command cannot begin. Each problem of a configuration
// has its own place and hint.
func (a *App) tell(out *action.Action, err error) {
	var problems config.Problems
	if !errors.As(err, &problems) {
		problems = config.Problems{{Text: err.Error(), Hint: fault.HintOf(err)}}
	}
	for _, p := range problems {
		if out.InActions() {
			out.Error(strings.ReplaceAll(p.String(), "\n    hint: ", " - hint: "))
			continue
		}
		for line := range strings.SplitSeq("dispatcher: "+p.String(), "\n") {
			fmt.Fprintln(a.Stderr, printable(line))
		}
	}
}

// printable is change.OneLine for a line whose indentation is ours.
func printable(line string) string {
	text := strings.TrimLeft(line, " ")
	return line[:len(line)-len(text)] + change.OneLine(text)
}

// show prints the results and hands them to the runner.
func (a *App) show(out *action.Action, results []reconcile.Result, more aside, flags syncFlags) error {
	if flags.json {
		if err := writeJSON(a.Stdout, results, more); err != nil {
			return fmt.Errorf("failed to print the result: %w", err)
		}
	} else {
		for _, r := range results {
			table{out: a.Stdout, colour: a.Colour}.print(r)
		}
		fmt.Fprint(a.Stdout, more.text())
	}
	a.warn(out, more.warnings)
	if !out.InActions() {
		return nil
	}
	for _, text := range annotations(results) {
		out.Error(text)
	}
	return a.publish(out, results, more)
}

// publish sets the step's outputs and summary.
func (a *App) publish(out *action.Action, results []reconcile.Result, more aside) error {
	t := totalsOf(results...)
	runs, err := json.Marshal(runsOf(results))
	if err != nil {
		return err
	}
	errs := []error{out.Summary(summary(results) + more.markdown())}
	for _, o := range []struct{ name, value string }{
		{"relayed", strconv.Itoa(t.Relayed)}, {"dispatched", strconv.Itoa(t.Dispatched)},
		{"skipped", strconv.Itoa(t.Skipped)}, {"failed", strconv.Itoa(t.Failed)}, {"runs", string(runs)},
	} {
		errs = append(errs, out.SetOutput(o.name, o.value))
	}
	return errors.Join(errs...)
}

// annotations are the failures of all projects, each text once.
func annotations(results []reconcile.Result) []string {
	var texts []string
	count := map[string]int{}
	for _, r := range results {
		for _, err := range r.Errs() {
			text := r.Project + ": " + err.Error()
			if hint := hintOf(err); hint != "" {
				text += " - hint: " + flatHint(hint)
			}
			if count[text]++; count[text] == 1 {
				texts = append(texts, text)
			}
		}
	}
	for i, text := range texts {
		if n := count[text]; n > 1 {
			texts[i] += fmt.Sprintf(" (%d times)", n)
		}
	}
	return texts
}
