// SPDX-License-Identifier: BSD-3-Clause

package environments

import (
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// TestWatch looks again and again while time passes; each step tells the state
// of the jobs unit, nvme and metal and what is thought of it.
func TestWatch(t *testing.T) {
	t.Parallel()
	nvme, metal := Waiting{"nvme", []string{"self-hosted", "qemuhost"}, false}, Waiting{"metal", []string{"self-hosted", "lab"}, false}
	type step struct {
		after             time.Duration
		unit, nvme, metal string
		want              Verdict
	}
	const queued, running, done = "queued", "in_progress", "completed"
	for name, steps := range map[string][]step{
		"all are taken":        {{0, running, queued, queued, Verdict{}}, {time.Minute, running, running, done, Verdict{Done: true}}},
		"not created yet":      {{0, running, "", "", Verdict{}}},
		"the labs are offline": {{0, running, queued, queued, Verdict{}}, {30 * time.Minute, done, queued, queued, Verdict{Offline: []Waiting{nvme, metal}, Cancel: true}}},
		"another job still works": {
			{0, running, queued, queued, Verdict{}}, {30 * time.Minute, running, queued, done, Verdict{Offline: []Waiting{nvme}}},
			{10 * time.Minute, done, queued, done, Verdict{Offline: []Waiting{nvme}, Cancel: true}},
		},
		"another job waits for GitHub": {{0, queued, queued, done, Verdict{}}, {30 * time.Minute, queued, queued, done, Verdict{Offline: []Waiting{nvme}}}},
		"one lab waits for the other": {
			{0, done, queued, running, Verdict{}}, {31 * time.Minute, done, queued, running, Verdict{Offline: []Waiting{nvme}}},
		},
	} {
		w := Watch{Lab: []Waiting{nvme, metal}, Deadline: 30 * time.Minute, Self: "lab"}
		now := time.Unix(0, 0)
		for i, s := range steps {
			now = now.Add(s.after)
			jobs := []change.Job{{Name: "autorun / lab", Status: running}}
			for job, status := range map[string]string{"unit": s.unit, "nvme": s.nvme, "metal": s.metal} {
				if status != "" {
					jobs = append(jobs, change.Job{Name: "autorun / " + job, Status: status})
				}
			}
			if diff := cmp.Diff(s.want, w.Look(now, jobs)); diff != "" {
				t.Errorf("%s, look %d (-want +got):\n%s", name, i+1, diff)
			}
		}
	}
}

// TestBusyLab: while a lab works on one shard, the other waits as long as it takes.
func TestBusyLab(t *testing.T) {
	t.Parallel()
	labels := []string{"self-hosted", "lab"}
	w := Watch{Lab: []Waiting{{"a (1/2)", labels, false}, {"a (2/2)", labels, false}}, Deadline: time.Minute}
	look := func(minute int, one string) Verdict {
		return w.Look(time.Unix(int64(60*minute), 0), []change.Job{{Name: "a (1/2)", Status: one}, {Name: "a (2/2)", Status: "queued"}})
	}
	if v := look(0, "in_progress"); v.Offline != nil {
		t.Errorf("got %+v", v)
	}
	if v := look(300, "in_progress"); v.Offline != nil {
		t.Errorf("got %+v", v)
	}
	if v := look(302, "completed"); !v.Cancel || len(v.Offline) != 1 {
		t.Errorf("got %+v, want the second shard offline", v)
	}
}

// TestOptionalLab: optional jobs that nobody takes are given up once all else has
// ended; those that are taken are waited for.
func TestOptionalLab(t *testing.T) {
	t.Parallel()
	nvme, metal := Waiting{"nvme", []string{"qemuhost"}, false}, Waiting{"metal" + LabSuffix, []string{"lab"}, true}
	const queued, running, done = "queued", "in_progress", "completed"
	type step struct {
		after             time.Duration
		unit, nvme, metal string
		want              Verdict
	}
	for name, steps := range map[string][]step{
		"it comes in time":       {{0, running, running, queued, Verdict{}}, {time.Minute, done, done, running, Verdict{}}, {5 * time.Hour, done, done, done, Verdict{Done: true}}},
		"it is offline":          {{0, done, done, queued, Verdict{}}, {29 * time.Minute, done, done, queued, Verdict{}}, {time.Minute, done, done, queued, Verdict{Offline: []Waiting{metal}, GiveUp: true}}},
		"a test still runs":      {{0, running, done, queued, Verdict{}}, {30 * time.Minute, running, done, queued, Verdict{Offline: []Waiting{metal}}}, {time.Hour, running, done, running, Verdict{}}},
		"the required one works": {{0, done, running, queued, Verdict{}}, {time.Hour, done, running, queued, Verdict{Offline: []Waiting{metal}}}, {time.Hour, done, done, queued, Verdict{Offline: []Waiting{metal}, GiveUp: true}}},
		"the required one waits": {{0, done, queued, running, Verdict{}}, {29 * time.Minute, done, queued, running, Verdict{}}},
		"both are offline":       {{0, done, queued, queued, Verdict{}}, {time.Hour, done, queued, queued, Verdict{Offline: []Waiting{nvme, metal}, Cancel: true}}},
		"the required one is":    {{0, done, queued, done, Verdict{}}, {time.Hour, done, queued, done, Verdict{Offline: []Waiting{nvme}, Cancel: true}}},
	} {
		w := Watch{Lab: []Waiting{nvme, metal}, Deadline: 30 * time.Minute, Self: "lab"}
		now := time.Unix(0, 0)
		for i, s := range steps {
			now = now.Add(s.after)
			jobs := []change.Job{
				{Name: "autorun / lab", Status: running}, {Name: "autorun / report", Status: queued}, {Name: "autorun / give-up", Status: queued},
				{Name: "autorun / unit", Status: s.unit}, {Name: "autorun / nvme", Status: s.nvme}, {Name: "autorun / metal" + LabSuffix, Status: s.metal},
			}
			if diff := cmp.Diff(s.want, w.Look(now, jobs)); diff != "" {
				t.Errorf("%s, look %d (-want +got):\n%s", name, i+1, diff)
			}
		}
	}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	dir := fstest.MapFS{
		"results-b/result.json":          {Data: []byte(`{"id": "b", "name": "b", "kind": "guest", "status": 3, "seconds": 1.5}`)},
		"results-a/result.json":          {Data: []byte(`{"id": "a", "name": "a", "kind": "docker", "rig_failed": "no image"}`)},
		"results-c/output/log":           {Data: []byte("x")},
		"results-d/result.json":          {Data: []byte("not JSON")},
		"results-e/result.json":          {Data: make([]byte, maxResultFile+1)},
		"a\n::error::b/result.json/file": {Data: []byte("x")},
		"file":                           {Data: []byte("x")},
	}
	got, wrong, err := Collect(dir)
	want := []Result{{ID: "a", Name: "a", Kind: Docker, RigFailed: "no image"}, {ID: "b", Name: "b", Kind: Guest, Status: 3, Seconds: 1.5}}
	if err != nil || !cmp.Equal(want, got) || len(wrong) != 4 {
		t.Errorf("got %+v, %v, %v", got, wrong, err)
	}
	alone := fstest.MapFS{"result.json": {Data: []byte(`{"id": "a", "name": "a", "status": 3}`)}, "output/result.json": {Data: []byte(`{"id": "b", "name": "b"}`)}}
	if got, wrong, err = Collect(alone); err != nil || len(wrong) != 0 || !cmp.Equal([]Result{{ID: "a", Name: "a", Status: 3}}, got) {
		t.Errorf("a single job: got %+v, %v, %v", got, wrong, err)
	}
	words := map[string]Result{"passed": {}, "failed": {Status: 1}, "timed out": {Status: 124, TimedOut: true}, "no verdict": {RigFailed: "x", Status: 251}}
	for want, r := range words {
		if got := r.Word(); got != want {
			t.Errorf("%+v: got %q, want %q", r, got, want)
		}
	}
}
