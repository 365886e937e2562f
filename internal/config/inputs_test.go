// SPDX-License-Identifier: BSD-3-Clause

package config

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// spdk are the inputs that a first user gives.
var spdk = []string{"INPUT_GERRIT-URL=https://review.spdk.io/gerrit/", "INPUT_GERRIT-PROJECT=spdk/spdk"}

// loadInputs loads a configuration from the first user's inputs and more.
func loadInputs(pairs ...string) (*Config, error) {
	return Load(Source{Getenv: env(append(spdk[:len(spdk):len(spdk)], pairs...)...), ReadFile: noFile})
}

// one is the project that loadInputs describes.
func one(t *testing.T, pairs ...string) Project {
	t.Helper()
	c, err := loadInputs(pairs...)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Projects) != 1 {
		t.Fatalf("got %d projects, want 1", len(c.Projects))
	}
	return c.Projects[0]
}

func TestSmallestInputs(t *testing.T) {
	t.Parallel()
	c, err := loadInputs("GHPA_TOKEN=ghpa", "GERRIT_USERNAME=ci", "GERRIT_PASSWORD=pass")
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{Command: "sync", Projects: []Project{{
		Name:   "spdk/spdk",
		Gerrit: Gerrit{URL: "https://review.spdk.io/gerrit", Username: "ci", Password: "pass"},
		Mirror: Mirror{Repository: "octo/spdk", URL: "https://github.com/octo/spdk.git",
			Namespace: change.CustomRefs, Ledger: change.CustomLedger, Tags: true, Credential: Credential{Token: "ghpa", Setting: "GHPA_TOKEN"}},
		CI:         CI{Repository: "octo/ci", APIURL: "https://api.github.com", Credential: Credential{Token: "ghpa", Setting: "GHPA_TOKEN"}},
		Branches:   []string{"**"},
		MaxAge:     180 * 24 * time.Hour,
		RedParents: RunChildren,
		Report:     Report{Retries: 4, RetryAfter: []time.Duration{0, time.Hour, 6 * time.Hour, day}, NothingToRun: NothingVotes, After: 10 * time.Minute, Started: StartedOff, Commands: Commands{CoolDown: 2 * time.Minute, Attempts: 10}, Comments: Comments{Files: texts(testReports), Max: 20}},
		Skip:       Skip{WIP: true, Private: true, Subjects: []string{`\[RFC\]`}},
		Workflows:  []Workflow{{Name: "autorun.yml", File: "autorun.yml", TrivialRebase: RunKind, NoCodeChange: RunKind}},
		Limits:     Limits{PerPass: 5, Running: 20, Pace: time.Second},
		Prune:      Prune{Keep: 14 * 24 * time.Hour, Every: 6 * time.Hour},
		Grace:      10 * time.Minute,
	}}}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRunnerFillsInDefaults gives every default as the runner does; nothing
// may change, with inputs or with a file.
func TestRunnerFillsInDefaults(t *testing.T) {
	t.Parallel()
	var defaults []string
	for _, in := range Inputs() {
		if in.Default != "" && in.Default != jobToken {
			defaults = append(defaults, "INPUT_"+strings.ToUpper(in.Name)+"="+in.Default)
		}
	}
	got, err := loadInputs(defaults...)
	if err != nil {
		t.Fatal(err)
	}
	want, err := loadInputs()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	small := []byte("gerrits: {spdk: {url: 'https://review.spdk.io/gerrit'}}\nprojects: [{name: spdk/spdk}]\n")
	c, err := loadFile(defaultFile, small, defaults...)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("the same by a file (-want +got):\n%s", diff)
	}
}

func TestDefaultFileIsFound(t *testing.T) {
	t.Parallel()
	small := []byte("gerrits: {a: {url: 'https://a.example.org'}}\nprojects: [{name: a}]\n")
	c, err := Load(Source{Getenv: env(), ReadFile: readFile(defaultFile, small)})
	if err != nil || len(c.Projects) != 1 || c.Projects[0].Name != "a" {
		t.Fatalf("got %+v, %v; want the file's project", c, err)
	}
	c, err = Load(Source{Getenv: env(spdk...), ReadFile: readFile(defaultFile, small)})
	if err != nil || len(c.Projects) != 1 || c.Projects[0].Name != "spdk/spdk" {
		t.Fatalf("got %+v, %v; want the inputs' project", c, err)
	}
}

func TestInputs(t *testing.T) {
	t.Parallel()
	file := func(p Project) (names []string) {
		for _, w := range p.Workflows {
			names = append(names, w.File+"|"+w.Event)
		}
		return names
	}
	tests := []struct {
		name  string
		pairs []string
		get   func(Project) any
		want  any
	}{
		{"mirror", []string{"INPUT_MIRROR=a/b"}, func(p Project) any { return p.Mirror.URL }, "https://github.com/a/b.git"},
		{"mirror by name", []string{"INPUT_MIRROR=b"}, func(p Project) any { return p.Mirror.Repository }, "octo/b"},
		{"the prototype's variable", []string{"SPDK_REPOS_NAME=spdk-repos"}, func(p Project) any { return p.Mirror.Repository }, "octo/spdk-repos"},
		{"an input wins over it", []string{"SPDK_REPOS_NAME=x", "INPUT_MIRROR=y"}, func(p Project) any { return p.Mirror.Repository }, "octo/y"},
		{"owner of the CI repository", []string{"GITHUB_REPOSITORY_OWNER=", "INPUT_MIRROR=b"}, func(p Project) any { return p.Mirror.Repository }, "octo/b"},
		{"default mirror is the CI owner's", []string{"INPUT_CI-REPOSITORY=other/tests"}, func(p Project) any { return p.Mirror.Repository }, "other/spdk"},
		{"mirror-tags", []string{"INPUT_MIRROR-TAGS=false"}, func(p Project) any { return p.Mirror.Tags }, false},
		{"mirror-username", []string{"INPUT_MIRROR-USERNAME=relay bot"}, func(p Project) any { return p.Mirror.Username }, "relay bot"},
		{"mirror-url", []string{"INPUT_MIRROR-URL=https://git.example.org/x/y.git"}, func(p Project) any { return p.Mirror.Repository + " " + p.Mirror.URL }, "x/y https://git.example.org/x/y.git"},
		{"another GitHub", []string{"GITHUB_SERVER_URL=https://ghe.example.org/"}, func(p Project) any { return p.Mirror.URL }, "https://ghe.example.org/octo/spdk.git"},
		{"namespace", []string{"INPUT_MIRROR-NAMESPACE=refs/heads/changes"}, func(p Project) any { return p.Mirror.Namespace }, change.BranchRefs},
		{"ci", []string{"INPUT_CI-REPOSITORY=other/tests", "INPUT_CI-REF=main"}, func(p Project) any { return p.CI.Repository + "@" + p.CI.Ref }, "other/tests@main"},
		{"branches by line", []string{"INPUT_BRANCHES=master\n  v*\r\n\n"}, func(p Project) any { return p.Branches }, []string{"master", "v*"}},
		{"branches by comma", []string{"INPUT_BRANCHES=master, release-{1,2}"}, func(p Project) any { return p.Branches }, []string{"master", "release-{1,2}"}},
		{"workflows", []string{"INPUT_WORKFLOWS=a.yml,b.yaml"}, func(p Project) any { return file(p) }, []string{"a.yml|", "b.yaml|"}},
		{"event alone", []string{"INPUT_EVENT=patchset", "INPUT_WORKFLOWS=autorun.yml"}, func(p Project) any { return file(p) }, []string{"|patchset"}},
		{"event and workflows", []string{"INPUT_EVENT=patchset", "INPUT_WORKFLOWS=a.yml"}, func(p Project) any { return file(p) }, []string{"a.yml|", "|patchset"}},
		{"subjects may hold commas", []string{"INPUT_SKIP-SUBJECTS=^a{1,2}$\nb,c"}, func(p Project) any { return p.Skip.Subjects }, []string{"^a{1,2}$", "b,c"}},
		{"no subjects", []string{"INPUT_SKIP-SUBJECTS=none"}, func(p Project) any { return p.Skip.Subjects }, []string(nil)},
		{"switches", []string{"INPUT_SKIP-WIP=True", "INPUT_SKIP-PRIVATE=false", "INPUT_MIN-AGE=15m"}, func(p Project) any { return p.Skip }, Skip{WIP: true, Subjects: []string{`\[RFC\]`}, MinAge: 15 * time.Minute}},
		{"limits", []string{"INPUT_LIMIT=0", "INPUT_RUNNING-LIMIT=7", "INPUT_OWNER-LIMIT=2"}, func(p Project) any { return p.Limits }, Limits{Running: 7, PerOwner: 2, Pace: time.Second}},
		{"no age limit", []string{"INPUT_MAX-AGE=0"}, func(p Project) any { return p.MaxAge }, time.Duration(0)},
		{"query", []string{"INPUT_QUERY=-is:wip \"x y\""}, func(p Project) any { return p.Query }, `-is:wip "x y"`},
		{"trust", []string{"INPUT_TRUST-LABEL=Allow-CI+2", "INPUT_TRUST-GROUPS=Core Team\nBots"}, func(p Project) any { return p.Workflows[0].Trust }, Trust{Label: "Allow-CI", Value: 2, Groups: []string{"Core Team", "Bots"}}},
		{"trust by any vote", []string{"INPUT_TRUST-LABEL=Allow-CI"}, func(p Project) any { return p.Workflows[0].Trust }, Trust{Label: "Allow-CI", Value: 1}},
		{"nothing is published unasked", []string{"S3_BUCKET=b", "S3_KEY=k", "S3_SECRET=s"}, func(p Project) any { return p.Report.Publish }, Publish{}},
		{"publish", []string{"INPUT_PUBLISH=true", "S3_ENDPOINT_URL=https://s3.example.org", "S3_BUCKET=b", "S3_REGION=r", "S3_KEY=k", "S3_SECRET=s"},
			func(p Project) any { return p.Report.Publish }, Publish{On: true, Endpoint: "https://s3.example.org", Bucket: "b", Region: "r", PathStyle: "auto",
				Key: "k", Secret: "s", Artifacts: []string{"**"}, Logs: true, Keep: 30 * 24 * time.Hour, Time: 3 * time.Minute}},
		{"a storage of R2", []string{"INPUT_PUBLISH=true", "S3_ENDPOINT_URL=https://1a2b.r2.cloudflarestorage.com", "S3_PATH_STYLE=virtual", "S3_PUBLIC_URL=https://results.example.org"},
			func(p Project) any { return []string{p.Report.Publish.PathStyle, p.Report.Publish.URL} }, []string{"virtual", "https://results.example.org"}},
		{"ca-file", []string{"INPUT_CA-FILE=ca.pem"}, func(p Project) any { return p.Gerrit.CAFile + p.Mirror.CAFile }, "ca.pemca.pem"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, tt.get(one(t, tt.pairs...))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestBadInputs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		pairs []string
		want  []string // how each problem begins
	}{
		{"no project", []string{"INPUT_GERRIT-PROJECT="}, []string{"input gerrit-project: it is missing"}},
		{"ssh", []string{"INPUT_GERRIT-URL=ssh://review.spdk.io:29418"}, []string{"input gerrit-url: SSH sources are out of scope"}},
		{"in the table's order", []string{"INPUT_LIMIT=-1", "INPUT_MIRROR=a/b/c", "INPUT_BRANCHES=a b"},
			[]string{`input mirror: "a/b/c" is not OWNER/NAME`, `input branches: branch "a b"`, `input limit: "-1"`}},
		{"file as well", []string{"INPUT_CONFIG=x.yml"}, []string{"input config: gerrit-url is given as well"}},
		{"not a switch", []string{"INPUT_DRY-RUN=yes", "INPUT_SKIP-WIP=1"}, []string{`input skip-wip: "1" is neither`, `input dry-run: "yes" is neither`}},
		{"user alone", []string{"INPUT_GERRIT-USERNAME=ci"}, []string{"input gerrit-username: there is a user name, but no password"}},
		{"password alone", []string{"GERRIT_PASSWORD=hunter2"}, []string{"input gerrit-password: there is a password, but no user name"}},
		{"no CI repository", []string{"GITHUB_REPOSITORY="}, []string{"input ci-repository: it is not known whose"}},
		{"bad CI repository", []string{"GITHUB_REPOSITORY=ci"}, []string{`input ci-repository: "ci" is not OWNER/NAME`}},
		{"mirror without an owner", []string{"GITHUB_REPOSITORY_OWNER=", "GITHUB_REPOSITORY=", "INPUT_MIRROR=b"},
			[]string{`input mirror: "b" is not OWNER/NAME`, "input ci-repository: it is not known whose"}},
		{"runner's variables", []string{"GITHUB_API_URL=https://u:hunter2@x", "GITHUB_SERVER_URL=ftp://x"},
			[]string{"GITHUB_SERVER_URL: the address must begin", "GITHUB_API_URL: the address holds a user name"}},
		{"in the clear", []string{"INPUT_GERRIT-URL=http://review.example.org", "GERRIT_USERNAME=ci", "GERRIT_PASSWORD=hunter2", "INPUT_MIRROR-URL=http://git.example.org/x/y", "INPUT_MIRROR-TOKEN=hunter2",
			"INPUT_PUBLISH=true", "S3_ENDPOINT_URL=http://minio:9000", "S3_BUCKET=b", "S3_KEY=k", "S3_SECRET=hunter2"},
			[]string{`input gerrit-url: credentials would be sent in the clear to "http://review.example.org"`, `input mirror-url: credentials would be sent in the clear to "http://git.example.org/x/y"`,
				`input s3-endpoint-url: credentials would be sent in the clear to "http://minio:9000"`}},
		{"a storage that nobody can read", []string{"INPUT_PUBLISH=true", "S3_ENDPOINT_URL=https://1a2b.eu.r2.cloudflarestorage.com", "S3_BUCKET=b", "S3_PATH_STYLE=host"},
			[]string{`input s3-endpoint-url: readers cannot open links to 1a2b.eu.r2.cloudflarestorage.com`, `input s3-path-style: "host" is not a value`}},
		{"a GitHub in the clear", []string{"GHPA_TOKEN=hunter2", "GITHUB_API_URL=http://ghes/api/v3", "GITHUB_SERVER_URL=http://ghes"},
			[]string{`credentials would be sent in the clear to "http://ghes/api/v3"`, `credentials would be sent in the clear to "http://ghes/octo/spdk.git"`}},
		{"nothing to start", []string{"INPUT_WORKFLOWS=none"}, []string{"input workflows: there are no workflows"}},
		{"no branches", []string{"INPUT_BRANCHES=none"}, []string{"input branches: the list of branches is empty"}},
		{"twice", []string{"INPUT_BRANCHES=a,b,a", "INPUT_EVENT=x.yml", "INPUT_WORKFLOWS=x.yml"},
			[]string{`input branches: "a" stands in the list twice`, `input event: there are two workflows "x.yml"`}},
		{"trust", []string{"INPUT_TRUST-LABEL=+2"}, []string{`input trust-label: "" is not a label's name`}},
		{"trust in our own votes", []string{"INPUT_TRUST-LABEL=verified", "INPUT_LABEL=Verified", "GERRIT_USERNAME=ci", "GERRIT_PASSWORD=hunter2"},
			[]string{`input trust-label: "verified" is the label that results are voted on`}},
		{"app without a key", []string{"INPUT_APP-ID=12"}, []string{"input app-private-key: it is missing"}},
		{"key without an app", []string{"INPUT_APP-PRIVATE-KEY=hunter2"}, []string{"input app-id: it is missing"}},
		{"bad app", []string{"INPUT_APP-ID=mine", "INPUT_APP-PRIVATE-KEY=hunter2"}, []string{`input app-id: "mine"`, "input app-private-key: this is not a private key"}},
		{"ca-file", []string{"INPUT_CA-FILE=gone.pem"}, []string{`input ca-file: failed to read "gone.pem"`}},
		{"event", []string{"INPUT_EVENT=a b"}, []string{`input event: "a b" cannot name a workflow`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := loadInputs(tt.pairs...)
			checkProblems(t, err, tt.want)
		})
	}
}

// checkProblems compares how problems begin.
func checkProblems(t *testing.T, err error, want []string) {
	t.Helper()
	problems := problemsOf(t, err)
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a secret is shown: %v", err)
	}
	if !slices.EqualFunc(problems, want, func(p Problem, w string) bool { return strings.HasPrefix(p.String(), w) }) {
		t.Errorf("got:\n%v\nwant:\n%s", err, strings.Join(want, "\n"))
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	src := Source{Getenv: env(append(spdk, "INPUT_LIMIT=3", "INPUT_DRY-RUN=false")...), ReadFile: noFile,
		Flags: map[string]string{"limit": "9", "dry-run": "true", "command": "plan"}}
	c, err := Load(src)
	if err != nil {
		t.Fatal(err)
	}
	if c.Projects[0].Limits.PerPass != 9 || !c.DryRun || c.Command != "plan" {
		t.Errorf("got limit %d, dry-run %v, command %s; want 9, true, plan", c.Projects[0].Limits.PerPass, c.DryRun, c.Command)
	}
	src.Flags = map[string]string{"gerrit-password": "hunter2", "limits": "1", "zzz": "1"}
	_, err = Load(src)
	checkProblems(t, err, []string{
		`input "limits": there is no such input` + "\n    hint: did you mean limit?",
		`input "zzz": there is no such input`,
		"input gerrit-password: a secret must not stand on the command line\n    hint: set the variable GERRIT_PASSWORD",
	})
}

func TestInputsBesideAFile(t *testing.T) {
	t.Parallel()
	small := []byte("gerrits: {a: {url: 'https://a.example.org'}}\nprojects: [{name: a}]\n")
	_, err := loadFile("f.yml", small, "INPUT_LIMIT=7", "INPUT_GERRIT-PROJECT=a", "SPDK_REPOS_NAME=x", "INPUT_DRY-RUN=true", "INPUT_LIMIT=7")
	checkProblems(t, err, []string{
		"input gerrit-project: it has no effect, because f.yml describes the projects",
		"input limit: it has no effect",
	})
}
