// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package servers

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
	"github.com/spdk-community-ci/dispatcher/internal/app"
	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// clock runs as fast as the machine's, and forward when it is told so.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.advance(d)
	return ctx.Err()
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// RoundTrip has the servers live by this clock, too.
func (c *clock) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err == nil {
		resp.Header.Set("Date", c.Now().UTC().Format(http.TimeFormat))
	}
	return resp, err
}

// bed is one project in the Gerrit stand-in, its mirror on a server of others,
// and the program between them.
type bed struct {
	*testing.T
	host    string
	clock   *clock
	project *gerrit.Project
	gerrit  *gerrit.Server
	hub     *github.Server
	mirror  rig.Hosted
	// settings are more lines of YAML for the mirror and the project.
	mirrorSettings, settings string
	ci                       string // YAML
	env                      map[string]string
	transcript               strings.Builder
}

var show = flag.Bool("show", false, "print all that the program printed")

var unfit = regexp.MustCompile(`[^A-Za-z0-9]+`)

func newBed(t *testing.T, h host) *bed {
	t.Helper()
	b := &bed{T: t, host: h.name, clock: &clock{}, env: map[string]string{}}
	var err error
	if b.mirror, err = h.create(t.Context(), unfit.ReplaceAllString(strings.ToLower(t.Name()), "-")); err != nil {
		t.Fatal(err)
	}
	b.gerrit = gerrit.Serve(t, gerrit.Options{FirstChange: 101, Now: b.clock.Now})
	b.hub = github.Serve(t, github.Options{Now: b.clock.Now, Tokens: map[string]github.Access{rig.MirrorToken: github.FullAccess}})
	b.project = b.gerrit.Project("spdk/spdk")
	b.project.Commit("master", map[string]string{"README.md": "The project under review.\n"})
	b.hub.Repository(rig.CIRepository).Commit("main", map[string]string{".github/workflows/autorun.yml": workflow})
	b.ci = rig.CIRepository
	b.env = map[string]string{
		"GHPA_TOKEN": rig.MirrorToken, "MIRROR_TOKEN": b.mirror.Token,
		"GITHUB_SERVER_URL": b.hub.URL(), "GITHUB_API_URL": b.hub.URL(),
	}
	t.Cleanup(func() {
		if t.Failed() || *show {
			t.Log(b.transcript.String())
		}
	})
	return b
}

const workflow = `name: autorun
run-name: ${{ inputs.key }}
on:
  workflow_dispatch:
    inputs:
      key: {required: true}
      revision: {required: true}
jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - run: 'true'
`

// push uploads n changes, each with a file of its own.
func (b *bed) push(n int) []*gerrit.Change {
	b.Helper()
	var changes []*gerrit.Change
	for i := range n {
		changes = append(changes, b.project.Push(gerrit.Draft{
			Owner: "ann", Subject: fmt.Sprintf("change %d", i), Files: map[string]string{fmt.Sprintf("file%d.c", i): fmt.Sprintf("int x%d;\n", i)},
		}))
	}
	return changes
}

// pass runs one pass, which must end with a status, and returns what it printed.
func (b *bed) pass(want int) string {
	b.Helper()
	status, text := b.sync(b.Context())
	if status != want {
		b.Errorf("got exit status %d, want %d:\n%s", status, want, text)
	}
	return text
}

func (b *bed) sync(ctx context.Context, args ...string) (status int, printed string) {
	return b.run(ctx, append([]string{"sync"}, args...)...)
}

// run runs a command of the program.
func (b *bed) run(ctx context.Context, args ...string) (status int, printed string) {
	config := fmt.Sprintf(`gerrits:
  main: {url: %s}
projects:
  - name: spdk/spdk
    mirror: {repository: example/spdk, url: %s, token-env: MIRROR_TOKEN%s}
    ci: %s
    limits: {per-pass: 0, running: 0, pace: 0s}
%s`, b.gerrit.URL(), b.mirror.URL, b.mirrorSettings, b.ci, b.settings)
	var out bytes.Buffer
	program := &app.App{
		Stdout: &out, Stderr: &out, Now: b.clock.Now, Sleep: b.clock.Sleep, Transport: b.clock, Version: "e2e",
		Getenv: func(name string) string { return b.env[name] },
		ReadFile: func(name string) ([]byte, error) {
			if name == ".github/dispatcher.yml" {
				return []byte(config), nil
			}
			if strings.HasPrefix(name, "/") {
				return os.ReadFile(name)
			}
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		},
	}
	begin := time.Now()
	status = program.Main(ctx, args)
	text := strings.NewReplacer(b.gerrit.URL(), "GERRIT", b.hub.URL(), "GITHUB", b.mirror.URL, "MIRROR").Replace(out.String())
	fmt.Fprintf(&b.transcript, "\n$ dispatcher %s\n%sexit status %d after %s\n", strings.Join(args, " "), text, status, time.Since(begin).Round(time.Millisecond))
	if b.mirror.Token != "any" && strings.Contains(text, b.mirror.Token) {
		b.Error("the mirror's token was printed")
	}
	return status, text
}

// refs returns the mirror's.
func (b *bed) refs() map[string]string {
	b.Helper()
	refs, err := b.mirror.Refs(b.Context())
	b.must(err)
	return refs
}

// landed checks that the current patchsets of changes are on the mirror, whole.
func (b *bed) landed(changes ...*gerrit.Change) {
	b.Helper()
	refs := b.refs()
	for _, c := range changes {
		if got := refs[c.Ref()]; got != string(c.Revision()) {
			b.Errorf("the mirror's %s is %q, want %q", c.Ref(), got, c.Revision())
		}
	}
	b.must(b.mirror.Check(b.Context()))
}

// ran checks that patchsets have a run each, or with 0 none.
func (b *bed) ran(times int, changes ...*gerrit.Change) {
	b.Helper()
	count := map[string]int{}
	for _, r := range b.hub.Runs() {
		count[r.Inputs["revision"]]++
	}
	for _, c := range changes {
		if n := count[string(c.Revision())]; n != times {
			b.Errorf("%s has %d runs, want %d", c.Ref(), n, times)
		}
	}
}

// blamed checks which changes the ledger says are refused for what is in them.
func (b *bed) blamed(want ...*gerrit.Change) {
	b.Helper()
	var got, numbers []int
	for ref := range b.refs() {
		if e, err := change.CustomLedger.Parse(ref); err == nil && (e.Kind == change.Unrelayed || e.Kind == change.Poisoned) {
			got = append(got, e.ID.Change)
		}
	}
	for _, c := range want {
		numbers = append(numbers, c.Number())
	}
	slices.Sort(got)
	if got = slices.Compact(got); !slices.Equal(got, numbers) {
		b.Errorf("blamed are the changes %v, want %v", got, numbers)
	}
}

// says checks that a text that was printed has others in it.
func (b *bed) says(printed string, want ...string) {
	b.Helper()
	for _, w := range want {
		if !strings.Contains(printed, w) {
			b.Errorf("it does not say %q:\n%s", w, printed)
		}
	}
}

func (b *bed) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
