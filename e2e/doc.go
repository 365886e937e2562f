// SPDX-License-Identifier: BSD-3-Clause

// Package e2e tests the built dispatcher against a real Gerrit, a real git
// server and the GitHub stand-in, in stories. The tests carry the build tag
// e2e; scripts/install-tools.sh installs what they need:
//
//	go test -tags e2e ./e2e/...
//
// E2E_GERRIT picks another release of Gerrit (3.11.0, 3.9.1), E2E_CACHE where a
// fresh site is kept between runs; -kills and -kill-seed vary TestKill.
//
// TestAct has our own workflows run by nektos/act in Docker, which it starts as
// root if it does not run. The first time it makes images, which stay in Docker
// (dispatcher-e2e/*, and one for each container action, act-*); without Docker
// it is skipped, but in CI.
//
// The package holds nothing that the program uses.
package e2e
