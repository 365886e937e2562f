// SPDX-License-Identifier: BSD-3-Clause

package report

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/flake"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// maxHints is how many failures of one message are said to have been seen before.
const maxHints = 10

// History reads the history of failures from the messages of a project's changes.
// self is our own account.
func History(p *config.Project, now time.Time, self change.Account) flake.History {
	h := flake.History{Self: self, Since: now.Add(-flake.Window)}
	for _, w := range p.Workflows {
		h.Workflows = append(h.Workflows, w.Name)
	}
	return h
}

// hints says of failed tests, or of failed jobs where tests are not known, whether they
// failed by chance elsewhere.
func (g *gathering) hints(ctx context.Context, m verdict.Message) []verdict.Hint {
	v := m.Verdict
	if v.Outcome != verdict.Failed || g.Others == nil {
		return nil
	}
	changes, err := g.Others(ctx)
	if err != nil {
		g.warn(fmt.Errorf("nothing is said of earlier failures of the same tests: %w", err))
		return nil
	}
	others := slices.DeleteFunc(slices.Clone(changes), func(c change.Change) bool { return c.Number == g.change.Number })
	known := map[string]flake.Row{}
	for _, row := range flake.Rank(History(g.q.Project, g.Now(), g.self).Events(others)) {
		known[row.Name] = row
	}
	var hints []verdict.Hint
	for _, run := range v.Required {
		for _, j := range run.Jobs {
			if j.Outcome != verdict.Failed {
				continue
			}
			for _, name := range m.Culprits(run, j.Job) {
				if text := known[flake.Shown(name)].Hint(); text != "" && len(hints) < maxHints {
					hints = append(hints, verdict.Hint{Text: text})
				}
			}
		}
	}
	return hints
}
