// SPDX-License-Identifier: BSD-3-Clause

// Package command reads what people ask of us in review comments and decides
// what is to be done about it. Both halves are pure: Parse turns a comment into
// commands, Decide turns all comments of a change, our earlier answers and the
// runs of its patchset into actions and one reply.
//
// Nothing is remembered outside of Gerrit and the runs: an answer names the
// comments that it answers and the runs that it promises (Residue), and a
// comment that an answer names is done with. So a pass may be killed anywhere.
// Post the reply first, then act: what was promised and is not there yet is
// found again by Outstanding.
//
// The package talks to no server, posts nothing, starts nothing and looks up no
// issue: Decide says which issues it must know.
package command
