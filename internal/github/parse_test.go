// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

func TestParseWorkflow(t *testing.T) {
	t.Parallel()
	type inputs = map[string]change.WorkflowInput
	for _, tc := range []struct {
		name, text string
		want       change.WorkflowFile
	}{
		{"one event", "on: push", change.WorkflowFile{Events: []string{"push"}}},
		{"list", "on: [push, workflow_dispatch, push]", change.WorkflowFile{Events: []string{"push", "workflow_dispatch"}}},
		{"quoted key", "'on': push", change.WorkflowFile{Events: []string{"push"}}},
		{"null settings", "on:\n  workflow_dispatch:\n  push: ~", change.WorkflowFile{Events: []string{"push", "workflow_dispatch"}}},
		{"called only", "on: {workflow_call: {inputs: {a: {type: string}}}}", change.WorkflowFile{Events: []string{"workflow_call"}}},
		{"run-name", "run-name: ${{ inputs.key }}\non: push", change.WorkflowFile{Events: []string{"push"}, RunName: "${{ inputs.key }}"}},
		{"run-name of another form", "run-name: [a]\non: push", change.WorkflowFile{Events: []string{"push"}}},
		{"event types", "on: {repository_dispatch: {types: [b, a]}}", change.WorkflowFile{Events: []string{"repository_dispatch"}, EventTypes: []string{"b", "a"}}},
		{"one event type", "on: {repository_dispatch: {types: a}}", change.WorkflowFile{Events: []string{"repository_dispatch"}, EventTypes: []string{"a"}}},
		{"any event type", "on: {repository_dispatch: {types: }}", change.WorkflowFile{Events: []string{"repository_dispatch"}}},
		{"no inputs", "on: {workflow_dispatch: {inputs: }}", change.WorkflowFile{Events: []string{"workflow_dispatch"}}},
		{"inputs", `
on:
  workflow_dispatch:
    inputs:
      plain:
      required: {required: true, description: x}
      Required: {required: "True"}
      not: {required: false}
      yes: {default: yes, type: boolean}
      number: {default: 1.10, type: number}
      none: {default: null}
      choice: {type: choice, options: [a, 1.0, on], default: a}
      options: {type: string, options: {odd: form}}
`, change.WorkflowFile{Events: []string{"workflow_dispatch"}, Inputs: inputs{
			"plain": {}, "required": {Required: true}, "Required": {Required: true}, "not": {},
			"yes": {Default: "yes"}, "number": {Default: "1.10"}, "none": {},
			"choice": {Default: "a", Options: []string{"a", "1.0", "on"}}, "options": {},
		}}},
		{"anchors", `
x: &settings {required: true, default: &d v}
y: &both {a: *settings, b: {default: *d}}
on:
  workflow_dispatch: {inputs: *both}
`, change.WorkflowFile{Events: []string{"workflow_dispatch"}, Inputs: inputs{"a": {Required: true, Default: "v"}, "b": {Default: "v"}}}},
		{"everything is an alias", "x: &x [push]\non: *x", change.WorkflowFile{Events: []string{"push"}}},
		{"odd settings of other events", "on: {schedule: [{cron: 1 2 3 4 5}], push: 7}", change.WorkflowFile{Events: []string{"push", "schedule"}}},
		{"later documents are not read", "on: push\n---\n{", change.WorkflowFile{Events: []string{"push"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseWorkflow([]byte(tc.text))
			if err != nil {
				t.Fatal(err)
			}
			tc.want.Found = true
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseWorkflowErrors(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, text, want string }{
		{"empty", "", "it is empty"},
		{"only a comment", "# nothing", "it is empty"},
		{"not YAML", "on: [", "it is not YAML"},
		{"a list", "- on", "line 1: the file must hold a mapping"},
		{"no triggers", "name: x", "it has no triggers (on:)"},
		{"a tab", "on:\n\tpush:", "it is not YAML"},
		{"nested list", "on: [[push]]", "line 1: on: must be plain words"},
		{"event settings", "on:\n  workflow_dispatch: yes", "line 2: the settings of workflow_dispatch must be a mapping"},
		{"inputs", "on:\n  workflow_dispatch:\n    inputs: [a]", "line 3: the inputs of workflow_dispatch must be a mapping"},
		{"input", "on: {workflow_dispatch: {inputs: {a: b}}}", `the settings of input "a" must be a mapping`},
		{"options", "on: {workflow_dispatch: {inputs: {a: {type: choice, options: b}}}}", `the options of input "a" must be a list`},
		{"types", "on: {repository_dispatch: {types: {a: b}}}", "types of repository_dispatch must be a list"},
		{"unknown anchor", "on: *x", "it is not YAML"},
		{"too large", "on: push\n#" + strings.Repeat("x", maxWorkflowFile), "larger than 1 MiB"},
		{"too deep", "on: " + strings.Repeat("[", 20_000), "it is not YAML"},
	} {
		if got, err := ParseWorkflow([]byte(tc.text)); err == nil || !strings.Contains(err.Error(), tc.want) || got.Found {
			t.Errorf("%s: got %+v, %v; want %q", tc.name, got, err, tc.want)
		}
	}
}

// bomb is a file of a few hundred bytes whose aliases stand for a billion words.
const bomb = `a: &a [x,x,x,x,x,x,x,x,x]
b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]
c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]
d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]
e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]
f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]
g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]
h: &h [*g,*g,*g,*g,*g,*g,*g,*g,*g]
i: &i [*h,*h,*h,*h,*h,*h,*h,*h,*h]
on: {workflow_dispatch: {inputs: {a: {type: choice, options: *i}}}}
`

func TestAliasBomb(t *testing.T) {
	t.Parallel()
	if _, err := ParseWorkflow([]byte(bomb)); err == nil || !strings.Contains(err.Error(), "must be plain words") {
		t.Errorf("got %v, want an error about the options", err)
	}
	if _, err := ParseWorkflow([]byte("on: &a [push, *a]")); err == nil {
		t.Error("an anchor that holds itself: got no error")
	}
}

func FuzzParseWorkflow(f *testing.F) {
	for _, seed := range []string{
		autorun, bomb, "on: push", "on: [a, b]", "on: &a [push, *a]", "on: {workflow_dispatch: {inputs: {a: {type: choice, options: [a]}}}}",
		"on: {repository_dispatch: {types: [a]}}", "? [a]\n: b\non: x", "on: !!binary aGk=", "<<: {on: push}", "\xff\xfeo\x00n\x00:\x00 \x00a\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := ParseWorkflow(data)
		if err != nil {
			if file.Found || file.Events != nil {
				t.Errorf("an error, and %+v", file)
			}
			return
		}
		if !file.Found || !slices.IsSorted(file.Events) {
			t.Errorf("got %+v", file)
		}
		if len(file.Inputs) > 0 && !slices.Contains(file.Events, "workflow_dispatch") {
			t.Errorf("inputs without workflow_dispatch: %+v", file)
		}
		if len(file.EventTypes) > 0 && !slices.Contains(file.Events, "repository_dispatch") {
			t.Errorf("types without repository_dispatch: %+v", file)
		}
	})
}
