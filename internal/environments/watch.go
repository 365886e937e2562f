// SPDX-License-Identifier: BSD-3-Clause

package environments

import (
	"slices"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// Watch follows jobs that wait for a lab's runners.
type Watch struct {
	// Lab are the jobs to follow.
	Lab []Waiting
	// Deadline is how long one may wait while nobody works on its labels.
	Deadline time.Duration
	// Self is the job that watches, which is not waited for.
	Self string

	// since is when each set of labels was last known to have a runner.
	since map[string]time.Time
}

// Verdict is what a look at the jobs led to.
type Verdict struct {
	// Done says that there is nothing left to watch: each required job has found its
	// runner, and each optional one has ended.
	Done bool
	// Offline are the jobs that no runner took in time.
	Offline []Waiting
	// Cancel says that nothing but those is left, and that one of them is required,
	// so that the run may be ended.
	Cancel bool
	// GiveUp says that nothing but those is left, and that all of them are optional:
	// what else there is may be reported.
	GiveUp bool
}

// Look judges the jobs as they are now.
func (w *Watch) Look(now time.Time, jobs []change.Job) Verdict {
	if w.since == nil {
		w.since = map[string]time.Time{}
	}
	var waiting []Waiting
	working := false // on an optional job
	for _, l := range w.Lab {
		key := strings.Join(l.Labels, ",")
		if _, known := w.since[key]; !known {
			w.since[key] = now
		}
		switch job := find(jobs, l.Name); {
		case job == nil || job.Status != "completed" && job.Status != "in_progress":
			waiting = append(waiting, l)
		case job.Status == "in_progress": // the lab is there, if busy
			w.since[key] = now
			working = working || l.Optional
		}
	}
	v := Verdict{Done: len(waiting) == 0 && !working}
	required := false
	for _, l := range waiting {
		if now.Sub(w.since[strings.Join(l.Labels, ",")]) >= w.Deadline {
			v.Offline = append(v.Offline, l)
			required = required || !l.Optional
		}
	}
	if len(v.Offline) > 0 && len(v.Offline) == len(waiting) && !w.working(jobs) {
		v.Cancel, v.GiveUp = required, !required
	}
	return v
}

// working reports whether any other job runs, or will once GitHub has a runner.
func (w *Watch) working(jobs []change.Job) bool {
	return slices.ContainsFunc(jobs, func(j change.Job) bool {
		lab := slices.ContainsFunc(w.Lab, func(l Waiting) bool { return isCalled(j.Name, l.Name) })
		return j.Status == "in_progress" && !isCalled(j.Name, w.Self) || j.Status == "queued" && !lab && !slices.Contains(after, lastName(j.Name))
	})
}

// after are jobs that wait for the one that watches. GitHub does not list jobs
// before those that they need have ended; should it, they are not waited for.
var after = []string{"report", "give-up"}

func lastName(job string) string { return job[strings.LastIndex(" / "+job, " / "):] }

func find(jobs []change.Job, name string) *change.Job {
	i := slices.IndexFunc(jobs, func(j change.Job) bool { return isCalled(j.Name, name) })
	if i < 0 {
		return nil
	}
	return &jobs[i]
}

// isCalled knows a job of a reusable workflow, "CALLER / NAME", by its name.
func isCalled(job, name string) bool {
	return job == name || strings.HasSuffix(job, " / "+name)
}
