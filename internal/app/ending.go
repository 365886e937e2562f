// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"cmp"

	"github.com/spdk-community-ci/dispatcher/internal/action"
	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/environments"
)

// ending is how a test ended, as far as our own code saw it. Nothing in it is
// concluded from the number that a test ended with.
type ending struct {
	// status is the exit status of this process: the test's own, whatever it is, or
	// one of ours.
	status int
	// timedOut says that the test was stopped since its time was over.
	timedOut bool
	// rig is what kept the test from ending by itself; nil where it did, or where
	// its time was over.
	rig error
	// interrupted says that rig is somebody who stopped the run, told that a person
	// has read of it.
	interrupted, told bool
	// remark is what else a reader of the log should know, or empty.
	remark string
}

// why says in one line what was wrong with the rig.
func (e ending) why() string {
	if e.rig == nil {
		return ""
	}
	return cmp.Or(change.OneLine(change.Clip(e.rig.Error(), 500)), "it is not known why")
}

// mark tells whoever reads the run's annotations how the test in a cell ended.
// Nothing of the test may run any more.
func (e ending) mark(out *action.Action, cell environments.Cell) {
	m := environments.Mark{
		By: environments.ByTest, Environment: cell.Environment, Shard: cell.Shard, Shards: cell.Shards, Optional: cell.Optional,
		Exit: e.status, TimedOut: e.timedOut,
	}
	if e.rig != nil {
		m.By, m.Why = environments.ByRig, e.why()
	}
	out.Titled(e.rig != nil, environments.MarkTitle, m.Text())
}
