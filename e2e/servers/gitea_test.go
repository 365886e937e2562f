// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package servers

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
)

// giteaRun is a run as Gitea's API describes it.
type giteaRun struct {
	ID                 int64
	Title              string `json:"display_title"`
	Status, Conclusion string
}

// onGitea makes a CI repository on Gitea, too, and has the program use it.
func (b *bed) onGitea() (g *rig.Gitea, repository string, runs func() []giteaRun) {
	b.Helper()
	g, err := gitea()
	b.must(err)
	name := "ci-" + unfit.ReplaceAllString(strings.ToLower(b.Name()), "-")
	ctx := b.Context()
	b.must(g.Call(ctx, http.MethodPost, "/user/repos", map[string]any{"name": name, "default_branch": "main", "auto_init": true}, nil))
	repository = rig.GiteaUser + "/" + name
	b.must(g.Call(ctx, http.MethodPost, "/repos/"+repository+"/contents/.github/workflows/autorun.yml",
		map[string]any{"branch": "main", "message": "the workflow", "content": []byte(workflow)}, nil))
	b.ci = "{repository: " + repository + ", api-url: " + g.URL + "/api/v1}"
	b.env["GITHUB_SERVER_URL"], b.env["GITHUB_API_URL"], b.env["GHPA_TOKEN"] = g.URL, g.URL+"/api/v1", g.Token
	return g, repository, func() []giteaRun {
		b.Helper()
		var list struct {
			Runs []giteaRun `json:"workflow_runs"`
		}
		b.must(g.Call(context.WithoutCancel(ctx), http.MethodGet, "/repos/"+repository+"/actions/runs", nil, &list))
		return list.Runs
	}
}

// shows checks that the pages in a message are there.
func (b *bed) shows(text string) {
	b.Helper()
	pages := regexp.MustCompile(`(?m)http://\S+$`).FindAllString(text, -1)
	if len(pages) == 0 {
		b.Errorf("no page is named: %s", text)
	}
	for _, page := range pages {
		req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, page, nil)
		b.must(err)
		req.SetBasicAuth(rig.GiteaUser, b.mirror.Token)
		resp, err := http.DefaultClient.Do(req)
		b.must(err)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			b.Errorf("%s: %s", page, resp.Status)
		}
	}
}

// TestGiteaIsTheHostToo has Gitea keep the mirror and run the workflows. A second
// dispatch of a workflow would end the run of the first, so they wait for each
// other; each is dispatched once, however long no runner comes, and told to Gerrit
// when it has ended.
func TestGiteaIsTheHostToo(t *testing.T) {
	t.Parallel()
	b := newBed(t, hosts[1])
	g, repository, runs := b.onGitea()
	b.gerrit.Account("bot")
	b.env["GERRIT_USERNAME"], b.env["GERRIT_PASSWORD"] = "bot", "password-of-bot"
	b.settings = "    report: {label: Verified, retries: 0}\n"
	changes := b.push(2)
	b.says(b.pass(0), "2 relayed, 1 dispatched, 1 waiting")
	b.landed(changes...)
	for range 3 {
		b.clock.advance(11 * time.Minute)
		b.pass(0)
	}
	if got := runs(); len(got) != 1 || got[0].Status != "queued" {
		t.Fatalf("without a runner Gitea has the runs %+v, want one that waits", got)
	}
	runner, err := g.NewRunner(t.Context(), repository, "ubuntu-24.04")
	b.must(err)
	for i, success := range []bool{true, false} {
		b.must(runner.End(t.Context(), success, "not ok 1 - nvme reset"))
		b.clock.advance(11 * time.Minute)
		b.pass(0)
		want := map[bool]int{true: 1, false: -1}[success]
		if got := changes[i].Votes()["Verified"]["bot"]; got != want {
			t.Errorf("%s has the vote %d, want %d: %+v", changes[i].Ref(), got, want, changes[i].Messages())
		}
		b.shows(changes[i].Messages()[1].Text)
	}
	b.clock.advance(11 * time.Minute)
	b.says(b.pass(0), "2 up to date")
	if got := runs(); len(got) != 2 {
		t.Errorf("there are the runs %+v, want one for each change", got)
	}
}
