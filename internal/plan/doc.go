// SPDX-License-Identifier: BSD-3-Clause

// Package plan decides what one pass has to do: from a Snapshot of Gerrit, the
// mirror and GitHub, and the project's configuration, to an ordered list of
// actions, each with its reason. It does no I/O, keeps no state and reads no
// clock, so a plan can be printed, tested and thrown away.
//
// Some facts cost a request and are seldom needed. A plan that lacks one says so
// in Needs; the caller observes it and plans again over the fuller snapshot.
package plan
