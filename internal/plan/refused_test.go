// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

// refused is the ledger's ref for the first patchset of a change.
func refused(number, count int, at time.Time) string {
	e := change.Entry{Kind: change.Unrelayed, ID: change.ID{Change: number, Patchset: 1}, Revision: rev(number), Word: change.Secret, Count: count, At: at}
	return change.CustomLedger.Ref(e) + " 50"
}

// TestRefusedPatchsets: what was refused once is tried in each pass, what was
// refused again on a schedule, and what is not plausible counts for nothing.
func TestRefusedPatchsets(t *testing.T) {
	t.Parallel()
	ago := func(d time.Duration) time.Time { return noon.Add(-d) }
	old := "refs/dispatcher/poisoned/7/1/" + string(rev(7)) + " 50"
	relayed := []string{"relay 7/1: new patchset", "dispatch 7/1/autorun.yml/1: new patchset"}
	held := func(count int, at, next string) []string {
		return []string{fmt.Sprintf("skip 7/1: the mirror refuses this patchset: it holds a secret (%d times, the last at %s UTC); tried again after %s UTC, a new patchset at once", count, at, next)}
	}
	for _, tt := range []struct {
		name string
		refs []string
		want []string
		// before is what the relay line knows: the count, or -1 for nothing.
		before int
	}{
		{"never", nil, relayed, -1},
		{"by an older version, at a time that nobody knows", []string{old}, relayed, 0},
		{"once", []string{refused(7, 1, ago(time.Minute))}, relayed, 1},
		{"twice, just now", []string{refused(7, 2, ago(30*time.Minute))}, held(2, "2026-11-24 11:30", "2026-11-24 12:30"), 0},
		{"twice, an hour ago", []string{refused(7, 2, ago(time.Hour))}, relayed, 2},
		{"three times", []string{refused(7, 3, ago(5*time.Hour))}, held(3, "2026-11-24 07:00", "2026-11-24 13:00"), 0},
		{"three times, six hours ago", []string{refused(7, 3, ago(6*time.Hour))}, relayed, 3},
		{"four times", []string{refused(7, 4, ago(23*time.Hour))}, held(4, "2026-11-23 13:00", "2026-11-24 13:00"), 0},
		{"often", []string{refused(7, 9, ago(6*24*time.Hour))}, held(9, "2026-11-18 12:00", "2026-11-25 12:00"), 0},
		{"often, a week ago", []string{refused(7, 9, ago(7*24*time.Hour))}, relayed, 9},
		{"at a time to come", []string{refused(7, 9, noon.Add(6*time.Minute))}, relayed, -1},
		{"before it was uploaded", []string{refused(7, 9, ago(9*24*time.Hour))}, relayed, -1},
		{"another object", []string{"refs/dispatcher/refused/7/1/" + string(rev(8)) + "/secret/9/1795521000 50"}, relayed, -1},
		{"it is on the mirror", []string{"refs/changes/07/7/1 7", refused(7, 9, ago(time.Hour))}, relayed[1:], -1},
		{"two that differ: the one that silences less", []string{refused(7, 9, ago(time.Hour)), refused(7, 2, ago(2*time.Hour))}, relayed, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := open(7, func(c *change.Change) { c.Current.Created = ago(8 * 24 * time.Hour) })
			p := project()
			got := Make(p, snapshot(p, []change.Change{c}, tt.refs...), noon)
			check(t, got, tt.want...)
			if a := got.Actions[0]; a.Verb == Relay && (a.Before.Known() != (tt.before >= 0) || a.Before.Known() && a.Before.Count != tt.before) {
				t.Errorf("before: got %+v, want the count %d", a.Before, tt.before)
			}
		})
	}
}

// TestSuspectsAreTriedAlone: what stands on a suspect waits for what becomes of it.
func TestSuspectsAreTriedAlone(t *testing.T) {
	t.Parallel()
	p := project()
	above := open(8, func(c *change.Change) { c.Current.Parents = []change.Revision{rev(7)} })
	check(t, Make(p, snapshot(p, []change.Change{open(7), above}, refused(7, 1, noon.Add(-time.Minute))), noon),
		"relay 7/1: new patchset", "dispatch 7/1/autorun.yml/1: new patchset", "skip 8/1: held: the mirror refuses 7/1 below it")
}

// TestSuspectThatIsNotTried: a draft is not tried by itself, so that its refusal would
// hold what stands on it for ever. Before it is due, it does.
func TestSuspectThatIsNotTried(t *testing.T) {
	t.Parallel()
	p := project()
	draft := open(7, func(c *change.Change) { c.WIP = true })
	above := open(8, func(c *change.Change) { c.Current.Parents = []change.Revision{rev(7)} })
	check(t, Make(p, snapshot(p, []change.Change{draft, above}, refused(7, 2, noon.Add(-time.Hour))), noon),
		"relay 8/1: new patchset", "dispatch 8/1/autorun.yml/1: new patchset", "skip 7/1: work in progress")
	check(t, Make(p, snapshot(p, []change.Change{draft, above}, refused(7, 2, noon.Add(-time.Minute))), noon),
		"skip 7/1: work in progress", "skip 8/1: held: the mirror refuses 7/1 below it")
}

// TestFullChangeIsNotAnswered: nor is a comment on it.
func TestFullChangeIsNotAnswered(t *testing.T) {
	t.Parallel()
	p := project(obeying)
	full := change.CustomLedger.Ref(change.Entry{Kind: change.Full, ID: change.ID{Change: 7, Patchset: 1}, Count: 1, At: noon.Add(-time.Minute)}) + " 50"
	s := commented(p, []change.Message{comment("help")}, full)
	if got := text(Make(p, s, noon)); !strings.Contains(got, "skip 7/1: Gerrit takes no more messages on this change (once, ") {
		t.Errorf("got %s", got)
	}
}

// TestForgedRefusalHoldsNobodyElse: whose parent is the tip of a branch is not held
// because somebody wrote that the mirror refuses that.
func TestForgedRefusalHoldsNobodyElse(t *testing.T) {
	t.Parallel()
	p := project()
	c := open(7, func(c *change.Change) { c.Current.Parents = []change.Revision{rev(99)} })
	forged := "refs/dispatcher/refused/8/1/" + string(rev(99)) + "/secret/9/1795521000 50"
	check(t, Make(p, snapshot(p, []change.Change{c, open(8)}, forged, "refs/changes/08/8/1 8"), noon),
		"relay 7/1: new patchset", "dispatch 8/1/autorun.yml/1: new patchset", "dispatch 7/1/autorun.yml/1: new patchset")
}

// TestBorrowedRefusals: what may be refused for a commit that it brings along is tried
// once a day at least, and at once where the mirror has what it builds on.
func TestBorrowedRefusals(t *testing.T) {
	t.Parallel()
	p := project()
	for _, tt := range []struct {
		name  string
		ago   time.Duration
		ref   string
		tried bool
	}{
		{"for some hours", 23 * time.Hour, "refs/heads/master 9", false},
		{"for a day", 24 * time.Hour, "refs/heads/master 9", true},
		{"its base is the branch's tip now", time.Hour, "refs/heads/master 8", true},
		{"its base is a patchset that landed", time.Hour, "refs/changes/08/8/1 8", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := open(7, func(c *change.Change) {
				c.Current.Created, c.Current.Parents = noon.Add(-99*time.Hour), []change.Revision{rev(8)}
			})
			e := change.Entry{Kind: change.Unrelayed, ID: c.ID(), Revision: rev(7), Word: change.Borrowed, Count: 9, At: noon.Add(-tt.ago)}
			got := Make(p, snapshot(p, []change.Change{c, open(8)}, change.CustomLedger.Ref(e)+" 50", tt.ref), noon)
			if tried := strings.Contains(text(got), "relay 7/1: "); tried != tt.tried {
				t.Errorf("tried: %v, want %v:\n%s", tried, tt.tried, text(got))
			}
		})
	}
}

// TestFewAreRetriedAtOnce: the longest waiting first.
func TestFewAreRetriedAtOnce(t *testing.T) {
	t.Parallel()
	p := project()
	var changes []change.Change
	var refs []string
	for n := range maxRetried + 2 {
		changes = append(changes, open(n+1, func(c *change.Change) { c.Current.Created = noon.Add(-99 * time.Hour) }))
		refs = append(refs, refused(n+1, 2, noon.Add(-time.Duration(80+n)*time.Hour)))
	}
	got := Make(p, snapshot(p, changes, refs...), noon)
	tried := 0
	for _, a := range got.Actions {
		if a.Verb == Relay {
			tried++
		}
	}
	if tried != maxRetried {
		t.Errorf("%d are tried again, want %d:\n%s", tried, maxRetried, text(got))
	}
	last := got.Actions[len(got.Actions)-1]
	if want := "the mirror refuses this patchset: it holds a secret (2 times, the last at 2026-11-21 03:00 UTC); 8 others are tried again first, a new patchset at once"; last.Reason != want {
		t.Errorf("got %q, want %q", last.Reason, want)
	}
}

// TestAgain is what is remembered after one more refusal.
func TestAgain(t *testing.T) {
	t.Parallel()
	some := []Ref{{Name: "x"}}
	ago := func(d time.Duration) time.Time { return noon.Add(-d) }
	for _, tt := range []struct {
		before Refusal
		count  int
		note   bool
		wait   time.Duration
	}{
		{Refusal{Kind: change.Unrelayed}, 1, true, 0},
		{Refusal{Kind: change.Unrelayed, Count: 1, At: ago(59 * time.Minute), Refs: some}, 1, false, 0},
		{Refusal{Kind: change.Unrelayed, Count: 1, At: ago(time.Hour), Refs: some}, 2, true, time.Hour},
		{Refusal{Kind: change.Unrelayed, Refs: some}, 2, true, time.Hour},
		{Refusal{Kind: change.Unrelayed, Count: 2, At: ago(time.Hour), Refs: some}, 3, true, 6 * time.Hour},
		{Refusal{Kind: change.Unrelayed, Count: 3, At: ago(time.Hour), Refs: some}, 4, true, 24 * time.Hour},
		{Refusal{Kind: change.Unrelayed, Count: 4, At: ago(time.Hour), Refs: some}, 5, true, 7 * 24 * time.Hour},
		{Refusal{Kind: change.Unrelayed, Count: 9, At: ago(time.Hour), Refs: some}, 9, true, 7 * 24 * time.Hour},
		{Refusal{Kind: change.Unmoved}, 1, true, time.Hour},
		{Refusal{Kind: change.Unmoved, Count: 1, At: ago(time.Minute), Refs: some}, 2, true, 6 * time.Hour},
		{Refusal{Kind: change.Full, Count: 2, At: ago(time.Minute), Refs: some}, 3, true, 24 * time.Hour},
		{Refusal{Kind: change.Full, Count: 3, At: ago(time.Minute), Refs: some}, 4, true, 24 * time.Hour},
	} {
		next, note := tt.before.Again(noon, change.Secret)
		var wait time.Duration
		if at := next.Next(); !at.IsZero() {
			wait = at.Sub(noon)
		}
		if next.Count != tt.count || note != tt.note || wait != tt.wait || len(next.Refs) != len(tt.before.Refs) {
			t.Errorf("%+v: got %+v after %v, to be noted: %v; want the count %d after %v, %v", tt.before, next, wait, note, tt.count, tt.wait, tt.note)
		}
	}
}

// TestRefusedBranches: a branch that the mirror refuses to move is a quiet line, on
// a schedule, and what is over is forgotten.
func TestRefusedBranches(t *testing.T) {
	t.Parallel()
	p := project(func(p *config.Project) { p.Branches = []string{"*"} })
	unmoved := func(branch string, count int, at time.Time) string {
		return change.CustomLedger.Ref(change.Entry{Kind: change.Unmoved, Revision: rev(2), Word: change.Protected, Count: count, At: at, Branch: branch}) + " 50"
	}
	over := unmoved("over", 1, noon.Add(-time.Minute))
	s := snapshot(p, nil, "refs/heads/gone 1", "refs/heads/moved 1", unmoved("moved", 9, noon.Add(-time.Hour)), "refs/heads/fresh 1", unmoved("fresh", 9, noon.Add(-59*time.Minute)), "refs/heads/held 1", "refs/heads/due 1", "refs/heads/over 2", "refs/heads/forged 1", over,
		unmoved("held", 2, noon.Add(-5*time.Hour)), unmoved("due", 2, noon.Add(-6*time.Hour)), unmoved("forged", 9, noon.Add(time.Hour)), unmoved("gone", 1, noon))
	s.Source = map[string]change.Revision{"moved": rev(3), "fresh": rev(3), "held": rev(2), "due": rev(2), "over": rev(2), "forged": rev(2)}
	got := Make(p, s, noon)
	check(t, got, "mirror due: moved in Gerrit", "mirror forged: moved in Gerrit", "mirror moved: moved in Gerrit",
		"skip fresh: the mirror refuses to move it: the branch is protected (9 times, the last at 2026-11-24 11:01 UTC); tried again after 2026-11-25 11:01 UTC, a new tip after an hour; patchsets bring what they stand on",
		"skip held: the mirror refuses to move it: the branch is protected (2 times, the last at 2026-11-24 07:00 UTC); tried again after 2026-11-24 13:00 UTC, a new tip after an hour; patchsets bring what they stand on")
	if b := got.Actions[0].Before; b.Count != 2 || got.Actions[1].Before.Known() {
		t.Errorf("got %+v and %+v, want the count 2 and nothing", b, got.Actions[1].Before)
	}
	var stale []string
	for _, ref := range got.Stale {
		stale = append(stale, ref.Entry.Branch)
	}
	if diff := cmp.Diff([]string{"gone", "over"}, stale); diff != "" {
		t.Errorf("stale (-want +got):\n%s", diff)
	}
}

// TestForgottenRefusals: those of older patchsets, and of what the mirror has.
func TestForgottenRefusals(t *testing.T) {
	t.Parallel()
	p := project()
	here := open(8)
	s := snapshot(p, []change.Change{open(7, patchset(2, change.Rework)), here},
		refused(7, 2, noon), "refs/dispatcher/poisoned/7/1/"+string(rev(7))+" 50", "refs/dispatcher/poisoned/7/2/"+string(rev(2007))+" 50",
		"refs/changes/08/8/1 8", refused(8, 1, noon), refused(9, 1, noon))
	var stale []string
	for _, ref := range Make(p, s, noon).Stale {
		stale = append(stale, ref.Entry.ID.String())
	}
	if diff := cmp.Diff([]string{"7/1", "7/1", "8/1"}, stale); diff != "" {
		t.Errorf("stale (-want +got):\n%s", diff)
	}
}

// TestFullChanges: on a change that takes no more messages nothing is said, with a
// line for each, until it is tried again.
func TestFullChanges(t *testing.T) {
	t.Parallel()
	p := project(reporting)
	c := open(7)
	full := func(count int, at time.Time) string {
		return change.CustomLedger.Ref(change.Entry{Kind: change.Full, ID: c.ID(), Count: count, At: at}) + " 50"
	}
	refs := []string{"refs/changes/07/7/1 7", "refs/dispatcher/claims/7/1/autorun.yml/1 7", "refs/dispatcher/runs/7/1/autorun.yml/1/99 7"}
	ended := change.Run{ID: 99, Name: "7/1/autorun.yml/1", Status: "completed", Conclusion: "success", Updated: noon.Add(-time.Hour), Created: noon.Add(-2 * time.Hour), Attempt: 1}
	for _, tt := range []struct {
		ref  string
		want string
	}{
		{full(1, noon.Add(-time.Hour)), "report 7/1/autorun.yml/1: "},
		{full(1, noon.Add(-time.Minute)), "skip 7/1/autorun.yml/1: Gerrit takes no more messages on this change (once, at 2026-11-24 11:59 UTC); tried again after 2026-11-24 12:59 UTC: "},
	} {
		s := snapshot(p, []change.Change{c}, append(refs, tt.ref)...)
		s.RunsByID = map[int64]change.Run{99: ended}
		if got := text(Make(p, s, noon)); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: got %q, want it to begin with %q", tt.ref, got, tt.want)
		}
	}
}
