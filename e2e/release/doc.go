// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

// Package release makes a release with the real programs, against a GitHub that
// refuses what GitHub refuses, and a registry. It kills the release at one step after
// the other, and then uses what it made as a runner would.
package release
