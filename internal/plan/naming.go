// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

// naming are sets of inputs each of which says what to test. The key is not
// among them: it holds the numbers, but it is declared for run-name, and a
// workflow that knows nothing else tests its default branch.
var naming = [][]string{
	{"revision"}, {"ref"}, {"GERRIT_PATCHSET_REVISION"}, {"GERRIT_REFSPEC"},
	{"change", "patchset"}, {"change", "GERRIT_PATCHSET_NUMBER"},
	{"GERRIT_CHANGE_NUMBER", "GERRIT_PATCHSET_NUMBER"}, {"GERRIT_CHANGE_NUMBER", "patchset"},
}

// namesPatchset reports whether what is sent to a workflow says what to test. A
// value that the configuration fixes says nothing about a patchset.
func namesPatchset(w *config.Workflow, f change.WorkflowFile, sent map[string]string) bool {
	tells := func(name string) bool {
		_, fixed := w.With[name]
		_, ok := sent[name]
		return ok && !fixed
	}
	if tells("branch") && (branchIsRef(w, f) || w.PostMerge) || w.PostMerge && tells("GERRIT_BRANCH") {
		return true // after a merge the branch is what is tested
	}
	return slices.ContainsFunc(naming, func(set []string) bool {
		return !slices.ContainsFunc(set, func(name string) bool { return !tells(name) })
	})
}

// namingHint shows the lines that a workflow lacks: three where it declares nothing.
func namingHint(w *config.Workflow, f change.WorkflowFile) string {
	name := "revision"
	switch {
	case wants(w, config.DispatcherInputs):
	case wants(w, config.GerritInputs):
		name = "GERRIT_PATCHSET_REVISION"
	default:
		name = "branch"
	}
	if _, fixed := w.With[name]; fixed {
		return fmt.Sprintf("take %s out of `with:` in the configuration, so that it is the patchset's", name)
	}
	where, lines := "inputs", ""
	if len(f.Inputs) == 0 {
		where, lines = "workflow_dispatch", "\n    inputs:"
	}
	if _, ok := f.Inputs["key"]; !ok {
		lines += "\n      key: {required: true}"
	}
	return fmt.Sprintf("check out ${{ inputs.%s }}, and add below `%s:`%s\n      %s: {required: true}", name, where, lines, name)
}

// shown is how many names a line has.
const shown = 3

// listed gives the first of some names, which are outside text.
func listed(all []string) string {
	var list []string
	for _, name := range all[:min(len(all), shown)] {
		list = append(list, change.OneLine(change.Clip(name, 60)))
	}
	if more := len(all) - shown; more > 0 {
		list = append(list, fmt.Sprintf("%d more", more))
	}
	return strings.Join(list, ", ")
}
