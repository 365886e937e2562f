// SPDX-License-Identifier: BSD-3-Clause

package testlog

import (
	"bytes"
	"math"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

const (
	// maxLine is how much of a line is looked at, in bytes.
	maxLine = 4 << 10
	// maxFailures is how many failures are kept; detailed is how many of them have
	// details.
	maxFailures = 1000
	detailed    = 50
	// maxText and maxName bound what is kept of a message and of a name, in bytes;
	// maxDetails how many lines explain a failure.
	maxText    = 2 << 10
	maxName    = 500
	maxDetails = 4
	// maxAround is how many lines stand around what repeats a failure.
	maxAround = 12
	// maxNoted bounds each of the lists that wait for what a tool says later.
	maxNoted = 200
)

// Reader finds failures in a log. The zero value is ready for the first line.
type Reader struct {
	lines int
	found []*failure
	index map[identity]*failure
	more  int
	// counts are how many tests each tool ran.
	counts map[string]int
	// spare takes what there is no room for.
	spare failure
	// block takes the lines after the one that began it, as long as they belong to
	// it; left is how many more it may look at.
	block func(line string) bool
	left  int
	// command is the last command that a shell traced.
	command []byte
	folders folders
	objects objects
	// recent are the last of kept lines, around those before the first echo of a
	// failure.
	recent [maxAround][]byte
	kept   int
	around []string

	// output is that of the test that printed the present line, if it is known; nil
	// is none.
	output *output

	native   native
	ctest    ctest
	automake automake
	golang   golang
	// packages are those of Go that are tested at the same time (go test -json).
	packages   map[string]*golang
	python     python
	java       java
	javascript javascript
	stage      stage
}

// Line takes the next line of the log, without its end. It keeps nothing of the
// slice.
func (r *Reader) Line(line []byte) {
	r.lines++
	line, ok := r.goOutput(r.ctestOutput(bare(line)))
	if !ok || len(line) == 0 && r.block == nil {
		return
	}
	if traced(line) {
		r.trace(line)
		return
	}
	shown := r.output
	if !r.taken(line) {
		r.match(line)
	}
	if shown != nil && shown == r.output { // else it ends or begins here
		shown.say(string(line))
	}
	r.keep(line)
}

// taken lets the block take a line, if it wants that.
func (r *Reader) taken(line []byte) bool {
	if r.block == nil {
		return false
	}
	if r.left--; r.left < 0 {
		r.block = nil
		return false
	}
	return r.block(string(line))
}

// keep keeps a line for as long as it is one of the last.
func (r *Reader) keep(line []byte) {
	if len(line) == 0 {
		return
	}
	at := &r.recent[r.kept%maxAround]
	*at = append((*at)[:0], line[:min(len(line), maxText)]...)
	r.kept++
}

// before yields the last lines before this one, oldest first.
func (r *Reader) before() []string {
	var lines []string
	for i := max(0, r.kept-maxAround+1); i < r.kept; i++ {
		lines = append(lines, string(r.recent[i%maxAround]))
	}
	return lines
}

// echo notes a line which repeats that something failed, with the lines before it.
func (r *Reader) echo(line string) {
	if r.around != nil {
		return
	}
	r.around = append(r.before(), clip(line, maxText))
}

// match tries the rules that may fit a line.
func (r *Reader) match(line []byte) {
	first := bytes.TrimLeft(line, " \t")
	if len(first) == 0 {
		return
	}
	for _, list := range [...][]*rule{rulesBy[first[0]], anywhere} {
		for _, rule := range list {
			if !bytes.Contains(line, rule.with) {
				continue
			}
			if m := rule.re.FindSubmatch(line); m != nil {
				words := make([]string, len(m))
				for i := range m {
					words[i] = string(m[i])
				}
				rule.do(r, words)
				return
			}
		}
	}
}

// follow lets a block take up to so many of the lines that come. It returns whether
// it took a line; one that is not taken is read as any other.
func (r *Reader) follow(lines int, block func(line string) bool) {
	r.block, r.left = block, lines
}

// add keeps a failure, or gives the one that was found before and says the same, or
// is about the same test.
func (r *Reader) add(tool string, c class, f change.Failure) *failure {
	f.Test, f.Text = clip(f.Test, maxName), clip(f.Text, maxText)
	if f.Path = clip(f.Path, maxName); strings.HasSuffix(f.Path, "...") {
		f.Path = ""
	}
	id := identity{test: f.Test}
	switch {
	case f.Test == "":
		id = identity{path: f.Path, line: f.Line, text: f.Text}
	case tool == "go":
		id.path = r.golang.name
	case tool == "jest":
		id.path = r.javascript.file
	}
	if known := r.index[id]; known != nil {
		known.passed = false
		known.complete(f)
		return known
	}
	if len(r.found) == maxFailures {
		r.more++
		r.spare = failure{Failure: f}
		return &r.spare
	}
	if r.index == nil {
		r.index = map[identity]*failure{}
	}
	found := &failure{Failure: f, class: c, tool: tool, at: r.lines}
	r.found = append(r.found, found)
	r.index[id] = found
	return found
}

// passed notes that a test passed that may have failed before.
func (r *Reader) passed(name string) {
	if f := r.index[identity{test: clip(name, maxName)}]; f != nil {
		f.passed = true
	}
}

// say adds a line that explains a failure: the first is its text.
func (r *Reader) say(f *failure, line string) {
	switch {
	case strings.TrimSpace(line) == "":
	case f.Text == "":
		f.Text = clip(strings.TrimSpace(line), maxText)
	case len(f.Details) < maxDetails && len(r.found) <= detailed:
		f.Details = append(f.Details, clip(line, maxText))
	}
}

// ran counts tests.
func (r *Reader) ran(tool, tests string) {
	if r.counts == nil {
		r.counts = map[string]int{}
	}
	r.counts[tool] = min(r.counts[tool]+number(tests), math.MaxInt32)
}

// ranInAll sets how many tests a tool ran.
func (r *Reader) ranInAll(tool, tests string) {
	r.ran(tool, tests)
	r.counts[tool] = number(tests)
}

// note adds to a list of bounded length.
func note[T any](list []T, one T) []T {
	if len(list) >= maxNoted {
		list = slices.Delete(list, 0, 1)
	}
	return append(list, one)
}
