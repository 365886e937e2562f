// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// actLine is one line of what act prints with --json.
type actLine struct {
	Job, Level, Msg, Step, Stage string
	Time                         time.Time
	StepID                       []string
	StepResult, JobResult        string
	// Raw is a line that a step printed.
	Raw bool `json:"raw_output"`
	// Matrix is the job's own part of its matrix.
	Matrix map[string]any
	// Command, Arg and Pairs are a workflow command that a step printed.
	Command, Arg string
	Pairs        map[string]string `json:"kvPairs"`
}

// actLog makes the jobs of GitHub's API of what act prints.
type actLog struct {
	// workflow is the workflow's name, callers are its jobs that call another one.
	workflow string
	callers  []string
	jobs     []*actJob
}

// actJob is a job while it runs.
type actJob struct {
	github.Job
	key  string   // act's name for it
	keys []string // of Steps
	lost bool     // its container went away
}

// lostText is what GitHub says of a machine that went away.
const lostText = "The self-hosted runner: act lost communication with the server. Verify the machine is running and has a healthy network connection."

// take reads a line and reports whether a step or a job began or ended.
func (l *actLog) take(text []byte) bool {
	var line actLine
	if json.Unmarshal(text, &line) != nil || strings.TrimSpace(line.Job) == "" || l.isCaller(line.Job) {
		return false
	}
	return l.job(line).take(line)
}

// isCaller tells jobs that call a workflow: only the jobs of that are shown.
func (l *actLog) isCaller(job string) bool {
	name, ok := strings.CutPrefix(strings.TrimSpace(job), l.workflow+"/")
	return ok && slices.Contains(l.callers, name)
}

// job returns the job that a line is about.
func (l *actLog) job(line actLine) *actJob {
	key := strings.TrimSpace(line.Job)
	if i := slices.IndexFunc(l.jobs, func(j *actJob) bool { return j.key == key }); i >= 0 {
		return l.jobs[i]
	}
	j := &actJob{key: key}
	j.Name, j.Status, j.Started, j.Runner = l.name(unnumbered(key, line.Matrix)), "in_progress", line.Time, "act"
	j.ContinueOnError, _ = line.Matrix["optional"].(bool) // as our workflow has it, and act has not
	l.jobs = append(l.jobs, j)
	return j
}

// name turns WORKFLOW/JOB, and CALLER/WORKFLOW/JOB of a called workflow, into
// what GitHub shows.
func (l *actLog) name(key string) string {
	first, rest, _ := strings.Cut(key, "/")
	if slices.Contains(l.callers, first) {
		if _, name, ok := strings.Cut(rest, "/"); ok {
			return first + " / " + name
		}
	}
	return strings.TrimPrefix(key, l.workflow+"/")
}

// unnumbered takes off the number that act gives each job of a matrix with several
// (pkg/runner/runner.go, NewPlanExecutor), where the name of the job is the matrix's.
func unnumbered(key string, matrix map[string]any) string {
	name, ok := matrix["name"].(string)
	i := strings.LastIndexByte(key, '-')
	if !ok || i < 0 || !strings.HasSuffix(key[:i], "/"+name) {
		return key
	}
	if _, err := strconv.Atoi(key[i+1:]); err != nil {
		return key
	}
	return key[:i]
}

// finish returns the jobs after act has ended: what did not, was lost with it. A job
// that found no runner waits on.
func (l *actLog) finish(now time.Time) []github.Job {
	for _, j := range l.jobs {
		if j.Status == "in_progress" {
			j.lost = true
			j.end("failure", now)
		}
	}
	return l.list()
}

func (l *actLog) list() []github.Job {
	var list []github.Job
	for _, j := range l.jobs {
		c := j.Job
		c.Steps, c.Annotations = slices.Clone(j.Steps), slices.Clone(j.Annotations)
		list = append(list, c)
	}
	return list
}

// goneForm is what Docker says of a job's container that somebody killed.
var goneForm = regexp.MustCompile(`[Cc]ontainer \S+ is not running|No such container`)

func (j *actJob) take(line actLine) bool {
	if line.Level == "error" && !line.Raw && goneForm.MatchString(line.Msg) {
		j.lost = true
	}
	switch {
	case strings.Contains(line.Msg, "Skipping unsupported platform"): // act has no runner of that label
		j.Status, j.Started, j.Runner = "queued", time.Time{}, ""
		return true
	case line.JobResult != "":
		j.end(line.JobResult, line.Time)
		return true
	case j.lost:
		return false
	}
	step, began := j.step(line)
	switch {
	case step == nil:
		return false
	case line.StepResult != "" && len(line.StepID) < 2:
		if step.Status != "completed" {
			step.Status, step.Conclusion, step.Completed = "completed", line.StepResult, line.Time
		}
		return true
	case line.Raw:
		step.Log += strings.TrimRight(line.Msg, "\r\n") + "\n"
	default:
		j.remark(step, line)
	}
	return began
}

// step returns the step that a line belongs to, and whether it is new. Steps of
// composite actions are part of the step that uses those. What has to be done
// after a step is one of its own only if there is something to do.
func (j *actJob) step(line actLine) (*github.Step, bool) {
	key, name := "", stepName(line.Step)
	switch {
	case len(line.StepID) > 0 && line.Stage == "Main":
		key = "main " + line.StepID[0]
	case len(line.StepID) > 0 && line.Stage == "Post":
		key, name = "post "+line.StepID[0], "Post "+name
	case line.Step == "Set up job" || line.Step == "Complete job":
		key = line.Step
	default:
		return nil, false
	}
	if i := slices.Index(j.keys, key); i >= 0 {
		return &j.Steps[i], false
	}
	began := strings.HasPrefix(line.Msg, "\u2b50 Run ")
	if line.Stage == "Post" {
		began = line.Raw || line.StepResult == "failure"
	}
	if !began { // or its condition left it out
		return nil, false
	}
	j.keys = append(j.keys, key)
	j.Steps = append(j.Steps, github.Step{Name: name, Status: "in_progress", Started: line.Time})
	if line.Stage == "Main" { // runners begin each step's log so
		j.Steps[len(j.Steps)-1].Log = "##[group]Run " + strings.TrimPrefix(name, "Run ") + "\n##[endgroup]\n"
	}
	return &j.Steps[len(j.Steps)-1], true
}

// usesForm is what act calls a step that has no name of its own.
var usesForm = regexp.MustCompile(`^[\w.-]+/\S+@\S+$`)

// stepName is a step's name as GitHub shows it.
func stepName(name string) string {
	first, _, several := strings.Cut(name, "\n")
	if usesForm.MatchString(name) || several {
		return "Run " + first
	}
	return name
}

// exitForm is how act says that a step's process failed.
var exitForm = regexp.MustCompile("^(?:exitcode '|exit with `FAILURE`: )(\\d+)")

// remark notes what a runner would write down of a workflow command or of a
// step's end.
func (j *actJob) remark(step *github.Step, line actLine) {
	exit := exitForm.FindStringSubmatch(line.Msg)
	switch {
	case line.Command == "error" || line.Command == "warning" || line.Command == "notice":
		step.Log += "##[" + line.Command + "]" + line.Arg + "\n"
		level := map[string]string{"error": "failure", "warning": "warning", "notice": "notice"}[line.Command]
		path := line.Pairs["file"]
		if path == "" {
			path = ".github"
		}
		j.Annotations = append(j.Annotations, github.Annotation{Level: level, Path: path, Title: line.Pairs["title"], Line: 1, Text: line.Arg})
	case line.Msg == "Failed but continue next step":
		step.Status, step.Conclusion, step.Completed = "completed", "success", line.Time
	case exit != nil && !strings.Contains(step.Log, "##[error]Process completed"):
		text := "Process completed with exit code " + exit[1] + "."
		step.Log += "##[error]" + text + "\n"
		j.Annotations = append(j.Annotations, github.Annotation{Level: "failure", Path: ".github", Line: 1, Text: text})
	}
}

// end closes the job. One that was lost has a step that never ended, as GitHub
// shows it.
func (j *actJob) end(result string, at time.Time) {
	j.Status, j.Conclusion, j.Completed = "completed", result, at
	if !j.lost {
		return
	}
	j.Annotations, j.NoLog, j.Conclusion = []github.Annotation{{Level: "failure", Path: ".github", Line: 1, Text: lostText}}, true, "failure"
	for i := range j.Steps {
		if s := &j.Steps[i]; s.Conclusion == "failure" || s.Status != "completed" {
			s.Status, s.Conclusion, s.Completed = "in_progress", "", time.Time{}
			j.Steps = j.Steps[:i+1]
			return
		}
	}
}
