// SPDX-License-Identifier: BSD-3-Clause

// Package reconcile runs one pass over one project: observe, plan, act,
// account. It holds the order in which things happen and what a failure of one
// means for the others; what to do is decided in package plan, and how objects
// move in package relay.
//
// A pass may be killed at any instruction. It leaves nothing behind but refs of
// the mirror and runs, and the next pass reads both.
package reconcile
