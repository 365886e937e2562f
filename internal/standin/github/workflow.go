// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// workflowDir is where GitHub looks for workflows.
const workflowDir = ".github/workflows/"

// workflow is what the server must know of a workflow file to start it. The
// reader is the stand-in's own, not the client's, so that a mistake in one of
// them shows.
type workflow struct {
	path    string
	name    string
	runName string
	on      map[string]trigger
}

type trigger struct {
	Types  stringOrList     `yaml:"types"`
	Inputs map[string]input `yaml:"inputs"`
}

type input struct {
	Required bool     `yaml:"required"`
	Default  any      `yaml:"default"`
	Type     string   `yaml:"type"`
	Options  []string `yaml:"options"`
}

type stringOrList []string

func (l *stringOrList) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*l = []string{n.Value}
		return nil
	}
	return n.Decode((*[]string)(l))
}

// triggers is the value of on: an event, a list of events, or a mapping.
type triggers map[string]trigger

func (t *triggers) UnmarshalYAML(n *yaml.Node) error {
	*t = triggers{}
	var events stringOrList
	if n.Kind == yaml.MappingNode {
		return t.fromMapping(n)
	}
	if err := events.UnmarshalYAML(n); err != nil {
		return err
	}
	for _, event := range events {
		(*t)[event] = trigger{}
	}
	return nil
}

// fromMapping leaves out what is no mapping itself: schedule has a list, and an
// event may have nothing at all.
func (t triggers) fromMapping(n *yaml.Node) error {
	for i := 0; i+1 < len(n.Content); i += 2 {
		var one trigger
		if value := n.Content[i+1]; value.Kind == yaml.MappingNode {
			if err := value.Decode(&one); err != nil {
				return err
			}
		}
		t[n.Content[i].Value] = one
	}
	return nil
}

// workflowAt reads a workflow file of a commit; nil if there is none or GitHub
// could not read it.
func (r *Repository) workflowAt(commit, file string) *workflow {
	_, data, ok := r.file(commit, workflowDir+file)
	if !ok {
		return nil
	}
	var content struct {
		Name    string   `yaml:"name"`
		RunName string   `yaml:"run-name"`
		On      triggers `yaml:"on"`
	}
	if yaml.Unmarshal(data, &content) != nil {
		return nil
	}
	w := &workflow{path: workflowDir + file, name: content.Name, runName: content.RunName, on: content.On}
	if w.name == "" {
		w.name = w.path
	}
	return w
}

// workflowsOn returns the workflows of a commit that an event starts.
func (r *Repository) workflowsOn(commit, event, kind string) []*workflow {
	out, err := r.git(nil, "ls-tree", "--name-only", commit, workflowDir)
	if err != nil {
		return nil
	}
	var list []*workflow
	for file := range strings.FieldsSeq(out) {
		w := r.workflowAt(commit, path.Base(file))
		if w == nil {
			continue
		}
		if t, ok := w.on[event]; ok && (len(t.Types) == 0 || slices.Contains(t.Types, kind)) {
			list = append(list, w)
		}
	}
	return list
}

// checkInputs returns the inputs that a run gets, defaults filled in, or the
// text of GitHub's refusal.
func (t trigger) checkInputs(given map[string]any) (inputs map[string]string, refusal string) {
	var extra []string
	inputs = map[string]string{}
	for name, value := range given {
		if _, ok := t.Inputs[name]; !ok {
			extra = append(extra, name)
		}
		inputs[name] = fmt.Sprint(value)
	}
	if len(extra) > 0 {
		slices.Sort(extra)
		return nil, `Unexpected inputs provided: ["` + strings.Join(extra, `", "`) + `"]`
	}
	for name, in := range t.Inputs {
		value, ok := inputs[name]
		switch {
		case !ok && in.Default != nil:
			inputs[name] = fmt.Sprint(in.Default)
		case !ok && in.Required:
			return nil, fmt.Sprintf("Required input '%s' not provided", name)
		case ok && in.Type == "choice" && !slices.Contains(in.Options, value):
			return nil, fmt.Sprintf("Provided value '%s' for input '%s' not in the list of allowed values", value, name)
		}
	}
	return inputs, ""
}
