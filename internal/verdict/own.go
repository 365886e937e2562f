// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// MarkTitle is the title of the annotation with which our programs say how a test
// ended. They print it after the test's processes have ended and with the test's
// own workflow commands switched off, so a test cannot write it.
const MarkTitle = "dispatcher result"

// Who is to be held to how a job ended, as Mark.By names them.
const (
	ByTest = "test"
	ByRig  = "rig"
	// ByPatch: what the patchset brought could not even be checked out.
	ByPatch = "patch"
)

// Mark is what a program of ours says of a test that it ran: one line of JSON. Later
// versions may add fields.
type Mark struct {
	V int `json:"v"`
	// By is ByTest if the test ended by itself or reached its own time limit, ByRig
	// if what it runs on failed, ByPatch if the checkout says so.
	By          string `json:"by"`
	Environment string `json:"environment,omitempty"`
	Shard       int    `json:"shard,omitempty"`
	Shards      int    `json:"shards,omitempty"`
	// Optional: the environment does not vote.
	Optional bool `json:"optional,omitempty"`
	// Exit is the exit status of the test, from 0 to 255.
	Exit     int  `json:"exit"`
	TimedOut bool `json:"timed_out,omitempty"`
	// Tests counts the test cases, where that is known.
	Tests *MarkTests `json:"tests,omitempty"`
	// Why is a short text about a rig or a patchset that failed.
	Why string `json:"why,omitempty"`
}

// MarkTests counts test cases.
type MarkTests struct {
	Run    int `json:"run"`
	Failed int `json:"failed"`
}

// Bounds of what is read: the runner cuts annotations at 4,096 characters
// (actions/runner ExecutionContext.cs).
const (
	maxMark     = 4096
	maxMarkText = 300
	maxShards   = 10000
	maxCount    = 1 << 30
)

// ParseMark reads what one of our programs says of a test. Anything that is not
// exactly such a text is none.
func ParseMark(text string) (Mark, bool) {
	var o Mark
	text = strings.TrimSpace(text)
	if len(text) > maxMark || !strings.HasPrefix(text, "{") {
		return Mark{}, false
	}
	d := json.NewDecoder(strings.NewReader(text))
	if err := d.Decode(&o); err != nil {
		return Mark{}, false
	}
	if _, err := d.Token(); err != io.EOF || !o.valid() {
		return Mark{}, false
	}
	o.Environment, o.Why = change.Clip(o.Environment, maxMarkText), change.Clip(o.Why, maxMarkText)
	return o, true
}

func (o Mark) valid() bool {
	within := func(n, most int) bool { return 0 <= n && n <= most }
	if t := o.Tests; t != nil && !(within(t.Run, maxCount) && within(t.Failed, t.Run)) {
		return false
	}
	return o.V == 1 && (o.By == ByTest || o.By == ByRig || o.By == ByPatch) && within(o.Exit, 255) && within(o.Shard, maxShards) && within(o.Shards, maxShards)
}

// rig reports whether there is a mark that says that the rig failed.
func (o *Mark) rig() bool { return o != nil && o.By == ByRig }

// test reports whether there is a mark that says that the test failed. Where the
// test passed, something else made the step fail, of which the mark says nothing.
func (o *Mark) test() bool { return o != nil && o.By == ByTest && (o.Exit != 0 || o.TimedOut) }

// patch reports whether there is a mark that says that the patchset is at fault.
func (o *Mark) patch() bool { return o != nil && o.By == ByPatch && o.Exit != 0 }

// same reports whether two of them say the same.
func (o Mark) same(p Mark) bool {
	a, b := o.Tests, p.Tests
	o.Tests, p.Tests = nil, nil
	return o == p && (a == nil) == (b == nil) && (a == nil || *a == *b)
}

// isMark reports whether an annotation is one of ours, which is not for people.
func isMark(title, text string) bool {
	_, ok := ParseMark(text)
	return ok && title == MarkTitle
}

// markOf returns what a program of ours said in a step. That the patchset is at fault
// only a checkout may say, and a checkout says nothing else: it knows of no test.
func (s stepKinds) markOf(j change.Job, step change.Step, exit int) (mark *Mark, doubt bool) {
	checkout := isCheckout(step, j.FailedRun)
	if !checkout && !s.isOurs(step, j.FailedRun) {
		return nil, false
	}
	mark, doubt = markOf(j, exit)
	if mark != nil && checkout != (mark.By == ByPatch) {
		return nil, false
	}
	return mark, doubt
}

// markOf returns what a job's annotations say, or else the end of its log; nil if
// they say nothing, or different things, as doubt tells. Only a step that is ours
// is asked for it.
func markOf(j change.Job, exit int) (mark *Mark, doubt bool) {
	var all []Mark
	for _, a := range j.Annotations[:min(len(j.Annotations), maxRemarks)] {
		if a.Title != MarkTitle || a.Path != "" && a.Path != ".github" {
			continue
		}
		if o, ok := ParseMark(a.Text); ok {
			all = append(all, o)
		}
	}
	if len(all) == 0 {
		all = marksInLog(tail(j.LogTail, maxTail), exit)
	}
	for _, o := range all {
		if !o.same(all[0]) {
			return nil, true
		}
	}
	if len(all) == 0 {
		return nil, false
	}
	return &all[0], false
}

// marksInLog looks for it in a log, for those who may not read annotations. The
// runner shows the annotation without its title, and lines of a test that look so
// as they are. But a test cannot keep our program from writing last, unless it
// kills it: then the step does not end with the status that belongs to the text.
func marksInLog(lines []string, exit int) []Mark {
	var all []Mark
	resumed := false
	for _, line := range lines {
		if isResumed(line) {
			resumed = true
			continue
		}
		for _, mark := range []string{"##[notice]", "##[error]"} {
			text, ok := strings.CutPrefix(line, mark)
			if !ok || !strings.HasPrefix(text, `{"v":`) {
				continue
			}
			if o, ok := ParseMark(text); ok && resumed {
				all = append(all, o)
			}
		}
	}
	if len(all) == 0 || !all[len(all)-1].endsWith(exit) {
		return nil
	}
	return all
}

// endsWith reports whether our programs end with this status after saying so.
func (o Mark) endsWith(exit int) bool {
	switch {
	case o.By == ByRig:
		return exit == rigExit || exit >= firstRigExit && exit <= lastRigExit
	case o.TimedOut:
		return exit > 0
	}
	return exit == o.Exit && exit != 0
}

// The statuses of "dispatcher guest run" where the host or the guest failed.
const (
	firstRigExit = 250
	lastRigExit  = 254
)

// isResumed knows the line with which the runner obeys workflow commands again. It
// shows the word that was agreed on as "***" (actions/runner
// ActionCommandManager.cs).
func isResumed(line string) bool {
	word, ok := strings.CutPrefix(line, "::")
	if !ok {
		return false
	}
	word, ok = strings.CutSuffix(word, "::")
	return ok && word != "" && !strings.ContainsAny(word, ": ")
}

// told is what a message says of the mark of a job that failed.
func (r JobResult) told() string {
	switch m := r.Mark; {
	case r.Doubt:
		return " (it told results that contradict each other)"
	case m == nil || m.By != ByTest:
		return ""
	case m.TimedOut:
		return " at its time limit"
	case m.Tests != nil && m.Tests.Failed > 0:
		return fmt.Sprintf(" with %d of %d tests failed", m.Tests.Failed, m.Tests.Run)
	}
	return ""
}
