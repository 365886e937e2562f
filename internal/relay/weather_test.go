// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/gitwire"
)

// A mood is what a mirror answers for a while, whatever it is sent: trouble of its
// own that looks like a verdict.
type mood struct{ unpack, reason, messages string }

var moods = []mood{
	{"ok", hookDeclined, "GitLab: 500 Internal Server Error\n"},
	{"ok", hookDeclined, "\nerror: \nerror: Internal Server Connection Error\nerror: \n"},
	{"ok", hookDeclined, "pre-receive.sh: failed with exit status 1: timeout\n"},
	{"ok", hookDeclined, "warning: GH001: Large files detected.\n"},
	{"ok", "failure", "fatal error in commit_refs\n"},
	{"ok", "quarantined", ""},
	{"index-pack failed", "error processing packfiles: signal: killed", ""},
	{"index-pack failed", "error processing packfiles: exit status 128", ""},
	{"unable to create temporary object directory", "unpacker error", ""},
	{"unpack-objects abnormal exit", "unpacker error", "error: object file objects/ab/cd is empty\n"},
}

// verdicts are what it says for what a commit holds, for good.
var verdicts = []mood{
	{"ok", hookDeclined, "error: GH001: Large files detected.\n"},
	{"ok", hookDeclined, "error: GH008: Your push referenced at least 1 unknown Git LFS object:\n"},
	{"ok", "push declined due to repository rule violations", "- GITHUB PUSH PROTECTION\n    - Push cannot contain secrets\n"},
	{"index-pack abnormal exit", "unpacker error", "fatal: fsck error in packed object\n"},
}

// weather is a source and a mirror that is in moods for a while, refuses branches
// and some commits, and takes all else.
type weather struct {
	rng       *rand.Rand
	refs      map[string]string
	culprits  map[string]mood // by object
	parents   map[string][]string
	protected bool // the branch main, by a verdict over the push
	mood      mood
	left      int // pushes that the mood lasts
	pushes    int
}

func (w *weather) Fetch(context.Context, gitwire.FetchRequest) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(gitwire.EmptyPack())), nil
}

func (w *weather) ListRefs(_ context.Context, _ []string, visit func(gitwire.Ref) error) error {
	for name, oid := range w.refs {
		visit(gitwire.Ref{Name: name, OID: oid})
	}
	return nil
}

func (w *weather) Push(_ context.Context, q gitwire.PushRequest) (*gitwire.Report, error) {
	io.Copy(io.Discard, q.Pack)
	w.pushes++
	if w.left > 0 {
		w.left--
		return says(q, w.mood.unpack, w.mood.reason, w.mood.messages), nil
	}
	for _, c := range q.Commands {
		if w.protected && c.Ref == "refs/heads/main" {
			return says(q, "ok", hookDeclined, "error: Not allowed to push to protected branch main\n"), nil
		}
		if m, bad := w.brings(c.New); bad {
			return says(q, m.unpack, m.reason, m.messages), nil
		}
	}
	for _, c := range q.Commands {
		w.refs[c.Ref] = c.New
	}
	return says(q, "ok", "", ""), nil
}

// brings is what the mirror has against a commit, or one below it that it lacks.
func (w *weather) brings(oid string) (mood, bool) {
	if m, bad := w.culprits[oid]; bad {
		return m, true
	}
	for _, p := range w.parents[oid] {
		if m, bad := w.brings(p); bad {
			return m, true
		}
	}
	return mood{}, false
}

// TestWeather: through whatever moods, only what the mirror never takes is refused
// definitely, all else lands once the mirror is well, and the pushes stay few.
func TestWeather(t *testing.T) {
	t.Parallel()
	definite, unclear := 0, 0
	for seed := range uint64(1500) {
		rng := rand.New(rand.NewPCG(seed, 11))
		w := &weather{rng: rng, refs: map[string]string{}, culprits: map[string]mood{}, parents: map[string][]string{}, protected: rng.IntN(2) == 0}
		now := time.Unix(1700000000, 0)
		r := &Relay{
			Source: w, Mirror: w, Allowed: func(string) bool { return true }, Now: func() time.Time { return now },
			Sleep: func(_ context.Context, d time.Duration) error { now = now.Add(d); return nil },
		}
		main := branch("main", "", sha(900))
		items := w.items(1 + rng.IntN(20))
		for pass := range 4 {
			w.mood, w.left = moods[rng.IntN(len(moods))], rng.IntN(6)
			if pass == 3 {
				w.left = 0
			}
			before := w.pushes
			results := w.pass(t, r, main, items)
			definite, unclear = definite+results.definite, unclear+results.unclear
			if n := w.pushes - before; n > 8+6*len(w.culprits)+8*min(len(items), 6) || n > maxPushes {
				t.Errorf("pass %d: got %d pushes for %d patchsets, %d culprits", pass, n, len(items), len(w.culprits))
			}
		}
		for _, it := range items {
			_, bad := w.brings(string(it.Want))
			if landed := w.refs[it.Updates[0].Ref] != ""; landed == bad {
				t.Errorf("%s: landed %v, but brings what the mirror refuses: %v", it.ID, landed, bad)
			}
		}
		if landed := w.refs["refs/heads/main"] != ""; landed == w.protected {
			t.Errorf("main: landed %v, protected %v", landed, w.protected)
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if definite < 1000 || unclear < 1000 {
		t.Errorf("%d definite and %d unclear refusals: the weather is too tame", definite, unclear)
	}
}

// items makes patchsets, some in chains, some of them culprits.
func (w *weather) items(n int) []Item {
	var items []Item
	for i := range n {
		id := change.ID{Change: i + 1, Patchset: 1}
		it := Item{ID: id, Want: sha(i), Updates: []Update{{Ref: change.CustomRefs.Ref(id), New: sha(i)}}}
		if i > 0 && w.rng.IntN(3) == 0 {
			it.Parents = []change.Revision{sha(i - 1)}
			w.parents[string(sha(i))] = []string{string(sha(i - 1))}
		}
		if w.rng.IntN(10) == 0 && len(w.culprits) < 3 {
			w.culprits[string(sha(i))] = verdicts[w.rng.IntN(len(verdicts))]
		}
		items = append(items, it)
	}
	return items
}

// pass moves what has not landed, as passes do, and holds the results to the truth.
func (w *weather) pass(t *testing.T, r *Relay, main Item, items []Item) (count struct{ definite, unclear int }) {
	t.Helper()
	var open []Item
	var at []int
	held := map[change.Revision]bool{} // suspects and what stands on them, as plans hold them
	for i, it := range items {
		stands := slices.ContainsFunc(it.Parents, func(p change.Revision) bool { return held[p] })
		held[it.Want] = it.Suspect || stands
		if w.refs[it.Updates[0].Ref] == "" && !stands {
			open, at = append(open, it), append(at, i)
		}
	}
	branches, results := r.Move(t.Context(), []Item{main}, open)
	if b := branches[0]; b.Refused != "" && b.Refused != change.OtherReason && !w.protected {
		t.Errorf("main: refused as %s without a reason: %v", b.Refused, b.Err)
	}
	for i, res := range results {
		it := open[i]
		_, own := w.culprits[string(it.Want)]
		switch {
		case res.Refused != "" && res.Refused != change.Borrowed && !own:
			t.Errorf("%s: refused as %s without guilt: %v", it.ID, res.Refused, res.Err)
		case res.Refused != "":
			items[at[i]].Suspect = true
			count.definite++
		case res.Err != nil:
			count.unclear++
			if fault.KindOf(res.Err) == fault.Permanent && !strings.HasPrefix(res.Err.Error(), "held: ") {
				t.Errorf("%s: failed for good without a verdict: %v", it.ID, res.Err)
			}
		}
	}
	return count
}
