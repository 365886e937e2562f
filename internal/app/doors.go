// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/gerrit"
	"github.com/spdk-community-ci/dispatcher/internal/github"
	"github.com/spdk-community-ci/dispatcher/internal/gitwire"
	"github.com/spdk-community-ci/dispatcher/internal/reconcile"
	"github.com/spdk-community-ci/dispatcher/internal/relay"
)

// wiring makes the clients that a project needs. Projects with the same server
// and account share one client, and so its limits and caches.
type wiring struct {
	app        *App
	transports transports
	gerrits    map[config.Gerrit]*gerrit.Client
	tokens     map[tokenUse]github.TokenSource
	githubs    map[tokenUse]*github.Client
	log        func(format string, args ...any)
	mask       func(secrets ...string)
	// secrets are never repeated in what is posted.
	secrets []string
	// witnesses are the projects' doors to Gerrit.
	witnesses map[*config.Project]*witness
	// warnings are what a person should mend although all was done.
	warnings []error
	// leftOut is what of Gerrit's answers nobody can trust.
	leftOut leftOut
}

func newWiring(a *App, log func(string, ...any), mask func(...string), secrets []string) *wiring {
	return &wiring{
		app: a, transports: transports{app: a, clocks: new(clocks)}, log: log, mask: mask, secrets: secrets,
		gerrits:   map[config.Gerrit]*gerrit.Client{},
		witnesses: map[*config.Project]*witness{},
		tokens:    map[tokenUse]github.TokenSource{},
		githubs:   map[tokenUse]*github.Client{},
	}
}

// doors connects one project. It opens no connection.
func (w *wiring) doors(p *config.Project) (reconcile.Doors, error) {
	w.oneAtATime(p)
	review, err := w.gerrit(p.Gerrit)
	if err != nil {
		return reconcile.Doors{}, err
	}
	source, err := w.source(review, p)
	if err != nil {
		return reconcile.Doors{}, err
	}
	mirror, err := w.mirror(p)
	if err != nil {
		return reconcile.Doors{}, err
	}
	hub, err := w.github(p)
	if err != nil {
		return reconcile.Doors{}, err
	}
	seen := &witness{reviews: reviews{review}, changes: map[int]change.Change{}}
	w.witnesses[p] = seen
	reporter := w.reporter(p, review, hub, seen.all)
	return reconcile.Doors{
		Reviews: seen, Origins: reviews{review}, Groups: review,
		Source: refs{source, theProject, p.Gerrit.URL}, Mirror: refs{mirror, theMirror, p.Mirror.URL},
		Mover: &relay.Relay{
			Source: source, Mirror: mirror, Allowed: allowed(p),
			Now: w.app.Now, Sleep: w.app.Sleep, Log: w.log,
		},
		Workflows: workflows{hub, p.CI.APIURL}, Runs: hub, Starter: starter{hub},
		RunReader: runReader{hub}, Canceller: runReader{hub}, Rerunner: rerunner{hub},
		Talk: poster{reviews{review}}, Issues: issues{hub},
		Reporter: lastResort{reporter, func(more []error) { w.warnings = append(w.warnings, more...) }},
	}, nil
}

func (w *wiring) gerrit(g config.Gerrit) (*gerrit.Client, error) {
	w.transports.clocks.name(g.URL, "Gerrit")
	if c, ok := w.gerrits[g]; ok {
		return c, nil
	}
	rt, err := w.transports.get(g.CAFile)
	if err != nil {
		return nil, err
	}
	c, err := gerrit.New(gerrit.Options{
		URL: g.URL, Username: g.Username, Password: g.Password.Reveal(), Transport: rt,
		UserAgent: w.app.userAgent(), Sleep: w.app.Sleep, Now: w.app.Now,
		Notes: w.leftOut.note, LeftOut: w.leftOut.change,
	})
	if err == nil {
		w.gerrits[g] = c
	}
	return c, err
}

// sourceIdle is how long Gerrit may be silent: it counts the objects of a large
// first pack before it sends anything.
const sourceIdle = 10 * time.Minute

func (w *wiring) source(c *gerrit.Client, p *config.Project) (*gitwire.Remote, error) {
	rt, err := w.transports.get(p.Gerrit.CAFile)
	if err != nil {
		return nil, err
	}
	o := gitwire.Options{Transport: rt, UserAgent: w.app.userAgent(), Idle: cmp.Or(w.app.Idle, sourceIdle)}
	if p.Gerrit.Username != "" {
		o.Credential = func(context.Context) (string, string, error) {
			return p.Gerrit.Username, p.Gerrit.Password.Reveal(), nil
		}
	}
	return gitwire.Open(c.GitURL(p.Name), o)
}

func (w *wiring) mirror(p *config.Project) (*gitwire.Remote, error) {
	w.transports.clocks.name(p.CI.APIURL, "GitHub")
	w.transports.clocks.name(p.Mirror.URL, "the mirror")
	rt, err := w.transports.get(p.Mirror.CAFile)
	if err != nil {
		return nil, err
	}
	token, err := w.token(p.Mirror.Credential, p, p.Mirror.Repository, hostOf(p.Mirror.URL))
	if err != nil {
		return nil, err
	}
	return gitwire.Open(p.Mirror.URL, gitwire.Options{
		Transport: rt, UserAgent: w.app.userAgent(), Idle: w.app.Idle, Credential: github.GitCredential(p.Mirror.Username, token),
	})
}

func (w *wiring) github(p *config.Project) (*github.Client, error) {
	w.transports.clocks.name(p.CI.APIURL, "GitHub")
	use := w.use(p.CI.Credential, p.CI.APIURL, p.CI.Repository, hostOf(p.CI.APIURL))
	if c, ok := w.githubs[use]; ok {
		return c, nil
	}
	c, err := w.newGithub(p, w.app.Sleep)
	if err == nil {
		w.githubs[use] = c
	}
	return c, err
}

// githubOnce is a client that tries each read once, for those who have another.
func (w *wiring) githubOnce(p *config.Project) (*github.Client, error) { return w.newGithub(p, nil) }

func (w *wiring) newGithub(p *config.Project, sleep func(context.Context, time.Duration) error) (*github.Client, error) {
	rt, err := w.apiTransport(p)
	if err != nil {
		return nil, err
	}
	token, err := w.token(p.CI.Credential, p, p.CI.Repository, hostOf(p.CI.APIURL))
	if err != nil {
		return nil, err
	}
	return github.New(github.Options{
		APIURL: p.CI.APIURL, Token: token, Setting: p.CI.Credential.Setting, Transport: rt,
		UserAgent: w.app.userAgent(), Sleep: sleep, Now: w.app.Now,
	})
}

// allowed is the last gate before a push: branches, patchsets and our own
// bookkeeping, nothing else.
func allowed(p *config.Project) func(string) bool {
	return func(ref string) bool {
		if _, err := p.Mirror.Ledger.Parse(ref); err == nil {
			return true
		}
		if _, err := p.Mirror.Namespace.Parse(ref); err == nil {
			return true
		}
		if tag, ok := strings.CutPrefix(ref, "refs/tags/"); ok {
			return p.Mirror.Tags && change.CheckTag(tag) == nil
		}
		branch, ok := strings.CutPrefix(ref, "refs/heads/")
		return ok && change.CheckBranch(branch) == nil &&
			!strings.HasPrefix(ref, string(p.Mirror.Ledger)) && !strings.HasPrefix(ref, string(p.Mirror.Namespace))
	}
}

// refs gives a repository's refs in checked form. Refs whose object ids are not
// commits' cannot be ours.
type refs struct {
	*gitwire.Remote
	of     thing
	server string
}

// ListRefs leaves out object ids that are not well-formed.
func (r refs) ListRefs(ctx context.Context, prefixes []string, visit func(string, change.Revision) error) error {
	err := r.Remote.ListRefs(ctx, prefixes, func(ref gitwire.Ref) error {
		rev, err := change.ParseRevision(ref.OID)
		if err != nil {
			return nil
		}
		return visit(ref.Name, rev)
	})
	return listed(r.of, r.server, err)
}

// workflows reads workflow files.
type workflows struct {
	*github.Client
	server string
}

// DefaultBranch is the first thing that is asked of the CI repository.
func (w workflows) DefaultBranch(ctx context.Context, repository string) (string, error) {
	branch, err := w.Client.DefaultBranch(ctx, repository)
	return branch, listed(theCI, w.server, err)
}

// WorkflowFile looks for the default branch, too; a file that is not there is no
// failure.
func (w workflows) WorkflowFile(ctx context.Context, repository, ref, file string) (change.WorkflowFile, error) {
	f, err := w.Client.WorkflowFile(ctx, repository, ref, file)
	return f, listed(theCI, w.server, err)
}

// starter turns GitHub's answer into a run.
type starter struct{ *github.Client }

// Dispatch makes one call.
func (s starter) Dispatch(ctx context.Context, call change.Call) (change.Outcome, change.Run, error) {
	started, err := s.Client.Dispatch(ctx, call)
	return started.Outcome, change.Run{ID: started.RunID, URL: started.URL}, err
}
