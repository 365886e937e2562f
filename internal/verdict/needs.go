// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"regexp"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// needs are the results that GitHub's needs context told a job. They are by the ids
// of jobs, which the API does not show: it has their names.
type needs struct {
	results map[string]string
	// prefix is what stands before the names of the jobs of the same workflow; mapped
	// is false where it is not known.
	prefix string
	mapped bool
}

// separator is between the name of a job that calls a workflow and those of the
// jobs in that workflow.
const separator = " / "

// newNeeds finds the reporting job among those that are left out: the needs are those
// of its own workflow.
func newNeeds(run Run, ignored []change.Job) needs {
	n := needs{results: run.Needs}
	for _, j := range ignored {
		if run.Self != 0 && j.ID != run.Self || run.Self == 0 && j.Status == "completed" {
			continue
		}
		prefix := ""
		if i := strings.LastIndex(j.Name, separator); i >= 0 {
			prefix = j.Name[:i+len(separator)]
		}
		if n.mapped && prefix != n.prefix {
			return needs{results: run.Needs}
		}
		n.prefix, n.mapped = prefix, true
	}
	return n
}

// namePattern takes apart the name that GitHub makes of a job's id, the values of its
// matrix, and the jobs of the workflow that it calls.
var namePattern = regexp.MustCompile(`(?s)^([A-Za-z_][A-Za-z0-9_-]*)(?: \(.*\))?(?: / .*)?$`)

// id returns the job id that a name is made of: "docker" for "docker",
// "docker (fedora, 1)", "docker / build" and "docker / build (x)". A job that has a
// name of its own has no id that could be told.
func (n needs) id(name string) (string, bool) {
	rest, ok := strings.CutPrefix(name, n.prefix)
	if !ok || !n.mapped {
		return "", false
	}
	m := namePattern.FindStringSubmatch(change.Clip(rest, maxRaw))
	if m == nil {
		return "", false
	}
	_, known := n.results[m[1]]
	return m[1], known
}

// of returns the result of the job that a name belongs to.
func (n needs) of(name string) (string, bool) {
	id, ok := n.id(name)
	return n.results[id], ok
}

// agree reports whether all of them went well. Without any nothing is known.
func (n needs) agree() bool {
	for _, result := range n.results {
		if result != "success" && result != "skipped" {
			return false
		}
	}
	return len(n.results) > 0
}
