// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// reporting has the scene's results told to Gerrit, where the dispatcher's
// account may vote.
func (s *scene) reporting(more ...map[string]any) {
	s.t.Helper()
	must(s.t, world.gerrit.Grant(s.t.Context(), s.project, "refs/heads/*", "label-Verified", rig.RegisteredUsers, rig.Rule{Action: "ALLOW", Min: -1, Max: 1}))
	s.reports(more...)
}

// reports is reporting where the rights are there, or are not to be.
func (s *scene) reports(more ...map[string]any) {
	s.t.Helper()
	settings := map[string]any{"label": "Verified", "after": "0s"}
	for _, m := range more {
		maps.Copy(settings, m)
	}
	s.edit(func(defaults, _ map[string]any) { defaults["report"] = settings })
}

// TestReports follows runs to their votes on a real Gerrit.
func TestReports(t *testing.T) {
	s := newScene(t, "reports", 7, settings{})
	s.reporting()

	passed := s.upload("a change that passes")
	s.ends("success", "ok 1")
	s.pass()
	s.expect(passed, +1, 1, "autorun: 1 job passed")
	s.pass()
	s.expect(passed, +1, 1, "autorun: 1 job passed")

	failed := s.upload("a change that breaks a test")
	s.ends("failure", "not ok 1 - nvme reset\n##[error]Process completed with exit code 1.")
	s.pass()
	s.expect(failed, -1, 1, "not ok 1 - nvme reset")

	lost := s.upload("a change whose runner goes away")
	s.ends("failure", "", github.Annotation{Level: "failure", Path: ".github", Text: "The self-hosted runner: runner-1 lost communication with the server."})
	s.pass()
	s.expect(lost, 0, 1, "lost the runner")
	s.pass() // the retry
	s.ends("success", "ok 1")
	s.pass()
	s.expect(lost, +1, 2, "That was retry 1 of 4.")

	cancelled := s.upload("a change whose run is cancelled")
	s.ends("cancelled", "")
	s.pass()
	s.expect(cancelled, 0, 1, "cancelled")

	replaced := s.upload("a change that is replaced")
	old := s.hub.Runs()[len(s.hub.Runs())-1].ID
	s.author.amend(replaced)
	s.author.push(replaced, "")
	s.pass()
	s.pass()
	for _, run := range s.hub.Runs() {
		if run.ID == old && run.Conclusion != "cancelled" {
			t.Errorf("the run of the replaced patchset is %s, %q; want it cancelled", run.Status, run.Conclusion)
		}
	}
	s.expect(replaced, 0, 0, "")
}

// TestResultsReachReaders follows the results of a run to somebody without an
// account on GitHub: over a real S3 server, with a server in front of it that
// everybody may read, and a real Gerrit that shows the link and the comments.
func TestResultsReachReaders(t *testing.T) {
	b := startBuckets(t)
	st := b.open(asIs)
	public := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, o, err := st.Get(r.Context(), strings.TrimPrefix(r.URL.Path, "/ci/"))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		defer body.Close()
		w.Header().Set("Content-Type", o.ContentType)
		io.Copy(w, body)
	}))
	t.Cleanup(public.Close)
	s := newScene(t, "results", 9, settings{})
	s.reporting(map[string]any{"publish": map[string]any{"bucket": "results", "prefix": "ci", "url": public.URL}})
	s.env = append(s.env, "S3_ENDPOINT_URL="+b.endpoint, "S3_KEY="+s3Key, "S3_SECRET="+s3Secret)

	d := s.author.write("a change with results")
	s.author.push(d, "")
	s.pass()
	file := changedFile(t, s.author.number(d))
	id := s.hub.Runs()[len(s.hub.Runs())-1].ID
	s.hub.AddArtifact(id, github.Artifact{Name: "results", Filler: 20 << 20, Files: map[string]string{
		"log.txt":       "not ok 1\n",
		"out/junit.xml": `<testsuite><testcase name="new line"><failure message="broken">` + file + `:1: broken</failure></testcase><testcase name="far"><failure message="far">` + file + `:9999: far</failure></testcase></testsuite>`,
	}})
	s.ends("failure", "not ok 1 - reset")
	s.pass()
	s.expect(d, -1, 1, "Failed tests (2 of 2): `new line`, `far`") // the report comes before the log
	_, messages := s.verified(d)
	address := regexp.MustCompile(`http://\S+/index\.html`).FindString(messages[0])
	for name, want := range map[string]string{"": "a change with results", "artifacts/results/log.txt": "not ok 1", "logs/unit-tests.txt": "not ok 1 - reset"} {
		if name != "" {
			name = strings.TrimSuffix(address, "index.html") + name
		} else {
			name = address
		}
		resp, err := http.Get(name)
		must(t, err)
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(text), want) {
			t.Errorf("%s: got %s, %v and %q, want %q in it", name, resp.Status, err, text, want)
		}
	}
	if page := os.Getenv("E2E_PAGE"); page != "" { // to be looked at
		resp, err := http.Get(address)
		must(t, err)
		text, err := io.ReadAll(resp.Body)
		must(t, err)
		must(t, os.WriteFile(page, text, 0o644))
	}
	s.commented(d, file)
}

// changedFile is the file that a change of the author's is about.
func changedFile(t *testing.T, number int) string {
	t.Helper()
	var files map[string]any
	must(t, world.gerrit.Get(t.Context(), fmt.Sprintf("changes/%d/revisions/current/files", number), &files))
	for name := range files {
		if name != "/COMMIT_MSG" {
			return name
		}
	}
	t.Fatal("the change has no file")
	return ""
}

// commented expects one comment on the file's first line, which nobody must answer.
func (s *scene) commented(d *draft, file string) {
	s.t.Helper()
	var comments map[string][]struct {
		Line       int
		Message    string
		Unresolved bool
		Tag        string
	}
	number := s.author.number(d)
	must(s.t, world.gerrit.Get(s.t.Context(), fmt.Sprintf("changes/%d/comments", number), &comments))
	if list := comments[file]; len(comments) != 1 || len(list) != 1 || list[0].Line != 1 || list[0].Unresolved || !strings.Contains(list[0].Message, "broken") {
		s.t.Errorf("got comments %+v, want one on line 1 of %s", comments, file)
	}
	var detail struct {
		Unresolved int `json:"unresolved_comment_count"`
	}
	must(s.t, world.gerrit.Get(s.t.Context(), fmt.Sprintf("changes/%d", number), &detail))
	if detail.Unresolved != 0 {
		s.t.Errorf("got %d unresolved comments, want none", detail.Unresolved)
	}
}
