// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// A ref of the mirror is a hint by whoever may write there. What it says of a run
// counts only if the run says the same, once it was read.

// Foreign says why a run is not the one that a key stands for, or "": its name
// shows another key, or it is a run of another workflow or event. A run keeps its
// name when its jobs are run again, so it may show an earlier attempt. Names that
// show no key (workflows without our run-name) say nothing.
func Foreign(p *config.Project, key change.Key, run change.Run) string {
	if shown, keyed := run.Key(); keyed && (shown.Server != key.Server || shown.ID != key.ID || shown.Workflow != key.Workflow || shown.Attempt > key.Attempt) {
		return "its name shows the key " + shown.String()
	}
	w := workflowByName(p, key.Workflow)
	if w == nil {
		return ""
	}
	event := "workflow_dispatch"
	if w.File == "" {
		event = "repository_dispatch"
	}
	switch {
	case w.File != "" && run.Workflow != "" && run.Workflow != w.File:
		return "it is a run of " + change.OneLine(change.Clip(run.Workflow, 100))
	case run.Event != "" && run.Event != event:
		return "it was started by " + change.OneLine(change.Clip(run.Event, 100))
	}
	return ""
}

// believes reports whether a ledger entry may count, and warns of one that may
// not.
func (b *builder) believes(e change.Entry) bool {
	switch e.Kind {
	case change.RunOf:
		return b.believesRun(e)
	case change.Carried:
		return b.believesCarried(e)
	case change.Ended:
		return !b.untrue[e.Key]
	}
	return true
}

func (b *builder) believesRun(e change.Entry) bool {
	run, there := b.runByID(e.RunID)
	if !there {
		return true // not read, or gone
	}
	why := Foreign(b.p, e.Key, run)
	if why != "" {
		b.refuse(e, fmt.Sprintf("run %d is not the one of %s: %s", e.RunID, e.Key, why))
	}
	return why == ""
}

// withoutForeign leaves the records of runs out that are not those of their keys.
func (b *builder) withoutForeign(refs []Ref) []Ref {
	foreign := func(r Ref) bool { return r.Entry.Kind == change.RunOf && !b.believesRun(r.Entry) }
	if !slices.ContainsFunc(refs, foreign) {
		return refs // nearly always
	}
	return slices.DeleteFunc(slices.Clone(refs), foreign)
}

// believesCarried asks for a result that can stand, below a carried one.
func (b *builder) believesCarried(e change.Entry) bool {
	word, run := b.sourceResult(e)
	if word == "" || run < 0 {
		source := e.Key
		source.Patchset = e.From
		b.refuse(e, fmt.Sprintf("%s has no result that could stand for %s", source, e.ID))
		return false
	}
	if !b.sameCode(e) {
		b.refuse(e, fmt.Sprintf("the code of %s is not that of patchset %d, as far as Gerrit says", e.ID, e.From))
		return false
	}
	return true
}

// sameCode reports whether nothing but rebases and messages lies between a patchset
// and the earlier one whose result is carried. What is not known yet is no reason to
// doubt: before anything is told of it, the change is read again, whole.
func (b *builder) sameCode(e change.Entry) bool {
	c, open := b.open[e.ID.Change]
	if !open || e.ID.Patchset > c.Current.Number {
		return true // nothing is said about it
	}
	for n := e.ID.Patchset; n > e.From; n-- {
		p := c.Current
		if n < c.Current.Number {
			listed := false
			if p, listed = patchsetBefore(c, n+1); !listed {
				return !b.s.Fresh[c.Number] // once it was read, they cannot be seen
			}
			n = p.Number // what lies between was deleted
		}
		if n > e.From && kindPolicy(carriesAll, p.Kind) != config.CarryKind {
			return false
		}
	}
	return true
}

// carriesAll is the workflow that is most willing to carry results.
var carriesAll = &config.Workflow{TrivialRebase: config.CarryKind, NoCodeChange: config.CarryKind}

// sourceResult is the result that a carried entry stands for, as the ledger or we
// have told it, and its run; "" and -1 are none. Our own messages do where the
// ledger's refs were deleted; where nothing is reported, the run must do.
func (b *builder) sourceResult(e change.Entry) (word verdict.Outcome, run int64) {
	source := e.Key
	source.Patchset = e.From
	run = -1
	if !b.p.Report.On() {
		word = verdict.Passed
	}
	for _, r := range b.refsOf(e.ID.Change) {
		if r.Entry.Key != source {
			continue
		}
		switch r.Entry.Kind {
		case change.Ended:
			if o := verdict.Outcome(r.Entry.Word); o.Result() {
				word = o
			}
		case change.RunOf:
			if !b.believesRun(r.Entry) {
				continue
			}
			run = max(run, r.Entry.RunID)
			if said, _ := b.told(b.open[e.ID.Change], source, r.Entry.RunID); word == "" && said.Outcome.Result() {
				word = said.Outcome
			}
		}
	}
	if said, told := b.told(b.open[e.ID.Change], source, 0); run < 0 && told && said.Outcome.Result() && said.RunID > 0 {
		return cmp.Or(word, said.Outcome), said.RunID
	}
	return word, run
}

// refuse warns of an entry that does not count.
func (b *builder) refuse(e change.Entry, why string) {
	text := fmt.Sprintf("the mirror's %s does not count: %s; somebody else wrote it, or the run was changed", b.p.Mirror.Ledger.Ref(e), why)
	if !slices.Contains(b.plan.Warnings, text) {
		b.plan.Warnings = append(b.plan.Warnings, text)
	}
}
