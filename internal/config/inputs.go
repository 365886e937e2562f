// SPDX-License-Identifier: BSD-3-Clause

package config

import "strconv"

// Input is one setting that can be given to the action, by a flag, or by the
// variable INPUT_NAME that GitHub's runner makes of it.
type Input struct {
	Name        string
	Description string
	// Default is what holds if nothing is given; a GitHub expression stands
	// for what the runner fills in.
	Default string
	// Secret inputs are masked and are refused as flags.
	Secret bool
	// Env is a variable that is read if the input is not given, or "".
	Env string
	// Anywhere is set for inputs that also count when a file describes the
	// projects.
	Anywhere bool
}

// jobToken is the expression that GitHub's runner replaces by the job's token.
const jobToken = "${{ github.token }}"

// jobID is the expression that GitHub's runner replaces by the id that the API has
// for the job, where it knows it: from 2.336 on (actions/runner JobContext.cs; an
// input's default may use the job context, action_yaml.json).
const jobID = "${{ job.check_run_id }}"

// Inputs is the table of all inputs, in the order in which people read them.
// action.yml is made from it.
func Inputs() []Input {
	return []Input{
		{Name: "command", Default: defaultCommand, Anywhere: true,
			Description: "What to do: sync (one pass over all projects) or report (tell Gerrit about the run that this job is part of)."},
		{Name: "config", Anywhere: true,
			Description: "File that describes several projects. Default: " + defaultFile + ", if it exists and gerrit-url is not given."},
		{Name: "gerrit-url",
			Description: "Base address of the Gerrit server, with the sub-path if there is one: https://review.example.org/gerrit."},
		{Name: "gerrit-project",
			Description: "The project's name in Gerrit, for example spdk/spdk."},
		{Name: "gerrit-username", Env: "GERRIT_USERNAME", Anywhere: true,
			Description: "Gerrit account to use. Without one, access is anonymous. Variable: GERRIT_USERNAME."},
		{Name: "gerrit-password", Env: "GERRIT_PASSWORD", Secret: true, Anywhere: true,
			Description: "That account's HTTP password. Variable: GERRIT_PASSWORD."},
		{Name: "mirror", Env: "SPDK_REPOS_NAME",
			Description: "Repository that patchsets are pushed to, OWNER/NAME, or NAME under this repository's owner. Default: this repository's owner and the last part of the project's name. Variable: SPDK_REPOS_NAME."},
		{Name: "mirror-url",
			Description: "The mirror's address for git, if it is not on this GitHub server."},
		{Name: "mirror-username",
			Description: "Account that pushes to the mirror, for servers that want its name beside the token: Gerrit, and web servers with a list of users."},
		{Name: "mirror-token", Env: "GHPA_TOKEN", Secret: true, Anywhere: true,
			Description: "Token that may push to the mirror: Contents and Workflows, write. Variable: GHPA_TOKEN."},
		{Name: "mirror-namespace", Default: namespaces[0],
			Description: "Where patchsets live on the mirror: " + namespaces[0] + ", or " + namespaces[1] + " to make each a branch."},
		{Name: "mirror-tags", Default: "true",
			Description: "Keep the mirror's tags as Gerrit has them. What others put on the mirror is left alone."},
		{Name: "ci-repository", Env: "GITHUB_REPOSITORY",
			Description: "Repository whose workflows are started, OWNER/NAME. Default: the one that this job runs in."},
		{Name: "ci-ref",
			Description: "Branch whose workflow files run. Default: the repository's default branch."},
		{Name: "ci-token", Env: "GHPA_TOKEN", Secret: true, Anywhere: true,
			Description: "Token that may start workflows there: Actions, write. Default: GHPA_TOKEN, or the job's own token if it is the same repository."},
		{Name: "github-token", Env: "GITHUB_TOKEN", Default: jobToken, Secret: true, Anywhere: true,
			Description: "The job's own token. It is used for the CI repository if that is this repository and nothing else is given; the job then needs the permission actions: write."},
		{Name: "app-id", Env: "DISPATCHER_APP_ID", Anywhere: true,
			Description: "GitHub App to use where no token is given. Variable: DISPATCHER_APP_ID."},
		{Name: "app-private-key", Env: "DISPATCHER_APP_PRIVATE_KEY", Secret: true, Anywhere: true,
			Description: "That App's private key, in PEM form. Variable: DISPATCHER_APP_PRIVATE_KEY."},
		{Name: "branches", Default: defaultBranches,
			Description: "Target branches to test, as names or globs, one per line or with commas between them. These branches are also kept up to date on the mirror."},
		{Name: "query",
			Description: "More terms for the Gerrit query, in Gerrit's own syntax."},
		{Name: "max-age", Default: duration(defaultMaxAge).String(),
			Description: "Changes that nobody touched for so long are left alone; 0 is no limit."},
		{Name: "workflows", Default: defaultWorkflow,
			Description: "Workflow files to start for each patchset, one per line or with commas between them."},
		{Name: "event",
			Description: "Type of a repository_dispatch event to send for each patchset; without workflows, instead of " + defaultWorkflow + "."},
		{Name: "skip-subjects", Default: defaultSkipSubject,
			Description: "Regular expressions (RE2), one per line: changes with such a subject are left alone. The word " + nothing + " skips none."},
		{Name: "skip-wip", Default: "true",
			Description: "Leave changes alone that are marked as work in progress."},
		{Name: "skip-private", Default: "true",
			Description: "Leave private changes alone. To switch it off shows them to everybody who can read the mirror."},
		{Name: "trust-label",
			Description: "Start nothing before somebody else than owner and uploader votes on this very patchset: Allow-CI, or Allow-CI+2 for the lowest vote that counts."},
		{Name: "trust-groups",
			Description: "Gerrit groups, one per line or with commas between them: what their members own and upload needs no such vote."},
		{Name: "limit", Default: strconv.Itoa(defaultPerPass),
			Description: "Runs that one pass may start; 0 is no limit."},
		{Name: "running-limit", Default: strconv.Itoa(defaultRunning),
			Description: "Unfinished runs of the CI repository beyond which nothing is started; 0 is no limit."},
		{Name: "owner-limit", Default: "0",
			Description: "Unfinished runs of one change owner; 0 is no limit."},
		{Name: "min-age", Default: "0",
			Description: "Leave a patchset alone until it is so old: 90s, 15m, 6h."},
		{Name: "label", Default: "",
			Description: "Gerrit label to vote on with the results, such as Verified. Needs gerrit-username and gerrit-password."},
		{Name: "key", Anywhere: true,
			Description: "For report: the key of the run to report on, inputs.key."},
		{Name: "needs", Anywhere: true,
			Description: "For report: the results of the other jobs, toJSON(needs), or without their outputs, which may be too long for it: {\"JOB\": \"needs.JOB.result\"}. The report job votes by itself only with them: the run it is part of has no result yet."},
		{Name: "job-id", Default: jobID, Anywhere: true,
			Description: "For report: the id of the job that reports, which the runner fills in. Where it is empty, the job is known by its runner's name."},
		{Name: "findings", Anywhere: true,
			Description: "For report: test reports and SARIF files of this job, for names of failed tests and comments on lines, as names or globs, one per line or with commas between them."},
		{Name: "publish", Default: "false", Anywhere: true,
			Description: "Copy artifacts and logs to S3-compatible storage and link them in the message, for readers without a GitHub account."},
		{Name: "s3-endpoint-url", Env: "S3_ENDPOINT_URL", Anywhere: true,
			Description: "For publish: address of the S3 service, without the bucket. Variable: S3_ENDPOINT_URL."},
		{Name: "s3-bucket", Env: "S3_BUCKET", Anywhere: true,
			Description: "For publish: a bucket that exists. Variable: S3_BUCKET."},
		{Name: "s3-region", Env: "S3_REGION", Anywhere: true,
			Description: "For publish: the bucket's region. Default: what the service says. Variable: S3_REGION."},
		{Name: "s3-path-style", Env: "S3_PATH_STYLE", Anywhere: true,
			Description: "For publish: where a request names the bucket: auto, path (in the path) or virtual (in the host's name). Default: auto. Variable: S3_PATH_STYLE."},
		{Name: "s3-public-url", Env: "S3_PUBLIC_URL", Anywhere: true,
			Description: "For publish: address below which readers find the bucket's objects. Default: the bucket's own. Variable: S3_PUBLIC_URL."},
		{Name: "s3-key", Env: "S3_KEY", Secret: true, Anywhere: true,
			Description: "For publish: the account's access key. Variable: S3_KEY."},
		{Name: "s3-secret", Env: "S3_SECRET", Secret: true, Anywhere: true,
			Description: "For publish: that key's secret. Variable: S3_SECRET."},
		{Name: "dry-run", Default: "false", Anywhere: true,
			Description: "Print what a pass or report would do, and change nothing: no push, no run, no message, no vote."},
		{Name: "ca-file", Anywhere: true,
			Description: "PEM file with certificate authorities to trust for Gerrit and the mirror, in addition to the system's."},
	}
}

// Output is one output of the action.
type Output struct{ Name, Description string }

// Outputs is the table of all outputs.
func Outputs() []Output {
	return []Output{
		{"relayed", "Number of patchsets that were pushed to the mirror."},
		{"dispatched", "Number of workflow runs that were started."},
		{"skipped", "Number of patchsets that were left alone."},
		{"failed", "Number of patchsets for which something failed."},
		{"runs", "The runs that were started, as a JSON list of objects with project, key, change, patchset, workflow, run_id and run_url."},
		{"outcome", "What became of the run that was reported on: passed, failed, runner-lost, ... (report)."},
		{"vote", "The vote that Gerrit took, or nothing (report)."},
	}
}
