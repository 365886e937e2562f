// SPDX-License-Identifier: BSD-3-Clause

package config

import (
	"reflect"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// build makes complete values of a file: it fills in defaults, reads secrets
// and checks what concerns more than one value.
func (l *loader) build(f *file) []Project {
	l.readEnvironment()
	std := builtin()
	std.CI.APIURL = webURL(l.apiURL)
	l.set("ci-repository", &std.CI.Repository)
	l.read = len(l.problems)
	l.inherit(&f.Defaults, &std)
	servers := l.servers(f)
	var projects []Project
	for i := range f.Projects {
		p := &f.Projects[i]
		l.inherit(&p.settings, &f.Defaults)
		projects = append(projects, l.project(p, l.serverOf(p, servers)))
	}
	if f.Gerrits != nil && len(f.Gerrits) == 0 {
		l.fail(l.near(&f.Gerrits), "name at least one, with its url", "there are no Gerrit servers")
	}
	if f.Projects != nil && len(f.Projects) == 0 {
		l.fail(l.near(&f.Projects), "list at least one", "there are no projects")
	}
	l.checkShared(f, projects)
	l.nameServers(f, projects)
	return projects
}

// inherit copies what was not given in dst from src, with its place.
func (l *loader) inherit(dst, src *settings) {
	l.inheritFields(reflect.ValueOf(dst).Elem(), reflect.ValueOf(src).Elem())
}

func (l *loader) inheritFields(dst, src reflect.Value) {
	if dst.Type() == reflect.TypeFor[auth]() && l.anyGiven(dst) {
		return // a token of the project's own rules out an App of the defaults
	}
	for i := range dst.NumField() {
		d, s := dst.Field(i), src.Field(i)
		if d.Kind() == reflect.Struct {
			l.inheritFields(d, s)
			continue
		}
		to, from := d.Addr().Interface(), s.Addr().Interface()
		if l.given(to) || !l.given(from) && s.IsZero() {
			continue
		}
		d.Set(s)
		if l.given(from) {
			l.places[to] = l.places[from]
		}
	}
}

func (l *loader) anyGiven(v reflect.Value) bool {
	for i := range v.NumField() {
		if l.given(v.Field(i).Addr().Interface()) {
			return true
		}
	}
	return false
}

func (l *loader) project(p *project, g Gerrit) Project {
	c := l.ci(p)
	out := Project{
		Name:       string(p.Name),
		Gerrit:     g,
		CI:         c,
		Mirror:     l.mirror(p, c),
		Branches:   texts(p.Branches),
		Query:      string(p.Query),
		MaxAge:     time.Duration(p.MaxAge),
		Skip:       p.Skip.value(),
		Workflows:  l.workflows(p),
		RedParents: ParentPolicy(p.RedParents),
		Limits: Limits{PerPass: int(p.Limits.PerPass), Running: int(p.Limits.Running),
			PerOwner: int(p.Limits.PerOwner), Pace: time.Duration(p.Limits.Pace)},
		Report: l.reporting(p, g),
		Prune:  Prune{Keep: time.Duration(p.Prune.Keep), Every: time.Duration(p.Prune.Every)},
		Grace:  time.Duration(p.Grace),
	}
	if len(out.Branches) == 0 {
		l.fail(l.near(&p.Branches, p), `write "**" for all branches`, "the list of branches is empty")
	}
	l.checkGrace(p, out)
	return out
}

// checkGrace makes sure that the last call of a pass is made before its claim
// counts as lost: all claims of a pass are made before its first call.
func (l *loader) checkGrace(p *project, out Project) {
	calls := out.Limits.PerPass
	if calls == 0 {
		calls = callsInAnHour
	}
	if need := time.Duration(calls) * out.Limits.Pace; need >= out.Grace {
		l.fail(l.near(&p.Grace, &p.Limits.Pace, &p.Limits.PerPass, p), "make grace longer, or per-pass or pace smaller",
			"grace is %s, but %d calls at a pace of %s take %s: the last ones would count as lost before they are made",
			p.Grace, calls, p.Limits.Pace, duration(need))
	}
}

func (s skip) value() Skip {
	return Skip{WIP: s.WIP, Private: s.Private, Subjects: texts(s.Subjects), Owners: texts(s.Owners),
		OnlyOwners: texts(s.OnlyOwners), Hashtags: texts(s.Hashtags), MinAge: time.Duration(s.MinAge)}
}

// texts strips the checked type off a list.
func texts[T ~string](list []T) []string {
	var out []string
	for _, t := range list {
		out = append(out, string(t))
	}
	return out
}

func (l *loader) ci(p *project) CI {
	out := CI{Repository: string(p.CI.Repository), APIURL: string(p.CI.APIURL), Ref: string(p.CI.Ref)}
	if !l.given(&p.CI.Repository) {
		l.fail(l.near(&p.CI, p), "give ci-repository (in a file: ci) as OWNER/NAME", "it is not known whose workflows to start")
	}
	out.Credential = l.ciCredential(p, out)
	l.checkClear(&p.CI.APIURL, out.APIURL, true) // without a credential, gh's token is sent
	return out
}

func (l *loader) mirror(p *project, c CI) Mirror {
	m := &p.Mirror
	out := Mirror{Repository: string(m.Repository), URL: string(m.URL), Namespace: change.Namespace(m.Namespace),
		Ledger: change.Ledger(m.Ledger), Tags: m.Tags, Username: string(m.Username), CAFile: l.caFile(&m.CAFile)}
	switch {
	case out.Repository != "":
	case out.URL != "":
		out.Repository = repositoryOf(out.URL)
	default:
		out.Repository = l.mirrorOf(p, c)
	}
	if out.URL == "" {
		out.URL = l.serverURL + "/" + out.Repository + ".git"
	}
	out.Credential = l.mirrorCredential(m, out.URL)
	l.checkClear(&m.URL, out.URL, true) // without a credential, gh's token is sent
	return out
}

// mirrorOf is the mirror's name where none was given.
func (l *loader) mirrorOf(p *project, c CI) string {
	owner, _, _ := strings.Cut(c.Repository, "/")
	name := owner + "/" + string(p.Name[strings.LastIndexByte(string(p.Name), '/')+1:])
	var r repository
	if err := r.UnmarshalText([]byte(name)); err != nil && p.Name != "" && owner != "" && !l.given(&p.Mirror.Repository) {
		l.fail(l.near(&p.Mirror, p), "give mirror as OWNER/NAME", "the project's name cannot be that of its mirror: %w", err)
	}
	return name
}

// repositoryOf names a repository by the last two parts of its address.
func repositoryOf(address string) string {
	parts := strings.Split(strings.TrimSuffix(address, ".git"), "/")
	return strings.Join(parts[max(0, len(parts)-2):], "/")
}
