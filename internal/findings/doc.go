// SPDX-License-Identifier: BSD-3-Clause

// Package findings reads what tests and analysers report (JUnit, NUnit,
// xUnit.net, TRX and CUnit XML, SARIF 2.1.0, GitHub's annotations) into one type,
// for messages and comments on lines of a change, and finds the files of a change
// by the paths that such reports have for them (Tree).
//
// The files come from machines that ran somebody's patch: each reader streams,
// looks at no more than MaxSize bytes, keeps no more than MaxFindings findings,
// and tells what it could read before it met something wrong. A path is only ever
// compared with the names of a change's files. Texts are valid UTF-8 without
// control characters, but not escaped: whoever puts one into HTML, markdown or a
// log must do that. The package opens no file and judges nothing.
package findings
