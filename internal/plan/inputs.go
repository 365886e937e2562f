// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

// call builds what GitHub is asked for.
func (b *builder) call(c *change.Change, w *config.Workflow, key change.Key) change.Call {
	call := change.Call{Repository: b.p.CI.Repository}
	if w.File == "" {
		call.Event, call.Payload = w.Event, b.payload(c, w, key)
		return call
	}
	call.File, call.Ref = w.File, b.s.Ref
	call.Inputs = b.inputs(c, w, key, b.s.Workflows[w.File])
	return call
}

// inputs are the values of those inputs that the workflow declares. GitHub
// refuses a call with any other.
func (b *builder) inputs(c *change.Change, w *config.Workflow, key change.Key, f change.WorkflowFile) map[string]string {
	all := map[string]string{}
	if wants(w, config.GerritInputs) {
		maps.Copy(all, b.gerritInputs(c))
	}
	if wants(w, config.DispatcherInputs) {
		maps.Copy(all, b.dispatcherInputs(c, key))
	}
	if branchIsRef(w, f) {
		all["branch"] = strings.TrimPrefix(change.BranchRefs.Ref(c.ID()), "refs/heads/")
	}
	maps.Copy(all, w.With)
	maps.DeleteFunc(all, func(name, _ string) bool {
		_, declared := f.Inputs[name]
		return !declared
	})
	return all
}

// branchIsRef reports whether the input branch has the prototype's meaning
// (changes/NN/NNNNNN/P) rather than the change's target branch. Where the
// configuration does not say, a workflow that knows none of the inputs that
// name the patchset otherwise is one written for the prototype.
func branchIsRef(w *config.Workflow, f change.WorkflowFile) bool {
	if len(w.Inputs) > 0 {
		return slices.Contains(w.Inputs, config.PrototypeInputs)
	}
	for name := range f.Inputs {
		if name == "revision" || name == "ref" || name == "key" || strings.HasPrefix(name, "GERRIT_") {
			return false
		}
	}
	return true
}

func (b *builder) dispatcherInputs(c *change.Change, key change.Key) map[string]string {
	return map[string]string{
		"key":        key.String(),
		"project":    c.Project,
		"change":     strconv.Itoa(c.Number),
		"patchset":   strconv.Itoa(c.Current.Number),
		"revision":   string(c.Current.Revision),
		"ref":        b.ref(c),
		"branch":     c.Branch,
		"change_url": b.changeURL(c),
	}
}

// ref is where the mirror has what is tested: the patchset, or the branch that
// it was merged into.
func (b *builder) ref(c *change.Change) string {
	if c.Status == change.Merged {
		return "refs/heads/" + c.Branch
	}
	return b.p.Mirror.Namespace.Ref(c.ID())
}

// gerritInputs are the nine inputs of Linux Foundation's gerrit-to-platform.
func (b *builder) gerritInputs(c *change.Change) map[string]string {
	event := "patchset-created"
	if c.Status == change.Merged {
		event = "change-merged"
	}
	return map[string]string{
		"GERRIT_BRANCH":            c.Branch,
		"GERRIT_CHANGE_ID":         c.ChangeID,
		"GERRIT_CHANGE_NUMBER":     strconv.Itoa(c.Number),
		"GERRIT_CHANGE_URL":        b.changeURL(c),
		"GERRIT_EVENT_TYPE":        event,
		"GERRIT_PATCHSET_NUMBER":   strconv.Itoa(c.Current.Number),
		"GERRIT_PATCHSET_REVISION": string(c.Current.Revision),
		"GERRIT_PROJECT":           c.Project,
		"GERRIT_REFSPEC":           change.CustomRefs.Ref(c.ID()),
	}
}

// payload is the client_payload of a repository_dispatch: ours at the top, the
// rest in two groups, because GitHub allows ten top-level properties.
func (b *builder) payload(c *change.Change, w *config.Workflow, key change.Key) map[string]any {
	payload := map[string]any{}
	if wants(w, config.DispatcherInputs) {
		for name, value := range b.dispatcherInputs(c, key) {
			payload[name] = value
		}
	}
	payload["key"] = key.String()
	if slices.Contains(w.Inputs, config.PrototypeInputs) {
		payload["branch"] = strings.TrimPrefix(change.BranchRefs.Ref(c.ID()), "refs/heads/")
	}
	if wants(w, config.GerritInputs) {
		payload["gerrit"] = b.gerritInputs(c)
	}
	if len(w.With) > 0 {
		payload["with"] = w.With
	}
	return payload
}

func (b *builder) changeURL(c *change.Change) string {
	return fmt.Sprintf("%s/c/%s/+/%d", strings.TrimSuffix(b.p.Gerrit.URL, "/"), c.Project, c.Number)
}
