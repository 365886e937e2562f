// SPDX-License-Identifier: BSD-3-Clause

// Package github is a GitHub server for tests and demonstrations: the REST
// paths that the dispatcher uses, and git over HTTP for reading and pushing,
// over true git repositories. A workflow that is dispatched is read from its
// repository at the given branch and must declare what it is given, so a
// mistake meets the answer that GitHub would give.
//
// It executes no workflow itself: a run stays queued until SetJobs or
// SetRunState, or whoever is set by OnRun or RunWith, moves it. Logs and artifacts come, as they do
// from GitHub, from another server, by addresses that are good for a minute;
// they may be made up while they are sent, of any size.
//
// It knows no organizations, pull requests, rulesets or webhooks, and what it
// was not made for it answers with 404 and remembers (Unplanned). The texts of
// refusals are GitHub's own where they are known.
//
// Package openapi, below this one, holds what is asked and answered to GitHub's
// published OpenAPI description.
package github
