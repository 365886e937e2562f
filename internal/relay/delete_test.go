// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
)

func TestDelete(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	items := b.single(5)
	if _, results := b.Move(t.Context(), nil, items); results[4].Err != nil {
		t.Fatal(results[4].Err)
	}
	b.pushes = nil
	own := func(i int) string { return items[i].Updates[0].Ref }
	b.git("", "-C", b.mirror, "update-ref", own(1), string(b.base))
	b.git("", "-C", b.mirror, "update-ref", "-d", own(2))
	b.hook("update", `test "$1" != `+own(3))
	updates := []Update{
		{Ref: own(0), Old: items[0].Want},
		{Ref: own(1), Old: items[1].Want},
		{Ref: own(2), Old: items[2].Want},
		{Ref: own(3), Old: items[3].Want},
		{Ref: own(4)},
		{Ref: own(4), Old: items[4].Want, New: b.base},
		{Ref: "refs/secret/x", Old: b.base},
	}
	checkDeletes(t, b.Delete(t.Context(), updates),
		"done", "refused: it is at", "done", "refused: a hook of the mirror declined",
		"not tried: needs the old value", "not tried: needs the old value", "not tried: outside the configured namespaces")
	if len(b.pushes) != 1 || b.pushes[0].Pack != nil || len(b.pushes[0].Commands) != 4 {
		t.Errorf("pushes: got %+v, want one with 4 commands and no pack", b.pushes)
	}
	refs := b.refs()
	if refs[own(0)] != "" || refs[own(1)] != b.base || refs[own(3)] != items[3].Want || refs[own(4)] != items[4].Want {
		t.Errorf("the mirror has %v", refs)
	}
}

// checkDeletes compares results with "state" or "state: part of the error".
func checkDeletes(t *testing.T, results []UpdateResult, want ...string) {
	t.Helper()
	var got []string
	for i, res := range results {
		s := res.State.String()
		if _, text, ok := strings.Cut(want[min(i, len(want)-1)], ": "); ok && res.Err != nil && strings.Contains(res.Err.Error(), text) {
			s += ": " + text
		} else if res.Err != nil {
			s += ": " + res.Err.Error()
		}
		got = append(got, s)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
}

func TestDeleteFailures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		rule   faults.Rule
		want   string
		kind   fault.Kind
		pushes int
	}{
		{"the answer is lost", faults.Rule{Times: 1, Do: faults.LoseReply()}, "done", fault.Unknown, 1},
		{"a gateway fails", faults.Rule{Times: 1, Do: faults.Answer(502, "")}, "done", fault.Unknown, 2},
		{"throttled", faults.Rule{Times: 1, Do: faults.Answer(429, "")}, "done", fault.Unknown, 2},
		{"always down", faults.Rule{Do: faults.Answer(502, "")}, "not tried: failed to delete refs", fault.Transient, 3},
		{"the mirror is lost with the answer", faults.Rule{Do: faults.Cut(0)}, "unsettled: nobody can tell", fault.Transient, 1},
		{"no right", faults.Rule{Do: faults.Answer(403, "")}, "not tried: failed to delete refs", fault.Configuration, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			b.git("", "-C", b.mirror, "update-ref", "refs/changes/01/1/1", string(b.base))
			if tt.name != "the mirror is lost with the answer" {
				tt.rule.Path = pushPath
			}
			b.mirrorFaults.Add(tt.rule)
			results := b.Delete(t.Context(), []Update{{Ref: "refs/changes/01/1/1", Old: b.base}})
			checkDeletes(t, results, tt.want)
			if got := fault.KindOf(results[0].Err); got != tt.kind || len(b.pushes) != tt.pushes {
				t.Errorf("got a %v failure and %d pushes, want %v and %d", got, len(b.pushes), tt.kind, tt.pushes)
			}
		})
	}
}

func TestDeleteInParts(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	var in strings.Builder
	updates := make([]Update, maxDeletes+1)
	for i := range updates {
		updates[i] = Update{Ref: fmt.Sprint("refs/changes/x/", i), Old: b.base}
		fmt.Fprintf(&in, "create %s %s\n", updates[i].Ref, b.base)
	}
	b.git(in.String(), "-C", b.mirror, "update-ref", "--stdin")
	b.mirrorFaults.Add(faults.Rule{Path: regexp.MustCompile("receive-pack"), Skip: 1, Do: faults.Answer(404, "")})
	results := b.Delete(t.Context(), updates)
	checkDeletes(t, results[maxDeletes-1:], "done", "not tried: 404")
	if len(b.pushes) != 2 {
		t.Errorf("got %d pushes, want 2", len(b.pushes))
	}
}
