// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// TestTrust plays a trust gate on the real Gerrit, whose label copies all votes to
// all patchsets: only who has voted on a patchset itself, and on each one below it,
// has it tested.
func TestTrust(t *testing.T) {
	ctx, g := t.Context(), world.gerrit
	s := newScene(t, "trust", 12, settings{})
	must(t, g.Put(ctx, "projects/"+url.PathEscape(s.project)+"/labels/Allow-CI", map[string]any{
		"values": map[string]string{"-1": "No", "0": "?", "+1": "Yes"}, "copy_condition": "is:ANY", "function": "NoBlock",
	}, nil))
	must(t, g.Grant(ctx, s.project, "refs/heads/*", "label-Allow-CI", rig.RegisteredUsers, rig.Rule{Action: "ALLOW", Min: -1, Max: 1}))
	for _, name := range []string{"cora", "dora"} {
		_, err := g.CreateAccount(ctx, name, "pw")
		must(t, err)
	}
	s.edit(func(_, project map[string]any) {
		project["workflows"] = []any{map[string]any{"file": "autorun.yml", "trust": map[string]any{"label": "Allow-CI"}}}
	})
	vote := func(who string, d *draft, revision string, value int) {
		t.Helper()
		_, err := newClient(t, who, "pw").Post(ctx, change.Address{Project: s.project, Number: s.author.number(d)}, change.Revision(revision), change.Review{Labels: map[string]int{"Allow-CI": value}, Notify: "NONE"})
		must(t, err)
	}
	runs := func(reason string, want ...*draft) {
		t.Helper()
		before := len(s.hub.Runs())
		r := s.pass()
		var got []string
		for _, run := range s.hub.Runs()[before:] {
			got = append(got, run.Inputs["revision"])
		}
		var revisions []string
		for _, d := range want {
			revisions = append(revisions, d.oid)
		}
		if fmt.Sprint(got) != fmt.Sprint(revisions) || reason != "" && !r.says(reason) {
			t.Errorf("got runs of %v, want %v, and %q in %+v", got, revisions, reason, r)
		}
	}
	held := func(ds ...*draft) {
		t.Helper()
		for ref, revision := range s.mirrorRefs() {
			for _, d := range ds {
				if revision == d.oid {
					t.Errorf("%s is %s, which is not trusted", ref, d.subject)
				}
			}
		}
	}
	const again, other = "somebody must vote again", "which is not trusted"

	d := s.author.write("a change of a stranger")
	s.author.push(d, "")
	runs("waits for Allow-CI +1")
	held(d)
	vote("cora", d, d.oid, 1)
	runs("", d)

	t.Log("Gerrit copies the vote when the next patchset comes, and a late one to the patchset before.")
	first := d.oid
	s.author.amend(d)
	s.author.push(d, "")
	runs(again)
	vote("dora", d, first, 1)
	runs(again)
	held(d)
	vote("cora", d, d.oid, 1)
	runs("", d)

	t.Log("A rebase copies it, too; and what it stands on is no tip any more.")
	s.author.advance()
	s.author.rebase(d)
	s.author.advance()
	runs(again)
	held(d)
	vote("dora", d, d.oid, 1)
	runs("", d)

	t.Log("A trusted change on a stranger's.")
	stack := s.author.stack("a stack", 3)
	for _, d := range stack[1:] {
		vote("cora", d, d.oid, 1)
	}
	runs(other)
	held(stack...)
	vote("cora", stack[0], stack[0].oid, 1)
	vote("dora", stack[1], stack[1].oid, -1)
	runs("held by Allow-CI -1", stack[0])
	held(stack[1:]...)
	vote("dora", stack[1], stack[1].oid, 0)
	runs("", stack[1:]...)

	t.Log("A change on a patchset that was replaced.")
	old := stack[2].oid
	s.author.amend(stack[2])
	s.author.push(stack[2], "")
	child := s.author.write("a change on an old patchset", old)
	s.author.push(child, "")
	vote("cora", child, child.oid, 1)
	runs("no vote tells now whether that is trusted")
	held(child, stack[2])
}
