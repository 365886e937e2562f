// SPDX-License-Identifier: BSD-3-Clause

package testlog

import (
	"slices"
	"strings"
	"unicode"
)

// output is what a test printed that is a program of its own, as what started it
// shows that.
type output struct {
	// name is the test's.
	name string
	// said are the last lines.
	said []string
}

// say keeps a line for as long as it is one of the last in which something is said.
func (o *output) say(line string) {
	if !strings.ContainsFunc(line, func(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) }) {
		return
	}
	if len(o.said) >= maxDetails {
		o.said = slices.Delete(o.said, 0, 1)
	}
	o.said = append(o.said, clip(line, maxText))
}

// explain adds to a failure the last that its test printed, unless something was
// found there that says more than how the test ended.
func (r *Reader) explain(f *failure, how string, o *output) {
	if f.Text != how || f.Details != nil {
		return
	}
	for _, line := range o.said {
		r.say(f, line)
	}
}

// testOf makes a failure that was found in the output of a test that of the test.
func (f *failure) testOf(tool string) {
	if f.class != test {
		f.class, f.tool = test, tool
	}
}
