// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"slices"
	"time"
)

// Job is one job of an attempt of a run. What is empty is filled in by SetJobs.
type Job struct {
	ID      int64
	Attempt int
	Name    string
	// Status and Conclusion are GitHub's words: a job with a conclusion is
	// completed, one without is queued.
	Status, Conclusion string
	Started, Completed time.Time
	// Runner is the machine's name; a job with steps has one.
	Runner      string
	Steps       []Step
	Annotations []Annotation
	// Always keeps the job alive through a plain cancel, as if: always() does.
	Always bool
	// ContinueOnError keeps the run well although the job is not, whose conclusion stays
	// what it is (actions/runner#1161).
	ContinueOnError bool
	// NoLog is for a job whose log was lost with its runner, or removed.
	NoLog bool

	run *Run
	// kept: it was not run again in this attempt.
	kept bool
}

// Step is one step of a job. It has the job's state and times where it has none
// of its own.
type Step struct {
	Name, Status, Conclusion string
	Started, Completed       time.Time
	// Log is what the runner wrote down of the step, marks like ##[group]
	// included; the time stamps are added.
	Log string
	// Filler is the size of made-up lines, in bytes, that come before Log.
	Filler int64
}

// Annotation is a remark of a job.
type Annotation struct {
	Level, Path, Title, Text string
	Line, EndLine            int
}

// attempt names one attempt of a run.
type attempt struct {
	run    int64
	number int
}

// firstJob is larger than 32 bits, as GitHub's ids are.
const firstJob = 70_000_000_001

// SetJobs replaces the jobs of a run's present attempt. Jobs of the same name
// keep their ids. The run's own state follows from theirs: it is completed once
// all of them are.
func (s *Server) SetJobs(runID int64, jobs ...Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if run := s.runByID(runID); run != nil {
		s.remember(run)
		s.replaceJobs(run, jobs)
		s.settle(run)
	}
}

// replaceJobs gives a run's present attempt other jobs.
func (s *Server) replaceJobs(run *Run, jobs []Job) {
	key := attempt{run.ID, run.Attempt}
	old := s.jobs[key]
	s.jobs[key] = nil
	for _, j := range jobs {
		j.ID = 0
		if i := slices.IndexFunc(old, func(o *Job) bool { return o.Name == j.Name }); i >= 0 {
			j.ID, j.kept = old[i].ID, old[i].kept
		}
		s.addJob(run, j)
	}
}

// Jobs returns the jobs of an attempt of a run, as they are now.
func (s *Server) Jobs(runID int64, number int) []Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Job
	for _, j := range s.jobs[attempt{runID, number}] {
		list = append(list, *j)
	}
	return list
}

// addJob adds a job to a run's present attempt and fills in what it lacks.
func (s *Server) addJob(run *Run, j Job) {
	if j.ID == 0 {
		j.ID = firstJob + s.jobCount
		s.jobCount++
	}
	j.run, j.Attempt = run, run.Attempt
	if j.Status == "" {
		j.Status = "queued"
		if j.Conclusion != "" {
			j.Status = "completed"
		}
	}
	if j.Started.IsZero() {
		j.Started = run.Started
	}
	if j.Completed.IsZero() && j.Status == "completed" {
		j.Completed = s.now()
	}
	if j.Runner == "" && len(j.Steps) > 0 {
		j.Runner = "GitHub Actions 7"
	}
	j.Steps = slices.Clone(j.Steps)
	for i := range j.Steps {
		j.fill(&j.Steps[i])
	}
	key := attempt{run.ID, run.Attempt}
	s.jobs[key] = append(s.jobs[key], &j)
}

func (j *Job) fill(step *Step) {
	if step.Status == "" {
		step.Status = j.Status
	}
	if step.Conclusion == "" && step.Status == "completed" {
		step.Conclusion = "success"
	}
	if step.Started.IsZero() {
		step.Started = j.Started
	}
	if step.Completed.IsZero() && step.Status == "completed" {
		step.Completed = j.Completed
	}
}

// settle makes a run's state of those of its jobs: the conclusion that matters most, and
// skipped only if all were (actions/github-script#147).
func (s *Server) settle(run *Run) {
	done, worst := 0, "skipped"
	rank := []string{"skipped", "neutral", "success", "cancelled", "action_required", "timed_out", "failure"}
	status := "queued"
	jobs := s.jobs[attempt{run.ID, run.Attempt}]
	for _, j := range jobs {
		if j.Status != "queued" {
			status = "in_progress"
		}
		if j.Status == "completed" {
			done++
		}
		conclusion := j.Conclusion
		if j.ContinueOnError && failed(j) {
			conclusion = "success"
		}
		if slices.Index(rank, conclusion) > slices.Index(rank, worst) {
			worst = conclusion
		}
	}
	run.Status, run.Conclusion, run.Updated = status, "", s.now()
	if done == len(jobs) {
		run.Status, run.Conclusion = "completed", worst
		if worst == "timed_out" {
			run.Conclusion = "failure"
		}
	}
}
