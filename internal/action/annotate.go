// SPDX-License-Identifier: BSD-3-Clause

package action

import (
	"fmt"

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

// mark prints an annotation, or a plain line once the runner would drop it.
func (a *Action) mark(l level, text string) {
	text = change.OneLine(change.Clip(text, maxMarkText))
	a.mu.Lock()
	a.marks[l]++
	n := a.marks[l]
	if n == maxMarks {
		a.tenth[l] = text
	}
	a.mu.Unlock()
	if a.InActions() && n < maxMarks {
		a.command(l, text)
		return
	}
	a.Println(string(l) + ": " + text)
}

// Close prints the last annotation of each kind: the tenth, or how many there
// are beyond the ninth. Call it once, at the end of the step.
func (a *Action) Close() {
	if !a.InActions() {
		return
	}
	for _, l := range []level{notice, warning, problem} {
		a.mu.Lock()
		n, text := a.marks[l], a.tenth[l]
		a.mu.Unlock()
		switch {
		case n == maxMarks:
			a.command(l, text)
		case n > maxMarks:
			a.command(l, fmt.Sprintf("%d more of this kind are in the log of this step", n-maxMarks+1))
		}
	}
}

func (a *Action) command(l level, text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch l {
	case notice:
		a.sdk.Noticef("%s", text)
	case warning:
		a.sdk.Warningf("%s", text)
	case problem:
		a.sdk.Errorf("%s", text)
	}
}
