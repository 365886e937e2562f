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
//
// # Where its behaviour comes from
//
// "REST" is the REST reference of docs.github.com, "API" its OpenAPI description; names
// of files are those of actions/runner, owner/name#N are public issues. Where something
// is not promised, or differs from server to server, there is a switch, and package
// app's stories go both ways (lateapi_test.go, runagain_test.go).
//
// Runs:
//
//   - Statuses and conclusions: API, workflow-run; nobody documents which means what
//     (github/docs#34987). conclusion is null until the end. A run whose jobs partly wait
//     may be queued or in_progress (cli/cli#13972); nothing here depends on which.
//   - A run's conclusion is that of its check suite: the one of its jobs' that matters
//     most, skipped only if all of them were (a GitHub engineer in
//     actions/github-script#147). That timed_out becomes failure is a guess; both are
//     tested, as is failure for cancelled (TestWordOfTheRun).
//   - A job with continue-on-error keeps its conclusion and does not change the run's
//     (actions/runner#1161).
//   - A run that was dropped by concurrency is cancelled without jobs
//     (github/docs#30647, benc-uk/workflow-dispatch#107); one that could not be started
//     has none either (iii-hq/workers#702: failure; pytorch/test-infra#5164).
//   - display_title is what run-name became, and is kept over attempts: not
//     documented. Switch: Retitle.
//   - Lists come newest first (seen in max-sixty/tend#886), at most 1,000 of a search: REST,
//     "List workflow runs". Switch: OldestFirst. How soon a run is there is not
//     documented; searches may be incomplete for hours
//     (dawidd6/action-download-artifact#56). Switches: VisibilityDelay, SetLag.
//   - created, event, status (also a conclusion), branch, actor, head_sha filter: REST.
//   - Some runs never end, and 500 answers each cancel (JiRaska/open-bank-oss#6472).
//     Switch: Wedged. A cancel may be taken and leave jobs where they are that wait for a
//     runner; force-cancel ends them (paiml/paiml-mcp-agent-toolkit#1318). Switch: DeafQueue.
//     No job can be cancelled alone: there is no such call in REST, and a concurrency
//     group of its own leaves a job that is queued where it is (the same issue).
//   - Deleted runs are 404: REST, "Delete a workflow run"; so may new ones be for a
//     while, which is a guess. Switch: SetLag.
//
// Attempts:
//
//   - Rerunning keeps id, run_number and created_at and counts run_attempt;
//     run_started_at is the attempt's (API; Kesin11/actions-timeline#26). run_attempt
//     was seen unchanged while a rerun was queued (Team-Commonly/commonly#1281).
//     Switch: LateAttempts.
//   - "Failed jobs" are cancelled ones, too (DataDog/dd-trace-js#8673), and those that
//     depend on them: REST. Without any it is refused (sgl-project/sglang#34057).
//   - The jobs of an attempt are all, those that were kept included, or only what ran
//     again (cli/cli#9341, r-universe-org/help#607). Switch: PartialReruns.
//   - 30 days and 50 reruns: "Re-running workflows and jobs", GitHub's changelog of
//     2026-04-10. All refusals are 403; for their words see again.
//   - That a cancelled attempt takes the place of the run's earlier conclusion follows
//     from the above.
//
// Jobs:
//
//   - A job's page, log, annotations and check run have one id: API, job; JobContext.cs has
//     check_run_id. A job that no runner took has no runner_name and no steps.
//   - Lists may be empty or behind for seconds to minutes (qoomon/actions--context#188
//     and #189, Team-Commonly/commonly#1281), and empty for good
//     (go-gitea/gitea#38286). Switches: SetLag, NoJobs.
//   - Job logs are one text behind a redirect: REST. Lines begin with the time to seven
//     digits (Logging.cs), steps with "##[group]Run" and what they run (Handler.cs,
//     ScriptHandler.cs). There is none before the job has ended (cli/cli, view.go).
//   - Annotations: 10 of a kind for a step, cut at 4,096 characters
//     (ExecutionContext.cs). Fine-grained tokens cannot read them: 403 (cli/cli#8842);
//     without Access.Checks it is so here (TestOwnDetails).
//
// Calls:
//
//   - Dispatch answers 204, or 200 with the run's id if return_run_details asks for it:
//     API, GitHub's changelog of 2026-02-19. Enterprise Server up to 3.20 refuses the field
//     (benc-uk/workflow-dispatch#86), Gitea knows no ids (go-gitea/gitea#35701). Switch: Details.
//   - 404 for a workflow that is not on the default branch (cli/cli#9781); one that has
//     run before may do without (github/docs#34884), which is not played here.
//   - 422 "No ref found for" (convictional/trigger-workflow-and-wait#44), "Unexpected
//     inputs provided" (Codex-/return-dispatch#188), "not in the list of allowed values" (cli/cli#5246),
//     "does not have 'workflow_dispatch' trigger" (benc-uk/workflow-dispatch#46); that a
//     required input is missing is told in words that were not seen. 25 inputs:
//     GitHub's changelog of 2025-12-04.
//   - repository_dispatch answers 204 whether anything starts or not: REST; "No more
//     than 10 properties are allowed" (prowler-cloud/prowler#12370).
//   - Cancel answers 202, the run ends later, and 409 once it has: REST,
//     Homebrew/actions#70. Jobs with if: always() go on: "Cancelling a workflow run".
//   - Rerun answers 201: REST.
//   - Refusals for want of a right are 403 "Resource not accessible by personal access
//     token" (cli/cli#8842) or "by integration" (LouisBrunner/checks-action#190); what
//     may not be seen at all is 404: REST, "Troubleshooting".
//   - Limits are 403 or 429, with Retry-After or X-RateLimit-Reset or neither
//     (EnricoMi/publish-unit-test-result-action#419); tests play them with package faults.
//
// Gitea 1.25 (go-gitea/gitea; switch: GiteaAPI), at /api/v1:
//
//   - Contents are JSON whatever is accepted (routers/api/v1/repo/file.go). Lists take
//     limit, 50 at most, and no created (routers/api/v1/shared/action.go).
//   - path is FILE@REF, run_attempt 0, started_at 1970 while a run waits; there is no
//     created_at and updated_at (services/convert/convert.go).
//   - The steps of a job have the job's state, numbers from 0, and 1970 as their start if
//     they never ran (services/convert/convert.go).
//   - A dispatch answers 204 and ends unfinished runs of the same workflow and branch
//     (services/actions/workflow.go).
//   - Job logs come without a redirect (routers/common/actions.go).
//   - There is nothing to cancel, rerun or read an attempt with, no repository_dispatch
//     and no annotations (routers/api/v1/api.go).
//
// Forgejo 16 (codeberg.org/forgejo/forgejo; switch: ForgejoAPI), at /api/v1 and otherwise like Gitea:
//
//   - A run has title, workflow_id (a file), commit_sha, created and updated; its status is
//     how it ended, too, and no attempt is told (modules/structs/action.go,
//     services/convert/action.go).
//   - Statuses that it does not know are 400 (routers/api/v1/repo/action.go).
//   - The title is what run-name became, or the workflow's name in releases that know no
//     run-name; event_payload is JSON with the inputs (services/actions/workflows.go).
//     Switch: PlainTitles.
//   - Jobs (since its pull 11915) and artifacts (12140) are bare arrays, jobs without
//     pages, steps, times and runner; task_id is 0 until a runner took the job.
//   - A dispatch answers 201 with the run's id if return_run_info asks for it, or 204; it
//     ends no other run (services/actions/workflows.go).
//   - Cancel (12957) answers 204, for runs that have ended, too. There is no force-cancel
//     and, in this release, no rerun (routers/api/v1/api.go).
//
// Releases:
//
//   - Drafts are listed for those who may push, may share a tag, and cannot be downloaded;
//     publishing one makes its tag where there is none: REST, "Releases". Immutable ones
//     take no more files (wado-lang/wado#1156). Switch: ImmutableReleases.
//   - An upload that broke off leaves a file in the state starter, whose name is taken
//     until it is deleted: REST, "Upload a release asset", ppy/osu-deploy#191.
//   - Where the tag's workflows are not those of the default branch, the permission
//     Workflows is needed, and 404 says so: REST, "Create a release".
//
// Contents, artifacts, issues:
//
//   - Files come raw or as JSON, with an ETag: REST, "Get repository content".
//   - Artifacts live for 90 days, are listed after that, and are 410 "Artifact has expired"
//     (arduino/report-size-deltas#10, dawidd6/action-download-artifact#210).
//   - A comment has 65,536 characters at most (danger/danger#424); those on locked issues
//     are 403. Pull requests are issues: REST.
//   - Date is the server's clock: RFC 9110. Times have whole seconds.
package github
