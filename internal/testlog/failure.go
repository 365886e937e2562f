// SPDX-License-Identifier: BSD-3-Clause

package testlog

import "github.com/spdk-community-ci/dispatcher/internal/change"

// class orders failures of different kinds.
type class int

const (
	// build: something could not be made. It comes first where a build tool says
	// that it failed for that, and behind the tests otherwise: a test may have tried
	// to compile what does not.
	build class = iota
	test
	crash
	// remark: a tool found something that need not fail what it looked at.
	remark
)

// failure is one that was found in a line.
type failure struct {
	change.Failure
	class class
	tool  string
	at    int
	// confirmed: a build tool says that it failed for this.
	confirmed bool
	// passed: another try of the test passed.
	passed bool
	// rerun is the last further run of gotestsum in which it failed.
	rerun int
	// indent is how far Go indents the test.
	indent int
	// thread is Rust's that panicked.
	thread string
}

// identity is what two reports of the same have in common; of a test, path is what
// it is in (Go's package, jest's file), where that is known.
type identity struct {
	test, path string
	line       int
	text       string
}

// complete adds to a failure what another report of it says.
func (f *failure) complete(more change.Failure) {
	if f.Path == "" {
		f.Path, f.Line = more.Path, more.Line
	}
	if f.Text == "" {
		f.Text = more.Text
	}
}

// place puts a failure at a place, unless it has one.
func (f *failure) place(path, line string) {
	if f.Path == "" && path != "" && len(path) <= maxName {
		f.Path, f.Line = path, number(line)
	}
}
