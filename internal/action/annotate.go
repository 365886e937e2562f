// SPDX-License-Identifier: BSD-3-Clause

package action

import (
	"fmt"

	"github.com/sethvargo/go-githubactions"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// level is the kind of an annotation.
type level string

const (
	notice  level = "notice"
	warning level = "warning"
	problem level = "error"
)

// The runner shows ten annotations of a kind for each step and cuts a text at
// 4096 characters (ExecutionContext.cs in actions/runner). The tenth place is
// kept until Close knows whether there are more.
const (
	maxMarks    = 10
	maxMarkText = 4000
)

// Notice annotates the run with something worth knowing.
func (a *Action) Notice(text string) { a.mark(notice, text) }

// Warning annotates the run with something that should be looked at.
func (a *Action) Warning(text string) { a.mark(warning, text) }

// Error annotates the run with a failure.
func (a *Action) Error(text string) { a.mark(problem, text) }

// Titled annotates the run with text under a title: a failure, or else something
// worth knowing. The text is for programs and stays as it is, so it must be
// printable ASCII on one line. The runner takes it however many annotations were
// asked for before. Away from a runner there is none.
func (a *Action) Titled(failure bool, title, text string) {
	if !a.InActions() {
		return
	}
	l := notice
	if failure {
		l = problem
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.shown[l]++
	a.print(a.sdk.WithFieldsMap(map[string]string{"title": title}), l, text)
}

// mark prints an annotation, or a plain line once the runner would drop it.
func (a *Action) mark(l level, text string) {
	text = change.OneLine(change.Clip(text, maxMarkText))
	a.mu.Lock()
	now := a.InActions() && a.shown[l] < maxMarks-1
	if now {
		a.shown[l]++
		a.print(a.sdk, l, text)
	} else {
		a.late[l]++
		a.last[l] = text
	}
	a.mu.Unlock()
	if !now {
		a.Println(string(l) + ": " + text)
	}
}

// Close prints the last annotation of each kind: the tenth, or how many there
// are beyond the ninth. Call it once, at the end of the step.
func (a *Action) Close() {
	if !a.InActions() {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, l := range []level{notice, warning, problem} {
		switch n := a.late[l]; {
		case a.shown[l] >= maxMarks:
		case n == 1:
			a.print(a.sdk, l, a.last[l])
		case n > 1:
			a.print(a.sdk, l, fmt.Sprintf("%d more of this kind are in the log of this step", n))
		}
	}
}

func (a *Action) print(sdk *githubactions.Action, l level, text string) {
	switch l {
	case notice:
		sdk.Noticef("%s", text)
	case warning:
		sdk.Warningf("%s", text)
	case problem:
		sdk.Errorf("%s", text)
	}
}
