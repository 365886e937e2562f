// SPDX-License-Identifier: BSD-3-Clause

// Package relay moves branches and patchsets from a review server to a mirror
// without a clone: one pack is fetched for all of them and its bytes are pushed
// on as they come, so that memory does not depend on the pack's size.
//
// It is about what can go wrong on that way. Refs succeed or fail one by one,
// but one bad object makes a mirror refuse the whole pack: the batch is then
// split by halves, each with a pack of its own, until the culprit stands alone
// and everything else has landed. A lost answer is never answered by a blind
// second push: the mirror's refs are read first.
//
// A refusal is a verdict only in words that leave no doubt. A hook that broke, a
// proxy's limit or words that nobody knows are trouble of the mirror's own, which
// is waited for, searched around, and held against nobody.
//
// It does not decide what to move or where to (the plan does; Allowed holds the
// namespaces), speaks no wire protocol (package gitwire does), remembers
// nothing between two calls but its pace, and starts no workflow.
package relay
