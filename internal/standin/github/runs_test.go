// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// runList is the answer of a listing, as far as tests look at it.
type runList struct {
	Total int `json:"total_count"`
	Runs  []struct {
		ID     int64  `json:"id"`
		Title  string `json:"display_title"`
		Status string `json:"status"`
	} `json:"workflow_runs"`
}

func (l runList) titles() string {
	var titles []string
	for _, run := range l.Runs {
		titles = append(titles, run.Title)
	}
	return strings.Join(titles, " ")
}

func list(t *testing.T, s *Server, query string) runList {
	t.Helper()
	return decode[runList](t, ask(t, s, "GET", "/repos/org/ci/actions/runs?"+query, nil))
}

// add puts a run of each title on the list, a minute apart from each other.
func add(s *Server, titles ...string) {
	for _, title := range titles {
		s.AddRun(Run{Repository: "org/ci", Workflow: "autorun.yml", Name: "Autorun", Title: title, Branch: "main", Head: strings.Repeat("a", 40)})
		s.Advance(time.Minute)
	}
}

func TestRunFilters(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	repository(s)
	s.Repository("org/other")
	add(s, "a", "b", "c", "d") // 08:00 to 08:03
	s.AddRun(Run{Repository: "org/other", Title: "elsewhere"})
	runs := s.Runs()
	s.SetRunState(runs[0].ID, "completed", "failure")
	s.SetRunState(runs[1].ID, "in_progress", "")
	for query, want := range map[string]string{
		"":                               "d c b a",
		"status=queued":                  "d c",
		"status=in_progress":             "b",
		"status=completed":               "a",
		"status=failure":                 "a",
		"event=workflow_dispatch":        "d c b a",
		"event=push":                     "",
		"branch=main":                    "d c b a",
		"branch=dev":                     "",
		"created=>=2026-01-05T08:01:00Z": "d c b",
		"created=>2026-01-05T08:01:00Z":  "d c",
		"created=<=2026-01-05T08:01:00Z": "b a",
		"created=<2026-01-05T08:01:00Z":  "a",
		"created=2026-01-05T08:01:00Z..2026-01-05T08:02:00Z": "c b",
		"created=2026-01-05T08:02:00Z..*":                    "d c",
		"created=*..2026-01-05T08:00:00Z":                    "a",
		"created=2026-01-05":                                 "d c b a",
		"created=2026-01-04":                                 "",
		"per_page=2":                                         "d c",
		"per_page=2&page=2":                                  "b a",
		"per_page=2&page=3":                                  "",
	} {
		name, value, ok := strings.Cut(query, "=")
		if ok && name == "created" {
			query = name + "=" + url.QueryEscape(value)
		}
		if got := list(t, s, query).titles(); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	if a := ask(t, s, "GET", "/repos/org/ci/actions/runs?created=yesterday", nil); a.status != 422 {
		t.Errorf("a bad date: got %d, want 422", a.status)
	}
}

func TestRunListIsBounded(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	repository(s)
	for i := range 1005 {
		s.AddRun(Run{Repository: "org/ci", Title: fmt.Sprint(i)})
	}
	last := list(t, s, "per_page=100&page=10")
	if last.Total != 1005 || len(last.Runs) != 100 {
		t.Errorf("page 10: got %d of %d, want 100 of 1005", len(last.Runs), last.Total)
	}
	if beyond := list(t, s, "per_page=100&page=11"); len(beyond.Runs) != 0 {
		t.Errorf("page 11: got %d runs, want none", len(beyond.Runs))
	}
}

func TestVisibilityDelay(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{VisibilityDelay: 90 * time.Second})
	repository(s)
	add(s, "a") // a minute passes
	if got := list(t, s, "").titles(); got != "" {
		t.Errorf("after a minute: got %q, want nothing", got)
	}
	s.Advance(30 * time.Second)
	if got := list(t, s, "").titles(); got != "a" {
		t.Errorf("after 90 seconds: got %q, want a", got)
	}
}

func TestGetAndCancelRun(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	repository(s)
	add(s, "a")
	path := fmt.Sprintf("/repos/org/ci/actions/runs/%d", s.Runs()[0].ID)
	var got []int
	for _, step := range []struct{ method, path string }{
		{"GET", path}, {"POST", path + "/cancel"}, {"POST", path + "/cancel"},
		{"GET", "/repos/org/ci/actions/runs/1"}, {"GET", "/repos/org/ci/actions/runs/x"}, {"POST", "/repos/org/ci/actions/runs/1/cancel"},
	} {
		got = append(got, ask(t, s, step.method, step.path, nil).status)
	}
	if diff := cmp.Diff([]int{200, 202, 409, 404, 404, 404}, got); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	if run := s.Runs()[0]; run.Status != "completed" || run.Conclusion != "cancelled" {
		t.Errorf("got %s, %s; want completed, cancelled", run.Status, run.Conclusion)
	}
}
