// SPDX-License-Identifier: BSD-3-Clause

package config

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/strictyaml"
)

// nothing is what an input says to have an empty list, because the runner
// cannot tell an empty input from one that is not given.
const nothing = "none"

// Input returns the text of an input: the flag, the runner's variable, the
// variable with the input's other name, or the default, whichever comes first.
func (src Source) Input(name string) string {
	if text := src.given(name); text != "" {
		return text
	}
	in, _ := lookUp(name)
	if in.Default == jobToken || in.Default == jobID { // nobody filled it in
		return ""
	}
	return in.Default
}

// given returns what was said about an input, or "".
func (src Source) given(name string) string {
	in, ok := lookUp(name)
	if text := src.explicit(name); text != "" || !ok || in.Env == "" {
		return text
	}
	return strings.TrimSpace(src.Getenv(in.Env))
}

// explicit leaves out the variable with the input's other name. The runner's
// names are in upper case and keep hyphens (Handler.cs in actions/runner).
func (src Source) explicit(name string) string {
	if text := strings.TrimSpace(src.Flags[name]); text != "" {
		return text
	}
	return strings.TrimSpace(src.Getenv("INPUT_" + strings.ToUpper(strings.ReplaceAll(name, " ", "_"))))
}

func lookUp(name string) (Input, bool) {
	table := Inputs()
	i := slices.IndexFunc(table, func(in Input) bool { return in.Name == name })
	if i < 0 {
		return Input{}, false
	}
	return table[i], true
}

func (l *loader) input(name string) string { return l.src.Input(name) }

func (l *loader) boolInput(name string) bool {
	var b bool
	l.report(Place{Input: name}, setText(reflect.ValueOf(&b).Elem(), l.input(name)))
	return b
}

// checkFlags refuses flags that are no inputs, and secrets, which other users
// of the machine could read in the list of processes.
func (l *loader) checkFlags() {
	var names []string
	for _, in := range Inputs() {
		names = append(names, in.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(l.src.Flags)) {
		in, ok := lookUp(name)
		switch {
		case !ok:
			hint := ""
			if near := strictyaml.Nearest(name, names); near != "" {
				hint = "did you mean " + near + "?"
			}
			l.fail(Place{Input: quote(name)}, hint, "there is no such input")
		case in.Secret:
			l.fail(Place{Input: name}, "set the variable "+in.Env, "a secret must not stand on the command line")
		}
	}
}

// refuseProjectInputs complains about inputs that a file makes void. The
// runner fills in defaults, so a value that is the default was not given.
func (l *loader) refuseProjectInputs() {
	for _, in := range Inputs() {
		if text := l.src.explicit(in.Name); text != "" && !in.Anywhere && text != in.Default {
			l.fail(Place{Input: in.Name}, "move it into the file, or give gerrit-url and gerrit-project instead of the file", "it has no effect, because %s describes the projects", l.file)
		}
	}
}

// inputsAsFile makes of the inputs the file that says the same.
func (l *loader) inputsAsFile() *file {
	if name := l.input("config"); name != "" {
		l.fail(Place{Input: "config"}, "give either the file or the inputs of one project", "gerrit-url is given as well")
	}
	g := new(gerrit)
	f := &file{Gerrits: map[string]*gerrit{"gerrit": g}, Projects: make([]project, 1)}
	s := &f.Projects[0]
	l.places[s] = Place{Input: "gerrit-project"}
	l.places[&s.CI] = Place{Input: "ci-repository"}
	l.places[&s.Mirror] = Place{Input: "mirror"}
	l.set("gerrit-url", &g.URL)
	l.set("gerrit-project", &s.Name)
	if l.input("gerrit-project") == "" {
		l.fail(Place{Input: "gerrit-project"}, "give the project's name as Gerrit shows it, for example spdk/spdk", "it is missing")
	}
	l.set("mirror", &s.Mirror.Repository)
	l.set("mirror-url", &s.Mirror.URL)
	l.set("mirror-username", &s.Mirror.Username)
	l.set("mirror-namespace", &s.Mirror.Namespace)
	l.set("mirror-tags", &s.Mirror.Tags)
	l.set("ci-ref", &s.CI.Ref)
	l.set("branches", &s.Branches)
	l.set("query", &s.Query)
	l.set("max-age", &s.MaxAge)
	l.set("skip-subjects", &s.Skip.Subjects)
	l.set("skip-wip", &s.Skip.WIP)
	l.set("skip-private", &s.Skip.Private)
	l.set("min-age", &s.Skip.MinAge)
	l.set("limit", &s.Limits.PerPass)
	l.set("running-limit", &s.Limits.Running)
	l.set("owner-limit", &s.Limits.PerOwner)
	l.set("label", &s.Report.Label)
	l.setWorkflows(s)
	return f
}

// setWorkflows makes the list of workflows; the trust gate is that of each.
func (l *loader) setWorkflows(s *project) {
	var files []workflowFile
	var event eventType
	var gate trust
	if l.set("event", &event); event == "" || l.src.given("workflows") != "" && l.input("workflows") != defaultWorkflow {
		l.set("workflows", &files)
	}
	if text := l.input("trust-label"); text != "" {
		label, value, valued := strings.Cut(text, "+")
		l.setText("trust-label", &gate.Label, label)
		if valued {
			l.setText("trust-label", &gate.Value, value)
		}
	}
	l.set("trust-groups", &gate.Groups)
	for i := range files {
		s.Workflows = append(s.Workflows, workflow{File: files[i], Trust: gate})
	}
	if event != "" {
		s.Workflows = append(s.Workflows, workflow{Event: event, Trust: gate})
	}
	l.places[&s.Workflows] = Place{Input: "workflows"}
	for i := range s.Workflows {
		w := &s.Workflows[i]
		at := Place{Input: "workflows"}
		if w.Event != "" {
			at.Input = "event"
		}
		l.places[w] = at
		l.places[&w.Trust.Label] = Place{Input: "trust-label"}
	}
}

// set fills the value behind a pointer from an input, if it says anything.
func (l *loader) set(name string, pointer any) {
	if text := l.input(name); text != "" {
		l.setText(name, pointer, text)
	}
}

func (l *loader) setText(name string, pointer any, text string) {
	v := reflect.ValueOf(pointer).Elem()
	at := Place{Input: name}
	l.places[pointer] = at
	if v.Kind() != reflect.Slice {
		l.report(at, setText(v, l.withOwner(name, text)))
		return
	}
	if text == nothing {
		return
	}
	// A regular expression may hold commas.
	items := splitList(text, name != "skip-subjects")
	v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	for i, item := range items {
		l.places[v.Index(i).Addr().Interface()] = at
		l.report(at, setText(v.Index(i), item))
	}
	l.refuseTwice(v)
}

// withOwner completes a mirror that is given by its name alone: the prototype's
// SPDK_REPOS_NAME is one under the organisation.
func (l *loader) withOwner(name, text string) string {
	if name == "mirror" && !strings.Contains(text, "/") {
		if owner := l.owner(); owner != "" {
			return owner + "/" + text
		}
	}
	return text
}

// owner is the owner of the CI repository, or "".
func (l *loader) owner() string {
	if owner := strings.TrimSpace(l.src.Getenv("GITHUB_REPOSITORY_OWNER")); owner != "" {
		return owner
	}
	owner, _, _ := strings.Cut(l.input("ci-repository"), "/")
	return owner
}

// splitList splits at line ends and, if wanted, at commas outside braces.
func splitList(text string, commas bool) []string {
	depth := 0
	items := strings.FieldsFunc(text, func(r rune) bool {
		switch r {
		case '{':
			depth++
		case '}':
			depth--
		}
		return r == '\n' || r == '\r' || commas && r == ',' && depth <= 0
	})
	var out []string
	for _, item := range items {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}
