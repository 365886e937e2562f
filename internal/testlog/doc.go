// SPDX-License-Identifier: BSD-3-Clause

// Package testlog finds in logs what tools say of failures: the tests that failed,
// each with place and assertion, the errors of compilers and linkers, crashes. It
// reads the fixed words that tools print and nothing else: a log in which "error"
// stands in every third line may be that of a run that passed.
//
// A Reader is fed a log line by line, however long that is, and holds no more than
// a bounded part of it. What it finds is outside text: a job may print what looks
// like the words of any tool. The package does no I/O and judges nothing; whether a
// job failed is known before its log is read.
package testlog
