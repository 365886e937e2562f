// SPDX-License-Identifier: BSD-3-Clause

package change

// Failure is something that failed, as a tool said in its log: a test, a file that
// does not compile, a program that crashed. All of it is outside text.
type Failure struct {
	// Test is the test's full name, "" where it is no test.
	Test string `json:"test,omitempty"`
	// Path is a file as the tool wrote it: absolute on its machine, relative to any
	// folder, or a bare name. Line counts from 1; 0 is none.
	Path string `json:"path,omitempty"`
	Line int    `json:"line,omitempty"`
	// Text says in one line what is wrong.
	Text string `json:"text,omitempty"`
	// Details are further lines that explain it, with their indentation.
	Details []string `json:"details,omitempty"`
}

// JobLog is what was read of a job's log.
type JobLog struct {
	// Run, Tail and Told are as in Job: FailedRun, LogTail, Told.
	Run  string
	Tail []string
	Told LogReport
}

// LogReport is what a log tells of failures.
type LogReport struct {
	// Failures are the most telling first.
	Failures []Failure `json:"failures,omitempty"`
	// More counts those that were not kept.
	More int `json:"more,omitempty"`
	// Tests is how many tests ran, 0 where no tool says it.
	Tests int `json:"tests,omitempty"`
	// Around are the lines up to the one in which a tool said first that something
	// else had failed, such as make: where no failure is known, they tell best.
	Around []string `json:"around,omitempty"`
	// Stage is the dotted path of the stage that failed, by SPDK's scripts.
	Stage string `json:"stage,omitempty"`
}
