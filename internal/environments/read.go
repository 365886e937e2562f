// SPDX-License-Identifier: BSD-3-Clause

package environments

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/guest/machine"
	"github.com/spdk-community-ci/dispatcher/internal/strictyaml"
)

// Labels of a runner: a list, or text with commas between them.
type Labels []string

// UnmarshalText reads the text form.
func (l *Labels) UnmarshalText(text []byte) error {
	*l = nil
	for label := range strings.SplitSeq(string(text), ",") {
		*l = append(*l, strings.TrimSpace(label))
	}
	return nil
}

// Limits. GitHub allows 256 jobs in a matrix, and 6 hours to a hosted job.
const (
	maxCells   = 256
	maxMinutes = 24 * 60
	maxText    = 4000
)

// The form of what goes into names, labels, images and a sourced file.
var (
	nameForm     = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,39}$`)
	labelForm    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)
	variableForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,99}$`)
	imageForm    = regexp.MustCompile(`^[a-z0-9][a-z0-9._/:-]{0,200}(@sha256:[0-9a-f]{64})?$`)
	diskForm     = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}(:[a-z][a-z0-9-]{0,31}|@[0-9a-f]{16})?$`)
)

// reserved are jobs of the workflow; what is called report is left out of a
// verdict.
var reserved = []string{"plan", "source", "lab", "report", "give-up"}

// Read reads a list of environments, YAML or JSON, and fills in what was not
// given. The error tells everything that is wrong, each with its place in file.
func Read(file string, data []byte) ([]Environment, error) {
	var list struct {
		Environments []Environment `json:"environments"`
	}
	d := strictyaml.Decode(file, data, &list)
	if !d.Given("environments") {
		d.Fail("environments", "write environments: and a list below it", "there is no list of environments")
	} else if len(list.Environments) == 0 {
		d.Fail("environments", "add one", "the list of environments is empty")
	}
	seen := map[string]bool{}
	for i := range list.Environments {
		e := &list.Environments[i]
		c := check{d, fmt.Sprintf("environments[%d]", i)}
		c.environment(e)
		if seen[e.Name] {
			c.fail("name", "give each environment a name of its own", "another environment is named %s, too", strictyaml.Quote(e.Name))
		}
		seen[e.Name] = true
	}
	return list.Environments, d.Err()
}

// check notes what is wrong with one environment.
type check struct {
	d    *strictyaml.Document
	path string
}

func (c check) fail(key, hint, format string, args ...any) {
	c.d.Fail(c.path+"."+key, hint, format, args...)
}

func (c check) environment(e *Environment) {
	if !nameForm.MatchString(e.Name) {
		c.fail("name", "use lower-case letters, digits and . _ -, 40 at most", "an environment cannot be named %s", strictyaml.Quote(e.Name))
	}
	if slices.Contains(reserved, e.Name) {
		c.fail("name", "choose another name", "the workflow has a job %s of its own", e.Name)
	}
	if !slices.Contains(Kinds(), e.Kind) {
		c.fail("kind", "write docker, guest or metal", "there is no kind %s", strictyaml.Quote(string(e.Kind)))
	}
	e.fill()
	c.runner(e)
	c.image(e)
	c.conf(e)
	if e.Shards < 0 || e.Shards > maxCells {
		c.fail("shards", fmt.Sprintf("write a number from 1 to %d", maxCells), "there cannot be %d shards", e.Shards)
	}
	if e.Minutes < 1 || e.Minutes > maxMinutes {
		c.fail("minutes", fmt.Sprintf("write a number from 1 to %d", maxMinutes), "a test cannot take %d minutes", e.Minutes)
	}
	if e.Command == "" || len(e.Command) > maxText || strings.ContainsRune(e.Command, 0) {
		c.fail("command", "write one line for sh", "this cannot be a command")
	}
	c.results(e)
}

// results are checked once each, and those that are left out with the others.
func (c check) results(e *Environment) {
	names := map[string]bool{}
	for i, r := range e.Results {
		key := fmt.Sprintf("results[%d]", i)
		pattern, isPattern := strings.CutPrefix(r, without)
		name := KeptAs(r)
		switch {
		case pattern == "" || len(r) > maxText || strings.ContainsAny(r, "\x00\n\r") || path.IsAbs(pattern) || strings.Count(path.Clean(pattern), "..") > 1:
			c.fail(key, "name a file or folder in the source's folder, or beside it: ../output", "%s cannot be kept", strictyaml.Quote(r))
		case isPattern && !doublestar.ValidatePattern(pattern):
			c.fail(key, "* ? ** [a-z] {a,b} are known, and \\ before one of them takes it as it is", "%s is not a pattern", strictyaml.Quote(pattern))
		case isPattern && !slices.ContainsFunc(Kept(e.Results), func(kept string) bool { _, ok := below(kept, pattern); return ok }):
			c.fail(key, "name what is to be kept, too, and begin the pattern with it: ../output, \"!../output/coverage\"", "%s leaves out nothing: it is in none of the results", strictyaml.Quote(r))
		case !isPattern && strings.ContainsAny(r, "*?[{"):
			c.fail(key, "keep the folder, and leave out what is not wanted: ../output, \"!../output/**/*.html\"", "%s is a pattern, and what is kept has a name", strictyaml.Quote(r))
		case !isPattern && slices.Contains(ownFiles, name):
			c.fail(key, "rename it, or keep the folder that it is in", "the job itself writes %s", strictyaml.Quote(name))
		case !isPattern && names[name]:
			c.fail(key, "rename one of them", "another result is kept as %s, too", strictyaml.Quote(name))
		}
		names[name] = names[name] || !isPattern
	}
}

// fill sets what was not given.
func (e *Environment) fill() {
	if e.RunsOn == nil {
		switch e.Kind {
		case Docker:
			e.RunsOn = Labels{"ubuntu-24.04"}
		case Guest:
			e.RunsOn = Labels{"self-hosted", "linux", "x64", "qemuhost"}
		}
	}
	if e.Command == "" {
		e.Command = "./autorun.sh ../auto.conf"
	}
	if e.Minutes == 0 {
		e.Minutes = 60
	}
	if e.Results == nil {
		e.Results = []string{"../output"}
	}
}

func (c check) runner(e *Environment) {
	for i, label := range e.RunsOn {
		if !labelForm.MatchString(label) {
			c.fail(fmt.Sprintf("runs-on[%d]", i), "write the label as GitHub shows it in Settings, Actions, Runners", "%s cannot be the label of a runner", strictyaml.Quote(label))
		}
	}
	switch {
	case len(e.RunsOn) == 0 && slices.Contains(Kinds(), e.Kind):
		c.fail("runs-on", "write the labels of the lab's runner: [self-hosted, linux, x64, mylab]", "nothing says on which runner to test")
	case e.Kind == Metal && len(e.RunsOn) > 0 && !slices.Contains(e.RunsOn, "self-hosted"):
		c.fail("runs-on", "add the label self-hosted", "bare metal is tested on runners of your own only")
	}
}

func (c check) image(e *Environment) {
	switch {
	case e.Kind == Metal && e.Image != "":
		c.fail("image", "remove it", "bare metal has no image")
	case e.Kind == Docker && !imageForm.MatchString(e.Image):
		c.fail("image", "name it as docker pull does: ghcr.io/OWNER/NAME:TAG", "%s is not a container image", strictyaml.Quote(e.Image))
	case e.Kind == Guest && !diskForm.MatchString(e.Image) && (!path.IsAbs(e.Image) || len(e.Image) > maxText || strings.ContainsAny(e.Image, "\x00\n\r")):
		c.fail("image", "write NAME, NAME:ALIAS or NAME@VERSION of an image in the storage, or the path of a file on the host", "%s is not a disk image", strictyaml.Quote(e.Image))
	}
	c.dockerOptions(e)
	switch {
	case !c.d.Given(c.path + ".machine"):
	case e.Kind != Guest:
		c.fail("machine", "remove it", "only guests have a machine")
	default:
		c.machine(&e.Machine)
	}
}

// machine lets the description's own package judge it, and keeps the places.
func (c check) machine(m *machine.Machine) {
	text, err := json.Marshal(m)
	if err == nil {
		_, err = machine.NewReader("machine", text).Machine()
	}
	problems, ok := errors.AsType[strictyaml.Problems](err)
	if !ok && err != nil {
		c.fail("machine", fault.HintOf(err), "%v", err)
	}
	if len(problems) > 0 { // one place has room for one
		c.fail("machine", problems[0].Hint, "%s", problems[0].Text)
	}
}

func (c check) conf(e *Environment) {
	names := map[string]bool{}
	once := func(key, name string) {
		if names[name] {
			c.fail(key, "remove one of the two", "%s is set twice", name)
		}
		names[name] = true
	}
	for i, line := range e.Variables {
		key := fmt.Sprintf("variables[%d]", i)
		name, value, valued := strings.Cut(line, "=")
		if !valued || !variableForm.MatchString(name) || len(value) > maxText || strings.ContainsAny(value, "\x00\n\r") {
			c.fail(key, "write NAME=VALUE, without quotes around the value", "%s is not a variable", strictyaml.Quote(line))
			continue
		}
		once(key, name)
	}
	for i, name := range e.Tests {
		key := fmt.Sprintf("tests[%d]", i)
		if !variableForm.MatchString(name) {
			c.fail(key, "write the name of a variable, such as SPDK_TEST_NVME", "%s is not the name of a test", strictyaml.Quote(name))
			continue
		}
		once(key, name)
	}
}
