// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// TestOwnDetails: the token of the project may not read annotations, as no
// fine-grained one may (orgs/community#179545). The job's own token may; without it
// the log tells the same.
func TestOwnDetails(t *testing.T) {
	t.Parallel()
	const rig = `{"v":1,"by":"rig","exit":251,"why":"the guest did not come up"}`
	weak := github.FullAccess
	weak.Checks = github.None
	for _, tt := range []struct {
		name, token string
		log         []string
		want        string
	}{
		{"the job's own token", "own", nil, "outcome=setup-failed"},
		{"no token of its own", "", nil, "outcome=failed"},
		{"one that may not either", token, nil, "outcome=failed"},
		{"one that is not known", "wrong", nil, "outcome=failed"},
		{"the log tells", "", []string{"::stop-commands::***", "booting", "::***::", "##[error]" + rig}, "outcome=setup-failed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := reporting(t, "", func(o *servers) {
				o.github.Tokens = map[string]github.Access{token: weak, "own": github.FullAccess}
			})
			s.ci.SetPrivate() // of public ones everybody may read annotations
			c := s.push("ann", "nvme: split the probe loop", nil)
			s.run(t.Context(), "sync")
			job := ourJob("fedora", rig, 251)
			job.Annotations[1].Level = "failure"
			job.Steps[1].Log = strings.Join(append(append([]string{"##[group]Run dispatcher environments run", "##[endgroup]"}, tt.log...), "##[error]Process completed with exit code 251."), "\n")
			id := s.ends(job, github.Job{Name: "report", Status: "in_progress"})
			s.env["GITHUB_REPOSITORY"], s.env["GITHUB_RUN_ID"], s.env["GITHUB_RUN_ATTEMPT"], s.env["GITHUB_JOB"], s.env["INPUT_GITHUB-TOKEN"] = "example/ci", fmt.Sprint(id), "1", "report", tt.token
			s.run(t.Context(), "report", "--key", "101/1/autorun.yml/1")
			messages := c.Messages()
			if last := messages[len(messages)-1].Text; !strings.Contains(last, tt.want) {
				t.Errorf("got no %q:\n%s\n%s%s", tt.want, last, s.stdout, s.stderr)
			}
		})
	}
}

// TestOwnRun: the run of the job is read with the job's own token, whatever the
// project's is for; what that does not get is read with the project's.
func TestOwnRun(t *testing.T) {
	t.Parallel()
	mirror := github.Access{User: "bot", Contents: github.Write}
	job := github.Access{User: "github-actions[bot]", Contents: github.Read, Actions: github.Read, Checks: github.Read, App: true}
	for _, tt := range []struct {
		name              string
		project, own      github.Access
		run               string // that the job is part of, where it is another one
		limited, reported bool
	}{
		{"a project's token for the mirror alone", mirror, job, "", false, true},
		{"the job's token has no right", github.FullAccess, github.Access{User: "github-actions[bot]", App: true}, "", false, true},
		{"the job's token is over its limit", github.FullAccess, job, "", true, true},
		{"neither may", mirror, mirror, "", false, false},
		{"the run is another one", mirror, job, "4711", false, false},
		{"another run, with the project's token", github.FullAccess, job, "4711", false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := reporting(t, "", func(o *servers) {
				o.github.Tokens = map[string]github.Access{token: github.FullAccess, "project": tt.project, "own": tt.own}
			})
			s.secrets = append(s.secrets, "project")
			s.ci.SetPrivate()
			c := s.push("ann", "nvme: split the probe loop", nil)
			s.run(t.Context(), "sync")
			id := s.ends(testJob("unit", "success"))
			if tt.limited {
				limit := faults.Answer(http.StatusForbidden, `{"message": "API rate limit exceeded for installation"}`,
					"Content-Type", "application/json", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", fmt.Sprint(s.clock.Now().Unix()+3000))
				s.github.Faults.Add(faults.Rule{Path: regexp.MustCompile(`/actions/runs/`), Do: func(next http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if strings.HasSuffix(r.Header.Get("Authorization"), "own") {
							next = limit(next)
						}
						next.ServeHTTP(w, r)
					})
				}})
			}
			s.env["GHPA_TOKEN"], s.env["INPUT_GITHUB-TOKEN"], s.env["INPUT_NEEDS"] = "project", "own", ""
			s.env["GITHUB_REPOSITORY"], s.env["GITHUB_RUN_ID"] = "example/ci", cmp.Or(tt.run, fmt.Sprint(id))
			begin := s.clock.Now()
			status := s.run(t.Context(), "report", "--key", "101/1/autorun.yml/1", "--run", fmt.Sprint(id), "--attempt", "1")
			if got := c.Votes(); (status == ExitDone) != tt.reported || (len(got) > 0) != tt.reported {
				t.Errorf("got %d, the votes %v\n%s%s", status, got, s.stdout, s.stderr)
			}
			if waited := s.clock.Now().Sub(begin); tt.limited && waited > time.Minute {
				t.Errorf("it waited for %v although another token may", waited)
			}
		})
	}
}

// TestOwnTokenStaysHere: the job's own token goes to the server that gave it, though
// the project's runs are in a repository of the same name on another.
func TestOwnTokenStaysHere(t *testing.T) {
	t.Parallel()
	for elsewhere, want := range map[bool]bool{true: false, false: true} {
		s := reporting(t, "", func(o *servers) {
			o.github.Tokens = map[string]github.Access{token: github.FullAccess, "own": github.FullAccess}
		})
		s.push("ann", "nvme: split the probe loop", nil)
		s.run(t.Context(), "sync")
		id := s.ends(testJob("unit", "success"))
		seen := false
		s.github.Faults.Add(faults.Rule{Do: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				seen = seen || strings.HasSuffix(r.Header.Get("Authorization"), " own")
				next.ServeHTTP(w, r)
			})
		}})
		s.env["GITHUB_REPOSITORY"], s.env["GITHUB_RUN_ID"], s.env["INPUT_GITHUB-TOKEN"], s.env["CI_TOKEN"] = "example/ci", fmt.Sprint(id), "own", token
		text := strings.NewReplacer("ci: example/ci", "ci: {repository: example/ci, api-url: GITHUB, token-env: CI_TOKEN}", "mirror: example/spdk", "mirror: {url: GITHUB/example/spdk, token-env: CI_TOKEN}").Replace(defaultConfig("report: {label: Verified}\n"))
		s.configure(text)
		if elsewhere {
			s.env["GITHUB_SERVER_URL"], s.env["GITHUB_API_URL"] = "https://ghes.example.org", "https://ghes.example.org/api/v3"
		}
		if status := s.run(t.Context(), "report", "--key", "101/1/autorun.yml/1", "--run", fmt.Sprint(id), "--attempt", "1"); status != ExitDone || seen != want {
			t.Errorf("elsewhere %v: got %d, and the token was seen: %v\n%s%s", elsewhere, status, seen, s.stdout, s.stderr)
		}
	}
}

// TestFirst: that the second token does not see a run hides no failure of the first.
func TestFirst(t *testing.T) {
	t.Parallel()
	down := errors.New("no answer")
	answer := func(err error) func() (int, error) { return func() (int, error) { return 1, err } }
	for _, c := range []struct{ own, other, want error }{
		{nil, down, nil}, {down, nil, nil}, {errNotFound, nil, nil}, {errNotFound, errNotFound, errNotFound},
		{down, errNotFound, down}, {errNotFound, down, down},
	} {
		if _, err := first(true, answer(c.own), answer(c.other)); err != c.want {
			t.Errorf("%v and %v: got %v, want %v", c.own, c.other, err, c.want)
		}
	}
	if _, err := first(false, answer(down), answer(errNotFound)); err != errNotFound {
		t.Errorf("got %v", err)
	}
}
