// SPDX-License-Identifier: BSD-3-Clause

// Package servers tests the whole program with git servers of others as
// mirrors: C git, Gitea, soft-serve, and GitHub's own receive-pack. Gerrit is the
// stand-in, and so is GitHub but where Gitea is the CI host as well; time is the
// test's. The tests carry the build tag e2e:
//
//	make e2e-servers                      # scripts/install-tools.sh builds the servers
//	make e2e-spokes SPOKES=FOLDER         # a checkout of github.com/github/spokes-receive-pack
//
// What is played with which server; "as" is how the server refuses:
//
//	                     git          gitea          soft-serve   spokes
//	TestRelay            yes          yes            yes          yes
//	TestBranchNamespaces yes          yes            yes          yes
//	TestHookBreaks       yes          yes            yes          by the front
//	TestHookFailsOnce    yes          yes            yes          by the front
//	TestUnpackKilled     yes          yes            yes          yes
//	TestFileTooLarge     yes          yes            yes          by the front
//	TestProtectedBranch  as rewritten as protected   as rewritten as hidden
//	TestAccounts         no accounts  yes            yes          no accounts
//	TestGiteaIsTheHostToo             yes
//
// Nothing here is used by the program.
package servers
