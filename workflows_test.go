// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// workflow is the part of a workflow file that is looked at here.
type workflow struct {
	file string
	text string

	Name        string
	RunName     string            `yaml:"run-name"`
	On          triggers          `yaml:"on"`
	Permissions map[string]string `yaml:"permissions"`
	Concurrency concurrency       `yaml:"concurrency"`
	Jobs        map[string]job    `yaml:"jobs"`
}

// concurrency is a group of which one runs.
type concurrency struct {
	Group  string
	Cancel any `yaml:"cancel-in-progress"`
}

type triggers struct {
	Call *struct {
		Inputs  map[string]input
		Outputs map[string]struct{ Description, Value string }
		Secrets map[string]struct {
			Description string
			Required    bool
		}
	} `yaml:"workflow_call"`
	Dispatch *struct{ Inputs map[string]input } `yaml:"workflow_dispatch"`
	Schedule []struct{ Cron string }
}

type input struct {
	Description, Type string
	Default           any
	Required          bool
}

type job struct {
	Uses        string
	If          string
	With        map[string]any
	Secrets     map[string]string
	Needs       []string
	Concurrency concurrency
	Outputs     map[string]string
	Env         map[string]string
	Timeout     any               `yaml:"timeout-minutes"`
	Permissions map[string]string `yaml:"permissions"`
	Steps       []step
}

type step struct {
	Name, ID, If, Uses, Run string
	With                    map[string]any
	Env                     map[string]string
	ContinueOnError         any `yaml:"continue-on-error"`
}

// composite is an action's file.
type composite struct {
	Inputs map[string]struct {
		Description string
		Required    bool
		Default     any
	}
	Outputs map[string]any
	Runs    struct{ Steps []step }
}

func readYAML(t *testing.T, file string, into any) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = yaml.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return string(text)
}

// readWorkflows reads the files of a folder, by their names without the ending.
func readWorkflows(t *testing.T, dir string) map[string]*workflow {
	t.Helper()
	files, err := filepath.Glob(dir + "/*.yml")
	if err != nil || len(files) < 3 {
		t.Fatalf("%s: %d files, %v", dir, len(files), err)
	}
	all := map[string]*workflow{}
	for _, file := range files {
		w := &workflow{file: file}
		w.text = readYAML(t, file, w)
		all[strings.TrimSuffix(filepath.Base(file), ".yml")] = w
	}
	return all
}

const ourWorkflows = ".github/workflows"

// ownActions are those that are made of steps.
var ownActions = []string{"actions/setup/action.yml", "actions/checkout/action.yml", "actions/source/action.yml"}

// untrusted are the jobs that run code of a patchset.
var untrusted = []string{"docker", "guest", "metal", "optional"}

// unneeded are the jobs that the report does not wait for: one that no runner may
// take, and one that comes after the report.
var unneeded = []string{"optional", "give-up"}

// TestWorkflows holds our workflows to what docs/workflows.md promises.
func TestWorkflows(t *testing.T) {
	t.Parallel()
	for _, w := range readWorkflows(t, ourWorkflows) {
		if w.Permissions == nil || len(w.Permissions) > 0 {
			t.Errorf("%s: it does not begin with permissions: {}", w.file)
		}
		if w.On.Call != nil && !strings.HasPrefix(w.RunName, "${{ inputs.key ") {
			t.Errorf("%s: its run-name does not begin with the key: a run whose start was not answered is not found", w.file)
		}
		for name, j := range w.Jobs {
			if where := w.file + ": job " + name; j.Timeout == nil {
				t.Errorf("%s has no time limit", where)
			} else if j.Permissions == nil {
				t.Errorf("%s says nothing about permissions", where)
			}
			for _, s := range j.Steps {
				checkStep(t, w.file+": job "+name, s)
			}
		}
	}
	for _, file := range ownActions {
		var c composite
		readYAML(t, file, &c)
		for _, s := range c.Runs.Steps {
			checkStep(t, file, s)
		}
	}
}

func checkStep(t *testing.T, where string, s step) {
	t.Helper()
	where += ": step " + s.Name
	if strings.Contains(s.Run, "${{") {
		t.Errorf("%s: a value is pasted into a script; hand it over in env", where)
	}
	if n := strings.Count(strings.TrimSpace(s.Run), "\n") + 1; n >= 15 {
		t.Errorf("%s: its script has %d lines; make a command of it", where, n)
	}
	if strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != false {
		t.Errorf("%s: the token stays in the checkout", where)
	}
}

// TestUntrustedJobs: what a patchset's code could reach holds no secret, no
// right to change anything, and no cache that others read.
func TestUntrustedJobs(t *testing.T) {
	t.Parallel()
	w := readWorkflows(t, ourWorkflows)["autorun"]
	for _, name := range append(untrusted, "source") {
		j := w.Jobs[name]
		if len(j.Steps) == 0 {
			t.Errorf("there is no job %s", name)
		}
		for right, level := range j.Permissions {
			if right != "contents" || level != "read" {
				t.Errorf("job %s may %s %s", name, level, right)
			}
		}
		for _, s := range j.Steps { // which runs nothing of a patchset
			if name == "source" && s.Uses == "./.dispatcher/actions/source" {
				delete(s.With, "token")
			}
		}
		text, err := yaml.Marshal(j)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"secrets.", "github.token", "actions/cache", "setup-go", "GITHUB_TOKEN"} {
			if strings.Contains(string(text), bad) {
				t.Errorf("job %s uses %s", name, bad)
			}
		}
	}
}

// pinned is an action at a commit, with its version.
var pinned = regexp.MustCompile(`uses: +([A-Za-z0-9-]+/[A-Za-z0-9_./-]+)@([0-9a-f]{40}) # (v[0-9]+\.[0-9]+\.[0-9]+)$`)

// TestPins: others' actions are named by their commit, the same everywhere.
func TestPins(t *testing.T) {
	t.Parallel()
	known := map[string]string{}
	files := map[string]string{}
	for _, w := range readWorkflows(t, ourWorkflows) {
		files[w.file] = w.text
	}
	for _, file := range ownActions {
		files[file] = readYAML(t, file, &composite{})
	}
	for file, text := range files {
		for line := range strings.Lines(text) {
			line = strings.TrimRight(line, "\n")
			if !strings.Contains(line, "uses:") || strings.Contains(line, "uses: ./") || strings.Contains(line, "uses: $/") {
				continue
			}
			m := pinned.FindStringSubmatch(line)
			if m == nil {
				t.Errorf("%s: %s is not pinned to a commit with its version behind it", file, strings.TrimSpace(line))
			} else if pin := m[2] + " " + m[3]; known[m[1]] != "" && known[m[1]] != pin {
				t.Errorf("%s: %s is %s elsewhere, and %s here", file, m[1], known[m[1]], pin)
			} else {
				known[m[1]] = pin
			}
		}
	}
}

// TestCallers holds the files that people copy to the workflows that they call.
func TestCallers(t *testing.T) {
	t.Parallel()
	ours := readWorkflows(t, ourWorkflows)
	for name, caller := range readWorkflows(t, "workflows") {
		called := ours[name]
		if len(caller.Jobs) != 1 || called == nil || called.On.Call == nil {
			t.Errorf("%s: it must have one job, and %s must be a reusable workflow", caller.file, name)
			continue
		}
		for _, j := range caller.Jobs {
			if want := "spdk-community-ci/dispatcher/.github/workflows/" + name + ".yml@v1"; j.Uses != want {
				t.Errorf("%s: it calls %s, want %s", caller.file, j.Uses, want)
			}
			checkInputs(t, caller, called, j)
			checkSecrets(t, caller, called, j)
			checkRights(t, caller, called, j)
		}
	}
}

func checkInputs(t *testing.T, caller, called *workflow, j job) {
	t.Helper()
	for name, in := range called.On.Call.Inputs {
		if _, given := j.With[name]; in.Required && !given {
			t.Errorf("%s: it does not give the input %s", caller.file, name)
		}
	}
	for name, value := range j.With {
		in, known := called.On.Call.Inputs[name]
		text, isText := value.(string)
		switch {
		case !known:
			t.Errorf("%s: %s has no input %s", caller.file, called.file, name)
		case isText && strings.HasPrefix(text, "${{ inputs."):
			from, ok := caller.On.Dispatch.Inputs[strings.Fields(strings.TrimPrefix(text, "${{ inputs."))[0]]
			if !ok || from.Type != in.Type {
				t.Errorf("%s: the input %s has the type %s, what it is given %q", caller.file, name, in.Type, from.Type)
			}
		case typeOf(value) != in.Type:
			t.Errorf("%s: the input %s has the type %s, not %s", caller.file, name, in.Type, typeOf(value))
		}
	}
}

func typeOf(value any) string {
	switch value.(type) {
	case bool:
		return "boolean"
	case int:
		return "number"
	}
	return "string"
}

func checkSecrets(t *testing.T, caller, called *workflow, j job) {
	t.Helper()
	want, got := slices.Sorted(maps.Keys(called.On.Call.Secrets)), slices.Sorted(maps.Keys(j.Secrets))
	if !slices.Equal(got, want) {
		t.Errorf("%s: it passes the secrets %v, and %v can be passed", caller.file, got, want)
	}
	for name, value := range j.Secrets {
		if value != "${{ secrets."+name+" }}" {
			t.Errorf("%s: the secret %s is %s", caller.file, name, value)
		}
	}
}

// checkRights: a called workflow that asks for more than its caller grants is
// refused as a whole.
func checkRights(t *testing.T, caller, called *workflow, j job) {
	t.Helper()
	rank := map[string]int{"": 0, "read": 1, "write": 2}
	want := map[string]string{}
	for _, inner := range called.Jobs {
		for right, level := range inner.Permissions {
			if rank[level] > rank[want[right]] {
				want[right] = level
			}
		}
	}
	if !maps.Equal(j.Permissions, want) {
		t.Errorf("%s: it grants %v, and what it calls needs %v", caller.file, j.Permissions, want)
	}
}

// TestDispatchedInputs: what a workflow takes from a person, it takes from a
// caller as well, and with the same type.
func TestDispatchedInputs(t *testing.T) {
	t.Parallel()
	for _, w := range readWorkflows(t, ourWorkflows) {
		if w.On.Call == nil {
			continue
		}
		if n := len(w.On.Dispatch.Inputs); n > 25 {
			t.Errorf("%s: GitHub allows 25 inputs, not %d", w.file, n)
		}
		for name, in := range w.On.Dispatch.Inputs {
			if other := w.On.Call.Inputs[name]; other.Type != in.Type || other.Required != in.Required || fmt.Sprint(other.Default) != fmt.Sprint(in.Default) {
				t.Errorf("%s: the input %s differs between workflow_call and workflow_dispatch", w.file, name)
			}
		}
		for name, in := range w.On.Call.Inputs {
			if in.Description == "" || in.Type == "" {
				t.Errorf("%s: the input %s has no description, or no type", w.file, name)
			}
		}
		for _, m := range regexp.MustCompile(`inputs\.([a-z_-]+)`).FindAllStringSubmatch(w.text, -1) {
			if _, known := w.On.Call.Inputs[m[1]]; !known {
				t.Errorf("%s: it uses an input %s that it does not have", w.file, m[1])
			}
		}
	}
}

// TestOwnActions: the actions of this repository get inputs that they have, and
// give outputs that are asked for.
func TestOwnActions(t *testing.T) {
	t.Parallel()
	files := map[string]string{"./.dispatcher": "action.yml"}
	for _, file := range ownActions {
		files["./.dispatcher/"+filepath.Dir(file)] = file
	}
	steps := map[string][]step{}
	texts := map[string]string{}
	for _, w := range readWorkflows(t, ourWorkflows) {
		texts[w.file] = w.text
		for _, j := range w.Jobs {
			steps[w.file] = append(steps[w.file], j.Steps...)
		}
	}
	for _, file := range ownActions {
		var c composite
		texts[file] = readYAML(t, file, &c)
		steps[file] = c.Runs.Steps
	}
	for where, list := range steps {
		for _, s := range list {
			if !strings.HasPrefix(s.Uses, "./") {
				continue
			}
			var action composite
			readYAML(t, files[s.Uses], &action)
			for name := range s.With {
				if _, known := action.Inputs[name]; !known {
					t.Errorf("%s: %s has no input %s", where, s.Uses, name)
				}
			}
			for name, in := range action.Inputs {
				if _, given := s.With[name]; in.Required && !given {
					t.Errorf("%s: %s must get the input %s", where, s.Uses, name)
				}
			}
			for _, m := range regexp.MustCompile(`steps\.`+s.ID+`\.outputs\.([a-z-]+)`).FindAllStringSubmatch(texts[where], -1) {
				if _, known := action.Outputs[m[1]]; s.ID != "" && !known && s.Uses == "./.dispatcher" {
					t.Errorf("%s: %s has no output %s", where, s.Uses, m[1])
				}
			}
		}
	}
}

// TestSource: each job that tests gets the source as the job source makes it, from
// the same inputs, however old the run is. Of a private mirror it is had once.
func TestSource(t *testing.T) {
	t.Parallel()
	w := readWorkflows(t, ourWorkflows)["autorun"]
	var with []map[string]any
	for _, name := range append([]string{"source"}, untrusted...) {
		for _, s := range w.Jobs[name].Steps {
			if s.Uses == "./.dispatcher/actions/source" {
				with = append(with, s.With)
			}
		}
	}
	if len(with) != 1+len(untrusted) || with[0]["make"] != true {
		t.Fatalf("the source is brought with %v", with)
	}
	for _, name := range []string{"make", "token", "token-for"} { // tests may not have the mirror's
		delete(with[0], name)
	}
	for _, other := range with[1:] {
		if !maps.Equal(with[0], other) {
			t.Errorf("got %v and %v", with[0], other)
		}
	}
}

// TestHostEnvironment: what is set on a runner is in no env context
// (actions/runner#740), so an expression can only name what the file itself sets.
func TestHostEnvironment(t *testing.T) {
	t.Parallel()
	texts := map[string]string{}
	for _, w := range readWorkflows(t, ourWorkflows) {
		texts[w.file] = w.text
	}
	for _, file := range ownActions {
		texts[file] = readYAML(t, file, &composite{})
	}
	for file, text := range texts {
		for _, m := range regexp.MustCompile(`\benv\.([A-Za-z_]+)`).FindAllStringSubmatch(text, -1) {
			if !regexp.MustCompile(`(?m)^ +` + m[1] + `: `).MatchString(text) {
				t.Errorf("%s: nothing in it sets env.%s", file, m[1])
			}
		}
	}
}

// TestPlanArrives: the runner leaves out outputs that contain a secret's text, with
// a warning (actions/runner JobExtension.cs). Whoever would test less for it is
// kept from that, and what could be long is handed on in no variable.
func TestPlanArrives(t *testing.T) {
	t.Parallel()
	w := readWorkflows(t, ourWorkflows)["autorun"]
	check := w.Jobs["source"].Steps[0]
	for name := range w.Jobs["plan"].Outputs {
		if want := "needs.plan.outputs." + name; !regexp.MustCompile(regexp.QuoteMeta(want) + `\b`).MatchString(check.If) {
			t.Errorf("the job source does not look whether there is %s", want)
		}
	}
	if !strings.HasPrefix(check.Run, "echo '::error::") || !strings.HasSuffix(strings.TrimSpace(check.Run), "exit 1") {
		t.Errorf("it goes on: %s", check.Run)
	}
	report := w.Jobs["report"]
	last := report.Steps[len(report.Steps)-1]
	results := map[string]string{}
	if err := yaml.Unmarshal([]byte(last.With["needs"].(string)), &results); err != nil {
		t.Fatal(err)
	}
	for _, name := range report.Needs {
		if want := "${{ needs." + name + ".result }}"; results[name] != want {
			t.Errorf("the report gets %q of the job %s, want %s", results[name], name, want)
		}
	}
	if len(results) != len(report.Needs) || len(report.Needs) != len(w.Jobs)-1-len(unneeded) || slices.ContainsFunc(unneeded, func(name string) bool { return slices.Contains(report.Needs, name) }) {
		t.Errorf("the report knows the jobs %v, and needs %v", results, report.Needs)
	}
	for _, m := range regexp.MustCompile(`(?m)^ *([A-Z_]+|needs): \$\{\{ *toJSON\(.*$`).FindAllString(w.text, -1) {
		t.Errorf("what may be long is in a variable: %s", m)
	}
}

// TestConcurrency: runs wait for, or cancel, only those that do the same work: a run
// that is pending is dropped for a newer one of its group.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	ours := readWorkflows(t, ourWorkflows)
	for _, tt := range []struct {
		name  string
		group string
		holds []string // what tells work apart
	}{
		{"autorun", ours["autorun"].Concurrency.Group, []string{
			"github.workflow", "inputs.gerrit-url || vars.GERRIT_URL", "inputs.project", "inputs.change_url", "inputs.key && inputs.change || github.run_id",
		}},
		{"dispatch", ours["dispatch"].Jobs["sync"].Concurrency.Group, []string{
			"inputs.gerrit-url || vars.GERRIT_URL", "inputs.gerrit-project || vars.GERRIT_PROJECT", "inputs.config || vars.DISPATCHER_CONFIG", "inputs.dry-run && github.run_id",
		}},
		{"build_images", ours["build_images"].Concurrency.Group, []string{"inputs.recipes", "inputs.only", "inputs.serial", "inputs.alias"}},
	} {
		for _, part := range tt.holds {
			if !strings.Contains(tt.group, "${{ "+part) {
				t.Errorf("%s: the group does not depend on %s: %s", tt.name, part, tt.group)
			}
		}
		if strings.ContainsAny(tt.group, "\n") {
			t.Errorf("%s: the group has two lines: %q", tt.name, tt.group)
		}
	}
	if ours["autorun"].Concurrency.Cancel != true || ours["dispatch"].Jobs["sync"].Concurrency.Cancel != false || ours["build_images"].Concurrency.Cancel != false {
		t.Error("what was done half is cancelled where it must not be, or goes on where nobody waits for it")
	}
	for name, w := range ours {
		for id, j := range w.Jobs {
			if w.Concurrency.Group == "" && j.Concurrency.Group == "" && id != "keepalive" {
				t.Errorf("%s: job %s may run twice at once", name, id)
			}
		}
	}
}

// TestKeepalive: the job knows its schedule by the text of the cron line, and waits
// for no pass.
func TestKeepalive(t *testing.T) {
	t.Parallel()
	ours, caller := readWorkflows(t, ourWorkflows)["dispatch"], readWorkflows(t, "workflows")["dispatch"]
	if !slices.Equal(ours.On.Schedule, caller.On.Schedule) || len(ours.On.Schedule) != 2 {
		t.Fatalf("the schedules are %v and %v", ours.On.Schedule, caller.On.Schedule)
	}
	j := ours.Jobs["keepalive"]
	if cron := ours.On.Schedule[1].Cron; !strings.HasSuffix(j.If, "github.event.schedule == '"+cron+"'") {
		t.Errorf("the job keepalive does not wait for %s", cron)
	}
	if ours.Concurrency.Group != "" || caller.Concurrency.Group != "" || j.Concurrency.Group != "" || len(j.Needs) > 0 {
		t.Error("the job keepalive is dropped for a pass")
	}
	for name, tt := range map[string]struct{ gh, want string }{
		"all are enabled": {`case "$*" in *PUT*) echo "$5" >>calls ;; *) printf '1\n22\n' ;; esac`, "repos/o/r/actions/workflows/1/enable\nrepos/o/r/actions/workflows/22/enable\n"},
		"no right":        {`case "$*" in *PUT*) exit 1 ;; *) echo 1 ;; esac`, "::error::"},
		"no list":         {`exit 1`, "::error::"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for file, text := range map[string]string{"gh": "#!/bin/sh\n" + tt.gh + "\n", "script": j.Steps[0].Run} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			out, err := shell(t, dir, filepath.Join(dir, "script"), "PATH="+dir+":"+os.Getenv("PATH"), "GITHUB_REPOSITORY=o/r")
			calls, _ := os.ReadFile(filepath.Join(dir, "calls")) // none were made
			if got := string(calls) + out; !strings.HasPrefix(got, tt.want) || (err != nil) != strings.HasPrefix(tt.want, "::") {
				t.Errorf("got %v, %q, want %q", err, got, tt.want)
			}
		})
	}
}

// TestImagesGoOn: what one recipe or a signature comes to stops nothing else.
func TestImagesGoOn(t *testing.T) {
	t.Parallel()
	w := readWorkflows(t, ourWorkflows)["build_images"]
	if j := w.Jobs["prune"]; !strings.Contains(j.If, "!cancelled()") || strings.Contains(j.If, "needs.build") {
		t.Errorf("a recipe that fails keeps prune from its work: %s", j.If)
	}
	for _, s := range w.Jobs["build"].Steps {
		if strings.Contains(s.Uses, "attest-build-provenance") && (s.ContinueOnError != true || s.ID != "sign") {
			t.Errorf("an image is lost for want of a signature: %+v", s)
		}
	}
}

// TestNoRegistry: a lock file that names a server is of use to nobody who has
// another one.
func TestNoRegistry(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("scripts/workflows/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), `"resolved"`) {
		t.Error("package-lock.json names a server: npm install --omit-lockfile-registry-resolved makes one without")
	}
}
