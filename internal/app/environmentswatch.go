// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/action"
	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/environments"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/github"
)

// watchPause is how long watch sleeps between two looks: GITHUB_TOKEN has 1000
// requests an hour for all jobs of a repository.
const watchPause = 30 * time.Second

// deadline reads the variable LAB_DEADLINE.
func (c *environmentsCommand) deadline() (time.Duration, error) {
	text := cmp.Or(c.app.Getenv("LAB_DEADLINE"), "30m")
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Minute || d > 5*time.Hour {
		return 0, wrong("write a time from 1m to 5h, like 30m or 2h", "the input lab-deadline is %q", change.OneLine(change.Clip(text, 40)))
	}
	return d, nil
}

// watch is "environments watch".
func (c *environmentsCommand) watch(ctx context.Context) (int, error) {
	if err := c.parse(flag.NewFlagSet("watch", flag.ContinueOnError), 0); err != nil {
		return 0, err
	}
	env := c.app.Getenv
	w := environments.Watch{Self: env("GITHUB_JOB")}
	run, runErr := strconv.ParseInt(env("GITHUB_RUN_ID"), 10, 64)
	attempt, _ := strconv.Atoi(env("GITHUB_RUN_ATTEMPT")) // 0 is the latest
	if runErr != nil {
		return 0, wrong("it is a step of the workflow autorun", "there is no run to watch")
	}
	plan, err := environments.Unpack(env("PLAN"))
	if err != nil {
		return 0, err
	}
	w.Lab = plan.Lab
	if w.Deadline, err = c.deadline(); err != nil {
		return 0, err
	}
	hub, err := c.hub()
	if err != nil {
		return 0, err
	}
	for begun := c.app.Now(); ; {
		jobs, err := hub.Jobs(ctx, env("GITHUB_REPOSITORY"), run, attempt)
		if err != nil && !errors.Is(err, fault.Transient) {
			return c.blind(err)
		}
		switch v := w.Look(c.app.Now(), jobs); {
		case err != nil: // the next look may tell more
		case v.Done:
			c.out.Println("every job has found its runner")
			return 0, nil
		case v.Cancel:
			return c.offline(ctx, hub, run, v.Offline, w.Deadline)
		case v.GiveUp:
			return c.without(v.Offline, w.Deadline)
		}
		if c.app.Now().Sub(begun) >= watchLimit {
			return c.enough()
		}
		if err := c.app.Sleep(ctx, watchPause); err != nil {
			return 0, err
		}
	}
}

// hub is GitHub for the job's own token.
func (c *environmentsCommand) hub() (*github.Client, error) {
	token := c.app.Getenv("GITHUB_TOKEN")
	c.out.Mask(token)
	rt, err := (&transports{app: c.app}).get("")
	if err != nil {
		return nil, err
	}
	return github.New(github.Options{
		APIURL: c.app.Getenv("GITHUB_API_URL"), Setting: "GITHUB_TOKEN", Transport: rt, UserAgent: c.app.userAgent(),
		Token: func(context.Context) (string, error) { return token, nil }, Sleep: c.app.Sleep, Now: c.app.Now,
	})
}

// blind lets the tests go on where nobody can be asked how they are: GitHub
// itself gives up after 24 hours.
func (c *environmentsCommand) blind(err error) (int, error) {
	hint := cmp.Or(fault.HintOf(err), "nothing is lost but time")
	c.out.Warning("jobs for self-hosted runners are not watched, so one of an offline lab may wait for 24 hours: " + err.Error() + " - hint: " + hint)
	return 0, nil
}

// offline tells which labels nobody answers to and ends the run, so that its
// last job reports what there is. The step fails as one of the rig, which is no
// verdict on the patchset.
func (c *environmentsCommand) offline(ctx context.Context, hub *github.Client, run int64, stuck []environments.Waiting, deadline time.Duration) (int, error) {
	for _, s := range stuck {
		c.out.Error(fmt.Sprintf("no runner with the labels %s took the job %s within %v: the lab is offline or too busy, or a label is wrong. Start the runner, or mend runs-on of this environment; then comment 'recheck' on the change",
			strings.Join(s.Labels, ", "), s.Name, deadline))
	}
	if err := hub.Cancel(ctx, c.app.Getenv("GITHUB_REPOSITORY"), run, false); err != nil {
		return 0, err
	}
	return ExitFailed, nil
}

// combine is "environments combine".
func (c *environmentsCommand) combine(context.Context) (int, error) {
	set := flag.NewFlagSet("combine", flag.ContinueOnError)
	if err := c.parse(set, 1); err != nil {
		return 0, err
	}
	dir := cmp.Or(set.Arg(0), "results")
	if err := unflatten(dir); err != nil {
		return 0, err
	}
	results, unreadable, err := environments.Collect(os.DirFS(dir))
	if errors.Is(err, fs.ErrNotExist) {
		c.out.Println("no job left results")
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	c.app.warn(c.out, unreadable)
	var table strings.Builder
	table.WriteString("| environment | result | time | |\n|---|---|---|---|\n")
	for _, r := range results {
		took := time.Duration(r.Seconds * float64(time.Second)).Round(time.Second)
		c.out.Println(fmt.Sprintf("%-10s  %-24s  %v  %s", r.Word(), r.Name, took, r.RigFailed))
		fmt.Fprintf(&table, "| %s | %s | %v | %s |\n", action.Cell(r.Name), r.Word(), took, action.Cell(r.RigFailed))
	}
	return 0, c.out.Summary(table.String())
}

// idForm is what the ID of a cell looks like.
var idForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._+-]*$`)

// unflatten puts the results of one job alone into a folder as those of several
// have: a single artifact that matches a pattern comes without its name
// (actions/download-artifact v8, download-artifact.ts).
func unflatten(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, environments.ResultFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var r environments.Result
	if err != nil || json.Unmarshal(text, &r) != nil || !idForm.MatchString(r.ID) {
		return err // what cannot be read is told when it is read
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	part, err := os.MkdirTemp(dir, ".part-")
	for _, e := range entries {
		if err == nil {
			err = os.Rename(filepath.Join(dir, e.Name()), filepath.Join(part, e.Name()))
		}
	}
	if err == nil {
		err = os.Chmod(part, 0o755)
	}
	if err == nil {
		err = os.Rename(part, filepath.Join(dir, "results-"+r.ID))
	}
	return err
}

// recipeForm is what an image may be called.
var recipeForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// recipes is "environments recipes".
func (c *environmentsCommand) recipes(context.Context) (int, error) {
	if err := c.parse(flag.NewFlagSet("recipes", flag.ContinueOnError), 0); err != nil {
		return 0, err
	}
	dir := cmp.Or(c.app.Getenv("RECIPES"), "images")
	files, err := filepath.Glob(filepath.Join(dir, "*", "recipe.yml"))
	if err != nil || len(files) == 0 {
		return 0, wrong("set the input recipes to the folder that holds a folder for each image", "there is no recipe in the folder %q", change.OneLine(change.Clip(dir, 80)))
	}
	var names []string
	for _, file := range files {
		if name := filepath.Base(filepath.Dir(file)); recipeForm.MatchString(name) {
			names = append(names, name)
		}
	}
	if names, err = only("recipe", names, c.app.Getenv("ONLY")); err != nil {
		return 0, err
	}
	year, week := c.app.Now().UTC().ISOWeek()
	serial := cmp.Or(c.app.Getenv("SERIAL"), fmt.Sprintf("%dW%02d", year, week))
	c.out.Println(strings.Join(names, ", ") + "; serial " + serial)
	_, err = c.out.SetJSON("recipes", names)
	return 0, errors.Join(err, c.out.SetOutput("serial", serial))
}

// only picks names of things from a list with commas in it.
func only(thing string, names []string, list string) ([]string, error) {
	if strings.TrimSpace(list) == "" {
		return names, nil
	}
	var picked []string
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); !slices.Contains(names, name) {
			return nil, wrong("the "+thing+"s are "+strings.Join(names, ", "), "there is no %s %q", thing, change.OneLine(change.Clip(name, 80)))
		}
		picked = append(picked, name)
	}
	return picked, nil
}
