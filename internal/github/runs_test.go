// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// add puts a run of each title on the list, a minute apart from each other.
func (w *world) add(event string, titles ...string) {
	for _, title := range titles {
		w.server.AddRun(standin.Run{Repository: "org/ci", Workflow: "autorun.yml", Name: "Autorun", Title: title, Event: event})
		w.advance(time.Minute)
	}
}

func titles(runs []change.Run) string {
	var all []string
	for _, run := range runs {
		all = append(all, run.Name)
	}
	return strings.Join(all, " ")
}

func TestRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	w.add("workflow_dispatch", "old")
	since := w.now()
	w.add("repository_dispatch", "event")
	w.add("push", "push")
	w.add("workflow_dispatch", "1/2/autorun.yml/1 subject", "new")
	id := w.server.Runs()[3].ID
	w.server.SetRunState(id, "completed", "success")

	runs, err := w.client.Runs(t.Context(), "org/ci", since.Add(300*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := titles(runs), "new 1/2/autorun.yml/1 subject event"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	want := change.Run{
		ID: id, Name: "1/2/autorun.yml/1 subject", Workflow: "autorun.yml", Status: "completed", Conclusion: "success",
		URL: fmt.Sprintf("%s/org/ci/actions/runs/%d", w.server.URL(), id), Created: since.Add(2 * time.Minute),
		Updated: since.Add(4 * time.Minute), Attempt: 1, Event: "workflow_dispatch",
	}
	if diff := cmp.Diff(want, runs[1]); diff != "" {
		t.Errorf("run (-want +got):\n%s", diff)
	}
	if got := len(w.server.Requests()); got != 2 {
		t.Errorf("got %d requests, want one for each event", got)
	}
}

func TestBusy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	w.add("push", "queued", "running", "waiting", "pending", "requested", "done")
	for i, status := range []string{"queued", "in_progress", "waiting", "pending", "requested", "completed"} {
		w.server.SetRunState(w.server.Runs()[i].ID, status, "")
	}
	// A run that moves on while the client asks is seen once, not lost.
	w.server.Faults.Add(faults.Rule{Path: regexp.MustCompile("status=queued"), Do: func(next http.Handler) http.Handler {
		w.server.SetRunState(w.server.Runs()[3].ID, "queued", "")
		w.server.SetRunState(w.server.Runs()[4].ID, "in_progress", "")
		return next
	}})
	runs, err := w.client.Busy(t.Context(), "org/ci")
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Fields(titles(runs))
	slices.Sort(got)
	if diff := cmp.Diff([]string{"pending", "queued", "requested", "running", "waiting"}, got); diff != "" {
		t.Errorf("busy runs (-want +got):\n%s", diff)
	}
	if got := len(w.server.Requests()); got != 5 {
		t.Errorf("got %d requests, want one for each status", got)
	}
}

// TestManyRuns lists more runs than GitHub gives for one search.
func TestManyRuns(t *testing.T) {
	t.Parallel()
	// The description is not checked here: it would take most of the time.
	w := newWorld(t, standin.Options{Wrap: func(next http.Handler) http.Handler { return next }})
	since := w.now()
	const n = 1100
	for range n {
		w.add("workflow_dispatch", "x")
	}
	for name, list := range map[string]func() ([]change.Run, error){
		"runs": func() ([]change.Run, error) { return w.client.Runs(t.Context(), "org/ci", since) },
		"busy": func() ([]change.Run, error) { return w.client.Busy(t.Context(), "org/ci") },
	} {
		runs, err := list()
		if err != nil {
			t.Fatal(err)
		}
		ids := map[int64]bool{}
		for _, run := range runs {
			ids[run.ID] = true
		}
		if len(runs) != n || len(ids) != n {
			t.Errorf("%s: got %d runs with %d ids, want %d", name, len(runs), len(ids), n)
		}
	}
}

// TestPagesShift starts a run between two pages: what moves to the next page is
// then seen twice.
func TestPagesShift(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	since := w.now()
	for i := range 150 {
		w.add("workflow_dispatch", fmt.Sprint(i))
	}
	w.server.Faults.Add(faults.Rule{Times: 1, Path: regexp.MustCompile("[?&]page=2"), Do: func(next http.Handler) http.Handler {
		w.add("workflow_dispatch", "late")
		return next
	}})
	runs, err := w.client.Runs(t.Context(), "org/ci", since)
	if err != nil || len(runs) != 150 {
		t.Errorf("got %d runs, %v; want 150", len(runs), err)
	}
}

// TestBadLists covers answers that must not pass for "no runs".
func TestBadLists(t *testing.T) {
	t.Parallel()
	const run = `{"id":%s,"created_at":"2026-01-01T00:00:00Z"}`
	w := newWorld(t, standin.Options{})
	for name, body := range map[string]string{
		"empty":        "",
		"null":         "null",
		"no total":     `{"workflow_runs":[]}`,
		"no list":      `{"total_count":0}`,
		"negative":     `{"total_count":-1,"workflow_runs":[]}`,
		"wrong type":   `{"total_count":"1","workflow_runs":{}}`,
		"no id":        `{"total_count":1,"workflow_runs":[` + fmt.Sprintf(run, "0") + `]}`,
		"no time":      `{"total_count":1,"workflow_runs":[{"id":1}]}`,
		"bad time":     `{"total_count":1,"workflow_runs":[{"id":1,"created_at":"now"}]}`,
		"huge id":      `{"total_count":1,"workflow_runs":[` + fmt.Sprintf(run, "99999999999999999999") + `]}`,
		"another text": "Welcome!",
	} {
		w.server.Faults.Clear()
		w.server.Faults.Add(faults.Rule{Do: faults.Answer(200, body)})
		runs, err := w.client.Runs(t.Context(), "org/ci", w.now())
		if len(runs) != 0 || err == nil {
			t.Errorf("%s: got %v, %v; want an error", name, runs, err)
			continue
		}
		checkFailure(t, err, fault.Transient, "failed to list the runs of org/ci")
	}
}

// TestEndlessList lets a server claim too many runs for each window, however
// narrow it is.
func TestEndlessList(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	pages := 0
	w.server.Faults.Add(faults.Rule{Do: func(http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			pages++
			newest := "2026-01-01T00:00:00Z"
			if _, to, ok := strings.Cut(r.URL.Query().Get("created"), ".."); ok {
				newest = to
			}
			fmt.Fprintf(rw, `{"total_count":2000,"workflow_runs":[{"id":%d,"created_at":%q}]}`, pages, newest)
		})
	}})
	_, err := w.client.Runs(t.Context(), "org/ci", time.Unix(0, 0))
	checkFailure(t, err, fault.Permanent, "look back less far")
	if pages != maxPages {
		t.Errorf("asked for %d pages, want %d", pages, maxPages)
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	at := func(s int) time.Time { return time.Unix(1_800_000_000+int64(s), 0).UTC() }
	for _, tc := range []struct {
		name             string
		w                window
		newest           time.Time
		olderTo, newFrom time.Time
		ok               bool
	}{
		{"open", window{from: at(0)}, at(100), at(50), at(51), true},
		{"two seconds", window{from: at(0)}, at(1), at(0), at(1), true},
		{"one second", window{from: at(0)}, at(0), time.Time{}, time.Time{}, false},
		{"closed", window{from: at(0), to: at(10)}, at(9), at(4), at(5), true},
		{"newest after the end", window{from: at(0), to: at(10)}, at(11), time.Time{}, time.Time{}, false},
		{"newest before the beginning", window{from: at(5)}, at(4), time.Time{}, time.Time{}, false},
		{"no beginning", window{}, at(0), at(0).Add(-maxRunAge / 2), at(1).Add(-maxRunAge / 2), true},
	} {
		older, newer, ok := tc.w.split(tc.newest)
		if ok != tc.ok || !older.to.Equal(tc.olderTo) || !newer.from.Equal(tc.newFrom) {
			t.Errorf("%s: got %s, %s, %v", tc.name, older.to, newer.from, ok)
		}
		if ok && (!older.from.Equal(tc.w.from) || !newer.to.Equal(tc.w.to)) {
			t.Errorf("%s: the outer ends moved: %s, %s", tc.name, older.from, newer.to)
		}
	}
}

func TestBaseName(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		".github/workflows/autorun.yml":             "autorun.yml",
		".github/workflows/a.yaml@refs/heads/x/y.z": "a.yaml",
		"octo/repo/.github/workflows/ci.yml@main":   "ci.yml",
		".github/workflows/a@b.yml":                 "a@b.yml",
		"dynamic/github-code-scanning/codeql":       "codeql",
		"":                                          "",
	} {
		if got := baseName(path); got != want {
			t.Errorf("baseName(%q): got %q, want %q", path, got, want)
		}
	}
}

func TestPageURL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"https://github.com/o/r/actions/runs/1": "https://github.com/o/r/actions/runs/1",
		"javascript:alert(1)":                   "",
		"https://user:pw@github.com/":           "",
		"https:///x":                            "",
		"https://h/" + strings.Repeat("x", 600): "",
		"%zz":                                   "",
	} {
		if got := pageURL(raw); got != want {
			t.Errorf("pageURL(%.40q): got %q, want %q", raw, got, want)
		}
	}
}

// TestTimesOfRuns: what a server does not tell of a run is made up from what it does. A
// run without any time is no run.
func TestTimesOfRuns(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		`{"id":7,"created_at":"2026-01-05T08:00:00Z","updated_at":"2026-01-05T09:00:00Z","started_at":"2026-01-05T08:30:00Z"}`: "08:00 09:00",
		`{"id":7,"started_at":"2026-01-05T08:30:00Z","completed_at":"2026-01-05T09:30:00Z","run_attempt":0}`:                   "08:30 09:30",
		`{"id":7,"started_at":"0001-01-01T00:00:00Z","run_attempt":0}`:                                                         "00:00 00:00",
		`{"id":7}`:                              "failed to read run 7 of org/ci: a run without an id or a time of creation (id 7)",
		`{"id":7,"started_at":null}`:            "failed to read run 7 of org/ci: a run without an id or a time of creation (id 7)",
		`{"started_at":"2026-01-05T08:30:00Z"}`: "failed to read run 7 of org/ci: a run without an id or a time of creation (id 0)",
	} {
		w := newWorld(t, standin.Options{})
		w.server.Faults.Add(faults.Rule{Path: regexp.MustCompile("/actions/runs/7"), Do: faults.Answer(200, answer, "Content-Type", "application/json")})
		run, err := w.client.Run(t.Context(), "org/ci", 7)
		got := run.Created.Format("15:04") + " " + run.Updated.Format("15:04")
		if err != nil {
			got = err.Error()
		} else if run.Attempt != 1 {
			t.Errorf("%s: got attempt %d, want 1", answer, run.Attempt)
		}
		if got != want {
			t.Errorf("%s:\n got %q\nwant %q", answer, got, want)
		}
	}
}
