// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
)

// TestRefusedVotes has Gerrit refuse votes: for want of a right in the project,
// because All-Projects blocks it, for want of the label. Each is a problem of every
// pass until somebody mends it; then the vote is set by itself, once. One that a
// person removes after that stays removed.
func TestRefusedVotes(t *testing.T) {
	ctx, g := t.Context(), world.gerrit
	s := newScene(t, "refused", 8, settings{adopted: true})
	s.reports()
	bots := adoptGroup(t)
	vote, block := rig.Rule{Action: "ALLOW", Min: -1, Max: 1}, rig.Rule{Action: "BLOCK", Min: -1, Max: 1}
	unblock := func(ctx context.Context) {
		must(t, g.Revoke(ctx, "All-Projects", "refs/heads/*", "label-Verified", bots))
	}
	right := func(value string) []string {
		return []string{"the label Verified: the account adopt-bot may not vote on it",
			"a project owner can give the right label-Verified with " + value + " on refs/heads/master to a group that the account adopt-bot is in", "Code-Review from -1 to +1"}
	}
	for _, c := range []struct {
		subject, conclusion string
		vote                int
		forbid, allow       func()
		says                []string
	}{
		{"a change that passes, and nobody may say so", "success", +1,
			func() { must(t, g.Revoke(ctx, s.project, "refs/heads/*", "label-Verified", bots)) },
			func() { must(t, g.Grant(ctx, s.project, "refs/heads/*", "label-Verified", bots, vote)) }, right("+1")},
		{"a change that fails, and All-Projects keeps it secret", "failure", -1,
			func() {
				must(t, g.Grant(ctx, "All-Projects", "refs/heads/*", "label-Verified", bots, block))
				t.Cleanup(func() { unblock(context.WithoutCancel(ctx)) })
			},
			func() { unblock(ctx) }, right("-1")},
		{"a change that passes, and the label has another name", "success", +1,
			func() { s.reports(map[string]any{"label": "Verifed"}) },
			func() { s.reports() }, []string{"the label Verifed", "the change has the labels Code-Review, Verified: correct the name in the configuration"}},
	} {
		t.Log(c.subject)
		d := s.upload(c.subject)
		c.forbid()
		s.ends(c.conclusion, "not ok 1 - nvme reset")
		s.refused(c.says...)
		s.expect(d, 0, 1, "could not be set")
		s.refused(c.says...)
		s.expect(d, 0, 1, "vote=refused")
		c.allow()
		s.pass()
		s.expect(d, c.vote, 2, fmt.Sprintf("vote=%+d", c.vote))
		s.quiet(d, c.vote, 2)
		must(t, g.Delete(ctx, fmt.Sprintf("changes/%d/reviewers/%s/votes/Verified", s.author.number(d), s.bot)))
		s.quiet(d, 0, 2)
	}
}

// TestRefusedInReport has the last job of a run be refused its vote: the job is
// red, and a later pass sets the vote.
func TestRefusedInReport(t *testing.T) {
	s := newScene(t, "refused-job", 9, settings{})
	s.reports()
	d := s.upload("a change that passes")
	s.fromInside(s.latest(), 2, `{"test": {"result": "success"}}`, job("test", "success"))
	s.expect(d, 0, 1, "could not be set")
	s.refused("the label Verified: the account ci-bot may not vote on it")
	s.expect(d, 0, 1, "vote=refused")
	s.reporting()
	s.pass()
	s.expect(d, +1, 2, "vote=+1")
	s.quiet(d, +1, 2)
}

// refused makes a pass on a runner that a person must do something about, and
// checks that an annotation says what.
func (s *scene) refused(says ...string) {
	s.t.Helper()
	env, dir := s.env, s.t.TempDir()
	s.env = append(env[:len(env):len(env)], "GITHUB_ACTIONS=true", "GITHUB_OUTPUT="+dir+"/output", "GITHUB_STEP_SUMMARY="+dir+"/summary", "GITHUB_ENV="+dir+"/env")
	r := s.run(nil)
	s.env = env
	annotation := ""
	for line := range strings.Lines(r.Stdout) {
		if text, ok := strings.CutPrefix(line, "::error::"); ok {
			annotation += text
		}
	}
	for _, text := range says {
		if r.Code != 2 || !strings.Contains(annotation, text) {
			s.t.Errorf("want exit status 2 and %q in an annotation: %s", text, r)
		}
	}
	s.t.Log(annotation)
}
