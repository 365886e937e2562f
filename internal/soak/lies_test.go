// SPDX-License-Identifier: BSD-3-Clause

package soak

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// lie makes a program out of the true one that breaks a rule.
type lie struct {
	name, rule string
	// history is where it shows.
	history string
	// tell answers a request in the place of its server, or returns nil.
	tell func(*world, *http.Request) *http.Response
	// after is what else a pass has done.
	after func(*world, *pass)
	// native lies are told by the program itself today: only that they are seen
	// can be shown.
	native bool
}

// usual has a run that passes, one that fails, and one that is asked for again.
const usual = `
upload c1 ann master lib
upload c2 bob master lib
pass
end c1 autorun.yml pass
end c2 autorun.yml fail
pass
pass
say c2 ann recheck
pass
end c2 autorun.yml fail
pass
`

// gone has a lab that never comes back.
const gone = "config Gone autorun.yml\nupload c1 ann master lib\npass\nend c1 autorun.yml lost\npass\npass\n"

var lies = []lie{
	{name: "a change is overlooked", rule: "R1", history: usual, tell: overlook},
	{name: "a vote is left out", rule: "R2", history: usual, tell: mute},
	{name: "a vote that was taken off is set again", rule: "R2", history: usual + "unvote c1 cora\npass\n", after: func(w *world, _ *pass) {
		if c := w.find("c1"); len(c.removed) > 0 {
			c.Vote("bot", label, 1)
		}
	}},
	{name: "a vote of nothing", rule: "R3", history: usual, after: func(w *world, _ *pass) { w.find("c1").Vote("bot", label, 1) }},
	{name: "+1 for a run that was cancelled", rule: "R3", history: "upload c1 ann master lib\npass\nend c1 autorun.yml cancelled\npass\n",
		after: func(w *world, _ *pass) { w.find("c1").Vote("bot", label, 1) }},
	{name: "each run is started twice", rule: "R4", history: usual, tell: twice(`/dispatches$`)},
	{name: "a change is tested that is not ready", rule: "R4", history: "upload c1 ann master lib wip\npass\n", after: func(w *world, _ *pass) { w.startRun(w.find("c1"), 1) }},
	{name: "an old patchset is tested", rule: "R4", history: "upload c1 ann master lib\npass\namend c1 lib\npass\n", after: func(w *world, _ *pass) {
		if c := w.find("c1"); c.current() == 2 {
			w.startRun(c, 1)
		}
	}},
	{name: "a vote is gone after recheck and cancel", rule: "R5", history: usual + "pass\nsay c2 bob recheck\npass\nsay c2 bob cancel\npass\npass\n", native: true,
		after: func(w *world, _ *pass) {
			if slices.ContainsFunc(w.remarks, func(m *remark) bool { return m.text == "cancel" }) {
				w.find("c2").Vote("bot", label, 0)
			}
		}},
	{name: "another exit status", rule: "R6", history: usual, after: func(_ *world, p *pass) { p.status = 3 }},
	{name: "a token is printed", rule: "R6", history: usual, after: func(_ *world, p *pass) { p.stdout += token }},
	{name: "it writes without end", rule: "R6", history: usual, after: func(_ *world, p *pass) { p.writes = append(p.writes, "/x/git-receive-pack") }},
	{name: "a change is not accounted for", rule: "R6", history: usual, after: func(_ *world, p *pass) {
		p.projects[0].UpToDate = 0
	}},
	{name: "all is told twice", rule: "R7", history: usual, tell: twice(`/review$`)},
	{name: "mail without news", rule: "R7", history: usual, after: func(w *world, _ *pass) { w.post(w.find("c1"), 1, "It still passes.") }},
	{name: "something is told on an old patchset", rule: "R7", history: "upload c1 ann master lib\npass\namend c1 lib\npass\n",
		after: func(w *world, _ *pass) { w.post(w.find("c1"), 1, "It passed.") }},
	{name: "comments are not read", rule: "R8", history: usual, tell: func(_ *world, r *http.Request) *http.Response {
		if strings.HasSuffix(r.URL.Path, "/comments") && r.Method == http.MethodGet {
			return answer(r, http.StatusOK, "application/json", ")]}'\n{}")
		}
		return nil
	}},
	{name: "a result is tried again", rule: "R8", history: usual, after: func(w *world, p *pass) {
		if w.step == 11 {
			w.startRun(w.find("c1"), 2)
		}
	}},
	{name: "a vote because of a forged record", rule: "R9", history: usual + "upload c3 ann master lib\nforge c3 run autorun.yml\npass\n", native: true,
		after: func(w *world, _ *pass) {
			if c := w.find("c3"); c != nil && c.forged {
				c.Vote("bot", label, 1)
			}
		}},
	{name: "a failed test waits for the other workflow", rule: "R10", history: "config Required 2\nupload c1 ann master lib\npass\nend c1 autorun.yml fail\npass\npass\n", native: true, tell: mute},
	{name: "a vote is refused, and nobody hears of it", rule: "R11", history: "upload c1 ann master lib\npass\nforbid\nend c1 autorun.yml pass\npass\npass\n", native: true,
		after: func(_ *world, p *pass) { p.status = 0 }},
	{name: "runs are not cancelled", rule: "R12", history: "upload c1 ann master lib\npass\nabandon c1\npass\n", tell: func(_ *world, r *http.Request) *http.Response {
		if cancelling.MatchString(r.URL.Path) {
			return answer(r, http.StatusConflict, "application/json", `{"message": "Cannot cancel a workflow run that is completed."}`)
		}
		return nil
	}},
	{name: "what was given up is not mentioned", rule: "R14", history: gone, native: true, after: func(_ *world, p *pass) {
		for i := range p.projects[0].Actions {
			p.projects[0].Actions[i].State = "up to date"
		}
	}},
	{name: "a lost run is never tried again", rule: "R15", history: gone, native: true, tell: func(w *world, r *http.Request) *http.Response {
		if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/actions/runs/") {
			return nil
		}
		return w.edited(r, `"conclusion":"failure"`, `"conclusion":"action_required"`)
	}},
	{name: "the owner is mailed about each try", rule: "R7", history: gone, after: func(w *world, p *pass) {
		c := w.find("c1")
		if runs := w.of(c, 1, "autorun.yml"); len(runs) > 0 && len(runs) < 6 && runs[len(runs)-1].last().means != going {
			w.post(c, 1, "The lab is gone.")
			w.startRun(c, 10+len(runs))
		}
	}},
	{name: "a patchset that nobody allowed is on the mirror", rule: "R16", history: "config Gate label\nupload c1 eve master lib\npass\n", after: func(w *world, _ *pass) {
		c := w.find("c1")
		c.site.forge("refs/changes/01/101/1", string(c.Revision()))
	}},
	{name: "a patchset that nobody allowed is tested", rule: "R16", history: "config Gate both\nupload c1 eve master lib\npass\n", after: func(w *world, _ *pass) {
		w.startRun(w.find("c1"), 1)
	}},
	{name: "a patchset is refused for a hook that was broken for a while", rule: "R17", history: "upload c1 ann master lib\nmirror first gitlab 0\npass\n", after: func(_ *world, p *pass) {
		p.projects[0].Actions = append(p.projects[0].Actions, line{Change: 101, Patchset: 1, State: "skipped", Reason: "the mirror refuses it"})
	}},
	{name: "a change is asked for by its number alone", rule: "R18", history: usual, after: func(w *world, _ *pass) {
		r, _ := http.NewRequest(http.MethodGet, w.gerrit.URL()+"/a/changes/101/detail", nil)
		w.net.served(r, nil)
	}},
	{name: "a change of another project is asked for", rule: "R18", history: "config Projects 2\n" + usual, after: func(w *world, _ *pass) {
		r, _ := http.NewRequest(http.MethodGet, w.gerrit.URL()+"/a/changes/spdk%2Fblobfs~101/detail", nil)
		w.net.served(r, nil)
	}},
	{name: "a tag of somebody else's is deleted", rule: "R19", history: "upload c1 ann master lib\npass\nforeign tags/theirs\npass\n", after: func(w *world, _ *pass) {
		w.sites[0].forge("refs/tags/theirs", "")
	}},
	{name: "a branch of somebody else's is deleted", rule: "R19", history: "upload c1 ann master lib\npass\nforeign heads/theirs\npass\n", after: func(w *world, _ *pass) {
		w.sites[0].forge("refs/heads/theirs", "")
	}},
	{name: "a tag is somewhere else", rule: "R19", history: "tag t1 master\npass\n", after: func(w *world, _ *pass) {
		w.sites[0].forge("refs/tags/t1", string(w.sites[0].project.Tip("stable")))
	}},
	{name: "a tag that is gone stays", rule: "R19", history: "tag t1 master\ntag t2 master\npass\nuntag t1\npass\n", after: func(w *world, _ *pass) {
		w.sites[0].forge("refs/tags/t1", string(w.sites[0].project.Tip("stable")))
	}},
	{name: "a branch that is gone stays", rule: "R19", history: "grow rel\npass\ndrop rel\npass\n", after: func(w *world, _ *pass) {
		w.sites[0].forge("refs/heads/rel", string(w.sites[0].project.Tip("stable")))
	}},
	{name: "a private change stays on the mirror", rule: "R13", history: "config Sees false\nupload c1 ann master lib\npass\nprivate c1\npass\n", native: true, after: func(w *world, _ *pass) {
		w.sites[0].forge("refs/changes/01/101/1", string(w.find("c1").Revision()))
	}},
}

// TestOracle shows that each rule sees what breaks it, and that the same history
// breaks it no longer when the truth is told.
func TestOracle(t *testing.T) {
	t.Parallel()
	shown := map[string]bool{}
	for _, l := range lies {
		shown[l.rule] = true
		t.Run(l.rule+" "+l.name, func(t *testing.T) {
			t.Parallel()
			h, err := parse("seed 1\n" + l.history)
			if err != nil {
				t.Fatal(err)
			}
			breaks := func(l *lie) bool {
				broken, err := play(h, l, quietly)
				if err != nil {
					t.Fatal(err)
				}
				return slices.ContainsFunc(broken, func(v violation) bool { return v.rule == l.rule })
			}
			if !breaks(&l) {
				t.Errorf("%s does not see that %s", l.rule, l.name)
			}
			if quiet := (lie{rule: l.rule}); !(l.native && pending[l.rule] != "") && breaks(&quiet) {
				t.Errorf("%s sees something where the truth is told", l.rule)
			}
		})
	}
	for rule := range rules {
		if !shown[rule] {
			t.Errorf("no lie shows that %s sees anything", rule)
		}
	}
	for rule := range pending {
		if rules[rule] == "" {
			t.Errorf("%s is pending, and there is no such rule", rule)
		}
	}
}
