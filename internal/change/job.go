// SPDX-License-Identifier: BSD-3-Clause

package change

import "time"

// Job is one job of a workflow run as GitHub describes it. Names and texts come
// from the workflow and from what the job printed: outside text.
type Job struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	// Attempt is the run attempt that the job belongs to, from 1.
	Attempt int `json:"attempt"`
	// Status is GitHub's word: queued, in_progress, completed, ...
	Status string `json:"status"`
	// Conclusion is set once Status is completed: success, failure, cancelled,
	// skipped, timed_out, neutral, action_required, startup_failure, stale; it
	// may be empty (null) even then.
	Conclusion string    `json:"conclusion,omitempty"`
	Started    time.Time `json:"started"`
	Completed  time.Time `json:"completed"`
	// URL is the job's page, pinned to the attempt.
	URL string `json:"url,omitempty"`
	// Runner is the name of the machine; empty if none ever took the job.
	Runner      string       `json:"runner,omitempty"`
	Steps       []Step       `json:"steps,omitempty"`
	Annotations []Annotation `json:"annotations,omitempty"`
	// LogTail are the last lines of the failing step's log, raw.
	LogTail []string `json:"log_tail,omitempty"`
	// FailedRun is what the failing step ran, raw, as the runner writes it in front
	// of the step's log: "Run OWNER/ACTION@REF", or "Run" and the lines of a script.
	// It is empty where the log does not tell for sure.
	FailedRun string `json:"failed_run,omitempty"`
	// Told is what the whole log of that step tells of failures.
	Told LogReport `json:"told,omitzero"`
	// Unread: nobody has asked for the remarks and the log of the job.
	Unread bool `json:"unread,omitempty"`
}

// Step is one step of a job.
type Step struct {
	Number     int    `json:"number"`
	Name       string `json:"name"`
	Status     string `json:"status"`
	Conclusion string `json:"conclusion,omitempty"`
	// Started and Completed are whole seconds; zero where GitHub does not tell.
	Started   time.Time `json:"started,omitzero"`
	Completed time.Time `json:"completed,omitzero"`
}

// Annotation is a remark that a job attached to itself or to a line of a file.
type Annotation struct {
	// Level is notice, warning or failure.
	Level string `json:"level"`
	// Path is the file, relative to the repository's root; ".github" stands for
	// the run itself.
	Path string `json:"path,omitempty"`
	// Line counts from 1; 0 is none.
	Line    int    `json:"line,omitempty"`
	EndLine int    `json:"end_line,omitempty"`
	Title   string `json:"title,omitempty"`
	Text    string `json:"text"`
}

// Artifact is a file set that a run kept.
type Artifact struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	// Size is in bytes, as stored.
	Size int64 `json:"size"`
	// Expired artifacts cannot be downloaded any more.
	Expired bool   `json:"expired,omitempty"`
	URL     string `json:"url,omitempty"`
}
