// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"fmt"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/reconcile"
)

// totals are the numbers of one or more results.
type totals struct {
	Relayed    int `json:"relayed"`
	Dispatched int `json:"dispatched"`
	Waiting    int `json:"waiting"`
	Skipped    int `json:"skipped"`
	NoVerdict  int `json:"no_verdict,omitempty"`
	Failed     int `json:"failed"`
	// Changes without a line of their own, by why.
	UpToDate    int `json:"up_to_date"`
	Running     int `json:"running,omitempty"`
	NotRead     int `json:"not_read,omitempty"`
	ClosedSince int `json:"closed_meanwhile,omitempty"`
	// What else was done.
	Mirrored  int `json:"mirrored,omitempty"`
	Deleted   int `json:"deleted,omitempty"` // branches
	Tagged    int `json:"tagged,omitempty"`  // tags, those that were deleted among them
	Carried   int `json:"carried,omitempty"`
	Found     int `json:"found,omitempty"`
	Pruned    int `json:"pruned,omitempty"`
	Answered  int `json:"answered,omitempty"`
	Cancelled int `json:"cancelled,omitempty"`
	Reported  int `json:"reported,omitempty"`
	Judged    int `json:"judged,omitempty"`
	Voted     int `json:"voted,omitempty"`
	Ended     int `json:"ended,omitempty"`
	// What was planned and not done: a dry run.
	ToRelay    int `json:"to_relay,omitempty"`
	ToDispatch int `json:"to_dispatch,omitempty"`
	OtherToDo  int `json:"other_to_do,omitempty"`
}

func totalsOf(results ...reconcile.Result) totals {
	var t totals
	for _, r := range results {
		t.UpToDate += r.Idle[plan.UpToDate]
		t.Running += r.Idle[plan.Running]
		t.NotRead += r.Idle[plan.Unread]
		t.ClosedSince += r.Idle[plan.ClosedSince]
		t.Failed += len(r.Problems)
		for _, l := range r.Lines {
			t.count(l)
		}
	}
	return t
}

func (t *totals) count(l reconcile.Line) {
	switch {
	case l.State == reconcile.Failed:
		t.Failed++
	case l.State == reconcile.Skipped:
		t.Skipped++
	case l.State == reconcile.NoVerdict:
		t.NoVerdict++
	case l.State == reconcile.Waiting, l.State == reconcile.InDoubt, l.State == reconcile.Replaced:
		t.Waiting++
	case l.State == reconcile.Planned && l.Verb == plan.Relay:
		t.ToRelay++
	case l.State == reconcile.Planned && l.Verb == plan.Dispatch:
		t.ToDispatch++
	case l.State == reconcile.Planned:
		t.OtherToDo++
	case l.Verb == plan.Relay:
		t.Relayed++
	case l.Verb == plan.Dispatch:
		t.Dispatched++
	case l.Verb == plan.MirrorBranch:
		t.Mirrored++
	case l.Verb == plan.DropBranch:
		t.Deleted++
	case l.Verb == plan.MirrorTags:
		t.Tagged += len(l.Tags)
	case l.Verb == plan.Carry:
		t.Carried++
	case l.Verb == plan.Record:
		t.Found++
	case l.Verb == plan.Prune:
		t.Pruned++
	case l.Verb == plan.Answer:
		t.Answered++
	case l.Verb == plan.Cancel:
		t.Cancelled++
	case l.Verb == plan.Report:
		t.Reported++
	case l.Verb == plan.Judge:
		t.Judged++
	case l.Verb == plan.Vote:
		t.Voted++
	case l.Verb == plan.End:
		t.Ended++
	}
}

// text names the numbers that are not zero, what was done first.
func (t totals) text() string {
	var parts []string
	for _, n := range []struct {
		count int
		name  string
	}{
		{t.Answered, "answered"}, {t.Deleted, "deleted"}, {t.Mirrored, "mirrored"}, {t.Tagged, "tagged"}, {t.Relayed, "relayed"}, {t.Carried, "carried"},
		{t.Found, "found"}, {t.Dispatched, "dispatched"}, {t.Cancelled, "cancelled"}, {t.Reported, "reported"}, {t.Judged, "judged"}, {t.Voted, "voted on"}, {t.Ended, "ended"}, {t.Pruned, "pruned"},
		{t.ToRelay, "to relay"}, {t.ToDispatch, "to dispatch"}, {t.OtherToDo, "other to do"},
		{t.Waiting, "waiting"},
		{t.NoVerdict, "no verdict"}, {t.Skipped, "skipped"}, {t.Failed, "failed"},
		{t.Running, string(plan.Running)}, {t.UpToDate, string(plan.UpToDate)}, {t.NotRead, string(plan.Unread)}, {t.ClosedSince, string(plan.ClosedSince)},
	} {
		if n.count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n.count, n.name))
		}
	}
	if len(parts) == 0 {
		return "nothing to do"
	}
	return strings.Join(parts, ", ")
}

// exitStatus is the worst of the results: a configuration failure is for a
// person to mend, any other failure may end by itself.
func exitStatus(results []reconcile.Result) int {
	status := ExitDone
	for i := range results {
		switch {
		case results[i].Configuration():
			return ExitConfiguration
		case len(results[i].Errs()) > 0:
			status = ExitFailed
		}
	}
	return status
}
