// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/relay"
)

// finishTime is how long a pass that was told to stop may still take to write
// down what it has already done.
const finishTime = 5 * time.Second

// acting is the state of one pass while it acts.
type acting struct {
	*Pass
	snapshot *plan.Snapshot
	plan     plan.Plan
	result   *Result
	// branchItems and items are what is to be moved; slots says which line each
	// of their updates belongs to.
	branchItems, items []relay.Item
	branchLines        []int
	slots              [][]int
	itemOf             map[change.ID]int
	// known are the bases that patchsets may have: see bases.
	known map[change.Revision]bool
	// landed are the tips of branches that this pass moved.
	landed []change.Revision
	// here are patchsets whose change ref is on the mirror.
	here map[change.ID]bool
	// claimed says which dispatch lines won their claim.
	claimed map[int]bool
	// notes and drops are ledger refs to write and to delete at the end.
	notes []relay.Item
	drops []relay.Update
	// foretold: the marks that come before moving branches are written.
	foretold bool
	// voteless are the kinds of votes that Gerrit refused in this pass.
	voteless map[kindOfVote]bool
	// dropLines says which line a ref to delete belongs to, if to any.
	dropLines map[string]int
	// forgotten are ledger refs that were deleted before the end.
	forgotten map[string]bool
}

// act carries a plan out: one push for branches, patchsets and claims, then the
// calls, then one push for what the calls told and one for what is to go.
func (p *Pass) act(ctx context.Context, s *plan.Snapshot, made plan.Plan, r *Result) {
	a := &acting{
		Pass: p, snapshot: s, plan: made, result: r,
		itemOf: map[change.ID]int{}, here: map[change.ID]bool{}, claimed: map[int]bool{},
		dropLines: map[string]int{}, forgotten: map[string]bool{}, voteless: map[kindOfVote]bool{},
	}
	a.known = a.bases()
	for i := range r.Lines {
		if l := &r.Lines[i]; l.Verb == plan.Answer && l.State != Waiting {
			a.said(i, l.Err)
		}
		a.collect(i)
	}
	a.dropBranches(ctx)
	a.foretell(ctx)
	claimedAt := p.Now()
	a.move(ctx)
	a.dispatch(ctx, claimedAt)
	a.announce(ctx)
	a.lookAfter(ctx)
	a.tag(ctx)
	a.finish(ctx)
}

// collect turns one line into something to move.
func (a *acting) collect(i int) {
	l := &a.result.Lines[i]
	ledger, ns := a.Project.Mirror.Ledger, a.Project.Mirror.Namespace
	switch l.Verb {
	case plan.MirrorBranch:
		a.branchLines = append(a.branchLines, i)
		a.branchItems = append(a.branchItems, relay.Item{
			Want:    l.Revision,
			Updates: a.placing(l),
			Haves:   a.branchTips(),
			Known:   l.Old,
			Suspect: l.Before.Known(),
		})
	case plan.Relay:
		item := a.item(l)
		a.items[item].Want, a.items[item].OnMirror, a.items[item].Suspect = l.Revision, false, l.Before.Known()
		a.items[item].Unbased = slices.ContainsFunc(l.Change.Current.Parents, func(p change.Revision) bool { return !a.known[p] })
		a.update(item, i, ns.Ref(l.Change.ID()), l.Revision)
	case plan.Ask, plan.CallOff, plan.Carry:
		if !a.comes(l.Change) {
			a.noteApart(l)
			return
		}
		a.update(a.item(l), i, ledger.Ref(l.Entry), l.Revision)
	case plan.Dispatch:
		a.update(a.item(l), i, ledger.Ref(change.Entry{Kind: change.Claim, Key: l.Key}), l.Revision)
	case plan.Record:
		a.note(change.Entry{Kind: change.RunOf, Key: l.Key, RunID: l.Action.Run.ID}, l.Revision)
		l.Run, l.State = l.Action.Run, Done
	case plan.Doubt:
		a.note(change.Entry{Kind: change.Lost, Key: l.Key, At: a.Now()}, l.Revision)
		l.State = Waiting
	case plan.End:
		a.end(l, l.Outcome)
		l.Run, l.State = l.Action.Run, Done
	case plan.Prune:
		at := a.anchor()
		if at == "" && len(l.Keep) > 0 {
			l.wait("the mirror has no branch yet to note its attempts at")
			return
		}
		for _, e := range l.Keep {
			a.note(e, at)
		}
		for _, ref := range l.Refs {
			a.drops = append(a.drops, relay.Update{Ref: ref.Name, Old: ref.Revision})
			a.dropLines[ref.Name] = i
		}
		l.State = Done
	}
}

// item returns the index of a patchset's item, made when it is first asked for.
// Lines come in plan order, so the change ref is always an item's first update.
func (a *acting) item(l *Line) int {
	id := l.Change.ID()
	if i, ok := a.itemOf[id]; ok {
		return i
	}
	a.itemOf[id] = len(a.items)
	a.slots = append(a.slots, nil)
	a.items = append(a.items, relay.Item{
		ID: id, Want: l.Change.Current.Revision, OnMirror: l.Change.Status == change.New || a.snapshot.Mirror.Branches[l.Change.Branch] == l.Revision,
		Parents: l.Change.Current.Parents,
		Haves:   append(slices.Clone(a.plan.Haves[id.Change]), a.branchTips()...),
	})
	a.here[id] = true // unless a relay line says otherwise
	return a.itemOf[id]
}

func (a *acting) update(item, line int, ref string, rev change.Revision) {
	a.items[item].Updates = append(a.items[item].Updates, relay.Update{Ref: ref, New: rev})
	a.slots[item] = append(a.slots[item], line)
}

// move pushes branches, patchsets and claims, and writes down what became of
// each line.
func (a *acting) move(ctx context.Context) {
	if len(a.branchItems)+len(a.items) == 0 {
		return
	}
	a.progress(fmt.Sprintf("relaying %d branches and %d patchsets", len(a.branchItems), len(a.items)))
	branches, items := a.Doors.Mover.Move(ctx, a.branchItems, a.items)
	for i, r := range branches {
		l := &a.result.Lines[a.branchLines[i]]
		if own := r.Updates[0]; own.State == relay.Done {
			r.Err, r.Refused = nil, ""
			a.placeLater(l, r.Updates[1:])
		} else {
			entry, noted := a.snapshot.Mirror.Placed(l.Branch)
			if a.notPlaced(r.Updates[1:], l.Old == ""); noted && l.Old == "" {
				a.dropOnce(entry)
			}
		}
		switch {
		case errors.Is(r.Err, relay.ErrForeign):
			// Nothing is broken: patchsets bring what they stand on.
			l.State, l.Note = Skipped, "left alone on the mirror: "+relay.ErrForeign.Error()
		case r.Refused != "": // noted below, at what may have come
		case r.Err != nil:
			l.fail(r.Err)
		default:
			l.State = Done
			a.landed = append(a.landed, l.Revision)
			a.takenAfterAll(l)
		}
	}
	for i, r := range items {
		a.arrived(i, r)
	}
	for i, r := range items {
		a.moved(i, r)
	}
	for i, r := range branches {
		if line := a.branchLines[i]; r.Refused != "" && !errors.Is(r.Err, relay.ErrForeign) {
			l := &a.result.Lines[line]
			a.refusedAgain(line, change.Entry{Kind: change.Unmoved, Revision: l.Revision, Branch: l.Branch}, r.Refused, r.Err)
		}
	}
}

// arrived notes whether a patchset has come to the mirror.
func (a *acting) arrived(item int, r relay.ItemResult) {
	for u, result := range r.Updates {
		if a.result.Lines[a.slots[item][u]].Verb == plan.Relay {
			a.here[a.items[item].ID] = result.State == relay.Done
		}
	}
}

// moved reads the results of one patchset's updates.
func (a *acting) moved(item int, r relay.ItemResult) {
	id := a.items[item].ID
	for u, result := range r.Updates {
		line := a.slots[item][u]
		l := &a.result.Lines[line]
		switch {
		case l.Verb == plan.Relay:
			switch {
			case a.here[id]:
				l.State = Done
				a.takenAfterAll(l)
			case r.Refused != "":
				a.refusedAgain(line, change.Entry{Kind: change.Unrelayed, ID: id, Revision: l.Revision}, r.Refused, cmp.Or(result.Err, r.Err))
			default:
				a.settle(l, result, r.Err)
			}
		case l.Verb == plan.Dispatch && !a.here[id]:
			l.wait("its patchset is not on the mirror")
			a.claimed[line] = result.State == relay.Done
		case l.Verb == plan.Dispatch && result.State == relay.Existed:
			l.State, l.Note = Replaced, "another dispatcher claimed it first"
		case l.Verb == plan.Dispatch && result.State == relay.Unsettled:
			l.State, l.Note = InDoubt, "the answer to the claim was lost; the next pass looks again"
		case l.Verb == plan.Dispatch && result.State == relay.Done:
			a.claimed[line] = true
		default:
			a.settle(l, result, r.Err)
		}
	}
}

// settle gives a line the state of its ref.
func (a *acting) settle(l *Line, r relay.UpdateResult, whole error) {
	switch {
	case r.State == relay.Done, r.State == relay.Existed:
		l.State = Done
	case r.Err != nil:
		l.fail(r.Err)
	case whole != nil:
		l.fail(whole)
	default:
		l.fail(fault.New(fault.Transient, "%s was not written", r.Ref))
	}
}
