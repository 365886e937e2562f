// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// scene is one Gerrit project with its mirror, its CI repository and the
// dispatcher's configuration.
type scene struct {
	t       *testing.T
	author  *author
	project string
	mirror  string // OWNER/NAME
	hub     *github.Server
	config  string // file
	env     []string
	// bot is the dispatcher's account.
	bot, password string
}

// settings are what tests set differently; see rig.Config.
type settings struct {
	mirrorURL string // the mirror's own
	grace     time.Duration
	workflows []string
	anonymous bool
	adopted   bool // the account and the rights are those of docs/adopt.md
}

func newScene(t *testing.T, name string, seed uint64, o settings) *scene {
	t.Helper()
	ctx := t.Context()
	s := &scene{t: t, project: "spdk/" + name, mirror: "owner/" + name}
	s.bot, s.password = botUser, botPassword
	must(t, world.gerrit.CreateProject(ctx, s.project))
	must(t, world.mirror.Create(ctx, s.mirror))
	if o.adopted {
		s.bot, s.password = adoptUser, adoptPassword
		adopt(t, s.project)
	}
	s.author = newAuthor(t, world.gerrit, s.project, seed)
	s.hub = rig.NewHub(t)
	s.configure(o)
	return s
}

// twin returns a scene over the same Gerrit project with a mirror and a GitHub
// of its own.
func (s *scene) twin(o settings) *scene {
	s.t.Helper()
	twin := *s
	twin.mirror += "-twin"
	must(s.t, world.mirror.Create(s.t.Context(), twin.mirror))
	twin.hub = rig.NewHub(s.t)
	twin.configure(o)
	return &twin
}

// configure writes the configuration file and sets the environment.
func (s *scene) configure(o settings) {
	s.t.Helper()
	c := rig.Config{
		GerritURL: world.gerrit.URL, Project: s.project,
		Mirror: s.mirror, MirrorURL: o.mirrorURL, APIURL: s.hub.URL(),
		Workflows: o.workflows, Grace: o.grace,
	}
	if o.mirrorURL == "" {
		c.MirrorURL = world.mirror.GitURL(s.mirror)
	}
	if !o.anonymous {
		c.User, c.Password = s.bot, s.password
	}
	var err error
	s.config, s.env, err = c.Write(s.t.TempDir())
	must(s.t, err)
}

// edit changes the configuration file: the defaults of projects, and the project.
func (s *scene) edit(change func(defaults, project map[string]any)) {
	s.t.Helper()
	var c struct {
		Gerrits  map[string]any   `json:"gerrits"`
		Defaults map[string]any   `json:"defaults,omitempty"`
		Projects []map[string]any `json:"projects"`
	}
	must(s.t, json.Unmarshal([]byte(readFile(s.t, s.config)), &c))
	if c.Defaults == nil {
		c.Defaults = map[string]any{}
	}
	change(c.Defaults, c.Projects[0])
	data, err := json.Marshal(c)
	must(s.t, err)
	must(s.t, os.WriteFile(s.config, data, 0o644))
}

// report is what "dispatcher sync --json" prints, as far as tests look at it.
type report struct {
	Totals struct {
		Relayed, Dispatched, Waiting, Skipped, Failed int
		UpToDate                                      int `json:"up_to_date"`
	}
	Projects []struct {
		Actions []struct {
			Verb, State, Branch, Key, Reason, Hint string
			Change, Patchset                       int
		}
		Problems []struct{ Kind, Text, Hint string }
	}
}

// says reports whether an action's reason holds a text.
func (r report) says(text string) bool {
	for _, p := range r.Projects {
		for _, a := range p.Actions {
			if strings.Contains(a.Reason, text) {
				return true
			}
		}
	}
	return false
}

// run runs one pass, kills it when told so, and returns what is left of it.
func (s *scene) run(kill <-chan time.Time, args ...string) rig.Result {
	s.t.Helper()
	r, err := rig.Run(s.t.Context(), world.bin, s.env, kill, append([]string{"sync", "--config", s.config}, args...)...)
	must(s.t, err)
	return r
}

// pass runs one pass that must end well and returns its report.
func (s *scene) pass() report {
	s.t.Helper()
	r := s.run(nil, "--json")
	if r.Code != 0 {
		s.t.Fatalf("the pass failed: %s\n%s", r, world.gerrit.LogTail())
	}
	return s.parse(r)
}

func (s *scene) parse(r rig.Result) report {
	s.t.Helper()
	var got report
	if err := json.Unmarshal([]byte(r.Stdout), &got); err != nil {
		s.t.Fatalf("failed to read the report: %v\n%s", err, r)
	}
	return got
}

// mirrorRefs returns the mirror's refs.
func (s *scene) mirrorRefs() map[string]string {
	s.t.Helper()
	refs, err := world.mirror.Git(s.t.TempDir()).LsRemote(s.t.Context(), world.mirror.GitURL(s.mirror))
	must(s.t, err)
	return refs
}

// gerritRefs returns all patchset refs and branches of the project.
func (s *scene) gerritRefs() map[string]string {
	s.t.Helper()
	refs, err := s.author.git.LsRemote(s.t.Context(), world.gerrit.GitURL(s.project))
	must(s.t, err)
	return refs
}

// startable returns the open changes that the configuration does not skip.
func (s *scene) startable() []rig.Change {
	s.t.Helper()
	changes, err := world.gerrit.Changes(s.t.Context(), "status:open project:"+s.project)
	must(s.t, err)
	return slices.DeleteFunc(changes, func(c rig.Change) bool { return c.WIP || c.Private })
}

// runsByPatchset counts runs by "change/patchset/workflow", whatever attempt.
func (s *scene) runsByPatchset() map[string]int {
	s.t.Helper()
	count := map[string]int{}
	for _, r := range s.hub.Runs() {
		key := r.Inputs["key"]
		i := strings.LastIndexByte(key, '/')
		if i < 0 || !strings.HasPrefix(r.Title, key+" ") {
			s.t.Errorf("a run is named %q with key %q", r.Title, key)
			continue
		}
		count[key[:i]]++
	}
	return count
}
