// SPDX-License-Identifier: BSD-3-Clause

package report

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// Who may write to the CI repository can run a run again on GitHub's page. It stays the
// same run, under the same key; its attempts count. The latest one with a result counts.

// before is the result that we have told of an earlier attempt of a run, where the
// present one tells nothing.
func (g *gathering) before(key change.Key, id int64, attempt int, outcome verdict.Outcome) (last verdict.RunResidue, ok bool) {
	if id == 0 || attempt < 2 || outcome.Result() || outcome == verdict.Running {
		return last, false
	}
	for _, residue := range g.own() {
		for _, run := range residue.Runs {
			if run.Key == key && run.RunID == id && run.Attempt < attempt && run.Attempt > last.Attempt && run.Outcome.Result() {
				last, ok = run, true
			}
		}
	}
	return last, ok
}

func (g *gathering) stands(before verdict.RunResidue) string {
	return fmt.Sprintf("it %s; the result of attempt %d of the same run stands", g.outcome.Phrase(), before.Attempt)
}

// fallBack reads an earlier attempt of a run in place of the present one, if that tells
// nothing and we have told of the earlier one.
func (g *gathering) fallBack(ctx context.Context, st plan.Standing, w *verdict.Want) error {
	if w.Run == nil {
		return nil
	}
	said, ok := g.before(st.Key, st.RunID, w.Run.Run.Attempt, w.Run.Outcome)
	if !ok {
		return nil
	}
	outcome, attempt, awaits := g.outcome, g.attempt, g.awaits
	g.parts[st.Key] = said.Attempt
	earlier, err := g.believed(ctx, st.Key, st.Source(), st.RunID)
	delete(g.parts, st.Key)
	g.outcome, g.attempt, g.awaits = outcome, attempt, awaits
	if err != nil || earlier == nil {
		return err
	}
	if !earlier.Outcome.Result() { // GitHub says how the latest attempt ended, not this one
		earlier.Outcome = said.Outcome
	}
	w.Run, w.Latest = earlier, w.Run
	return nil
}

// attemptOf is the attempt of a run to read: an earlier one that was asked for, the
// caller's own, or the latest.
func (g *gathering) attemptOf(key change.Key, found change.Run) int {
	own := 0
	if key == g.q.Key {
		own = g.q.Attempt
	}
	return cmp.Or(g.parts[key], own, found.Attempt)
}
