// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// TestMarksToCome: who may write to the mirror cannot put off what is due by saying
// that it was done at a time to come. Clocks may differ by some minutes.
func TestMarksToCome(t *testing.T) {
	t.Parallel()
	for _, kind := range []change.EntryKind{change.Scanned, change.Pruned, change.Merges} {
		refs := []string{}
		for _, at := range []time.Duration{-2 * time.Hour, clockSlack, time.Hour} {
			refs = append(refs, change.CustomLedger.Ref(change.Entry{Kind: kind, At: noon.Add(at)})+" 9")
		}
		p := project()
		b := newBuilder(p, snapshot(p, nil, refs...), noon)
		if got, want := b.last(kind), noon.Add(clockSlack); !got.Equal(want) {
			t.Errorf("%s: got %v, want %v", kind, got, want)
		}
		if got := b.plan.Warnings; len(got) != 1 || !strings.Contains(got[0], "its time is yet to come") {
			t.Errorf("%s: got the warnings %q, want one", kind, got)
		}
	}
}
