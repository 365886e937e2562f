// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

// startable returns the part of the queue whose workflows can be started. For
// the rest there is one Fail for each workflow, and its patchsets wait: nothing
// is claimed that could only be refused.
func (b *builder) startable() []waiting {
	problems := map[string]string{}
	for _, w := range b.queue {
		if _, seen := problems[w.workflow.Name]; seen {
			continue
		}
		problem, hint := b.workflowProblem(w)
		problems[w.workflow.Name] = problem
		if problem != "" {
			b.add(Action{Verb: Fail, Key: change.Key{Workflow: w.workflow.Name}, Reason: problem, Hint: hint})
		}
	}
	usable := make([]waiting, 0, len(b.queue))
	for _, w := range b.queue {
		if problems[w.workflow.Name] != "" {
			b.wait(w, "its workflow cannot be started")
			continue
		}
		usable = append(usable, w)
	}
	return usable
}

// workflowProblem says why GitHub would refuse to start a workflow, and what to
// do about it. A file that was not read yet has no problem.
func (b *builder) workflowProblem(w waiting) (problem, hint string) {
	if w.workflow.File == "" {
		return "", "" // who listens to an event is not ours to know
	}
	f, ok := b.s.Workflows[w.workflow.File]
	if !ok {
		b.files[w.workflow.File] = true
		return "", ""
	}
	where := fmt.Sprintf(".github/workflows/%s on %s of %s", w.workflow.File, b.s.Ref, b.p.CI.Repository)
	switch {
	case !f.Found:
		return "there is no " + where, "create the file there, or correct the workflow's name in the configuration"
	case f.Problem != "":
		return where + " is not a workflow: " + f.Problem, "correct the file; actionlint finds such mistakes"
	case !slices.Contains(f.Events, "workflow_dispatch"):
		return where + " lacks the workflow_dispatch trigger", "add `workflow_dispatch:` with the inputs you need under `on:`"
	}
	return b.inputProblem(w, f, where)
}

// inputProblem checks the declared inputs against what would be sent.
func (b *builder) inputProblem(w waiting, f change.WorkflowFile, where string) (problem, hint string) {
	sent := b.inputs(w.change, w.workflow, b.key(w.change, w.workflow, w.attempt), f)
	var missing []string
	for name, in := range f.Inputs {
		value, ok := sent[name]
		switch {
		case !ok && in.Required && in.Default == "":
			missing = append(missing, name)
		case ok && len(in.Options) > 0 && !slices.Contains(in.Options, value):
			return fmt.Sprintf("%s allows only %q for its input %s, not %q", where, in.Options, name, value),
				"widen the options, or set another value under `with:` in the configuration"
		}
	}
	for name := range w.workflow.With {
		if _, ok := f.Inputs[name]; !ok {
			return fmt.Sprintf("%s declares no input %s, which the configuration sets under `with:`", where, name),
				"declare the input, or take it out of the configuration"
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return fmt.Sprintf("%s requires inputs that nobody gives: %s", where, strings.Join(missing, ", ")),
			"give each a default, or set it under `with:` in the configuration"
	}
	if !namesPatchset(w.workflow, f, sent) {
		return where + " declares no input that names the patchset: its runs would test something else", namingHint(w.workflow, f)
	}
	return "", ""
}

// wants reports whether a workflow should get a group of inputs.
func wants(w *config.Workflow, g config.InputGroup) bool {
	return len(w.Inputs) == 0 || slices.Contains(w.Inputs, g)
}
