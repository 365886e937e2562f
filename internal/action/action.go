// SPDX-License-Identifier: BSD-3-Clause

// Package action speaks to GitHub's runner: masks, outputs, the job summary,
// annotations and log lines. It is the only importer of go-githubactions.
//
// Everything that it writes may come from strangers, so nothing passes
// unescaped: a log line cannot become a workflow command, a table cell cannot
// become markup. It decides nothing and reads no configuration but inputs.
// Away from a runner, what only a runner understands is left out.
package action

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/sethvargo/go-githubactions"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Action writes to one step's log and files. It may be used by several
// goroutines.
type Action struct {
	sdk    *githubactions.Action
	getenv func(string) string

	mu      sync.Mutex
	out     io.Writer
	err     error
	shown   map[level]int    // annotations that the runner was given
	late    map[level]int    // those that came when the tenth place alone was left
	last    map[level]string // the last of these
	summary int              // bytes of the summary so far
}

// New returns an Action that reads the environment through getenv and writes
// log lines to stdout.
func New(getenv func(string) string, stdout io.Writer) *Action {
	a := &Action{getenv: getenv, out: stdout, shown: map[level]int{}, late: map[level]int{}, last: map[level]string{}}
	a.sdk = githubactions.New(githubactions.WithGetenv(getenv), githubactions.WithWriter((*writer)(a)))
	return a
}

// writer keeps a broken log from the SDK, which panics on it; see Err.
type writer Action

// Write never fails.
func (w *writer) Write(p []byte) (int, error) {
	if _, err := w.out.Write(p); err != nil && w.err == nil {
		w.err = fault.New(fault.Ours, "failed to write to the log: %w", err)
	}
	return len(p), nil
}

// Err returns the first failure to write to the log.
func (a *Action) Err() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}

// InActions reports whether a runner is listening.
func (a *Action) InActions() bool { return a.getenv("GITHUB_ACTIONS") == "true" }

// Input returns an input's text without the blanks around it.
func (a *Action) Input(name string) string { return a.sdk.GetInput(name) }

// Mask hides secrets in everything that the step prints from now on. The
// runner masks by line, so each line of a secret is masked by itself.
func (a *Action) Mask(secrets ...string) {
	if !a.InActions() {
		return // printing them is the last thing to do where nobody masks
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, secret := range secrets {
		for line := range strings.FieldsFuncSeq(secret, func(r rune) bool { return r == '\n' || r == '\r' }) {
			if line = strings.TrimSpace(line); line != "" {
				a.sdk.AddMask(line)
			}
		}
	}
}

// Println prints one line of outside or own text; it cannot be a workflow
// command, whatever it holds. Blanks in front are kept.
func (a *Action) Println(text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	indent := text[:len(text)-len(strings.TrimLeft(text, " "))]
	fmt.Fprintln((*writer)(a), indent+change.OneLine(text))
}

// Group begins a part of the log that can be folded; away from a runner the
// title is a line like any other.
func (a *Action) Group(title string) {
	if !a.InActions() {
		a.Println(title)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sdk.Group(change.OneLine(title))
}

// EndGroup ends the part that Group began.
func (a *Action) EndGroup() {
	if !a.InActions() {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sdk.EndGroup()
}
