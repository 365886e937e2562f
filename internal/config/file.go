// SPDX-License-Identifier: BSD-3-Clause

package config

// file is the configuration file. The json tags are its keys; the loader and
// the JSON Schema both read these types, and nothing else describes the format.
type file struct {
	Gerrits  map[string]*gerrit `json:"gerrits" jsonschema_description:"The Gerrit servers, each under a short name of your choice: lower-case letters, digits and '-'."`
	Defaults settings           `json:"defaults,omitempty" jsonschema_description:"Settings for all projects. A project's own setting wins; lists are replaced, not joined."`
	Projects []project          `json:"projects" jsonschema:"minItems=1" jsonschema_description:"The Gerrit projects to test, each with a mirror of its own."`
}

// gerrit is one entry of gerrits.
type gerrit struct {
	URL         webURL   `json:"url" jsonschema_description:"Base address, with the sub-path if there is one: https://review.example.org/gerrit."`
	Username    line     `json:"username,omitempty" jsonschema_description:"Account used there. Default: the input gerrit-username, if this is the only server; otherwise access is anonymous."`
	PasswordEnv envName  `json:"password-env,omitempty" jsonschema_description:"Environment variable that holds the account's HTTP password. Default: GERRIT_PASSWORD, if this is the only server."`
	CAFile      line     `json:"ca-file,omitempty" jsonschema_description:"PEM file with certificate authorities to trust in addition to the system's."`
	KeyPrefix   *keyName `json:"key-prefix,omitempty" jsonschema_description:"What run keys of this server begin with. Default: nothing if this is the only server, else its name. When you add a second server, give the first one an empty prefix, or its runs are not found again."`
}

// project is one entry of projects.
type project struct {
	Name projectName `json:"name" jsonschema_description:"The project's name in Gerrit, for example spdk/spdk."`
	settings
}

// settings is what a project and defaults have in common.
type settings struct {
	Gerrit     serverName   `json:"gerrit,omitempty" jsonschema_description:"Name of the project's server under gerrits. Default: the only one."`
	KeyPrefix  *keyName     `json:"key-prefix,omitempty" jsonschema_description:"What run keys of this project begin with, in place of its server's prefix. Needed only where two projects have changes of equal numbers (imported ones), Gerrit is older than 3.9, and both use one CI repository. Runs that were started before are not found again."`
	Mirror     mirror       `json:"mirror,omitempty" jsonschema_description:"Repository that patchsets are pushed to. Default: the CI repository's owner and the last part of the project's name."`
	CI         ci           `json:"ci,omitempty" jsonschema_description:"Repository whose workflows are started. Default: the one that this job runs in."`
	Branches   []branchGlob `json:"branches,omitempty" jsonschema:"minItems=1" jsonschema_description:"Target branches to test, as names or globs. These branches are also kept up to date on the mirror."`
	Query      line         `json:"query,omitempty" jsonschema_description:"More terms for the Gerrit query, in Gerrit's own syntax."`
	MaxAge     duration     `json:"max-age,omitempty" jsonschema_description:"Changes that nobody touched for so long are left alone; 0 is no limit."`
	Skip       skip         `json:"skip,omitempty" jsonschema_description:"Changes to leave alone."`
	Workflows  []workflow   `json:"workflows,omitempty" jsonschema:"minItems=1" jsonschema_description:"Workflows to start for each patchset."`
	RedParents parentPolicy `json:"red-parents,omitempty" jsonschema_description:"What a patchset does while a change below it in its relation chain has a failed test: run, or hold (it waits until that is mended, or a comment asks for it)."`
	Limits     limits       `json:"limits,omitempty" jsonschema_description:"How much may be started."`
	Report     report       `json:"report,omitempty" jsonschema_description:"What is told to Gerrit. Nothing, unless a label or messages are set here."`
	Prune      prune        `json:"prune,omitempty" jsonschema_description:"When the refs of closed changes leave the mirror."`
	Grace      duration     `json:"grace,omitempty" jsonschema_description:"How long a claim may stand without a run before the call that should have started it counts as lost. Must be longer than all calls of one pass take."`
}

// mirror may be written as a string alone: its repository.
type mirror struct {
	Repository repository `json:"repository,omitempty" jsonschema_description:"OWNER/NAME of the mirror."`
	URL        webURL     `json:"url,omitempty" jsonschema_description:"Address for git. Default: the repository on this GitHub server."`
	Namespace  namespace  `json:"namespace,omitempty" jsonschema_description:"Where patchsets live. refs/changes/ starts no workflows of a patch's own; refs/heads/changes/ makes each patchset a branch."`
	Username   account    `json:"username,omitempty" jsonschema_description:"Account that pushes, for servers that want its name beside the token or password: Gerrit, and web servers with a list of users. Default: x-access-token, which GitHub, GitLab and Gitea take with any token."`
	Ledger     ledger     `json:"ledger,omitempty" jsonschema_description:"Where the dispatcher keeps what the next pass must know. refs/heads/_dispatcher/ is for servers that refuse other names than branches."`
	Tags       bool       `json:"tags,omitempty" jsonschema_description:"Keep the mirror's tags as Gerrit has them. What others put on the mirror is left alone."`
	CAFile     line       `json:"ca-file,omitempty" jsonschema_description:"PEM file with certificate authorities to trust in addition to the system's."`
	auth
}

// ci may be written as a string alone: its repository.
type ci struct {
	Repository repository `json:"repository,omitempty" jsonschema_description:"OWNER/NAME of the CI repository."`
	APIURL     webURL     `json:"api-url,omitempty" jsonschema_description:"Base address of the REST API. Default: that of this GitHub server."`
	Ref        branchName `json:"ref,omitempty" jsonschema_description:"Branch whose workflow files run. Default: the repository's default branch."`
	auth
}

// auth says where a GitHub token comes from. It is taken over from the defaults
// as a whole or not at all.
type auth struct {
	TokenEnv envName `json:"token-env,omitempty" jsonschema_description:"Environment variable that holds the token. Default: the inputs mirror-token and ci-token, or GHPA_TOKEN."`
	App      *app    `json:"app,omitempty" jsonschema_description:"GitHub App to use instead of a token."`
}

// app is a GitHub App.
type app struct {
	ID             number  `json:"id" jsonschema_description:"The App's number."`
	InstallationID number  `json:"installation-id,omitempty" jsonschema_description:"Number of the installation. Default: the repository's own."`
	PrivateKeyEnv  envName `json:"private-key-env" jsonschema_description:"Environment variable that holds the App's private key, in PEM form."`
}

// skip names changes to leave alone.
type skip struct {
	WIP        bool        `json:"wip,omitempty" jsonschema_description:"Leave changes alone that are marked as work in progress."`
	Private    bool        `json:"private,omitempty" jsonschema_description:"Leave private changes alone. To switch it off shows them to everybody who can read the mirror."`
	Subjects   []pattern   `json:"subjects,omitempty" jsonschema_description:"Regular expressions (RE2) over the subject. An empty list skips none."`
	Owners     []ownerGlob `json:"owners,omitempty" jsonschema_description:"Globs over the owner's user name and e-mail address."`
	OnlyOwners []ownerGlob `json:"only-owners,omitempty" jsonschema_description:"Leave the changes of all other owners alone."`
	Hashtags   []line      `json:"hashtags,omitempty" jsonschema_description:"Hashtags, as written."`
	MinAge     duration    `json:"min-age,omitempty" jsonschema_description:"Leave a patchset alone until it is so old."`
}

// workflow may be written as a string alone: its file.
type workflow struct {
	File          workflowFile    `json:"file,omitempty" jsonschema_description:"Name of a file in .github/workflows that has a workflow_dispatch trigger."`
	Event         eventType       `json:"event,omitempty" jsonschema_description:"Type of a repository_dispatch event, instead of a file."`
	Paths         []pathGlob      `json:"paths,omitempty" jsonschema_description:"Start only if one of these globs matches a file of the patchset."`
	PathsIgnore   []pathGlob      `json:"paths-ignore,omitempty" jsonschema_description:"Do not start if these globs match all files of the patchset."`
	Branches      []branchGlob    `json:"branches,omitempty" jsonschema_description:"Only for these of the project's branches."`
	TrivialRebase kindPolicy      `json:"trivial-rebase,omitempty" jsonschema_description:"What a trivial rebase does: run, or carry (the result of the patchset before stands)."`
	NoCodeChange  kindPolicy      `json:"no-code-change,omitempty" jsonschema_description:"What a new commit message alone does: run or carry."`
	Trust         trust           `json:"trust,omitempty" jsonschema_description:"What must be true of a patchset, and of each open change below it, before it runs. Either of label and groups is enough; a negative vote holds it."`
	Inputs        []inputGroup    `json:"inputs,omitempty" jsonschema_description:"Groups of inputs to send. Default: all. Only inputs that the workflow declares are ever sent."`
	With          map[string]line `json:"with,omitempty" jsonschema_description:"More inputs, with fixed values."`
	PostMerge     bool            `json:"post-merge,omitempty" jsonschema_description:"Start on the tip of the target branch after a change was merged, instead of on patchsets. The result is told on that change, without a vote."`
	Optional      bool            `json:"optional,omitempty" jsonschema_description:"Its result is told, but neither awaited nor voted."`
}

// trust is a gate in front of a workflow.
type trust struct {
	Label  labelName `json:"label,omitempty" jsonschema_description:"A vote on this label is enough, given on this very patchset by neither its owner nor its uploader."`
	Value  number    `json:"value,omitempty" jsonschema_description:"Lowest vote that counts."`
	Groups []line    `json:"groups,omitempty" jsonschema_description:"Gerrit groups. An owner and an uploader in them are enough, or an uploader in them who wrote the patchset anew."`
}

// limits bound what is started.
type limits struct {
	PerPass  count    `json:"per-pass,omitempty" jsonschema_description:"Runs that one pass may start; 0 is no limit."`
	Running  count    `json:"running,omitempty" jsonschema_description:"Unfinished runs of the CI repository beyond which nothing is started; 0 is no limit."`
	PerOwner count    `json:"per-owner,omitempty" jsonschema_description:"Unfinished runs of one change owner; 0 is no limit."`
	Pace     duration `json:"pace,omitempty" jsonschema_description:"Time between two calls that start runs."`
}

// report says what is told to Gerrit and how results are read.
type report struct {
	Label    labelName       `json:"label,omitempty" jsonschema_description:"Label to vote on."`
	Messages bool            `json:"messages,omitempty" jsonschema_description:"Post messages although there is no label to vote on."`
	Votes    map[string]vote `json:"votes,omitempty" jsonschema_description:"Votes by outcome (docs/verdicts.md lists them). Default: passed 1, failed -1, all others 0."`
	Retries  count           `json:"retries,omitempty" jsonschema_description:"How often a workflow is started again for a patchset whose run failed without a failed test: a lost runner, a full disk, a failed set-up."`
	RetryAt  []duration      `json:"retry-after,omitempty" jsonschema:"minItems=1,maxItems=20" jsonschema_description:"How long after such a run the first, second, ... retry starts. The last entry holds for all later ones."`
	Nothing  nothingPolicy   `json:"nothing-to-run,omitempty" jsonschema_description:"What is told if paths and branches leave out every required workflow of a patchset: vote (say so, and vote as if all had passed), or silent."`
	After    duration        `json:"after,omitempty" jsonschema_description:"How long a run's own report is waited for before a pass reports in its place."`
	Ignore   []line          `json:"ignore,omitempty" jsonschema_description:"Jobs that are left out, as patterns. Default: report."`
	MayFail  []line          `json:"may-fail,omitempty" jsonschema_description:"Jobs that are shown but do not decide, as patterns."`
	Started  startedPolicy   `json:"started,omitempty" jsonschema_description:"What is told when runs of a patchset start: off, message, or reset (a message that takes the earlier vote back)."`
	Commands commands        `json:"commands,omitempty" jsonschema_description:"Comments that are commands: recheck, cancel, false positive, help."`
	Setup    []line          `json:"setup,omitempty" jsonschema_description:"More names of steps that are no tests, as patterns: their failures are not the patchset's."`
	Publish  publish         `json:"publish,omitempty" jsonschema_description:"Copy artifacts and logs to S3-compatible storage, for readers without a GitHub account. Off, unless a bucket is named here or the input publish is true. Key and secret are the variables S3_KEY and S3_SECRET."`
	Comments comments        `json:"comments,omitempty" jsonschema_description:"Comments on the lines that a patchset changes, made from annotations and test reports."`
}

// publish says where results are copied to, and what.
type publish struct {
	Endpoint  webURL     `json:"endpoint,omitempty" jsonschema_description:"Address of the S3 service, without the bucket. Default: the variable S3_ENDPOINT_URL."`
	Bucket    line       `json:"bucket,omitempty" jsonschema_description:"A bucket that exists. Default: the variable S3_BUCKET."`
	Region    line       `json:"region,omitempty" jsonschema_description:"The bucket's region. Default: the variable S3_REGION, or what the service says."`
	Prefix    line       `json:"prefix,omitempty" jsonschema_description:"Folder in the bucket."`
	PathStyle pathStyle  `json:"path-style,omitempty" jsonschema_description:"Where a request names the bucket: auto, path (in the path) or virtual (in the host's name)."`
	URL       webURL     `json:"url,omitempty" jsonschema_description:"Address below which readers find the bucket's objects. Default: the bucket's own."`
	Artifacts []pathGlob `json:"artifacts,omitempty" jsonschema_description:"Artifacts to copy, as globs over their names. An empty list copies none."`
	Logs      bool       `json:"logs,omitempty" jsonschema_description:"Copy the logs of jobs."`
	Keep      duration   `json:"keep,omitempty" jsonschema_description:"How long copies stay; 0 keeps them for ever."`
	Time      duration   `json:"time,omitempty" jsonschema_description:"How long copying may take in one job or pass. What is not copied by then is named in the message."`
}

// comments says which findings become comments on lines.
type comments struct {
	Files []pathGlob `json:"files,omitempty" jsonschema_description:"Test reports and SARIF files in the run's artifacts, as globs over their paths. They also tell the names of failed tests."`
	Max   number     `json:"max,omitempty" jsonschema:"maximum=20" jsonschema_description:"Comments that one report may make, 20 at most."`
	Off   bool       `json:"off,omitempty" jsonschema_description:"Make none. Failed tests are named all the same, unless files is an empty list."`
}

// commands says whose comments are obeyed.
type commands struct {
	Off      bool       `json:"off,omitempty" jsonschema_description:"Obey no comments."`
	Owner    bool       `json:"owner,omitempty" jsonschema_description:"Obey the change's owner and the uploader of its patchset. Without owner and groups, every registered user is obeyed, and the owner and uploader for 'false positive'."`
	Groups   []line     `json:"groups,omitempty" jsonschema_description:"Obey the members of these Gerrit groups."`
	CoolDown duration   `json:"cool-down,omitempty" jsonschema_description:"Least time between two comments on one change that start runs."`
	Attempts count      `json:"attempts,omitempty" jsonschema_description:"Attempts of a workflow for one patchset beyond which comments start no more."`
	Issues   repository `json:"issues,omitempty" jsonschema_description:"OWNER/NAME whose issues 'false positive: #N' speaks of. Default: the mirror."`
}

// prune says when refs leave the mirror.
type prune struct {
	Keep  duration `json:"keep,omitempty" jsonschema_description:"How long the refs of a closed change stay; 0 keeps them for ever."`
	Every duration `json:"every,omitempty" jsonschema_description:"Time between two looks for closed changes."`
}
