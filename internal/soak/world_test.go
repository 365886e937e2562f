// SPDX-License-Identifier: BSD-3-Clause

package soak

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

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
	sites   []*site
	ci      *github.Repository
	bot     *gerrit.Account
	net     *network
	labels  []gerrit.Label
	env     map[string]string
	yaml    string
	dir     string
	end     context.CancelFunc

	mu      sync.Mutex
	changes []*subject
	runs    map[int64]*run
	passes  []*pass
	remarks []*remark // what people wrote
	step    int       // the event that is played
	forbid  bool
	calm    bool // no more trouble
	// reporting: a run's own report is made now.
	reporting bool
	armed     []*fault
	broken    []violation
	trace     func(format string, args ...any)

	// lie, if not nil, is something that the oracle must find.
	lie *lie
}

// subject is a change as its people know it.
type subject struct {
	*gerrit.Change
	site                *site
	name, owner, branch string
	parent              *subject
	wip, private        bool
	imported            bool         // its number may be that of another project's change
	hidden              bool         // nobody may read it
	forged              bool         // the mirror was told lies about it
	erased              bool         // refs about it left the mirror
	ends                []change.Key // of runs about which the mirror was told something
	unseen              bool         // the account could not see it once
	withdrawn           bool         // it was private once, and left the mirror
	status              change.Status
	base                string // what the current patchset was put on
	sets                []patchset
	// since is when the change became eligible, or zero; barredAt is when it was last
	// not trusted.
	since, barredAt time.Time
	closedAt        time.Time // it was last abandoned
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
	parent                   string // the commit below it
	files                    map[string]bool
	at                       time.Time
	copied                   int // our vote that Gerrit copied to it
	ballots                  map[string]ballot
	arrived                  bool   // on the mirror
	content                  string // for which a mirror refuses it, or ""
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
	// unnamed: every record that names it has left the mirror.
	unnamed bool
}

type attempt struct {
	begun, ended time.Time
	means        truth
	how          string
	// stopped is when the dispatcher asked GitHub to cancel it.
	stopped time.Time
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
		runs: map[int64]*run{},
		env:  map[string]string{"GHPA_TOKEN": token, "GERRIT_USERNAME": "bot", "GERRIT_PASSWORD": password},
	}
	copies := map[string][]string{"none": {}, "reword": {"NO_CODE_CHANGE"}, "both": {"NO_CODE_CHANGE", "TRIVIAL_REBASE"}}[h.config.Copy]
	w.labels = []gerrit.Label{{Name: "Code-Review", Min: -2, Max: 2}, {Name: label, Min: -1, Max: 1, Copy: copies}}
	if h.config.Gate != "none" {
		w.labels = append(w.labels, gerrit.Label{Name: gateLabel, Min: -1, Max: 1, Copy: gateCopies[h.config.GateCopy]})
	}
	w.gerrit = gerrit.New(dir+"/gerrit", gerrit.Options{FirstChange: 101, Now: w.clock.Now, Labels: w.labels, OwnVoteDates: h.config.OwnDates})
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
	w.ci = w.github.Repository("example/ci")
	for _, name := range w.config.projects() {
		w.sites = append(w.sites, w.newSite(name))
	}
	w.grow("master")
	w.grow("stable")
	files := map[string]string{}
	for _, f := range w.config.workflows() {
		name := strings.TrimSuffix(f.file, ".yml")
		files[".github/workflows/"+f.file] = "name: " + name + "\nrun-name: ${{ inputs.key }}\non:\n  workflow_dispatch:\n    inputs:\n      key: {required: true}\n      project: {required: true}\n      revision: {required: true}\n"
	}
	w.ci.Commit("main", files)
	w.bot = w.gerrit.Account("bot")
	w.gerrit.ShowPrivate("bot", w.config.Sees)
	for _, name := range []string{"ann", "bob", "cora", "eve"} {
		w.gerrit.Account(name)
	}
	w.gerrit.Account("robo").Robot = true
	w.gerrit.Group("core", "cora")
	w.gerrit.Group("trusted", trusted...)
	w.env["GITHUB_SERVER_URL"], w.env["GITHUB_API_URL"] = githubURL, githubURL
	w.yaml = w.config.yaml(gerritURL)
	g, _ := url.Parse(gerritURL)
	h, _ := url.Parse(githubURL)
	w.net = &network{
		hosts: map[string]http.Handler{g.Host: w.gerrit.Handler(), h.Host: w.github.Handler()}, mirror: h.Host,
		index: map[string]string{}, served: w.served, sites: w.sites,
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
