// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/gitwire"
)

// protectMain is a hook that refuses a whole push for one branch in it, with the
// words of Gitea.
const protectMain = `if grep -q ' refs/heads/main$'; then
	printf '\nerror: \nerror: Not allowed to push to protected branch main\nerror: \n' >&2
	exit 1
fi`

// TestHookBroke: a hook that could not do its work has judged nothing. It is asked
// again, and nothing is held against anybody.
func TestHookBroke(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		script string
		want   outcome
		pushes int
		slept  []time.Duration
	}{
		{"once", `if mkdir "$GIT_DIR/../broke" 2>/dev/null; then echo 'GitLab: 500 Internal Server Error' >&2; exit 1; fi`,
			allDone, 2, []time.Duration{2 * time.Second}},
		{"for long", `echo 'GitLab: Internal API unreachable' >&2; exit 1`,
			outcome{States: "not tried, not tried", Kind: fault.Transient, Text: "the mirror's own check broke"}, 3, []time.Duration{2 * time.Second, 8 * time.Second}},
		{"for long, in words of its own", `echo 'oops' >&2; exit 1`,
			outcome{States: "refused, refused", Kind: fault.Transient, Text: "oops"}, 3, []time.Duration{2 * time.Second, 8 * time.Second}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			b.hook("pre-receive", tt.script)
			_, results := b.Move(t.Context(), nil, b.single(1))
			check(t, results, tt.want)
			b.calls(t, tt.pushes, tt.pushes)
			if diff := cmp.Diff(tt.slept, b.slept); diff != "" {
				t.Errorf("waits (-want +got):\n%s", diff)
			}
		})
	}
}

// TestProtectedBranchHoldsNobody: the branch alone is refused, and what stands on
// its new tip brings that along.
func TestProtectedBranchHoldsNobody(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.hook("pre-receive", protectMain)
	tip := b.commits("refs/heads/main", b.base, commit{name: "next"})[0]
	on := b.commits("refs/changes/on", tip, commit{name: "on"})[0]
	items := append(b.single(2), b.patchset(3, on, tip))
	branches, results := b.Move(t.Context(), []Item{branch("main", b.base, tip)}, items)
	check(t, branches, outcome{States: "refused", Kind: fault.Configuration, Text: "Not allowed to push to protected branch main", Refused: change.Protected})
	check(t, results, allDone, allDone, allDone)
	b.calls(t, 3, 3)
	b.sound()
}

// TestRefusedBranchStopsNoVerdict: what a patchset holds is its own fault also
// while a branch is refused, for the same reason even.
func TestRefusedBranchStopsNoVerdict(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.hook("pre-receive", largeFiles)
	large := b.commits("refs/heads/main", b.base, commit{name: "LARGE-main"})[0]
	own := b.commits("refs/changes/own", b.base, commit{name: "LARGE-own"})[0]
	on := b.commits("refs/changes/on", large, commit{name: "below"}, commit{name: "on"})
	items := append(b.single(1), b.patchset(2, own, b.base), b.patchset(3, on[1], on[0]))
	branches, results := b.Move(t.Context(), []Item{branch("main", b.base, large)}, items)
	refused := outcome{States: "refused, refused", Kind: fault.Permanent, Text: "a file is over the mirror's size limit", Refused: change.LargeFile}
	check(t, branches, outcome{States: "refused", Kind: fault.Permanent, Text: "a file is over the mirror's size limit", Refused: change.LargeFile})
	borrowed := refused
	borrowed.Text, borrowed.Refused = "it may be a commit that it brings along", change.Borrowed
	check(t, results, allDone, refused, borrowed)

	// Nor does it matter that the branch is not tried again in the next pass.
	for i := range items {
		items[i].Unbased = true
	}
	_, results = b.Move(t.Context(), nil, items[1:])
	check(t, results, refused, borrowed)
}

// TestRefusedBranchHidesNoVerdict: what stands on a branch that is refused for
// something else is refused for its own.
func TestRefusedBranchHidesNoVerdict(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.config("receive.fsckObjects", "true")
	b.hook("pre-receive", protectMain)
	tip := b.commits("refs/heads/main", b.base, commit{name: "next"})[0]
	bad := b.malformed(tip, "bad")
	branches, results := b.Move(t.Context(), []Item{branch("main", b.base, tip)}, []Item{b.patchset(1, bad, tip)})
	check(t, branches, outcome{States: "refused", Kind: fault.Configuration, Text: "Not allowed to push to protected branch main", Refused: change.Protected})
	check(t, results, outcome{States: "refused, refused", Kind: fault.Permanent, Text: "missingSpaceBeforeEmail", Refused: change.Malformed})
}

// TestNamedCommit: a patchset whose commit the mirror names is to blame, whatever it
// brings along.
func TestNamedCommit(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.config("receive.fsckObjects", "true")
	below := b.commits("refs/changes/below", b.base, commit{name: "below"})[0]
	items := []Item{b.patchset(1, b.malformed(below, "bad"), below)}
	items[0].Unbased = true
	_, results := b.Move(t.Context(), nil, items)
	check(t, results, outcome{States: "refused, refused", Kind: fault.Permanent, Text: "missingSpaceBeforeEmail", Refused: change.Malformed})
}

// TestUnknownReasonForAll: a push of which each ref is refused in the same unknown
// words is searched for its culprit.
func TestUnknownReasonForAll(t *testing.T) {
	t.Parallel()
	f := &fake{}
	f.answer = func(q gitwire.PushRequest) (*gitwire.Report, error) {
		for _, c := range q.Commands {
			if strings.HasPrefix(c.Ref, "refs/changes/05/") {
				return says(q, "ok", "quarantined by the scanner", ""), nil
			}
		}
		return says(q, "ok", "", ""), nil
	}
	_, results := f.relay().Move(t.Context(), nil, f.items(16))
	for i, res := range results {
		if (res.Err != nil) != (i == 4) || res.Refused != "" {
			t.Errorf("item %d: got %+v; want only the fifth to fail, and nothing definite", i, res)
		}
	}
	if f.push > 16 {
		t.Errorf("got %d pushes", f.push)
	}
}

// TestSuspectsComeLast: what was refused before costs the others no push, and is
// tried by itself.
func TestSuspectsComeLast(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.hook("pre-receive", largeFiles)
	items := b.single(4)
	large := b.commits("refs/changes/large", b.base, commit{name: "LARGE"})[0]
	items[0] = b.patchset(1, large, b.base)
	items[0].Suspect, items[2].Suspect = true, true
	_, results := b.Move(t.Context(), nil, items)
	check(t, results, outcome{States: "refused, refused", Kind: fault.Permanent, Text: "over the mirror's size limit", Refused: change.LargeFile}, allDone, allDone, allDone)
	var sizes []string
	for _, p := range b.pushes {
		sizes = append(sizes, fmt.Sprintf("%d from %s", len(p.Commands), p.Commands[0].Ref))
	}
	if diff := cmp.Diff([]string{"4 from refs/changes/02/2/1", "2 from refs/changes/01/1/1", "2 from refs/changes/03/3/1"}, sizes); diff != "" {
		t.Errorf("pushes (-want +got):\n%s", diff)
	}
}

// TestKilledIndexPack is GitHub's report when its index-pack is killed.
func TestKilledIndexPack(t *testing.T) {
	t.Parallel()
	for _, failures := range []int{1, 100} {
		f := &fake{}
		f.answer = func(q gitwire.PushRequest) (*gitwire.Report, error) {
			if f.push <= failures {
				return says(q, "index-pack failed", "error processing packfiles: signal: killed", ""), nil
			}
			return says(q, "ok", "", ""), nil
		}
		_, results := f.relay().Move(t.Context(), nil, f.items(5))
		for i, res := range results {
			if (res.Err == nil) != (failures == 1) || res.Refused != "" || res.Err != nil && fault.KindOf(res.Err) != fault.Transient {
				t.Errorf("%d failures, item %d: got %+v", failures, i, res)
			}
		}
		if f.push > 3 {
			t.Errorf("%d failures: got %d pushes", failures, f.push)
		}
	}
}
