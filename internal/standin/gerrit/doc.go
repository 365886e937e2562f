// SPDX-License-Identifier: BSD-3-Clause

// Package gerrit is a stand-in for a Gerrit server: its REST API and git smart
// HTTP over true bare repositories, with builder calls that play the people who
// push, vote, rebase and submit.
//
// It answers what package internal/gerrit and git ask for, in the form of
// Gerrit 3.13, and 404 to everything else, which Unplanned lists. Reviews go
// through the rules that decide about votes, comments, mail and the attention
// set. It has no web pages, no events, no access rules beyond private changes and
// label ranges, and takes no pushes over HTTP: changes come from the builder.
package gerrit
