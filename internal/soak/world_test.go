// SPDX-License-Identifier: BSD-3-Clause

package soak

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/app"
	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

const (
	token    = "ghp-secret-of-the-soak"
	password = "password-of-bot" // what the Gerrit stand-in gives to the account bot
	label    = "Verified"
)

// world is both servers, the dispatcher's surroundings, and a journal of what
// happened, which is all that the oracle knows.
type world struct {
	history history
	config  config
	clock   *clock
	gerrit  *gerrit.Server
	github  *github.Server
	project *gerrit.Project
	mirror  *github.Repository
	ci      *github.Repository
	bot     *gerrit.Account
	net     *network
	labels  []gerrit.Label
	env     map[string]string
	yaml    string
	dir     string
	end     context.CancelFunc

	mu       sync.Mutex
	changes  []*subject
	branches map[string]bool
	commits  map[string]bool // that branches pointed at
	runs     map[int64]*run
	passes   []*pass
	remarks  []*remark // what people wrote
	step     int       // the event that is played
	forbid   bool
	calm     bool         // no more trouble
	forged   map[int]bool // changes about which the mirror was told lies
	armed    []*fault
	broken   []violation
	trace    func(format string, args ...any)

	// lie, if not nil, is something that the oracle must find.
	lie *lie
}

// subject is a change as its people know it.
type subject struct {
	*gerrit.Change
	name, owner, branch string
	parent              *subject
	wip, private        bool
	hidden              bool // nobody may read it
	unseen              bool // the account could not see it once
	withdrawn           bool // it was private once, and left the mirror
	status              change.Status
	base                string // what the current patchset was put on
	sets                []patchset
	// since is when the change became eligible, or zero.
	since time.Time
	// removed are votes of ours that somebody took off.
	removed []removal
	// touched is when something happened last, byPeople when they did it; news
	// counts what happened less what was mailed.
	touched, byPeople time.Time
	news              int
	messages          int // that were looked at
	// mailed is what the owner was mailed last, mails when; again counts those
	// that said the same as the one before.
	mailed string
	mails  time.Time
	again  int
}

// happened notes that people did something to a change, or of which it is about.
func (c *subject) happened(at time.Time) {
	c.touched, c.byPeople = at, at
	c.news++
}

// patchset is what the oracle knows of one.
type patchset struct {
	revision, uploader, kind string
	files                    map[string]bool
	at                       time.Time
	copied                   int // our vote that Gerrit copied to it
}

type removal struct {
	patchset, value int
	at              time.Time
	soft            bool // Gerrit did it itself, for another reason
}

// remark is a comment by somebody.
type remark struct {
	on       *subject
	patchset int
	who      string
	text     string
	at       time.Time
}

// run is a run of a workflow, with all of its attempts on GitHub.
type run struct {
	id       int64
	key      change.Key
	on       *subject
	attempts []*attempt
}

type attempt struct {
	begun, ended time.Time
	means        truth
	how          string
	// stopped is when the dispatcher asked GitHub to cancel it.
	stopped time.Time
}

// pass is one run of "dispatcher sync" or "report".
type pass struct {
	step           int
	at             time.Time
	name           string
	status         int
	stdout, stderr string
	writes         []string
	healthy        bool // nothing went wrong on purpose
}

// build makes a world; close it. What happens in it is written to trace.
func build(h history, trace func(string, ...any)) (*world, error) {
	dir, err := os.MkdirTemp("", "soak-*")
	if err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(context.Background())
	w := &world{
		history: h, config: h.config, trace: trace, clock: &clock{now: time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)}, dir: dir, end: end,
		branches: map[string]bool{}, commits: map[string]bool{}, runs: map[int64]*run{}, forged: map[int]bool{},
		env: map[string]string{"GHPA_TOKEN": token, "GERRIT_USERNAME": "bot", "GERRIT_PASSWORD": password},
	}
	copies := map[string][]string{"none": {}, "reword": {"NO_CODE_CHANGE"}, "both": {"NO_CODE_CHANGE", "TRIVIAL_REBASE"}}[h.config.Copy]
	w.labels = []gerrit.Label{{Name: "Code-Review", Min: -2, Max: 2}, {Name: label, Min: -1, Max: 1, Copy: copies}}
	w.gerrit = gerrit.New(dir+"/gerrit", gerrit.Options{FirstChange: 101, Now: w.clock.Now, Labels: w.labels})
	w.github = github.New(dir+"/github", github.Options{Now: w.clock.Now, Tokens: map[string]github.Access{token: github.FullAccess}})
	lag, err := time.ParseDuration(h.config.Lag)
	if err != nil {
		return nil, err
	}
	w.gerrit.SetLag(lag)
	return w, w.start(ctx)
}

func (w *world) start(ctx context.Context) error {
	gerritURL, err := w.gerrit.Start(ctx)
	if err != nil {
		return err
	}
	githubURL, err := w.github.Start(ctx)
	if err != nil {
		return err
	}
	w.project = w.gerrit.Project("spdk/spdk")
	w.grow("master")
	w.grow("stable")
	w.mirror, w.ci = w.github.Repository("example/spdk"), w.github.Repository("example/ci")
	w.mirror.SetIssue(github.Issue{Number: 12, Title: "reset test is flaky"})
	files := map[string]string{}
	for _, f := range w.config.workflows() {
		name := strings.TrimSuffix(f.file, ".yml")
		files[".github/workflows/"+f.file] = "name: " + name + "\nrun-name: ${{ inputs.key }}\non:\n  workflow_dispatch:\n    inputs:\n      key: {required: true}\n      revision: {required: true}\n"
	}
	w.ci.Commit("main", files)
	w.bot = w.gerrit.Account("bot")
	w.gerrit.ShowPrivate("bot", w.config.Sees)
	for _, name := range []string{"ann", "bob", "cora", "eve"} {
		w.gerrit.Account(name)
	}
	w.gerrit.Account("robo").Robot = true
	w.gerrit.Group("core", "cora")
	w.env["GITHUB_SERVER_URL"], w.env["GITHUB_API_URL"] = githubURL, githubURL
	w.yaml = w.config.yaml(gerritURL)
	g, _ := url.Parse(gerritURL)
	h, _ := url.Parse(githubURL)
	w.net = &network{
		hosts: map[string]http.Handler{g.Host: w.gerrit.Handler(), h.Host: w.github.Handler()}, mirror: h.Host,
		index: map[string]string{}, served: w.served,
	}
	if w.config.Git == "memory" {
		w.net.memory = &memory{refs: map[string]string{}, source: w.heads, may: w.shows}
	}
	w.github.OnRun(w.started)
	return nil
}

// close ends both servers and removes their repositories.
func (w *world) close() error {
	w.end()
	err := w.gerrit.Close()
	os.RemoveAll(w.dir)
	return err
}

// grow puts a commit on a branch.
func (w *world) grow(branch string) {
	w.branches[branch] = true
	oid := w.project.Commit(branch, map[string]string{"README.md": fmt.Sprintf("%s, step %d\n", branch, w.step)})
	w.commits[string(oid)] = true
}

// heads are the branches as Gerrit shows them.
func (w *world) heads() map[string]string {
	refs := map[string]string{}
	for name := range w.branches {
		refs["refs/heads/"+name] = string(w.project.Tip(name))
	}
	return refs
}

// shows reports whether Gerrit lets the dispatcher fetch a commit: that of a
// patchset that it may see, or on which such a patchset is built.
func (w *world) shows(oid string) bool {
	for _, c := range w.changes {
		if !w.visible(c) {
			continue
		}
		for below := c; below != nil; below = below.parent {
			if slices.ContainsFunc(below.sets, func(p patchset) bool { return p.revision == oid }) {
				return true
			}
		}
	}
	return w.commits[oid]
}

// refs are those of the mirror.
func (w *world) refs() map[string]string {
	if m := w.net.memory; m != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		return maps.Clone(m.refs)
	}
	return w.mirror.Refs()
}

// forge writes a ref of the mirror, as anybody may who can push there.
func (w *world) forge(ref, oid string) error {
	if m := w.net.memory; m != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.refs[ref] = oid
		return nil
	}
	cmd := exec.Command("git", "update-ref", ref, oid)
	cmd.Dir, cmd.Env = w.mirror.Dir(), []string{"PATH=" + os.Getenv("PATH"), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1"}
	return cmd.Run()
}

// dispatch runs the program once, and writes down what it did.
func (w *world) dispatch(name string, args []string, on *wire) *pass {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	on.net, on.cancel = w.net, cancel
	p := &pass{step: w.step, at: w.clock.Now(), name: name}
	var out, errs bytes.Buffer
	a := &app.App{
		Stdout: &out, Stderr: &errs, Now: w.clock.Now, Sleep: w.clock.Sleep, Version: "soak", Transport: on,
		Getenv: func(name string) string { return w.env[name] },
		ReadFile: func(name string) ([]byte, error) {
			if name == ".github/dispatcher.yml" {
				return []byte(w.yaml), nil
			}
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		},
	}
	p.status = a.Main(ctx, args)
	p.stdout, p.stderr, p.writes = out.String(), errs.String(), on.writes
	w.mu.Lock()
	defer w.mu.Unlock()
	w.passes = append(w.passes, p)
	w.trace("  [%s] %s, status %d\n%s%s", p.at.Format("2 15:04:05"), name, p.status, p.stdout, p.stderr)
	return p
}

// pass makes a pass under the faults that are armed.
func (w *world) pass(on *wire) *pass {
	w.clock.advance(10 * time.Minute)
	on.faults, w.armed = w.armed, nil
	lag := w.net.lag
	p := w.dispatch("sync", []string{"sync"}, on)
	p.healthy = len(on.faults) == 0 && on.kill == 0 && !lag && on.held == nil && (w.config.Lag == "0s" || w.calm)
	w.net.lag = false
	w.settle()
	w.afterPass(p)
	return p
}

// both lets two dispatchers work at the same time: the first makes so many
// writes, the second then so many, the first ends, and then the second.
func (w *world) both(first, second int) {
	w.clock.advance(10 * time.Minute)
	var wires [2]*wire
	var ended [2]chan *pass
	for i, n := range []int{first, second} {
		wires[i] = &wire{hold: n, held: make(chan struct{}), goOn: make(chan struct{})}
		ended[i] = make(chan *pass, 1)
		held := wires[i].held
		go func() { ended[i] <- w.dispatch(fmt.Sprintf("dispatcher %d", i+1), []string{"sync"}, wires[i]) }()
		select {
		case <-held:
		case p := <-ended[i]:
			ended[i] <- p
		}
	}
	for i := range wires {
		close(wires[i].goOn)
		p := <-ended[i]
		w.settle()
		w.afterPass(p)
	}
}
