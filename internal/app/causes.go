// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/gerrit"
	"github.com/spdk-community-ci/dispatcher/internal/github"
	"github.com/spdk-community-ci/dispatcher/internal/gitwire"
	"github.com/spdk-community-ci/dispatcher/internal/strictyaml"
)

// thing is what a listing was of.
type thing string

const (
	theChanges thing = "changes"       // of a Gerrit project, over REST
	theProject thing = "project"       // the same project, over git
	theMirror  thing = "mirror"        // over git
	theCI      thing = "CI repository" // over REST
)

// listing is a failure to read something that a pass begins with. What a server
// does to one kind of request it mostly does to the other.
type listing struct {
	of     thing
	server string
	status int // HTTP's, or 0
	err    error
}

func (l *listing) Error() string { return l.err.Error() }
func (l *listing) Unwrap() error { return l.err }

// listed marks the failure of a listing; nil stays nil.
func listed(of thing, server string, err error) error {
	if err == nil {
		return nil
	}
	l := &listing{of: of, server: server, err: err, status: gerrit.Status(err)}
	if l.status == 0 {
		l.status = github.Status(err)
	}
	if s, ok := errors.AsType[*gitwire.StatusError](err); ok {
		l.status = s.Status
	}
	return l
}

// causes tells each cause once: a server that nobody reaches, and one that
// refuses REST and git for the same reason. The first to fail is told.
func causes(problems []error) []error {
	var list []error
	seen := map[string]bool{}
	for _, err := range problems {
		cause := ""
		if l, ok := errors.AsType[*listing](err); ok {
			cause = fmt.Sprint(l.server, " ", fault.KindOf(err), " ", l.status)
		}
		if u, ok := errors.AsType[*unreachable](err); ok {
			cause = u.cause
			f := fault.New(fault.KindOf(err), "%w", u)
			f.Hint = fault.HintOf(err)
			err = f
		}
		if cause == "" || !seen[cause] {
			list = append(list, err)
		}
		seen[cause] = true
	}
	return list
}

// suggest says of a name that a server does not know which one was probably
// meant. It asks the server for names, once, and only then.
func (w *wiring) suggest(ctx context.Context, p *config.Project, err error) error {
	l, ok := errors.AsType[*listing](err)
	if !ok || l.status != http.StatusNotFound || ctx.Err() != nil {
		return err
	}
	near := w.near(ctx, p, l.of)
	if near == "" {
		return err
	}
	f := fault.New(fault.KindOf(err), "%w", err).WithHint("did you mean %s?", change.OneLine(near))
	if hint := fault.HintOf(err); hint != "" {
		f.Hint += " If not, " + hint
	}
	return f
}

// near returns the name that a wrong one is most like, or "".
func (w *wiring) near(ctx context.Context, p *config.Project, of thing) string {
	switch of {
	case theProject:
		review, err := w.gerrit(p.Gerrit)
		if err != nil {
			return ""
		}
		names, err := review.ProjectsLike(ctx, p.Name)
		if err != nil {
			return "" // the hint that there is will do
		}
		return cmp.Or(strictyaml.Nearest(p.Name, names), onlyBelow(p.Name, names))
	case theMirror:
		if hostOf(p.Mirror.URL) != hostOf(p.CI.APIURL) {
			return ""
		}
		return w.nearRepository(ctx, p, p.Mirror.Repository, p.CI.Repository)
	case theCI:
		return w.nearRepository(ctx, p, p.CI.Repository, p.Mirror.Repository)
	}
	return ""
}

// onlyBelow returns the one name that ends in another one, as a project's without
// its folder does; "" where there are more.
func onlyBelow(end string, names []string) (only string) {
	for _, name := range names {
		if strings.HasSuffix(strings.ToLower(name), "/"+strings.ToLower(end)) {
			if only != "" {
				return ""
			}
			only = name
		}
	}
	return only
}

// nearRepository looks among the repositories of the owner, or of the other
// repository's owner where there is none of that name.
func (w *wiring) nearRepository(ctx context.Context, p *config.Project, name, other string) string {
	hub, err := w.github(p)
	if err != nil {
		return ""
	}
	owner, _, _ := strings.Cut(name, "/")
	names, err := hub.Repositories(ctx, owner)
	if github.Status(err) == http.StatusNotFound {
		elsewhere, _, _ := strings.Cut(other, "/")
		names, err = hub.Repositories(ctx, elsewhere)
	}
	if err != nil {
		return ""
	}
	return strictyaml.Nearest(name, names)
}
