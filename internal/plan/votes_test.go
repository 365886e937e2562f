// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/command"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// ourKey is attempt n of a workflow for patchset 2 of change 7.
func ourKey(workflow string, n int) change.Key {
	return change.Key{ID: change.ID{Change: 7, Patchset: 2}, Workflow: workflow, Attempt: n}
}

// ends is the standing of attempt n of a workflow whose run, of the same number,
// ended so; "" goes on.
func ends(workflow string, n int, o verdict.Outcome, edits ...func(*Standing)) Standing {
	st := Standing{Workflow: workflow, Key: ourKey(workflow, n), RunID: int64(n), Outcome: o, Expected: o == ""}
	for _, edit := range edits {
		edit(&st)
	}
	return st
}

func optional(st *Standing) { st.Optional = true }
func nameless(st *Standing) { st.RunID = 0 }

// before has an earlier result stand.
func before(n int, o verdict.Outcome) func(*Standing) {
	return func(st *Standing) {
		st.Before = Before{Key: ourKey(st.Workflow, n), RunID: int64(n), Outcome: o}
	}
}

// tells is a message of our account about some standings on patchset 2. vote is
// "+1", "none" or "refused".
func tells(vote string, all ...Standing) change.Message {
	r := verdict.Residue{Voted: vote == "+1" || vote == "-1", Refused: vote == "refused"}
	switch vote {
	case "+1":
		r.Vote = 1
	case "-1":
		r.Vote = -1
	}
	for _, st := range all {
		o := st.Outcome
		if o == "" {
			o = verdict.Running
		}
		r.Runs = append(r.Runs, verdict.RunResidue{Key: st.Key, RunID: st.RunID, Attempt: 1, Outcome: o})
	}
	return change.Message{Author: change.Account{ID: 9}, Patchset: 2, Text: "Text.\n\n" + r.String()}
}

// tookBack is our answer to a comment that calls a failure known.
func tookBack() change.Message {
	r := command.Residue{Replies: []string{"m1"}, Asked: []command.Ask{{Key: ourKey("a.yml", 2)}}, TookBack: true}
	return change.Message{Author: change.Account{ID: 9}, Patchset: 2, Tag: command.Tag, Text: "Noted.\n\n" + r.String()}
}

// onPatchset changes whose patchset a message is about.
func onPatchset(n int, m change.Message) change.Message {
	m.Patchset = n
	return m
}

// by changes whose message it is.
func by(id int, m change.Message) change.Message {
	m.Author.ID = id
	return m
}

// TestOwed compares what our messages say that Gerrit took with what results ask
// for.
func TestOwed(t *testing.T) {
	t.Parallel()
	const untold, refused, back = "its result was not told yet", "Gerrit did not take the vote before", "the vote was taken back, and no other result has come"
	pass, fail, runs := ends("a.yml", 1, verdict.Passed), ends("a.yml", 1, verdict.Failed), ends("a.yml", 1, "")
	other, otherRuns := ends("b.yml", 1, verdict.Passed), ends("b.yml", 1, "")
	ofOld := pass
	ofOld.Key.Patchset = 1
	labelless := func(p *config.Project) { p.Report.Label, p.Report.Messages = "", true }
	strict := func(p *config.Project) { p.Report.Votes = map[string]int{"timed-out": -1} }
	lost := ends("a.yml", 2, verdict.Cancelled, before(1, verdict.Failed))
	tests := []struct {
		name      string
		edit      func(*config.Project)
		standings []Standing
		messages  []change.Message
		want      string // the reason, and the attempt that it is told for
	}{
		{"nothing is there", nil, nil, nil, ""},
		{"goes on", nil, []Standing{runs}, nil, ""},
		{"told", nil, []Standing{pass}, []change.Message{tells("+1", pass)}, ""},
		{"not told", nil, []Standing{pass}, nil, untold + " 7/2/a.yml/1"},
		{"told without a vote that there was to take", nil, []Standing{pass}, []change.Message{tells("none", pass)}, ""},
		{"told, and not told", nil, []Standing{pass, other}, []change.Message{tells("+1", pass)}, untold + " 7/2/b.yml/1"},
		{"passed beside one that goes on", nil, []Standing{pass, otherRuns}, nil, ""},
		{"failed beside one that goes on", nil, []Standing{fail, otherRuns}, nil, untold + " 7/2/a.yml/1"},
		{"failed after one that goes on", nil, []Standing{otherRuns, fail}, nil, untold + " 7/2/a.yml/1"},
		{"failed and told beside one that goes on", nil, []Standing{fail, otherRuns}, []change.Message{tells("-1", fail)}, ""},
		{"failed before one that passed, a third goes on", nil, []Standing{fail, other, ends("c.yml", 1, "")}, nil, untold + " 7/2/a.yml/1"},
		{"no vote for a time limit", nil, []Standing{ends("a.yml", 1, verdict.TimedOut), otherRuns}, nil, ""},
		{"a vote for a time limit", strict, []Standing{ends("a.yml", 1, verdict.TimedOut), otherRuns}, nil, untold + " 7/2/a.yml/1"},
		{"only optional ones", nil, []Standing{ends("a.yml", 1, verdict.Passed, optional)}, nil, ""},
		{"an optional one is not told", nil, []Standing{pass, ends("b.yml", 1, verdict.Failed, optional)}, []change.Message{tells("+1", pass)}, ""},
		{"an optional one goes on", nil, []Standing{pass, ends("b.yml", 1, "", optional)}, nil, untold + " 7/2/a.yml/1"},
		{"what told nothing is not owed", nil, []Standing{ends("a.yml", 1, verdict.Cancelled)}, nil, ""},
		{"the result before it is told", nil, []Standing{lost}, []change.Message{tells("-1", fail)}, ""},
		{"the result before it is not told", nil, []Standing{lost}, nil, untold + " 7/2/a.yml/1"},
		{"a result before one that is waited for", nil, []Standing{ends("a.yml", 2, "", before(1, verdict.Failed)), otherRuns}, nil, ""},
		{"a result stands above the one before", nil, []Standing{ends("a.yml", 2, verdict.Passed, before(1, verdict.Failed))}, []change.Message{tells("-1", fail)}, untold + " 7/2/a.yml/2"},
		{"told for another run", nil, []Standing{pass}, []change.Message{tells("+1", ends("a.yml", 1, verdict.Passed, func(st *Standing) { st.RunID = 5 }))}, untold + " 7/2/a.yml/1"},
		{"told for a run of which the number is not known", nil, []Standing{ends("a.yml", 1, verdict.Passed, nameless)}, []change.Message{tells("+1", pass)}, ""},
		{"told for another attempt", nil, []Standing{ends("a.yml", 2, verdict.Passed)}, []change.Message{tells("+1", pass)}, untold + " 7/2/a.yml/2"},
		{"told that it was started", nil, []Standing{pass}, []change.Message{tells("none", runs)}, untold + " 7/2/a.yml/1"},
		{"told by somebody else", nil, []Standing{pass}, []change.Message{by(8, tells("+1", pass))}, untold + " 7/2/a.yml/1"},
		{"told of the patchset before", nil, []Standing{pass}, []change.Message{tells("+1", ofOld)}, untold + " 7/2/a.yml/1"},
		{"told on the patchset before", nil, []Standing{pass}, []change.Message{onPatchset(1, tells("+1", pass))}, untold + " 7/2/a.yml/1"},
		{"told on the change", nil, []Standing{pass}, []change.Message{onPatchset(0, tells("+1", pass))}, ""},

		{"refused", nil, []Standing{pass}, []change.Message{tells("refused", pass)}, refused + " again 7/2/a.yml/1"},
		{"refused, then taken", nil, []Standing{pass}, []change.Message{tells("refused", pass), tells("+1", pass)}, ""},
		{"taken, then refused", nil, []Standing{pass}, []change.Message{tells("+1", pass), tells("refused", pass)}, refused + " again 7/2/a.yml/1"},
		{"refused, then something without a vote", nil, []Standing{pass}, []change.Message{tells("refused", pass), tells("none", pass)}, refused + " again 7/2/a.yml/1"},
		{"refused on the patchset before", nil, []Standing{pass}, []change.Message{onPatchset(1, tells("refused", ofOld)), tells("+1", pass)}, ""},
		{"refused, as a message about the patchset before says", nil, []Standing{pass}, []change.Message{tells("+1", pass), tells("refused", ofOld)}, ""},
		{"refused of somebody else", nil, []Standing{pass}, []change.Message{tells("+1", pass), by(8, tells("refused", pass))}, ""},
		{"refused, and there is no label now", labelless, []Standing{pass}, []change.Message{tells("refused", pass)}, ""},
		{"not told, and there is no label", labelless, []Standing{pass}, nil, untold + " 7/2/a.yml/1"},
		{"refused, and one goes on again", nil, []Standing{pass, otherRuns}, []change.Message{tells("refused", pass)}, ""},
		{"a red one refused, and one goes on", nil, []Standing{fail, otherRuns}, []change.Message{tells("refused", fail)}, refused + " again 7/2/a.yml/1"},

		{"taken back", nil, []Standing{fail}, []change.Message{tells("-1", fail), tookBack()}, back + " again 7/2/a.yml/1"},
		{"taken back, and the rerun goes on", nil, []Standing{ends("a.yml", 2, "", before(1, verdict.Failed))}, []change.Message{tells("-1", fail), tookBack()}, ""},
		{"taken back, and another one is red while the rerun goes on", nil, []Standing{runs, ends("b.yml", 1, verdict.Failed)}, []change.Message{tells("-1", ends("b.yml", 1, verdict.Failed)), tookBack()}, back + " again 7/2/b.yml/1"},
		{"taken back, and the rerun was called off", nil, []Standing{lost}, []change.Message{tells("-1", fail), tookBack()}, back + " again 7/2/a.yml/1"},
		{"taken back, and another result has come", nil, []Standing{ends("a.yml", 2, verdict.Passed)}, []change.Message{tells("-1", fail), tookBack(), tells("+1", ends("a.yml", 2, verdict.Passed))}, ""},
		{"taken back after a refusal", nil, []Standing{fail}, []change.Message{tells("refused", fail), tookBack()}, back + " again 7/2/a.yml/1"},
		{"taken back on the patchset before", nil, []Standing{pass}, []change.Message{onPatchset(1, tookBack()), tells("+1", pass)}, ""},
		{"somebody imitates that", nil, []Standing{fail}, []change.Message{tells("-1", fail), by(8, tookBack())}, ""},
		{"reset by a start", nil, []Standing{lost}, []change.Message{tells("-1", fail), tells("+1", ends("a.yml", 2, ""))}, back + " again 7/2/a.yml/1"},
		{"a start without a reset", nil, []Standing{lost}, []change.Message{tells("-1", fail), tells("none", ends("a.yml", 2, ""))}, ""},
		{"no start, as one has ended", nil, []Standing{lost}, []change.Message{tells("-1", fail, otherRuns)}, ""},
		{"the results ask for another vote", nil, []Standing{pass}, []change.Message{tells("-1", pass)}, "the results ask for another vote now again 7/2/a.yml/1"},
		{"they would, and one goes on", nil, []Standing{pass, otherRuns}, []change.Message{tells("-1", pass)}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := project(reporting)
			if tt.edit != nil {
				tt.edit(p)
			}
			c := open(7, patchset(2, change.Rework), func(c *change.Change) { c.Messages = tt.messages })
			if got := debtText(Owed(p, tt.standings, &c, change.Account{ID: 9})); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// debtText prints a debt, without what is zero.
func debtText(d Debt) string {
	text := d.Reason
	if d.Reason == "" {
		return text
	}
	if d.Again {
		text += " again"
	}
	if refused := d.Reason == "Gerrit did not take the vote before"; refused != d.Refused {
		text += fmt.Sprintf(" (refused: %v)", d.Refused)
	}
	return text + " " + d.Key.String()
}

// TestOwedWhereNothingIsToBeRun: that is told once, and its vote is owed until
// Gerrit takes it.
func TestOwedWhereNothingIsToBeRun(t *testing.T) {
	t.Parallel()
	left := []Standing{{Workflow: "a.yml", Key: ourKey("a.yml", 1)}, {Workflow: "b.yml", Key: ourKey("b.yml", 1)}}
	empty := func(vote string) change.Message {
		all := []Standing{ends("a.yml", 1, verdict.Skipped, nameless), ends("b.yml", 1, verdict.Skipped, nameless)}
		return tells(vote, all...)
	}
	votes := func(p *config.Project) { p.Report.NothingToRun = config.NothingVotes }
	silent := func(p *config.Project) { p.Report.NothingToRun = config.NothingSilent }
	labelless := func(p *config.Project) { votes(p); p.Report.Label, p.Report.Messages = "", true }
	tests := []struct {
		name     string
		edit     func(*config.Project)
		action   Action
		messages []change.Message
		want     string
	}{
		{"not said", votes, Action{Empty: left}, nil, "nothing is to be run for it 7/2/a.yml/1"},
		{"said", votes, Action{Empty: left}, []change.Message{empty("+1")}, ""},
		{"said before something else", votes, Action{Empty: left}, []change.Message{empty("+1"), tells("+1", ends("c.yml", 1, verdict.Passed))}, ""},
		{"a run that was skipped is something else", votes, Action{Empty: left}, []change.Message{tells("+1", ends("a.yml", 1, verdict.Skipped))}, "nothing is to be run for it 7/2/a.yml/1"},
		{"refused", votes, Action{Empty: left}, []change.Message{empty("refused")}, "Gerrit did not take the vote before 7/2/a.yml/1"},
		{"refused, without a label", labelless, Action{Empty: left}, []change.Message{empty("refused")}, ""},
		{"to be silent about", silent, Action{Empty: left}, nil, ""},
		{"something is to be run", votes, Action{}, nil, ""},
		{"a result comes first", votes, Action{Standings: []Standing{ends("c.yml", 1, verdict.Passed)}, Empty: left}, nil, "its result was not told yet 7/2/c.yml/1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := project(reporting, tt.edit)
			c := open(7, patchset(2, change.Rework), func(c *change.Change) { c.Messages = tt.messages })
			if got := debtText(tt.action.Owes(p, &c, change.Account{ID: 9})); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestVotesThatArePlanned: a change is voted on by a pass only where nothing else
// tells it a result, and once all that matters is known.
func TestVotesThatArePlanned(t *testing.T) {
	t.Parallel()
	uploaded := change.Message{ID: "u", Patchset: 2, Text: "Uploaded patch set 2."}
	done := []string{"claims 1", "runs 1/99", "ended 1/passed"}
	ended := change.Run{ID: 99, Status: "completed", Conclusion: "success", Updated: noon.Add(-3600e9)}
	two := func(p *config.Project) {
		p.Workflows = append(p.Workflows, config.Workflow{Name: "b.yml", File: "b.yml"})
	}
	left := func(p *config.Project) {
		p.Report.NothingToRun, p.Workflows[0].PathsIgnore = config.NothingVotes, []string{"doc/**"}
	}
	leftBoth := func(p *config.Project) { two(p); left(p); p.Workflows[1].Branches = []string{"v1.x"} }
	of := func(name, ref string) string { return "refs/dispatcher/" + ref + " 2007" }
	ofB := []string{of("b.yml", "claims/7/2/b.yml/1"), of("b.yml", "runs/7/2/b.yml/1/100")}
	const vote, skip = "vote 7/2/autorun.yml/1: its result was not told yet", "skip 7/2/autorun.yml/0: all files match its paths-ignore"
	const nothing = "vote 7/2/autorun.yml/1: nothing is to be run for it"
	tests := []struct {
		name string
		edit func(*config.Project)
		snap func(*Snapshot)
		refs []string
		want []string
	}{
		{"a result that nobody told", nil, nil, refsOf(done...), []string{vote}},
		{"messages are not known", nil, func(s *Snapshot) { s.Changes[0].Messages = nil }, refsOf(done...), []string{"idle 1"}},
		{"GitHub is away", nil, func(s *Snapshot) { s.NoGitHub = "GitHub is away" }, refsOf(done...), []string{"idle 1"}},
		{"nothing is told", func(p *config.Project) { p.Report.Label = "" }, nil, refsOf(done...), []string{"idle 1"}},
		{"another one is reported anyway", two, func(s *Snapshot) {
			s.RunsByID[100] = change.Run{ID: 100, Status: "completed", Conclusion: "success", Updated: ended.Updated}
		}, append(refsOf(done...), ofB...),
			[]string{"report 7/2/b.yml/1: it ended without a report"}},
		{"a red one that nobody told, and another one is reported anyway", two, func(s *Snapshot) {
			s.RunsByID[100] = change.Run{ID: 100, Status: "completed", Conclusion: "success", Updated: ended.Updated}
		},
			append(refsOf("claims 1", "runs 1/99", "ended 1/failed"), ofB...), []string{"report 7/2/b.yml/1: it ended without a report"}},
		{"another one goes on", two, func(s *Snapshot) { s.RunsByID[100] = change.Run{ID: 100, Status: "in_progress"} }, append(refsOf(done...), ofB...), []string{"idle 1"}},

		{"nothing is to be run", left, nil, nil, []string{nothing, skip}},
		{"and that is not to be told", func(p *config.Project) { left(p); p.Report.NothingToRun = config.NothingSilent }, nil, nil, []string{skip}},
		{"nothing is to be run of two", leftBoth, nil, nil, []string{nothing, skip, "skip 7/2/b.yml/0: not for branch master"}},
		{"one of two is to be run", func(p *config.Project) { two(p); left(p) }, nil, []string{"refs/changes/07/7/2 2007"},
			[]string{"dispatch 7/2/b.yml/1: new patchset", skip}},
		{"an optional one is to be run", func(p *config.Project) { two(p); left(p); p.Workflows[1].Optional = true }, nil, []string{"refs/changes/07/7/2 2007"},
			[]string{"dispatch 7/2/b.yml/1: new patchset", nothing, skip}},
		{"an optional one is left out", func(p *config.Project) {
			two(p)
			p.Report.NothingToRun, p.Workflows[1].Optional, p.Workflows[1].Branches = config.NothingVotes, true, []string{"v1.x"}
		}, nil, refsOf("claims 1", "runs 1/98"), []string{"skip 7/2/b.yml/0: not for branch master"}},
		{"it ran before a filter left it out", left, nil, refsOf("claims 1", "runs 1/97", "ended 1/cancelled"),
			[]string{"vote 7/2/autorun.yml/1: nothing is to be run for it", `no verdict 7/2/autorun.yml/1: attempt 1 was cancelled; a comment "recheck" starts it again`}},
		{"it was called off", func(p *config.Project) { p.Report.NothingToRun = config.NothingVotes }, nil, []string{"refs/changes/07/7/2 2007", about("stopped 1")},
			[]string{"skip 7/2/autorun.yml/1: a comment called it off"}},
		{"it waits at a gate", func(p *config.Project) {
			p.Report.NothingToRun, p.Workflows[0].Trust = config.NothingVotes, config.Trust{Label: "Allow", Value: 1}
		}, nil, nil, []string{"wait 7/2/autorun.yml/0: waits for Allow +1 from somebody else than its author"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := project(reporting, func(p *config.Project) { p.Report.Commands.Off = true })
			if tt.edit != nil {
				tt.edit(p)
			}
			c := open(7, patchset(2, change.Rework), func(c *change.Change) {
				c.Messages, c.Files = []change.Message{uploaded}, []string{"doc/a.md"}
			})
			s := snapshot(p, []change.Change{c}, tt.refs...)
			s.Workflows["b.yml"] = declared
			s.RunsByID = map[int64]change.Run{99: ended, 98: {ID: 98, Status: "in_progress"}, 97: {ID: 97, Status: "completed", Conclusion: "cancelled"}}
			if tt.snap != nil {
				tt.snap(s)
			}
			got := Make(p, s, noon)
			check(t, got, tt.want...)
			for _, a := range got.Actions {
				if a.Verb != Vote {
					continue
				}
				if a.Change == nil || a.Revision != a.Change.Current.Revision || a.Number != 7 || len(a.Standings)+len(a.Empty) == 0 {
					t.Errorf("got %+v, want all that a vote needs", a)
				}
				s.Fresh = map[int]bool{}
				if needs := Make(p, s, noon).Needs.Fresh; len(needs) != 1 {
					t.Errorf("got %v to be read again first, want change 7", needs)
				}
			}
		})
	}
}
