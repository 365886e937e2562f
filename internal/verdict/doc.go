// SPDX-License-Identifier: BSD-3-Clause

// Package verdict says what a workflow run means for a change: what became of
// each job, what that makes of the run, which vote follows from all runs of a
// patchset, and in which words people are told.
//
// Its first rule is that a change is voted down only where a test failed. A
// runner that vanished, a job that somebody cancelled or a full disk each have
// an outcome of their own. docs/verdicts.md has the tables; the tests hold
// them to this code.
//
// It does no I/O, reads no clock and starts nothing: jobs come in, values and
// text go out. Whoever calls it reads the jobs, posts the text and remembers
// nothing, since the last line of a text says what it was about (Residue).
//
// All names, log lines and addresses are outside text. What a job printed may
// take a vote away (a test that imitates a lost runner gets no vote), but it
// can neither gain one nor become markup, a mention or a line of its own.
package verdict
