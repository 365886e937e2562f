// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/standin/engine"
	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
	"github.com/spdk-community-ci/dispatcher/internal/standin/qemu"
)

// TestMain keeps a developer's own GitHub token out of the stories, and puts
// another one in its place, which is good for github.com. With CI set no key
// store is asked, and gh's settings are looked for where there are none.
func TestMain(m *testing.M) {
	qemu.Play()   // if the program was started again as QEMU
	engine.Play() // or as Docker
	os.Setenv("CI", "true")
	os.Setenv("GH_CONFIG_DIR", filepath.Join(os.TempDir(), "no-such-folder"))
	for _, name := range []string{"GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"} {
		os.Unsetenv(name)
	}
	os.Setenv("GH_TOKEN", developerToken)
	// Stories wait for git and for time to go by more than they compute.
	flag.Set("test.parallel", strconv.Itoa(3*runtime.GOMAXPROCS(0)))
	os.Exit(m.Run())
}

const (
	token          = "ghp-secret-of-the-stories"
	developerToken = "ghp-of-a-developer"
	password       = "password-of-bot" // what the Gerrit stand-in gives to the account bot
)

// autorun is the workflow of the README.
const autorun = `name: autorun
run-name: ${{ inputs.key }}
on:
  workflow_dispatch:
    inputs:
      key: {required: true}
      revision: {required: true}
`

// story is one test of the whole program: both servers, a project, its mirror
// and the CI repository; what happened is written down as a user sees it, and
// compared with testdata/stories in the end.
type story struct {
	*testing.T
	clock      *clock
	gerrit     *gerrit.Server
	github     *github.Server
	project    *gerrit.Project
	mirror, ci *github.Repository
	// env is the program's environment, files what it can read.
	env   map[string]string
	files map[string]string
	// namespace and ledger are where the mirror's refs are expected.
	namespace change.Namespace
	ledger    change.Ledger
	transport http.RoundTripper
	idle      time.Duration
	// secrets must never be seen.
	secrets []string
	// shown are the messages in Gerrit that were written down.
	shown map[string]bool

	// stdout, stderr and requests are those of the last pass, tokens what came
	// with the requests to GitHub.
	stdout, stderr   string
	requests, tokens []string
	transcript       strings.Builder
}

// servers are the options of both stand-ins.
type servers struct {
	gerrit gerrit.Options
	github github.Options
}

// begin sets the stage. The settings are lines of YAML for the project.
func begin(t *testing.T, settings string, edits ...func(*servers)) *story {
	t.Helper()
	s := &story{T: t, shown: map[string]bool{}, namespace: change.CustomRefs, ledger: change.CustomLedger, clock: &clock{now: time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)}}
	o := servers{
		gerrit: gerrit.Options{FirstChange: 101, Now: s.clock.Now},
		github: github.Options{Now: s.clock.Now, Tokens: map[string]github.Access{token: github.FullAccess}},
	}
	for _, edit := range edits {
		edit(&o)
	}
	s.gerrit, s.github = gerrit.Serve(t, o.gerrit), github.Serve(t, o.github)
	s.project = s.gerrit.Project("spdk/spdk")
	s.project.Commit("master", map[string]string{"README.md": "The project under review.\n"})
	s.mirror, s.ci = s.github.Repository("example/spdk"), s.github.Repository("example/ci")
	s.workflow("autorun.yml", autorun)
	s.env = map[string]string{"GHPA_TOKEN": token, "GITHUB_SERVER_URL": s.github.URL(), "GITHUB_API_URL": s.github.URL()}
	s.files = map[string]string{}
	s.secrets = []string{token, developerToken, password}
	s.configure(defaultConfig(settings))
	t.Cleanup(s.end)
	return s
}

// defaultConfig is the configuration of one project with some settings.
func defaultConfig(settings string) string {
	text := `gerrits:
  main: {url: GERRIT}
projects:
  - name: spdk/spdk
    mirror: example/spdk
    ci: example/ci
`
	for line := range strings.Lines(settings) {
		text += "    " + line
	}
	return text
}

// configure writes the configuration file; GERRIT and GITHUB stand for the
// servers' addresses.
func (s *story) configure(text string) {
	s.files[".github/dispatcher.yml"] = strings.NewReplacer("GERRIT", s.gerrit.URL(), "GITHUB", s.github.URL()).Replace(text)
}

// use has the mirror's refs in other namespaces from now on.
func (s *story) use(ns change.Namespace, l change.Ledger) {
	s.namespace, s.ledger = ns, l
	s.files[".github/dispatcher.yml"] = strings.Replace(s.files[".github/dispatcher.yml"], "mirror: example/spdk",
		fmt.Sprintf("mirror: {repository: example/spdk, namespace: %s, ledger: %s}", ns, l), 1)
}

// workflow puts a workflow file into the CI repository.
func (s *story) workflow(file, text string) {
	s.ci.Commit("main", map[string]string{".github/workflows/" + file: text})
}

// push uploads a change; below is the one that it builds on, or nil.
func (s *story) push(owner, subject string, below *gerrit.Change) *gerrit.Change {
	return s.project.Push(gerrit.Draft{Owner: owner, Subject: subject, Parent: below})
}

// pushFiles uploads a change with the given files.
func (s *story) pushFiles(owner, subject string, files map[string]string) *gerrit.Change {
	return s.project.Push(gerrit.Draft{Owner: owner, Subject: subject, Files: files})
}

// says writes down what happens now.
func (s *story) says(text string) { fmt.Fprintf(&s.transcript, "# %s\n", text) }

// pass runs "dispatcher sync", writes down what a user sees, and checks what
// must hold after every pass.
func (s *story) pass(want int, args ...string) {
	s.Helper()
	s.shows(want, append([]string{"sync"}, args...)...)
}

// shows runs a command and writes down what a user sees of it.
func (s *story) shows(want int, args ...string) {
	s.Helper()
	status := s.run(s.Context(), args...)
	s.written(status, args...)
	if status != want {
		s.Errorf("got exit status %d, want %d:\n%s%s", status, want, s.stdout, s.stderr)
	}
}

// written writes down what a user saw of the last command.
func (s *story) written(status int, args ...string) {
	command := strings.Join(append([]string{"dispatcher"}, args...), " ")
	fmt.Fprintf(&s.transcript, "$ %s\n%s", command, s.plain(s.stdout))
	for line := range strings.Lines(s.plain(s.stderr)) {
		s.transcript.WriteString("stderr: " + line)
	}
	fmt.Fprintf(&s.transcript, "exit status %d\n\n", status)
}

// run runs a command without writing it down.
func (s *story) run(ctx context.Context, args ...string) int {
	s.Helper()
	s.observe()
	var out, errs bytes.Buffer
	status := s.app("test", &out, &errs).Main(ctx, args)
	s.stdout, s.stderr = out.String(), errs.String()
	s.observe()
	s.check()
	return status
}

// app is one program of that name on the stage.
func (s *story) app(version string, out, errs *bytes.Buffer) *App {
	return &App{
		Stdout: out, Stderr: errs, Now: s.clock.Now, Sleep: s.clock.Sleep, Version: version,
		Getenv: func(name string) string { return s.env[name] },
		ReadFile: func(name string) ([]byte, error) {
			if text, ok := s.files[name]; ok {
				return []byte(text), nil
			}
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		},
		Transport: s.transport, Idle: s.idle,
	}
}

// observe notes the requests since the last time as "SERVER METHOD PATH".
func (s *story) observe() {
	s.requests, s.tokens = nil, nil
	for _, r := range s.gerrit.Requests() {
		s.requests = append(s.requests, "gerrit "+r.Method+" "+r.Path)
	}
	for _, r := range s.github.Requests() {
		s.requests = append(s.requests, "github "+r.Method+" "+r.Path)
		s.tokens = append(s.tokens, r.Token)
	}
}

var writing = regexp.MustCompile(` (?:PUT|PATCH|DELETE) | POST .*/(?:git-receive-pack|dispatches|review|cancel)$`)

// writes are those requests of the last pass that change something.
func (s *story) writes() []string {
	return slices.DeleteFunc(slices.Clone(s.requests), func(r string) bool { return !writing.MatchString(r) })
}

var netNoise = regexp.MustCompile(`(?:read|write) tcp [0-9.:>-]+: (?:read: connection reset by peer|write: broken pipe|write: connection reset by peer)|unexpected EOF`)

// plain takes out what differs from run to run.
func (s *story) plain(text string) string {
	text = strings.NewReplacer(s.gerrit.URL(), "http://gerrit", s.github.URL(), "http://github").Replace(text)
	return port.ReplaceAllString(netNoise.ReplaceAllString(text, "EOF"), "HOST")
}
