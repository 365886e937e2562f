// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import "github.com/spdk-community-ci/dispatcher/internal/change"

// comes reports whether a patchset is on the mirror, or is relayed in this pass.
func (a *acting) comes(c *change.Change) bool {
	_, relayed := a.itemOf[c.ID()]
	return relayed || a.snapshot.Mirror.Holds(c.ID(), c.Current.Revision)
}

// noteApart has the entry of a line written at another commit than the patchset it is
// about: nothing of a patchset that waits at a gate may come to the mirror.
func (a *acting) noteApart(l *Line) {
	at := a.anchor()
	if at == "" {
		l.wait("the mirror has no branch yet to note it at")
		return
	}
	a.note(l.Entry, at)
	l.State = Done
}
