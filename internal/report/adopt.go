// SPDX-License-Identifier: BSD-3-Clause

package report

import (
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

// afterMerge reports whether the run tests the branch that the change was merged
// into. Its result is told on the change, but there is nothing to vote on.
func (g *gathering) afterMerge() bool {
	return g.change.Status == change.Merged && slices.ContainsFunc(g.q.Project.Workflows, func(w config.Workflow) bool {
		return w.PostMerge && w.Name == g.q.Key.Workflow
	})
}

// adopt gives a request the key under which the ledger counts its run now. GitHub
// repeats failed jobs within the same run, whose name and inputs stay: the run
// still calls itself by the key that it was started with. The number of a run that
// GitHub does not know any more is the ledger's.
func (q *Request) adopt(c *change.Change) {
	for _, st := range q.Standings(c) {
		k := st.Key
		if q.RunID == 0 && k == q.Key {
			q.RunID = st.RunID
		}
		if st.RunID == q.RunID && q.RunID != 0 && k.ID == q.Key.ID && k.Workflow == q.Key.Workflow && k.Attempt > q.Key.Attempt {
			q.Key = k
		}
	}
}
