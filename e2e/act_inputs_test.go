// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// handEnvironment is the same as actEnvironment under a name of its own: tests of
// that are killed in another story.
const handEnvironment = "127.0.0.1:1/by-hand:bookworm"

// hostile is text that would do harm in a shell, in an expression or in a log.
const hostile = "master\"'; $(touch /artifacts/pwned) `touch /artifacts/pwned` ${{ github.token }}\n::error::pwned\n::set-output name=mirror::pwned"

// testByHand starts the reusable workflow in its own repository by hand, with
// every text that is free hostile, with a text that is no revision, and with a
// revision that nobody has.
func (b *actBed) testByHand(t *testing.T) {
	t.Parallel()
	must(t, docker("tag", imageBase, handEnvironment))
	b.git(t, "push", "-q", b.hub.Repository(actMirror).Dir(), b.base+":refs/heads/by-hand")
	for _, tc := range []struct {
		name, revision, conclusion string
		jobs                       []string // that ran, in order
		says                       string   // an annotation
	}{
		{"a good one", b.base, "success", []string{"plan", "source", "unit", "report"}, ""},
		{"no revision", hostile, "failure", []string{"plan", "report"}, "pass the input revision on as the dispatcher sent it"},
		{"one that is gone", strings.Repeat("dead", 10), "failure", []string{"plan", "source", "report"}, "Comment 'recheck' on the change to start anew"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			id := b.dispatch(t, actTool, "autorun.yml", map[string]string{
				"revision": tc.revision, "project": actProject, "branch": hostile, "change_url": hostile, "ref": hostile,
				"environments": strings.Replace(readFile(t, "testdata/act/ci/environments.yml"), actEnvironment, handEnvironment, 1),
			})
			b.await(t, id)
			b.show(t, id)
			run, jobs := b.run(id), b.hub.Jobs(id, 1)
			if run.Conclusion != tc.conclusion {
				t.Errorf("the run is %s, want %s", run.Conclusion, tc.conclusion)
			}
			var names []string
			for _, j := range jobs {
				names = append(names, j.Name)
			}
			if got, want := strings.Join(names, " "), strings.Join(tc.jobs, " "); got != want {
				t.Errorf("got the jobs %s, want %s", got, want)
			}
			if tc.says != "" && !annotated(jobs, tc.says) {
				t.Errorf("no annotation says %q", tc.says)
			}
			if _, there := b.act.Artifacts(id)["pwned"]; there || obeyed(jobs) {
				t.Error("an input was executed")
			}
		})
	}
}

// annotated reports whether a failure of a job says a text.
func annotated(jobs []github.Job, text string) bool {
	for _, j := range jobs {
		for _, a := range j.Annotations {
			if a.Level == "failure" && strings.Contains(a.Text, text) {
				return true
			}
		}
	}
	return false
}

// obeyed reports whether a workflow command of the hostile text was.
func obeyed(jobs []github.Job) bool {
	for _, j := range jobs {
		for _, a := range j.Annotations {
			if a.Text == "pwned" {
				return true
			}
		}
	}
	return false
}
