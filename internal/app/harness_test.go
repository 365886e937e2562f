// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// TestMain keeps a developer's own GitHub token out of the stories, and puts
// another one in its place, which is good for github.com. With CI set no key
// store is asked, and gh's settings are looked for where there are none.
func TestMain(m *testing.M) {
	os.Setenv("CI", "true")
	os.Setenv("GH_CONFIG_DIR", filepath.Join(os.TempDir(), "no-such-folder"))
	for _, name := range []string{"GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"} {
		os.Unsetenv(name)
	}
	os.Setenv("GH_TOKEN", developerToken)
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

// check holds the last pass to what is always true.
func (s *story) check() {
	s.Helper()
	masked := regexp.MustCompile(`(?m)^::add-mask::.*$`).ReplaceAllString(s.stdout, "")
	for _, secret := range s.secrets {
		for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte("x-access-token:" + secret)), base64.StdEncoding.EncodeToString([]byte("bot:" + secret))} {
			if strings.Contains(masked+s.stderr, form) {
				s.Errorf("a secret was printed: %q", form)
			}
		}
	}
	if i := strings.IndexFunc(s.stdout+s.stderr, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r == 0x202e }); i >= 0 {
		s.Errorf("a control character was printed: %q", s.stdout+s.stderr)
	}
	// Only a change that is restored after its refs were pruned is tested afresh.
	titles := map[string]time.Time{}
	for _, run := range s.github.Runs() {
		if before, twice := titles[run.Title]; twice && run.Created.Sub(before) < 14*24*time.Hour {
			s.Errorf("there are two runs %s", run.Title)
		}
		titles[run.Title] = run.Created
	}
}

// runs compares all runs so far, by the keys in their names.
func (s *story) runs(want ...string) {
	s.Helper()
	var got []string
	for _, run := range s.github.Runs() {
		got = append(got, run.Title)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		s.Errorf("runs (-want +got):\n%s", diff)
	}
}

// endsWell makes passes until there is nothing to do, and expects each of the
// changes on the mirror with exactly one run, and a mirror that holds nothing
// but what belongs there. Passes are a quarter of an hour apart. All runs have
// ended then.
func (s *story) endsWell(changes ...*gerrit.Change) {
	s.Helper()
	for n := 0; ; n++ {
		if status := s.run(s.Context(), "sync"); status != ExitDone {
			s.Errorf("got exit status %d while it should end well:\n%s%s", status, s.stdout, s.stderr)
		}
		if len(s.writes()) == 0 {
			break
		}
		if n == 10 {
			s.Fatalf("there is still something to do after %d passes:\n%s", n, s.stdout)
		}
		s.clock.advance(15 * time.Minute)
	}
	s.settled(changes)
}

// recovers makes passes until each of the changes has been started, and expects
// what endsWell does of it. It leaves the last, quiet pass to others: for
// stories of many scenes.
func (s *story) recovers(changes ...*gerrit.Change) {
	s.Helper()
	for n := 0; slices.ContainsFunc(changes, func(c *gerrit.Change) bool { return s.runsOf(c) == 0 }) || n == 0; n++ {
		if n == 5 {
			s.Fatalf("something was lost:\n%s", s.stdout)
		}
		if status := s.run(s.Context(), "sync"); status != ExitDone {
			s.Errorf("got exit status %d while it should recover:\n%s%s", status, s.stdout, s.stderr)
		}
		s.clock.advance(15 * time.Minute)
	}
	s.settled(changes)
}

// settled checks the state of both servers for some changes, and lets all runs
// end.
func (s *story) settled(changes []*gerrit.Change) {
	s.Helper()
	refs := s.mirror.Refs()
	for _, c := range changes {
		s.complete(c, refs)
	}
	s.clean(refs)
	for _, run := range s.github.Runs() {
		s.github.SetRunState(run.ID, "completed", "success")
	}
}

// runsOf counts the runs of a change's current patchset, and expects each to
// test it.
func (s *story) runsOf(c *gerrit.Change) int {
	s.Helper()
	n := 0
	for _, run := range s.github.Runs() {
		key, ok := change.KeyOfRun(run.Title)
		if !ok || key.ID != c.ID() || key.Workflow != "autorun.yml" || key.Server != "" {
			continue
		}
		n++
		if got := run.Inputs["revision"]; got != string(c.Revision()) {
			s.Errorf("the run of %s tests %q, want %s", c.ID(), got, c.Revision())
		}
	}
	return n
}

// complete expects a change's current patchset on the mirror, and one run of it.
func (s *story) complete(c *gerrit.Change, refs map[string]string) {
	s.Helper()
	ref := s.namespace.Ref(c.ID())
	if got := refs[ref]; got != string(c.Revision()) {
		s.Errorf("the mirror's %s is %q, want %s", ref, got, c.Revision())
	}
	if n := s.runsOf(c); n != 1 {
		s.Errorf("got %d runs of %s, want 1", n, c.ID())
	}
}

// clean expects no ref on the mirror but Gerrit's branches, patchsets and the
// ledger.
func (s *story) clean(refs map[string]string) {
	s.Helper()
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		_, patchset := s.namespace.Parse(name)
		_, entry := s.ledger.Parse(name)
		branch, isBranch := strings.CutPrefix(name, "refs/heads/")
		if patchset != nil && entry != nil && !(isBranch && string(s.project.Tip(branch)) == refs[name]) {
			s.Errorf("the mirror has the ref %s, which belongs nowhere", name)
		}
	}
}

// end compares the transcript.
func (s *story) end() {
	if s.transcript.Len() == 0 || s.Failed() && !*update {
		return
	}
	name := strings.NewReplacer("/", "-", "_", "-").Replace(strings.TrimPrefix(s.Name(), "Test"))
	golden(s.T, filepath.Join("stories", name+".txt"), s.transcript.String())
}

// TestStoriesAreTold finds golden files that no test looks at any more.
func TestStoriesAreTold(t *testing.T) {
	t.Parallel()
	sources, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, source := range sources {
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func Test(\w+)\(`).FindAllStringSubmatch(string(text), -1) {
			told[m[1]] = true
		}
	}
	stories, err := filepath.Glob("testdata/stories/*.txt")
	if err != nil || len(stories) == 0 {
		t.Fatal(err)
	}
	for _, file := range stories {
		name, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".txt"), "-")
		if !told[name] {
			t.Errorf("%s belongs to no test", file)
		}
	}
}

// clock is the time of a story: it stands still but for what somebody waits.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	slept time.Duration
}

// Now returns the time.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Sleep lets the time pass at once.
func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now, c.slept = c.now.Add(d), c.slept+d
	return nil
}

// advance lets time pass between two passes.
func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// impatient ends requests to such paths as their deadlines would, which the
// clients set by the clock on the wall.
type impatient struct{ paths *regexp.Regexp }

// RoundTrip waits a twentieth of a second.
func (i impatient) RoundTrip(r *http.Request) (*http.Response, error) {
	if !i.paths.MatchString(r.URL.Path) {
		return http.DefaultTransport.RoundTrip(r)
	}
	ctx, cancel := context.WithTimeout(r.Context(), 50*time.Millisecond)
	context.AfterFunc(r.Context(), cancel)
	return http.DefaultTransport.RoundTrip(r.WithContext(ctx))
}

// before is told of each request before it is sent.
type before func(*http.Request)

// RoundTrip sends the request.
func (b before) RoundTrip(r *http.Request) (*http.Response, error) {
	b(r)
	return http.DefaultTransport.RoundTrip(r)
}

// pushFiles uploads a change with the given files.
func (s *story) pushFiles(owner, subject string, files map[string]string) *gerrit.Change {
	return s.project.Push(gerrit.Draft{Owner: owner, Subject: subject, Files: files})
}
