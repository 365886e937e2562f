// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

// noon is the time of every plan in these tests.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// project returns a project with one workflow and the given edits.
func project(edits ...func(*config.Project)) *config.Project {
	p := &config.Project{
		Name:   "spdk/spdk",
		Gerrit: config.Gerrit{URL: "https://review.example.org/gerrit"},
		Mirror: config.Mirror{Repository: "example/spdk", Namespace: change.CustomRefs, Ledger: change.CustomLedger},
		CI:     config.CI{Repository: "example/ci"},
		Skip:   config.Skip{WIP: true, Private: true, Subjects: []string{`\[RFC\]`}},
		Workflows: []config.Workflow{{Name: "autorun.yml", File: "autorun.yml",
			TrivialRebase: config.RunKind, NoCodeChange: config.RunKind}},
		Grace: 10 * time.Minute,
		Prune: config.Prune{Keep: 14 * 24 * time.Hour, Every: 6 * time.Hour},
	}
	for _, edit := range edits {
		edit(p)
	}
	return p
}

// rev returns a revision made of one number.
func rev(n int) change.Revision { return change.Revision(fmt.Sprintf("%040x", n)) }

// open returns an open change at patchset 1, an hour old.
func open(number int, edits ...func(*change.Change)) change.Change {
	c := change.Change{
		Project: "spdk/spdk", Number: number, ChangeID: fmt.Sprintf("I%040x", number), Branch: "master",
		Subject: fmt.Sprintf("lib: change %d", number), Status: change.New, Owner: change.Account{ID: 1, Username: "ann"},
		Updated: noon.Add(-time.Hour),
		Current: change.Patchset{Number: 1, Revision: rev(number), Kind: change.Rework, Created: noon.Add(-time.Hour), Uploader: change.Account{ID: 1}},
	}
	for _, edit := range edits {
		edit(&c)
	}
	return c
}

// declared is a workflow file that declares our inputs.
var declared = change.WorkflowFile{Found: true, Events: []string{"workflow_dispatch"}, Inputs: map[string]change.WorkflowInput{
	"key": {Required: true}, "revision": {Required: true}, "branch": {}, "project": {}, "change_url": {},
}}

// snapshot returns a complete snapshot: every change is fresh, every workflow
// file was read, GitHub knows no run. refs are "NAME REVISION-NUMBER" pairs.
func snapshot(p *config.Project, changes []change.Change, refs ...string) *Snapshot {
	s := &Snapshot{
		Changes: changes, Source: map[string]change.Revision{}, Mirror: NewMirror(p.Mirror.Namespace, p.Mirror.Ledger),
		Fresh: map[int]bool{}, Workflows: map[string]change.WorkflowFile{"autorun.yml": declared}, Ref: "main",
		Runs: map[change.Key]change.Run{}, Busy: []change.Run{}, Closed: []change.Change{}, Private: map[change.Revision]change.ID{},
	}
	for _, c := range changes {
		s.Fresh[c.Number] = true
	}
	for _, ref := range refs {
		var name string
		var n int
		fmt.Sscan(ref, &name, &n)
		s.Mirror.Add(name, rev(n))
	}
	return s
}

// text prints a plan, one action a line, as tests like to read it.
func text(p Plan) string {
	var b strings.Builder
	for _, a := range p.Actions {
		what := a.Branch
		switch {
		case a.Key.Attempt > 0, a.Change != nil && a.Key.Workflow != "":
			what = a.Key.String()
		case a.Change != nil:
			what = a.Change.ID().String()
		case a.Key.Workflow != "":
			what = a.Key.Workflow
		case a.Number != 0:
			what = fmt.Sprintf("%d (%d refs)", a.Number, len(a.Refs))
		}
		fmt.Fprintf(&b, "%s %s: %s\n", a.Verb, what, a.Reason)
	}
	if n := len(p.Idle); n > 0 {
		fmt.Fprintf(&b, "idle %d\n", n)
	}
	return b.String()
}

// check compares a plan with lines as text prints them.
func check(t *testing.T, p Plan, want ...string) {
	t.Helper()
	got := strings.TrimSpace(text(p))
	if w := strings.Join(want, "\n"); got != w {
		t.Errorf("got\n%s\nwant\n%s", got, w)
	}
}
