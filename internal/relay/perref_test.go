// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/gitwire"
)

// TestPerRef: what each ref of a push that was unpacked comes to.
func TestPerRef(t *testing.T) {
	t.Parallel()
	own := func(it Item) string { return it.Updates[0].Ref }
	claim := func(it Item) string { return it.Updates[1].Ref }
	tests := []struct {
		name   string
		set    func(b *bed, items []Item)
		tamper func(items []Item) func(*gitwire.Report)
		want   []outcome
		pushes int
	}{
		{name: "the patchset's ref is there with the same object",
			set:  func(b *bed, it []Item) { b.put(own(it[0]), it[0].Want) },
			want: []outcome{allDone, allDone}, pushes: 1},
		{name: "the patchset's ref is there with another object",
			set: func(b *bed, it []Item) { b.put(own(it[0]), b.base) },
			want: []outcome{{States: "refused, done", Kind: fault.Permanent, Text: "another writer moved it"},
				allDone}, pushes: 1},
		{name: "somebody else made the claim",
			set: func(b *bed, it []Item) { b.put(claim(it[1]), it[1].Want) },
			want: []outcome{allDone,
				{States: "done, existed", Kind: fault.Transient, Text: "another pass was first"}}, pushes: 1},
		{name: "somebody else made the claim with another object",
			set: func(b *bed, it []Item) { b.put(claim(it[1]), b.base) },
			want: []outcome{allDone,
				{States: "done, existed", Kind: fault.Transient, Text: "another pass was first"}}, pushes: 1},
		{name: "an update hook declines one ref",
			set: func(b *bed, it []Item) { b.hook("update", `test "$1" != `+own(it[0])) },
			want: []outcome{{States: "refused, done", Kind: fault.Permanent, Text: "a hook of the mirror declined this ref"},
				allDone}, pushes: 1},
		{name: "a hidden namespace",
			set: func(b *bed, _ []Item) { b.config("receive.hideRefs", "refs/changes/02") },
			want: []outcome{allDone,
				{States: "refused, done", Kind: fault.Configuration, Text: "the mirror hides this namespace"}}, pushes: 1},
		{name: "another ref's name is in the way",
			set: func(b *bed, it []Item) { b.put(own(it[0])+"/in/the/way", b.base) },
			want: []outcome{{States: "refused, done", Kind: fault.Configuration, Text: "another ref's name is in the way"},
				allDone}, pushes: 1},
		{name: "the credential may not write workflow files",
			tamper: func(it []Item) func(*gitwire.Report) {
				return deny(own(it[1]), "refusing to allow a GitHub App to create or update workflow `.github/workflows/a.yml` without `workflows` permission")
			},
			set: func(b *bed, it []Item) { b.hook("update", `test "$1" != `+own(it[1])) },
			want: []outcome{allDone,
				{States: "refused, done", Kind: fault.Configuration, Text: "it touches workflow files"}}, pushes: 1},
		{name: "GitHub ran out of time once",
			tamper: func(it []Item) func(*gitwire.Report) {
				return deny(own(it[1]), "Unable to determine if workflow can be created or updated due to timeout; `workflow` scope may be required.")
			},
			set: func(b *bed, it []Item) {
				b.hook("update", `test "$1" != `+own(it[1])+` && exit 0; mkdir "$GIT_DIR/once" 2>/dev/null && exit 1; exit 0`)
			},
			want: []outcome{allDone, allDone}, pushes: 2},
		{name: "GitHub runs out of time always",
			tamper: func(it []Item) func(*gitwire.Report) {
				return deny(own(it[1]), "Unable to determine if workflow can be created or updated due to timeout; `workflow` scope may be required.")
			},
			set: func(b *bed, it []Item) { b.hook("update", `test "$1" != `+own(it[1])) },
			want: []outcome{allDone,
				{States: "not tried, done", Kind: fault.Transient, Text: "GitHub ran out of time"}}, pushes: 3},
		{name: "a secret in one patchset",
			tamper: func(it []Item) func(*gitwire.Report) {
				return func(rep *gitwire.Report) {
					deny(own(it[0]), "push declined due to repository rule violations")(rep)
					rep.Messages = "error: GH013: Repository rule violations found for " + own(it[0]) + ".\n\n- GITHUB PUSH PROTECTION\n  Push cannot contain secrets\n"
				}
			},
			set: func(b *bed, it []Item) { b.hook("update", `test "$1" != `+own(it[0])) },
			want: []outcome{{States: "refused, done", Kind: fault.Permanent, Text: "it holds a secret", Refused: change.Secret},
				allDone}, pushes: 1},
		{name: "a report without one of the refs",
			tamper: func(it []Item) func(*gitwire.Report) {
				return deny(claim(it[1]), "the server's report does not mention it")
			},
			want: []outcome{allDone,
				{States: "done, unsettled", Kind: fault.Transient, Text: "nobody can tell"}}, pushes: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			items := b.single(2)
			if tt.set != nil {
				tt.set(b, items)
			}
			if tt.tamper != nil {
				b.tamper = tt.tamper(items)
			}
			_, results := b.Move(t.Context(), nil, items)
			check(t, results, tt.want...)
			b.calls(t, 1, tt.pushes)
		})
	}
}

// deny gives another reason for a refused ref, or refuses an accepted one.
func deny(ref, reason string) func(*gitwire.Report) {
	return func(rep *gitwire.Report) {
		for i := range rep.Results {
			if res := &rep.Results[i]; res.Ref == ref && (res.Reason != "" || strings.Contains(reason, "mention")) {
				res.Reason = reason
			}
		}
	}
}

// TestWorkflowScopeForAll: nothing is split, nobody is poisoned.
func TestWorkflowScopeForAll(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	items := b.single(4)
	b.hook("update", "exit 1")
	b.tamper = func(rep *gitwire.Report) {
		for i := range rep.Results {
			rep.Results[i].Reason = "refusing to allow a Personal Access Token to create or update workflow `.github/workflows/a.yml` without `workflow` scope"
		}
	}
	_, results := b.Move(t.Context(), nil, items)
	want := outcome{States: "refused, refused", Kind: fault.Configuration, Text: "it touches workflow files"}
	check(t, results, want, want, want, want)
	b.calls(t, 1, 1)
	if hint := fault.HintOf(results[0].Err); !strings.Contains(hint, "workflow") {
		t.Errorf("hint: got %q", hint)
	}
}
