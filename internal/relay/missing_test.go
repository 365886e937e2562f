// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/gitwire"
)

// TestThinBase: a have of which the mirror has not even the objects makes the
// first pack useless; the next one is whole.
func TestThinBase(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	text := commit{name: "big", files: 1, size: 20000}
	low := b.commits("refs/changes/low", b.base, text)[0]
	blob := b.git(noise("big", 0, 20000)+"x", "-C", b.source, "hash-object", "-w", "--stdin")
	tree := b.git(fmt.Sprintf("100644 blob %s\tbig.0\n", blob), "-C", b.source, "mktree")
	high := change.Revision(b.git("", "-C", b.source, "commit-tree", "-m", "high", "-p", string(low), tree))
	b.git("", "-C", b.source, "update-ref", "refs/changes/high", string(high))
	it := b.patchset(1, high, low)
	it.Haves = append(it.Haves, low)
	_, results := b.Move(t.Context(), nil, []Item{it})
	check(t, results, allDone)
	b.calls(t, 2, 2)
	if !strings.Contains(b.logged[0], "unresolved delta") {
		t.Errorf("first push: got %q, want it to fail for its deltas", b.logged[0])
	}
	if !b.fetches[1].NoThin || slices.Contains(b.fetches[1].Haves, string(low)) {
		t.Errorf("second fetch: got %+v, want no thin pack and no unproved have", b.fetches[1])
	}
	b.sound()
}

// TestDamagedMirror: the commit of the mirror's only branch is lost, so git
// refuses whatever comes. That is nobody's fault among the patchsets.
func TestDamagedMirror(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	if err := os.RemoveAll(filepath.Join(b.mirror, "objects", "pack")); err != nil {
		t.Fatal(err)
	}
	_, results := b.Move(t.Context(), nil, b.single(2))
	check(t, results, repeat(2, outcome{States: "refused, refused", Kind: fault.Transient, Text: "the mirror lacks objects that it builds on"})...)
	b.calls(t, 3, 3)
	if hint := fault.HintOf(results[0].Err); !strings.Contains(hint, "git fsck") {
		t.Errorf("hint: got %q, want advice on a damaged mirror", hint)
	}
}

// TestMissingForGood: the mirror never gets what it says it lacks. Nobody is
// poisoned while nothing lands.
func TestMissingForGood(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.hook("update", "exit 1")
	b.tamper = func(rep *gitwire.Report) {
		rep.Unpack, rep.Messages = "index-pack failed", "fatal: did not receive expected object "+string(b.base)
	}
	_, results := b.Move(t.Context(), nil, b.single(2))
	lacks := outcome{States: "refused, refused", Kind: fault.Transient, Text: "the mirror lacks objects that the pack builds on"}
	check(t, results, lacks, lacks)
	b.calls(t, 5, 5)
	if got := b.fetches[4]; !got.NoThin || !slices.Equal(got.Haves, []string{string(b.base)}) {
		t.Errorf("last fetch: got %+v, want no thin pack and all tips of the mirror as haves", got)
	}
}
