// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/github"
)

// oneAtATime limits the unfinished runs on a Gitea to one. It ends those of a
// workflow when another one is dispatched on the same branch (release 1.25,
// services/actions/workflow.go), and all of ours run on one branch. A Forgejo does
// not, but has the same address.
func (w *wiring) oneAtATime(p *config.Project) {
	if !github.Gitea(p.CI.APIURL) || p.Limits.Running == 1 {
		return
	}
	p.Limits.Running = 1
	w.log("%s: one run at a time: a Gitea, though no Forgejo, ends an unfinished run when the same workflow is dispatched again", p.Name)
}
