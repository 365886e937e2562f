// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

// TestInputsThatNameThePatchset: a workflow that is not told what to test would
// test its own default branch, and its green run would be a vote.
func TestInputsThatNameThePatchset(t *testing.T) {
	t.Parallel()
	dispatcher, gerrit, prototype := []config.InputGroup{config.DispatcherInputs}, []config.InputGroup{config.GerritInputs}, []config.InputGroup{config.PrototypeInputs}
	tests := []struct {
		declares string // the inputs of the file
		groups   []config.InputGroup
		merged   bool
		with     string // an input with a fixed value
		hint     string // what is to be added; "" for none
	}{
		{declares: "", hint: "\n    inputs:\n      key: {required: true}\n      revision: {required: true}"},
		{declares: "key", hint: "\n      revision: {required: true}"},
		{declares: "key project branch change_url", hint: "\n      revision: {required: true}"},
		{declares: "revision"},
		{declares: "ref"},
		{declares: "change patchset"},
		{declares: "change", hint: "\n      revision: {required: true}"},
		{declares: "patchset", hint: "\n      revision: {required: true}"},
		{declares: "GERRIT_CHANGE_NUMBER patchset"},
		{declares: "GERRIT_PATCHSET_REVISION"},
		{declares: "GERRIT_REFSPEC"},
		{declares: "GERRIT_CHANGE_NUMBER GERRIT_PATCHSET_NUMBER"},
		{declares: "GERRIT_CHANGE_NUMBER GERRIT_CHANGE_URL GERRIT_BRANCH GERRIT_PROJECT", hint: "\n      revision: {required: true}"},
		{declares: "branch"}, // the prototype's
		{declares: "branch GERRIT_BRANCH", hint: "\n      revision: {required: true}"},
		{declares: "revision", groups: gerrit, hint: "\n      GERRIT_PATCHSET_REVISION: {required: true}"},
		{declares: "GERRIT_REFSPEC", groups: dispatcher, hint: "\n      revision: {required: true}"},
		{declares: "branch", groups: dispatcher, hint: "\n      revision: {required: true}"},
		{declares: "branch", groups: prototype},
		{declares: "revision", groups: prototype, hint: "\n      branch: {required: true}"},
		{declares: "revision", with: "revision", hint: "take revision out of `with:`"},
		{declares: "revision ref", with: "revision"},
		{declares: "branch", with: "branch", hint: "\n      revision: {required: true}"},
		{declares: "branch", groups: dispatcher, merged: true},
		{declares: "GERRIT_BRANCH", merged: true},
		{declares: "revision", merged: true},
		{declares: "key project", merged: true, hint: "\n      revision: {required: true}"},
	}
	for _, tt := range tests {
		w := config.Workflow{Name: "autorun.yml", File: "autorun.yml", Inputs: tt.groups, PostMerge: tt.merged}
		f := change.WorkflowFile{Found: true, Events: []string{"workflow_dispatch"}, Inputs: map[string]change.WorkflowInput{}}
		for _, name := range strings.Fields(tt.declares) {
			f.Inputs[name] = change.WorkflowInput{}
		}
		if tt.with != "" {
			w.With = map[string]string{tt.with: "master"}
		}
		c := open(7)
		if tt.merged {
			c.Status = change.Merged
		}
		p := project()
		b := &builder{p: p, s: snapshot(p, []change.Change{c}), now: noon}
		b.s.Workflows["autorun.yml"] = f
		problem, hint := b.workflowProblem(waiting{change: &c, decision: decision{workflow: &w, attempt: 1}})
		if (problem == "") != (tt.hint == "") || !strings.HasSuffix(hint, tt.hint) && !strings.HasPrefix(hint, tt.hint) {
			t.Errorf("%+v: got %q, %q", tt, problem, hint)
		}
		w.File, w.Event = "", "gerrit"
		if problem, _ := b.workflowProblem(waiting{change: &c, decision: decision{workflow: &w, attempt: 1}}); problem != "" {
			t.Errorf("%+v: an event has all in its payload: %s", tt, problem)
		}
	}
}
