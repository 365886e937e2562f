// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// builder collects one plan.
type builder struct {
	p      *config.Project
	s      *Snapshot
	now    time.Time
	filter *filter
	plan   Plan
	queue  []waiting
	open   map[int]*change.Change
	// refused is what the mirror refused before, by change, and retried are those
	// that are tried again.
	refused map[int]Refusal
	retried map[int]bool
	// tips are the open changes by their current revision.
	tips  map[change.Revision]*change.Change
	fresh map[int]bool
	files map[string]bool
	// onPatchsets and afterMerge are the workflows: see workflowsFor.
	onPatchsets, afterMerge []*config.Workflow
	// said is what comments add to the ledger, by change.
	said map[int][]Ref
	// residues is what our account said, by change; owing are the changes that may be
	// owed a vote.
	residues map[int][]verdict.Residue
	owing    []*change.Change
	// untrue are the runs of which the ledger tells an end that nobody has seen.
	untrue map[change.Key]bool
	// withdrawn are the changes whose refs leave the mirror.
	withdrawn map[int]bool
	// patchsets are made when they are first asked for: see revisions.
	patchsets map[change.Revision]change.ID
	// merged likewise: see branchTips.
	merged map[change.Revision]bool
}

// Make plans one pass for a project at the time now. It is linear in the size
// of the snapshot (but for sorting) and reads nothing else.
func Make(p *config.Project, s *Snapshot, now time.Time) Plan {
	b := newBuilder(p, s, now)
	b.gone()
	b.branches()
	b.tags()
	for i := range s.Changes {
		b.verify(&s.Changes[i])
	}
	b.comments()
	for _, n := range slices.Sorted(maps.Keys(b.open)) {
		b.change(b.open[n])
	}
	b.postMerge()
	b.schedule()
	b.lifecycle()
	b.votes()
	b.prune()
	b.mute()
	b.forget()
	b.account()
	b.plan.Needs.Fresh = slices.Sorted(maps.Keys(b.fresh))
	b.plan.Needs.Workflows = slices.Sorted(maps.Keys(b.files))
	n := &b.plan.Needs
	slices.Sort(n.Origins)
	n.Origins = slices.Compact(n.Origins)
	n.Closed, n.Hidden, n.Issues, n.RunIDs = sorted(n.Closed), sorted(n.Hidden), sorted(n.Issues), sorted(n.RunIDs)
	slices.SortStableFunc(b.plan.Actions, func(x, y Action) int { return order[x.Verb] - order[y.Verb] })
	return b.plan
}

// sorted has each number once.
func sorted[T int | int64](numbers []T) []T {
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

func newBuilder(p *config.Project, s *Snapshot, now time.Time) *builder {
	b := &builder{
		p: p, s: s, now: now,
		filter: newFilter(p, now),
		open:   make(map[int]*change.Change, len(s.Changes)),
		tips:   make(map[change.Revision]*change.Change, len(s.Changes)),
		fresh:  map[int]bool{},
		files:  map[string]bool{},
		said:   map[int][]Ref{},

		residues: map[int][]verdict.Residue{}, untrue: map[change.Key]bool{}, withdrawn: map[int]bool{},
	}
	b.plan.Haves, b.plan.Below = map[int][]change.Revision{}, map[int][]int{}
	for i := range p.Workflows {
		if w := &p.Workflows[i]; w.PostMerge {
			b.afterMerge = append(b.afterMerge, w)
		} else {
			b.onPatchsets = append(b.onPatchsets, w)
		}
	}
	b.index()
	return b
}

// order is the order in which a pass acts and prints.
var order = map[Verb]int{
	Answer: 0, DropBranch: 1, MirrorBranch: 2, MirrorTags: 3, Relay: 4, Carry: 5, Ask: 6, CallOff: 7, Record: 8, Doubt: 9, Dispatch: 10, Cancel: 11, Report: 12, Judge: 13,
	Vote: 14, End: 15, Prune: 16, Wait: 17, NoVerdict: 18, Skip: 19, Fail: 20,
}

func (b *builder) index() {
	for i := range b.s.Changes {
		c := &b.s.Changes[i]
		b.open[c.Number] = c
		b.tips[c.Current.Revision] = c
	}
	b.recall()
}

func (b *builder) add(a Action) { b.plan.Actions = append(b.plan.Actions, a) }

// branches moves the mirror's branches to where they are in Gerrit, so that the
// base of a change is there before the change is.
func (b *builder) branches() {
	for _, name := range slices.Sorted(maps.Keys(b.s.Source)) {
		if !matchAny(b.p.Branches, name) {
			continue
		}
		tip, old := b.s.Source[name], b.s.Mirror.Branches[name]
		before := b.refusedBranch(name)
		switch {
		case old == tip:
		case change.CheckBranch(name) != nil:
			b.add(Action{Verb: Skip, Branch: name, Reason: change.CheckBranch(name).Error()})
		case b.ours(name):
			b.add(Action{Verb: Skip, Branch: name, Reason: "its name lies in the dispatcher's own namespace"})
		case before.waits(tip, b.now):
			b.add(Action{Verb: Skip, Branch: name, Before: before, Reason: fmt.Sprintf("the mirror refuses to move it: %s (%s); %s, a new tip after an hour; patchsets bring what they stand on",
				change.RefusalText(before.Word), before.times(), before.Outlook())})
		case old == "":
			b.add(Action{Verb: MirrorBranch, Branch: name, Revision: tip, Reason: "new branch", Before: before})
		default:
			b.add(Action{Verb: MirrorBranch, Branch: name, Revision: tip, Old: old, Reason: "moved in Gerrit", Before: before})
		}
	}
}

// ours reports whether a branch of Gerrit's would land among our own refs.
func (b *builder) ours(branch string) bool {
	ref := "refs/heads/" + branch + "/"
	for _, ns := range []string{string(b.p.Mirror.Namespace), string(b.p.Mirror.Ledger)} {
		if strings.HasPrefix(ref, ns) || strings.HasPrefix(ns, ref) {
			return true
		}
	}
	return false
}

// change plans for one open change.
func (b *builder) change(c *change.Change) {
	if reason := b.filter.reason(c); reason != "" {
		b.add(Action{Verb: Skip, Change: c, Reason: reason})
		return
	}
	if other := b.s.Taken[change.Key{Server: b.p.Server(c.Imported), ID: change.ID{Change: c.Number}}]; other != "" {
		b.add(Action{Verb: Fail, Change: c, Reason: fmt.Sprintf("%s has a change %d, too: their runs could not be told apart", change.OneLine(other), c.Number),
			Hint: "give one of the two projects a key-prefix of its own"})
		return
	}
	if reason := b.refusedReason(c); reason != "" {
		b.add(Action{Verb: Skip, Change: c, Reason: reason})
		return
	}
	held := b.s.Mirror.patchset(c.ID())
	if held != "" && held != c.Current.Revision {
		b.add(Action{Verb: Fail, Change: c,
			Reason: fmt.Sprintf("the mirror's %s holds %s, not this patchset", b.p.Mirror.Namespace.Ref(c.ID()), held.Short()),
			Hint:   "somebody else wrote that ref: delete it on the mirror, and the next pass writes the right one"})
		return
	}
	b.owing = append(b.owing, c)
	workflows := b.workflowsFor(c)
	wanted := len(workflows) == 0 && b.mirrorOnly(c)
	for _, w := range workflows {
		wanted = b.workflow(c, w) || wanted
	}
	if wanted && held == "" {
		b.touch(c)
		b.add(Action{Verb: Relay, Change: c, Revision: c.Current.Revision, Reason: "new patchset", Before: b.refusalBefore(c)})
	}
}

// workflowsFor are the workflows that test the patchsets of open changes, or the
// branch once a change is merged.
func (b *builder) workflowsFor(c *change.Change) []*config.Workflow {
	if c.Status == change.Merged {
		return b.afterMerge
	}
	return b.onPatchsets
}

// workflow plans one workflow for a change and reports whether it wants the
// patchset on the mirror, and may have it there.
func (b *builder) workflow(c *change.Change, w *config.Workflow) bool {
	if !b.actOn(c, w) {
		return false
	}
	if b.s.Mirror.patchset(c.ID()) != "" {
		return true
	}
	b.touchChain(c, w.Trust)
	return b.gateReason(c, w.Trust) == ""
}

// actOn plans one workflow for a change and reports whether it wants the patchset on
// the mirror.
func (b *builder) actOn(c *change.Change, w *config.Workflow) bool {
	carried := b.carry(c, w)
	d := b.decide(c, w)
	if carried && d.standing == settled {
		return true
	}
	a := Action{Change: c, Key: b.key(c, w, d.attempt), Revision: d.claim, Reason: d.reason}
	switch d.standing {
	case unwanted:
		a.Verb = Skip
	case gated, pending, later:
		a.Verb = Wait
	case silent:
		a.Verb = NoVerdict
	case found:
		a.Verb, a.Run = Record, d.run
	case doubted:
		a.Verb = Doubt
	case exhausted:
		a.Verb = Fail
		a.Hint = "begin the workflow's run-name with ${{ inputs.key }}, so that a run can be found again"
	case candidate:
		b.queue = append(b.queue, waiting{change: c, decision: d, depth: b.depth(c)})
		return true
	case settled:
		return true
	}
	b.add(a)
	return d.standing != unwanted && d.standing != gated
}
