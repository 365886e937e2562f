// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/command"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// TestAnsweredWithTheReason: who asks for a run of a change that is skipped, held or
// refused is told why, and what can be done.
func TestAnsweredWithTheReason(t *testing.T) {
	t.Parallel()
	trusting := func(p *config.Project) { p.Workflows[0].Trust = config.Trust{Label: "Allow", Value: 1} }
	tests := []struct {
		name    string
		project func(*config.Project)
		change  func(*change.Change)
		refs    []string
		want    string
	}{
		{"a branch", func(p *config.Project) { p.Branches = []string{"v24.x"} }, nil, nil,
			"autorun.yml is not started: branch master is not configured, so the configuration leaves this change out: ask those who run the tests."},
		{"a subject", nil, func(c *change.Change) { c.Subject = "[RFC] nvme: idea" }, nil,
			`autorun.yml is not started: its subject matches \[RFC\], so the configuration leaves this change out: ask those who run the tests.`},
		{"work in progress", nil, func(c *change.Change) { c.WIP = true }, nil,
			"autorun.yml is not started: the change is work in progress, and is tested once it is ready for review."},
		{"a private change", nil, func(c *change.Change) { c.Private = true }, nil, "autorun.yml is not started: the change is private, and is tested once it is public."},
		{"a new patchset", func(p *config.Project) { p.Skip.MinAge = 2 * time.Hour }, nil, nil, "autorun.yml is not started: too new: tried when the patchset is 2h0m0s old."},
		{"a gate", trusting, nil, nil, "autorun.yml is not started: waits for Allow +1 from somebody else than its author."},
		{"a refusal", nil, nil, []string{refused(7, 2, noon.Add(-10*time.Minute))}, "autorun.yml is not started: the mirror refuses this patchset: it holds a secret (2 times"},
		{"two workflows for one reason", func(p *config.Project) {
			p.Workflows = append(p.Workflows, p.Workflows[0])
			p.Workflows[1].Name = "docs.yml"
		}, func(c *change.Change) { c.WIP = true }, nil, "autorun.yml, docs.yml are not started: the change is work in progress, and"},
		{"a filter of the workflow", func(p *config.Project) { p.Workflows[0].Branches = []string{"v24.x"} }, nil, nil, "Name one to start it all the same: `recheck autorun.yml`."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := project(obeying)
			if tt.project != nil {
				tt.project(p)
			}
			s := commented(p, []change.Message{comment("recheck")}, tt.refs...)
			s.Changes[0].Current.Parents = []change.Revision{}
			if tt.change != nil {
				tt.change(&s.Changes[0])
			}
			s.Comments = nil
			if got := Make(p, s, noon); !slices.Equal(got.Needs.Comments, []int{7}) {
				t.Fatalf("got needs %+v, want the comments on 7", got.Needs)
			}
			s.Comments = map[int]bool{7: true}
			got := Make(p, s, noon)
			if len(got.Actions) == 0 || got.Actions[0].Verb != Answer || !strings.Contains(got.Actions[0].Reply, tt.want) {
				t.Fatalf("got\n%s\nwant the answer %q", text(got), tt.want)
			}
			if !slices.Equal(got.Actions[0].Asking, []int{2}) {
				t.Errorf("got an answer to %v, want one to 2", got.Actions[0].Asking)
			}
			s.Changes[0].Messages = append(s.Changes[0].Messages, answered(got.Actions[0].Reply))
			if again := Make(p, s, noon); slices.ContainsFunc(again.Actions, func(a Action) bool { return a.Verb == Answer || a.Verb == Ask || a.Verb == Dispatch }) {
				t.Errorf("after the answer there is more:\n%s", text(again))
			}
		})
	}
}

// TestGateIsKnownFirst: nobody is told that a gate is not known yet.
func TestGateIsKnownFirst(t *testing.T) {
	t.Parallel()
	p := project(obeying, func(p *config.Project) { p.Workflows[0].Trust = config.Trust{Label: "Allow", Value: 1} })
	s := commented(p, []change.Message{comment("recheck")})
	vote := change.Vote{Label: "Allow", Value: 1, Account: change.Account{ID: 3}, At: noon.Add(-30 * time.Minute)}
	s.Changes[0].Votes = []change.Vote{vote}
	s.Changes[0].Messages = append(s.Changes[0].Messages, change.Message{ID: "v", Author: vote.Account, At: vote.At, Patchset: 1, Text: "Patch Set 1: Allow+1"})
	s.Changes[0].Current.Parents = []change.Revision{rev(8)}
	s.Changes = append(s.Changes, open(8, func(c *change.Change) { c.Votes = []change.Vote{vote} }))
	delete(s.Fresh, 8)
	got := Make(p, s, noon)
	if !slices.Equal(got.Needs.Fresh, []int{8}) || slices.ContainsFunc(got.Actions, func(a Action) bool { return a.Verb == Answer }) || len(got.Marks) != 0 {
		t.Errorf("got needs %+v, marks %v and\n%s\nwant 8 to be read first", got.Needs, got.Marks, text(got))
	}
}

// TestPromiseUnderAGate: what was promised is started when the gate is open, and not
// before.
func TestPromiseUnderAGate(t *testing.T) {
	t.Parallel()
	p := project(obeying, func(p *config.Project) { p.Workflows[0].Trust = config.Trust{Label: "Allow", Value: 1} })
	promise := answered("Starting.\n\nIn-Reply-To: m1\nAsked-For: 7/1/autorun.yml/1")
	make := func(votes ...change.Vote) Plan {
		s := commented(p, []change.Message{comment("recheck"), promise}, failedRefs[0])
		s.Changes[0].Current.Parents = []change.Revision{}
		for _, v := range votes {
			s.Changes[0].Messages = append(s.Changes[0].Messages, change.Message{ID: "v", Author: v.Account, At: v.At, Patchset: 1, Text: "Patch Set 1: Allow+1"})
		}
		s.Changes[0].Votes = votes
		return Make(p, s, noon)
	}
	check(t, make(), "wait 7/1/autorun.yml/0: waits for Allow +1 from somebody else than its author")
	check(t, make(change.Vote{Label: "Allow", Value: 1, Account: change.Account{ID: 3}, At: noon.Add(-time.Minute)}),
		"ask 7/1/autorun.yml/1: a comment asks for all jobs", "dispatch 7/1/autorun.yml/1: a comment asks for it")
}

// hostile is what somebody may have a failed test print.
const hostile = "fixes #3, @everybody octo/spdk#4 https://github.com/octo/spdk/issues/5\n</code></pre><!-- x --><script>\n```\n# Title\r\n\r[x](y)\u2028@me\u0085@you\v@them\n> quote"

// TestNotesAreCode: what is repeated on an issue stands in code, line by line, and
// each patchset has its own mark.
func TestNotesAreCode(t *testing.T) {
	t.Parallel()
	p := project(obeying)
	marks := map[string]bool{}
	body := ""
	for _, number := range []int{7, 8} {
		for _, name := range []string{"spdk/spdk", "spdk/dpdk --> <!-- x"} {
			p.Name = name
			told := said("ci", change.ID{Change: number, Patchset: 1}, verdict.Failed)
			told.Author.ID, told.At, told.Text = 9, noon.Add(-20*time.Minute), hostile+"\n\n"+told.Text
			b := newBuilder(p, &Snapshot{Self: 9, Mirror: NewMirror(p.Mirror.Namespace, p.Mirror.Ledger)}, noon)
			c := open(number, func(c *change.Change) { c.Messages = []change.Message{told} })
			got := b.excuses(&c, []command.Action{
				{Kind: command.Excuse, Issues: []int{12}, At: noon, Author: change.Account{Name: "@eve`\n\n# #9"}},
				{Kind: command.Excuse}, // noted before
				{Kind: command.Rerun},
			})
			if len(got) != 1 || !got[0].Asked.Equal(noon) || !got[0].Since.Equal(noon.Add(-clockSlack)) || !strings.HasPrefix(got[0].Body, got[0].Mark+"\n") {
				t.Fatalf("got %+v, want one note", got)
			}
			marks[got[0].Mark], body = true, got[0].Body
		}
	}
	if len(marks) != 4 {
		t.Errorf("got the marks %v, want 4", marks)
	}
	for i, line := range strings.FieldsFunc(body, func(r rune) bool { return strings.ContainsRune("\n\r\v\f\u0085\u2028\u2029", r) }) {
		switch {
		case i == 0 && strings.HasPrefix(line, "<!-- dispatcher ") && strings.Count(line, "--") == 2:
		case i == 1 && line == "Seen again on https://review.example.org/gerrit/c/spdk/spdk/+/8, patchset 1, says `@eve'  # #9`.":
		case strings.HasPrefix(line, "    "):
		default:
			t.Errorf("line %d of the note is %q", i+1, line)
		}
	}
	if !strings.Contains(body, "\n\n    fixes #3") {
		t.Errorf("no empty line parts the code from the text: %q", body)
	}
}
