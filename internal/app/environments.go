// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/action"
	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/environments"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

const environmentsHelp = `Usage: dispatcher environments COMMAND

The commands that the reusable workflows are made of. Their settings are
variables, as the workflows set them; docs/workflows.md explains the list of
environments.

  plan       check the list of environments, and make a job matrix of it
  prepare    fetch the image of a cell (variable CELL) of the plan (variable PLAN)
  run        test in a cell of the matrix: run --source TARBALL --results FOLDER
  watch      see to it that jobs do not wait for an offline lab
  give-up    end the run, of which nothing is left but jobs that no runner takes
  combine    add up the results of all cells: combine FOLDER
  recipes    list recipes of system images, for a job matrix
  schema     print the JSON Schema of a list of environments
  default    print the list that is used where nobody gives one

Exit status: 0 done, 1 something failed, 2 the configuration must be changed. For
run: the command's own, whatever it is; 124 it took too long; 125 and more may also
be the rig's. In GitHub Actions an annotation "dispatcher result" says which.
`

// environmentsCommand is one of them at work.
type environmentsCommand struct {
	app *App
	out *action.Action
	// args are those behind the command's name.
	args []string
}

// environments is the command of that name.
func (a *App) environments(ctx context.Context, args []string) int {
	commands := map[string]func(*environmentsCommand, context.Context) (int, error){
		"plan": (*environmentsCommand).plan, "prepare": (*environmentsCommand).prepare, "run": (*environmentsCommand).run,
		"watch": (*environmentsCommand).watch, "give-up": (*environmentsCommand).giveUp, "combine": (*environmentsCommand).combine, "recipes": (*environmentsCommand).recipes,
		"schema": printText(environments.Schema), "default": printText(environments.Default),
	}
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		fmt.Fprint(a.Stdout, environmentsHelp)
		if len(args) == 0 {
			return ExitConfiguration
		}
		return ExitDone
	}
	run, ok := commands[args[0]]
	if !ok {
		fmt.Fprintf(a.Stderr, "dispatcher environments: there is no command %q\n    hint: dispatcher environments --help lists them\n", change.OneLine(args[0]))
		return ExitConfiguration
	}
	c := &environmentsCommand{app: a, out: action.New(a.Getenv, a.Stdout), args: args[1:]}
	defer c.out.Close()
	status, err := run(c, ctx)
	return c.end(status, err)
}

func printText(text []byte) func(*environmentsCommand, context.Context) (int, error) {
	return func(c *environmentsCommand, _ context.Context) (int, error) {
		fmt.Fprintf(c.app.Stdout, "%s", text)
		return ExitDone, nil
	}
}

// end tells of a failure and returns the exit status.
func (c *environmentsCommand) end(status int, err error) int {
	switch {
	case err == nil:
		return status
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(c.app.Stdout, environmentsHelp)
		return ExitDone
	}
	c.app.tell(c.out, asConfigProblems(err))
	switch {
	case status != ExitDone:
		return status
	case errors.Is(err, fault.Configuration):
		return ExitConfiguration
	}
	return ExitFailed
}

// parse reads flags, and up to some arguments behind them.
func (c *environmentsCommand) parse(set *flag.FlagSet, most int) error {
	set.SetOutput(io.Discard)
	err := set.Parse(c.args)
	if err == nil && set.NArg() > most {
		err = fmt.Errorf("there is no place for the argument %q", set.Arg(most))
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		return wrong("dispatcher environments --help shows how", "%s", change.OneLine(err.Error()))
	}
	return err
}

// defaultFile is where a list is looked for if nobody names one.
const defaultFile = ".github/environments.yml"

// list reads the environments that the variables give or name.
func (c *environmentsCommand) list() ([]environments.Environment, error) {
	env := c.app.Getenv
	if text := env("ENVIRONMENTS"); strings.TrimSpace(text) != "" {
		return environments.Read("environments", []byte(text))
	}
	name := env("ENVIRONMENTS_FILE")
	text, err := c.app.ReadFile(cmp.Or(name, defaultFile))
	switch {
	case err == nil:
		return environments.Read(cmp.Or(name, defaultFile), text)
	case name == "" && errors.Is(err, fs.ErrNotExist):
		return environments.Read("default", environments.Default)
	}
	return nil, wrong("give environments-file a file of the repository whose workflow runs, as it is on its default branch", "the environments cannot be read: %v", err)
}

// mirrorForm is a repository's name on GitHub, with or without its owner.
var mirrorForm = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9-]*/)?[A-Za-z0-9._-]+$`)

// mirror completes the mirror's name as the configuration does.
func (c *environmentsCommand) mirror() (string, error) {
	env := c.app.Getenv
	name := env("MIRROR")
	if name == "" {
		name = env("PROJECT")[strings.LastIndexByte(env("PROJECT"), '/')+1:]
	}
	if !mirrorForm.MatchString(name) {
		return "", wrong("set the input mirror to OWNER/NAME, or the variable SPDK_REPOS_NAME", "nothing says which repository has the patchsets: the mirror is %q", change.OneLine(change.Clip(name, 80)))
	}
	if !strings.Contains(name, "/") {
		owner, _, _ := strings.Cut(env("GITHUB_REPOSITORY"), "/")
		name = owner + "/" + name
	}
	return name, nil
}

// plan is "environments plan". All mistakes of all inputs are told at once.
func (c *environmentsCommand) plan(context.Context) (int, error) {
	if err := c.parse(flag.NewFlagSet("plan", flag.ContinueOnError), 0); err != nil {
		return 0, err
	}
	list, err := c.list()
	shards, shardsErr := strconv.Atoi(cmp.Or(c.app.Getenv("SHARDS"), "1"))
	if shardsErr != nil {
		shardsErr = wrong("write a whole number", "the input shards is %q", change.OneLine(change.Clip(c.app.Getenv("SHARDS"), 40)))
	}
	_, revisionErr := change.ParseRevision(c.app.Getenv("REVISION"))
	if revisionErr != nil {
		revisionErr = wrong("pass the input revision on as the dispatcher sent it, or give a commit's 40 hex digits", "the input revision: %v", revisionErr)
	}
	_, deadlineErr := c.deadline()
	mirror, mirrorErr := c.mirror()
	if err == nil {
		list, err = onlyThese(list, c.app.Getenv("ONLY"))
	}
	var plan environments.Plan
	if err == nil && shardsErr == nil {
		plan, err = environments.Make(list, shards)
	}
	for _, e := range []error{shardsErr, revisionErr, deadlineErr, mirrorErr} {
		if e != nil {
			c.app.tell(c.out, e)
			err = cmp.Or(err, errTold)
		}
	}
	if errors.Is(err, errTold) {
		return ExitConfiguration, nil
	}
	if err != nil {
		return 0, err
	}
	return 0, c.showPlan(plan, mirror)
}

// onlyThese picks environments by a list of names with commas in it.
func onlyThese(list []environments.Environment, text string) ([]environments.Environment, error) {
	var names []string
	for _, e := range list {
		names = append(names, e.Name)
	}
	picked, err := only("environment", names, text)
	return slices.DeleteFunc(list, func(e environments.Environment) bool { return !slices.Contains(picked, e.Name) }), err
}

// errTold stands for mistakes that were told.
var errTold = errors.New("it was told")

// showPlan sets the outputs of the job plan: the matrices, and all cells in one
// packed word.
func (c *environmentsCommand) showPlan(plan environments.Plan, mirror string) error {
	packed, err := plan.Pack()
	if err != nil {
		return err
	}
	total := 0
	set := func(name string, value any) {
		n, setErr := c.out.SetJSON(name, value)
		total += n
		err = errors.Join(err, setErr)
	}
	set("mirror", mirror)
	set("plan", packed)
	set("lab", len(plan.Lab))
	for _, k := range environments.Kinds() {
		set(string(k), plan.Entries(k))
	}
	set("optional", plan.OptionalLabs())
	if err == nil && total > action.MaxOutputs {
		err = wrong("use fewer shards, or shorter names and fewer labels of runners", "the jobs of this list take %d KiB to describe, and GitHub hands on %d", total>>10, action.MaxOutputs>>10)
	}
	if err != nil {
		return err
	}
	for _, k := range environments.Kinds() {
		for _, cell := range plan.Cells[k] {
			c.out.Println(fmt.Sprintf("%-6s  %-24s  %3d min  %s", k, cell.Name, cell.Minutes, strings.Join(cell.RunsOn, ", ")))
		}
	}
	return nil
}

// cell is the one that this job is for.
func (c *environmentsCommand) cell() (environments.Cell, error) {
	return environments.ParseCell(c.app.Getenv("CELL"), c.app.Getenv("PLAN"))
}
