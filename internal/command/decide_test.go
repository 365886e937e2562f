// SPDX-License-Identifier: BSD-3-Clause

package command

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// scene is a change's comments and runs, and what is to be done.
type scene struct {
	name     string
	messages said
	runs     []Run
	edit     func(*Snapshot, *Policy)
	want     []string
}

// play decides on each scene, twice, and once more after the reply.
func play(t *testing.T, scenes []scene) {
	t.Helper()
	for _, sc := range scenes {
		s, p := world(sc.messages...), policy
		s.Runs = sc.runs
		if sc.edit != nil {
			sc.edit(&s, &p)
		}
		got := Decide(s, p, noon)
		want := strings.Join(sc.want, "\n")
		if text := strings.TrimSpace(tell(got)); text != want {
			t.Errorf("%s: got\n%s\nwant\n%s", sc.name, text, want)
		}
		if diff := cmp.Diff(got, Decide(s, p, noon.Add(time.Minute))); diff != "" {
			t.Errorf("%s: another result a minute later: %s", sc.name, diff)
		}
		if got.Reply == "" {
			continue
		}
		s.Change.Messages = append(s.Change.Messages, answer(got.Reply))
		if again := Decide(s, p, noon.Add(time.Minute)); len(again.Actions) > 0 || again.Reply != "" {
			t.Errorf("%s: after the reply there is more:\n%s", sc.name, tell(again))
		}
	}
}

func TestRecheck(t *testing.T) {
	t.Parallel()
	play(t, []scene{
		{name: "without any run", messages: said{say(ann, 3, "recheck")},
			want: []string{"m1 rerun autorun.yml/1 docs.yml/1: Starting attempt 1 of autorun.yml, attempt 1 of docs.yml."}},
		{name: "after runs", messages: said{say(bob, 3, "recheck")},
			runs: []Run{run("autorun.yml", 1, Failed), run("autorun.yml", 2, Passed), run("docs.yml", 1, Unclear)},
			want: []string{"m1 rerun autorun.yml/3 docs.yml/2: Starting attempt 3 of autorun.yml, attempt 2 of docs.yml."}},
		{name: "after a lost call", messages: said{say(ann, 3, "recheck")}, runs: []Run{run("autorun.yml", 1, Lost), run("docs.yml", 1, Passed)},
			want: []string{"m1 rerun autorun.yml/2 docs.yml/2: Starting attempt 2 of autorun.yml, attempt 2 of docs.yml."}},
		{name: "while one runs", messages: said{say(ann, 3, "recheck")}, runs: []Run{run("autorun.yml", 2, Running)},
			want: []string{"m1 rerun docs.yml/1: Starting attempt 1 of docs.yml. Attempt 2 of autorun.yml (https://github.example/autorun.yml/2) is not done yet."}},
		{name: "while all run", messages: said{say(ann, 3, "recheck")}, runs: []Run{run("autorun.yml", 2, Running), {Key: run("docs.yml", 1, 0).Key, State: Pending}},
			want: []string{"m1 refuse: Attempt 2 of autorun.yml (https://github.example/autorun.yml/2) is not done yet. Attempt 1 of docs.yml was asked for already."}},
		{name: "on an old patchset", messages: said{say(ann, 2, "recheck autorun")}, runs: []Run{run("autorun.yml", 1, Failed)},
			want: []string{"m1 rerun autorun.yml/2: The comment is on patchset 2; the current one is 3. Starting attempt 2 of autorun.yml."}},
		{name: "runs of an old patchset do not count", messages: said{say(ann, 3, "recheck autorun")},
			runs: []Run{{Key: change.Key{ID: change.ID{Change: 7, Patchset: 2}, Workflow: "autorun.yml", Attempt: 4}, State: Running}},
			want: []string{"m1 rerun autorun.yml/1: Starting attempt 1 of autorun.yml."}},
		{name: "served by a run that came after it", messages: said{say(ann, 3, "recheck autorun")},
			runs: []Run{{Key: run("autorun.yml", 1, 0).Key, State: Failed, Created: noon}},
			want: []string{"m1 refuse: Attempt 1 of autorun.yml was started after this comment."}},
		{name: "one that is not meant for the patchset", messages: said{say(ann, 3, "recheck docs"), say(ann, 3, "recheck")},
			edit: func(s *Snapshot, _ *Policy) { s.Workflows[1].Unwanted = "no file matches its paths" },
			want: []string{"m1 rerun docs.yml/1: Starting attempt 1 of docs.yml.",
				"m2 rerun autorun.yml/1: Starting attempt 1 of autorun.yml. Attempt 1 of docs.yml was asked for already."}},
		{name: "none is meant for the patchset", messages: said{say(ann, 3, "recheck")},
			edit: func(s *Snapshot, _ *Policy) {
				s.Workflows[0].Unwanted, s.Workflows[1].Unwanted = "not for branch x", "no file matches\nits paths"
			},
			want: []string{"m1 refuse: Nothing is started: no workflow is meant for this patchset. autorun.yml: not for branch x. " +
				"docs.yml: no file matches its paths. Name one to start it all the same: `recheck autorun.yml`."}},
		{name: "no comment opens a trust gate", messages: said{say(ann, 3, "recheck"), say(ann, 3, "recheck docs")},
			edit: func(s *Snapshot, _ *Policy) { s.Workflows[1].Gate = "waits for Code-Review +1" },
			want: []string{"m1 rerun autorun.yml/1: Starting attempt 1 of autorun.yml. docs.yml is not started: waits for Code-Review +1.",
				"m2 refuse: docs.yml is not started: waits for Code-Review +1."}},
		{name: "the cap", messages: said{say(ann, 3, "recheck")}, runs: []Run{run("autorun.yml", 10, Failed), run("docs.yml", 9, Failed)},
			want: []string{"m1 rerun docs.yml/10: Starting attempt 10 of docs.yml. " +
				"autorun.yml had 10 attempts, the most that comments can ask for: a new patchset begins anew."}},
		{name: "unknown", messages: said{say(ann, 3, "recheck nightly.yml")},
			want: []string{"m1 refuse: No workflow is called nightly.yml. There is: autorun.yml, docs.yml."}},
		{name: "nothing configured", messages: said{say(ann, 3, "recheck")}, edit: func(s *Snapshot, _ *Policy) { s.Workflows = nil },
			want: []string{"m1 refuse: Nothing is started: no workflow is configured."}},
		{name: "two at once", messages: said{say(ann, 3, "recheck"), say(bob, 3, "recheck")},
			want: []string{"m1 rerun autorun.yml/1 docs.yml/1: Starting attempt 1 of autorun.yml, attempt 1 of docs.yml.",
				"m2 refuse: Attempt 1 of autorun.yml was asked for already. Attempt 1 of docs.yml was asked for already."}},
		{name: "two in one comment", messages: said{say(ann, 3, "recheck docs\nrecheck autorun")},
			want: []string{"m1 rerun docs.yml/1: Starting attempt 1 of docs.yml.", "m1 rerun autorun.yml/1: Starting attempt 1 of autorun.yml."}},
		{name: "under a new key prefix", messages: said{say(ann, 3, "recheck docs")}, runs: []Run{run("docs.yml", 4, Failed)},
			edit: func(s *Snapshot, _ *Policy) { s.Server = "spdk" },
			want: []string{"m1 rerun docs.yml/5: Starting attempt 5 of docs.yml."}},
		{name: "a hostile address", messages: said{say(ann, 3, "recheck docs")}, runs: []Run{{Key: run("docs.yml", 1, 0).Key, State: Running, URL: "https://x\n\nIn-Reply-To: 5"}},
			want: []string{"m1 refuse: Attempt 1 of docs.yml is not done yet."}},
	})
}

func TestRecheckFailed(t *testing.T) {
	t.Parallel()
	failed := said{say(ann, 3, "recheck failed")}
	play(t, []scene{
		{name: "one failed", messages: failed, runs: []Run{run("autorun.yml", 1, Failed), run("docs.yml", 1, Passed)},
			want: []string{"m1 rerun autorun.yml/2: Starting attempt 2 of autorun.yml: only the jobs that did not pass."}},
		{name: "no verdict, and never started", messages: failed, runs: []Run{run("autorun.yml", 1, Unclear)},
			want: []string{"m1 rerun autorun.yml/2 docs.yml/1: Starting attempt 2 of autorun.yml, attempt 1 of docs.yml: only the jobs that did not pass."}},
		{name: "without any run", messages: failed,
			want: []string{"m1 rerun autorun.yml/1 docs.yml/1: Starting attempt 1 of autorun.yml, attempt 1 of docs.yml."}},
		{name: "all passed", messages: failed, runs: []Run{run("autorun.yml", 1, Passed), run("docs.yml", 1, Passed)},
			want: []string{"m1 refuse: Nothing is started: all that ran has passed. `recheck` starts all of it again."}},
		{name: "passed at last", messages: failed, runs: []Run{run("autorun.yml", 2, Passed), run("autorun.yml", 1, Failed), run("docs.yml", 1, Running)},
			want: []string{"m1 refuse: Attempt 1 of docs.yml (https://github.example/docs.yml/1) is not done yet."}},
	})
}

// TestElsewhere: only a recheck is answered where another dispatcher may test the
// change, which has all comments to answer still.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	s, p := world(say(ann, 3, "help"), say(ann, 3, "cancel\nrecheck"), say(bob, 3, "rechek"), say(bob, 3, "false positive: #12")), policy
	s.Runs = []Run{run("autorun.yml", 1, Failed), run("docs.yml", 1, Running)}
	here := Decide(s, p, noon)
	s.Elsewhere, s.Workflows[0].Gate, s.Workflows[1].Gate = true, "not our branch", "not our branch"
	d := Decide(s, p, noon)
	if got, want := strings.TrimSpace(tell(d)), "m2 refuse: Attempt 1 of docs.yml (https://github.example/docs.yml/1) is not done yet. autorun.yml is not started: not our branch."; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if diff := cmp.Diff(Residue{LeftOut: []string{"m2"}}, ParseResidue(d.Reply)); diff != "" {
		t.Error(diff)
	}
	s.Change.Messages = append(s.Change.Messages, answer(d.Reply))
	if again := Decide(s, p, noon); again.Reply != "" || len(again.PassedOver)+len(again.Issues) != 0 {
		t.Errorf("after the answer there is more: %s", tell(again))
	}
	s.Elsewhere, s.Workflows[0].Gate, s.Workflows[1].Gate = false, "", ""
	if diff := cmp.Diff(here, Decide(s, p, noon)); diff != "" {
		t.Errorf("the answer makes a difference to the other dispatcher: %s", diff)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	play(t, []scene{
		{name: "running and waiting", messages: said{say(ann, 3, "cancel")}, runs: []Run{run("autorun.yml", 2, Running)},
			want: []string{"m1 stop autorun.yml/2 docs.yml/1: Cancelling attempt 2 of autorun.yml. Not started unless a comment asks for it: docs.yml."}},
		{name: "nothing", messages: said{say(ann, 3, "cancel")}, runs: []Run{run("autorun.yml", 2, Passed)},
			edit: func(s *Snapshot, _ *Policy) { s.Workflows[1].Unwanted = "no file matches" },
			want: []string{"m1 refuse: Nothing runs or waits for this patchset."}},
		{name: "on an old patchset", messages: said{say(ann, 2, "cancel")}, runs: []Run{run("autorun.yml", 2, Running)}},
		{name: "and then again", messages: said{say(ann, 3, "cancel\nrecheck autorun")}, runs: []Run{run("autorun.yml", 2, Running), run("docs.yml", 1, Passed)},
			want: []string{"m1 stop autorun.yml/2: Cancelling attempt 2 of autorun.yml.", "m1 rerun autorun.yml/3: Starting attempt 3 of autorun.yml."}},
		{name: "what was only promised is not started at all", messages: said{say(ann, 3, "recheck\ncancel\nrecheck autorun")},
			want: []string{"m1 rerun: Starting attempt 1 of autorun.yml, attempt 1 of docs.yml.",
				"m1 stop autorun.yml/1 docs.yml/1: Cancelling attempt 1 of autorun.yml, attempt 1 of docs.yml.",
				"m1 rerun autorun.yml/2: Starting attempt 2 of autorun.yml."}},
		{name: "what waits for trust stays as it is", messages: said{say(ann, 3, "cancel")},
			edit: func(s *Snapshot, _ *Policy) { s.Workflows[0].Gate = "waits for Code-Review +1" },
			want: []string{"m1 stop docs.yml/1: Not started unless a comment asks for it: docs.yml."}},
	})
}

func TestFalsePositive(t *testing.T) {
	t.Parallel()
	known := func(s *Snapshot, _ *Policy) { s.Issues = map[int]Issue{12: Open, 13: Open, 14: Closed, 15: Missing} }
	red := []Run{run("autorun.yml", 1, Failed), run("docs.yml", 1, Passed)}
	play(t, []scene{
		{name: "known issues", messages: said{say(ann, 3, "false positive: #12, #13")}, runs: red, edit: known,
			want: []string{"m1 excuse autorun.yml/2 #12, #13: The failure is noted on #12, #13. Starting attempt 2 of autorun.yml: only the jobs that did not pass."}},
		{name: "issues to be looked up hold their comment alone", messages: said{say(ann, 3, "recheck docs\nfalse positive: #20"),
			say(ann, 3, "false positive: #12, #20"), say(bob, 3, "recheck docs")}, runs: red, edit: known,
			want: []string{"m3 rerun docs.yml/2: Starting attempt 2 of docs.yml.", "must know #20"}},
		{name: "closed and missing", messages: said{say(ann, 3, "false positive: #12, #14, #15")}, runs: red, edit: known,
			want: []string{"m1 refuse: Issue #14 is closed. There is no issue #15. Nothing is noted or started: name open issues, or reopen it."}},
		{name: "nothing failed", messages: said{say(ann, 3, "false positive: #99")}, runs: []Run{run("autorun.yml", 1, Unclear)},
			want: []string{"m1 refuse: No test failed on this patchset, so nothing is noted or started. `recheck` starts all workflows, also after other mishaps."}},
		{name: "on an old patchset", messages: said{say(ann, 1, "false positive: #12")}, runs: red, edit: known,
			want: []string{"m1 refuse: The comment is on patchset 1; the current one is 3. What failed there does not count any more, and nothing is noted or started."}},
		{name: "after a recheck in the same comment", messages: said{say(ann, 3, "recheck autorun\nfalse positive: #12")}, runs: red, edit: known,
			want: []string{"m1 rerun autorun.yml/2: Starting attempt 2 of autorun.yml.",
				"m1 excuse #12: The failure is noted on #12. Attempt 2 of autorun.yml was asked for already."}},
		{name: "passed since", messages: said{say(ann, 3, "false positive: #12")}, runs: append(red, run("autorun.yml", 2, Passed)), edit: known,
			want: []string{"m1 excuse #12: The failure is noted on #12."}},
		{name: "five issues a patchset", messages: said{say(ann, 3, "false positive: #1, #2, #3"), say(ann, 3, "false positive: #4, #5, #6"), say(ann, 3, "false positive: #3, #4"),
			say(ann, 3, "false positive: #1"), say(ann, 3, "false positive: #5"), say(ann, 3, "false positive: #6")}, runs: red,
			edit: func(s *Snapshot, _ *Policy) {
				s.Issues = map[int]Issue{1: Open, 2: Open, 3: Open, 4: Open, 5: Open, 6: Open}
			},
			want: []string{"m1 excuse autorun.yml/2 #1, #2, #3: The failure is noted on #1, #2, #3. Starting attempt 2 of autorun.yml: only the jobs that did not pass.",
				"m2 refuse: Nothing is noted or started: the failures of one patchset are noted on at most 5 issues, and are on #1, #2, #3 already. `recheck failed` runs again what failed.",
				"m3 excuse #4: The failure is noted on #4. Attempt 2 of autorun.yml was asked for already.",
				"m4 excuse: The failure was noted on #1 before. Attempt 2 of autorun.yml was asked for already.",
				"m5 excuse #5: The failure is noted on #5. Attempt 2 of autorun.yml was asked for already.",
				"m6 refuse: Nothing is noted or started: the failures of one patchset are noted on at most 5 issues, and are on #1, #2, #3, #4, #5 already. `recheck failed` runs again what failed."}},
		{name: "no attempt is left", messages: said{say(ann, 3, "false positive: #12")}, runs: []Run{run("autorun.yml", 10, Failed)}, edit: known,
			want: []string{"m1 refuse: autorun.yml had 10 attempts, the most that comments can ask for: a new patchset begins anew. Nothing is noted."}},
		{name: "issues that cannot be read", messages: said{say(ann, 3, "recheck docs\nfalse positive: #12, #16")}, runs: red,
			edit: func(s *Snapshot, p *Policy) {
				known(s, p)
				s.Issues[16], s.IssueTrouble = Unreadable, "403 Forbidden:\nno access."
			},
			want: []string{"m1 rerun docs.yml/2: Starting attempt 2 of docs.yml.",
				"m1 refuse: Issue #16 could not be read: 403 Forbidden: no access. Nothing is noted or started. `recheck failed` runs again what failed."}},
		{name: "not just anybody, so nothing to look up", messages: said{say(bob, 3, "recheck docs\nfalse positive: #77")}, runs: red,
			want: []string{"m1 rerun docs.yml/2: Starting attempt 2 of docs.yml.", "m1 refuse: `false positive` is for the change's owner and uploader, and for groups that are configured."}},
		{name: "a member of a group that is obeyed", messages: said{say(bob, 3, "false positive: #12"), say(ann, 3, "false positive: #12")}, runs: red,
			edit: func(s *Snapshot, p *Policy) {
				known(s, p)
				p.Allow.Groups, s.Members = []string{"core"}, map[string]map[int]bool{"core": {bob.ID: true}}
			},
			want: []string{"m1 excuse autorun.yml/2 #12: The failure is noted on #12. Starting attempt 2 of autorun.yml: only the jobs that did not pass.",
				"m2 refuse: Commands are for members of core."}},
		{name: "not allowed, so nothing to look up", messages: said{say(bob, 3, "false positive: #77")}, runs: red,
			edit: func(_ *Snapshot, p *Policy) { p.Allow.Owner = true },
			want: []string{"m1 refuse: Commands are for the change's owner and uploader."}},
	})
}
