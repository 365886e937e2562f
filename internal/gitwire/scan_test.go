// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func scan(pack []byte) (commits []Commit, err error) {
	err = ScanCommits(bytes.NewReader(pack), func(c Commit) error {
		commits = append(commits, c)
		return nil
	})
	return commits, err
}

// mustScan returns the commits by id, each as its parents.
func mustScan(t *testing.T, pack []byte) map[string][]string {
	t.Helper()
	commits, err := scan(pack)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for _, c := range commits {
		if _, ok := found[c.OID]; ok {
			t.Errorf("commit %s came twice", c.OID)
		}
		found[c.OID] = c.Parents
	}
	return found
}

// parents returns what git says of a history.
func (r repo) parents(rev string) map[string][]string {
	r.t.Helper()
	found := map[string][]string{}
	for line := range strings.Lines(r.git("rev-list", "--parents", rev)) {
		ids := strings.Fields(line)
		found[ids[0]] = nil
		if len(ids) > 1 {
			found[ids[0]] = ids[1:]
		}
	}
	return found
}

// TestScanCommits reads packs that git made: with a merge, a root, tags, and
// commits that are deltas of one another.
func TestScanCommits(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	src := b.repo("src.git")
	ids := src.history("refs/heads/master", 60, 2)
	side := src.history("refs/heads/side", 3, 1)
	tree := strings.TrimSpace(src.git("rev-parse", ids[59]+"^{tree}"))
	merge := strings.TrimSpace(src.git("commit-tree", "-p", ids[59], "-p", side[2], "-m", "merge", tree))
	src.git("update-ref", "refs/heads/merge", merge)
	src.git("tag", "-a", "-m", "tag", "v1", ids[3])
	want := src.parents("refs/heads/merge")
	if len(want) != 64 {
		t.Fatalf("the repository has %d commits, want 64", len(want))
	}
	fetched := fetchAll(t, b.remote("src.git", Options{}), FetchRequest{Wants: []string{merge}})
	offset := src.pack("refs/heads/merge", "refs/tags/v1")
	reference := []byte(runGit(t, src.dir, "refs/heads/merge\n", "-c", "pack.window=50", "pack-objects", "--revs", "--stdout", "--quiet", "--no-reuse-delta"))
	for name, pack := range map[string][]byte{"fetched": fetched, "offset deltas": offset, "reference deltas": reference} {
		if diff := cmp.Diff(want, mustScan(t, pack)); diff != "" {
			t.Errorf("%s: parents (-want +got):\n%s", name, diff)
		}
	}
	if kinds := kindsOf(t, reference); !slices.Contains(kinds, typeRefDelta) {
		t.Errorf("the pack has entries %v, want reference deltas among them", kinds)
	}
	if kinds := kindsOf(t, offset); !slices.Contains(kinds, typeOfsDelta) {
		t.Errorf("the pack has entries %v, want offset deltas among them", kinds)
	}
}

// kindsOf returns the types of the entries up to the first that is no commit.
func kindsOf(t *testing.T, pack []byte) (kinds []int) {
	t.Helper()
	p, err := openPackFile(bytes.NewReader(pack))
	if err != nil {
		t.Fatal(err)
	}
	for range p.objects {
		e, err := p.next()
		if err != nil {
			t.Fatal(err)
		}
		if !e.readable() {
			break
		}
		kinds = append(kinds, e.kind)
		if _, err := p.content(e); err != nil {
			t.Fatal(err)
		}
	}
	return kinds
}

func TestScanThinPack(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	r := newRelayBed(t, b)
	fetch, _ := r.change()
	want := map[string][]string{r.ids[5]: {r.ids[4]}, r.ids[4]: {r.ids[3]}}
	if diff := cmp.Diff(want, mustScan(t, fetchAll(t, r.sourceRemote, fetch))); diff != "" {
		t.Errorf("parents (-want +got):\n%s", diff)
	}
	if found := mustScan(t, EmptyPack()); len(found) != 0 {
		t.Errorf("got %v in the empty pack", found)
	}
}

func TestScanStopsWithTheVisitor(t *testing.T) {
	t.Parallel()
	body := commitText("one")
	enough := errors.New("enough")
	err := ScanCommits(bytes.NewReader(makePack(whole(typeCommit, body), whole(typeCommit, body))), func(c Commit) error { return enough })
	if err != enough {
		t.Errorf("got %v, want the visitor's error as it is", err)
	}
}
