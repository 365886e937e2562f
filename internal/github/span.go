// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// span is where in a job's log the step stands that decided how the job ended. A
// log has no other sign of where a step ends; the jobs API has the times, in whole
// seconds, as the log's stamps have them (both are the runner's clock).
type span struct {
	// since and until are the first and the last second of the step, as in the
	// stamps, or empty.
	since, until string
	// name is the step's name.
	name string
	// overlap: an earlier step ended in the second since. heads is how many earlier
	// steps began in it, each of which has a head line of its own.
	overlap bool
	heads   int
	// next: a later step began in the second until.
	next bool
}

// headless are the steps of the runner itself, which have no head line in the log
// (actions/runner JobExtension.cs, ContainerOperationProvider.cs).
var headless = []string{"Set up job", "Initialize containers", "Stop containers", "Complete job"}

// spanOf finds the first step that failed, or else the first that was cancelled.
// The log alone does not tell it from a step that failed without harm before
// (continue-on-error), or from one that ran always and failed as a consequence.
func spanOf(steps []change.Step) span {
	i := slices.IndexFunc(steps, func(s change.Step) bool { return s.Conclusion == "failure" || s.Conclusion == "timed_out" })
	if i < 0 {
		i = slices.IndexFunc(steps, func(s change.Step) bool { return s.Conclusion == "cancelled" })
	}
	if i < 0 || steps[i].Completed.IsZero() {
		return span{}
	}
	s := span{since: second(steps[i].Started), until: second(steps[i].Completed), name: steps[i].Name}
	for _, before := range steps[:i] {
		if !ran(before) || !hasHead(before) {
			continue
		}
		if s.since == "" || second(before.Completed) >= s.since {
			s.overlap = true
		}
		if second(before.Started) == s.since {
			s.heads++
		}
	}
	for _, after := range steps[i+1:] {
		s.next = s.next || ran(after) && second(after.Started) <= s.until
	}
	return s
}

func ran(s change.Step) bool {
	return s.Conclusion != "skipped" && !s.Started.IsZero()
}

func hasHead(s change.Step) bool {
	return !slices.Contains(headless, s.Name) && !strings.HasPrefix(s.Name, "Post ")
}

// second writes a time as the stamps begin, or "".
func second(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(stampSecond)
}

// headMark begins the first line of a step's log: what it runs. Composite actions
// have such lines for their own steps, too, and a job may print some.
// actions/runner Handler.cs, ScriptHandler.cs
var headMark = []byte("##[group]Run ")

// What is kept of a script, in lines; what is cut ends in "...".
const maxScript = 20

// headReader finds the head line of the step in a span, and the lines of a script
// behind it, which the runner prints in bright cyan.
type headReader struct {
	span
	seen    int // head lines in the second since
	settled bool
	taking  bool // the lines that come belong to found
	found   []string
}

// add takes the next line of a log and the second in which it was printed. It
// reports whether the line is the head of the step, as far as is known by then.
func (h *headReader) add(at, line []byte) bool {
	if h.taking {
		if h.taking = h.script(line); h.taking {
			return false
		}
	}
	if h.settled || h.since == "" || !bytes.HasPrefix(line, headMark) || len(at) == 0 || string(at) < h.since {
		return false
	}
	text := change.Clip(string(line[len("##[group]"):min(len(line), maxLine)]), maxLine)
	switch {
	case !h.overlap, text == h.name:
		h.settled = true
		h.take(text)
	case string(at) > h.since: // which settles what came before
		h.settled = true
		if h.seen <= h.heads {
			h.take(text)
		}
	default:
		if h.seen++; h.seen == h.heads+1 {
			h.take(text)
		} else if h.seen > h.heads+1 { // not to be told apart
			h.found = nil
		}
	}
	return h.taking
}

func (h *headReader) take(text string) { h.found, h.taking = []string{text}, true }

const (
	cyan  = "\x1b[36;1m"
	plain = "\x1b[0m"
)

// script takes a line of the script, whose first line is the head's own.
func (h *headReader) script(line []byte) bool {
	text, ok := strings.CutPrefix(string(line[:min(len(line), maxLine)]), cyan)
	switch {
	case !ok || len(h.found) > maxScript:
		return false
	case len(h.found) == maxScript:
		text = "..."
	}
	h.found = append(h.found, strings.TrimSuffix(text, plain))
	return true
}

// run returns what the step ran, or "".
func (h *headReader) run() string {
	if len(h.found) == 0 {
		return ""
	}
	// The head has the script's first line that is not empty.
	lines := h.found[1:]
	for len(lines) > 0 && strings.TrimSpace(lines[0]) == "" {
		lines = lines[1:]
	}
	if len(lines) > 0 {
		lines = lines[1:]
	}
	return strings.TrimRight(strings.Join(append(h.found[:1:1], lines...), "\n"), "\n")
}
