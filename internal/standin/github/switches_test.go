// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// view is what the API shows of a run: its state and attempt in the list and alone, and
// its jobs.
func view(t *testing.T, s *Server, path string) string {
	t.Helper()
	type run struct {
		Title              string `json:"display_title"`
		Status, Conclusion string
		Attempt            int `json:"run_attempt"`
	}
	var list struct {
		Runs []run `json:"workflow_runs"`
	}
	var jobs struct {
		Jobs []struct{ Name, Status string }
	}
	alone := run{Status: "gone"}
	json.Unmarshal([]byte(ask(t, s, "GET", "/repos/org/ci/actions/runs", nil).body), &list)
	if a := ask(t, s, "GET", path, nil); a.status == 200 {
		json.Unmarshal([]byte(a.body), &alone)
	}
	json.Unmarshal([]byte(ask(t, s, "GET", path+"/jobs", nil).body), &jobs)
	text := "list"
	for _, r := range list.Runs {
		text += fmt.Sprintf(" %s/%d", r.Status, r.Attempt)
	}
	text += fmt.Sprintf("; run %s/%d; jobs", alone.Status, alone.Attempt)
	for _, j := range jobs.Jobs {
		text += " " + j.Status
	}
	return text
}

// TestLag: each part of the API is as late as it is told to be, and no other.
func TestLag(t *testing.T) {
	t.Parallel()
	const late = 10 * time.Minute
	for _, tt := range []struct {
		lag  Lag
		want [4]string // just started, running, ended, run again
	}{
		{Lag{}, [4]string{"list queued/1; run queued/1; jobs", "list in_progress/1; run in_progress/1; jobs in_progress", "list completed/1; run completed/1; jobs completed", "list queued/2; run queued/2; jobs queued"}},
		{Lag{List: late}, [4]string{"list; run queued/1; jobs", "list queued/1; run in_progress/1; jobs in_progress", "list in_progress/1; run completed/1; jobs completed", "list completed/1; run queued/2; jobs queued"}},
		{Lag{Run: late}, [4]string{"list queued/1; run gone/0; jobs", "list in_progress/1; run queued/1; jobs in_progress", "list completed/1; run in_progress/1; jobs completed", "list queued/2; run completed/1; jobs queued"}},
		{Lag{Jobs: late}, [4]string{"list queued/1; run queued/1; jobs", "list in_progress/1; run in_progress/1; jobs", "list completed/1; run completed/1; jobs in_progress", "list queued/2; run queued/2; jobs completed"}},
	} {
		s := serve(t, Options{})
		s.SetLag(tt.lag)
		id, path := startRun(s)
		var got [4]string
		for i, step := range []func(){
			func() {},
			func() { s.SetJobs(id, Job{Name: "test", Status: "in_progress"}) },
			func() { s.SetJobs(id, Job{Name: "test", Conclusion: "failure"}) },
			func() { s.Rerun(id, false) },
		} {
			step()
			got[i] = view(t, s, path)
			s.Advance(late)
		}
		if got != tt.want {
			t.Errorf("%+v:\n got %q\nwant %q", tt.lag, got, tt.want)
		}
		s.SetLag(Lag{})
		if v := view(t, s, path); !strings.HasPrefix(v, "list queued/2; run queued/2") {
			t.Errorf("%+v: once it is over, got %q", tt.lag, v)
		}
	}
}

// TestShapes: what differs from server to server, or is not known.
func TestShapes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		o    Options
		want string
	}{
		"as it is":       {Options{}, "list queued/2; run queued/2; jobs queued"},
		"no jobs":        {Options{NoJobs: true}, "list queued/2; run queued/2; jobs"},
		"late attempts":  {Options{LateAttempts: true}, "list queued/1; run queued/1; jobs queued"},
		"partial reruns": {Options{PartialReruns: true}, "list queued/2; run queued/2; jobs queued"},
	} {
		s := serve(t, tt.o)
		id, path := startRun(s)
		s.SetJobs(id, Job{Name: "test", Conclusion: "failure"})
		s.Rerun(id, false)
		if got := view(t, s, path); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

// TestPerson plays what a person does on a run's page.
func TestPerson(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{Retitle: func(r Run) string { return "try " + strconv.Itoa(r.Attempt) }, OldestFirst: true})
	var told []int
	s.OnRun(func(r Run) { told = append(told, r.Attempt) })
	id, path := startRun(s)
	add(s, "b")
	second := s.Runs()[1].ID
	s.SetJobs(id, Job{Name: "a", Conclusion: "success"}, Job{Name: "b", Conclusion: "failure"})
	s.Rerun(id, true)
	if jobs := s.Jobs(id, 2); len(jobs) != 2 || jobs[0].Conclusion != "success" || jobs[1].Status != "queued" {
		t.Errorf("got the jobs %+v, want only b again", jobs)
	}
	s.Cancel(id)
	if run := s.Runs()[0]; run.Conclusion != "cancelled" || run.Title != "try 2" {
		t.Errorf("got %s, %q", run.Conclusion, run.Title)
	}
	var list struct {
		Runs []struct{ ID int64 } `json:"workflow_runs"`
	}
	json.Unmarshal([]byte(ask(t, s, "GET", "/repos/org/ci/actions/runs", nil).body), &list)
	if len(list.Runs) != 2 || list.Runs[0].ID != id || list.Runs[1].ID != second {
		t.Errorf("got the list %v, want the oldest first", list.Runs)
	}
	s.DeleteRun(id)
	if a := ask(t, s, "GET", path, nil); a.status != 404 || len(s.Runs()) != 1 {
		t.Errorf("of a deleted run: got %d, and %d runs", a.status, len(s.Runs()))
	}
	add(s, "c")
	if third := s.Runs()[1].ID; third == second || third == id {
		t.Error("an id was given twice")
	}
	if fmt.Sprint(told) != "[2]" {
		t.Errorf("the listener heard of the attempts %v, want the second", told)
	}
}

// TestWedged: a run that cannot be stopped.
func TestWedged(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{Wedged: true})
	_, path := startRun(s)
	if a := ask(t, s, "POST", path+"/cancel", nil); a.status != 500 || s.Runs()[0].Status != "queued" {
		t.Errorf("got %d, and the run is %s", a.status, s.Runs()[0].Status)
	}
}

// TestDeafQueue: a cancel that a waiting job does not hear.
func TestDeafQueue(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{DeafQueue: true})
	id, path := startRun(s)
	s.SetJobs(id, Job{Name: "waits"}, Job{Name: "runs", Status: "in_progress", Runner: "hosted"})
	for _, c := range []struct{ path, want string }{{"/cancel", "queued,cancelled"}, {"/force-cancel", "cancelled,cancelled"}} {
		a := ask(t, s, "POST", path+c.path, nil)
		jobs := s.Jobs(id, 1)
		if got := cmp.Or(jobs[0].Conclusion, jobs[0].Status) + "," + jobs[1].Conclusion; a.status != 202 || got != c.want {
			t.Errorf("%s: got %d, %s", c.path, a.status, got)
		}
	}
}
