// SPDX-License-Identifier: BSD-3-Clause

package config

import (
	"crypto/x509"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/strictyaml"
)

// pagePattern finds addresses that were copied from a browser.
var pagePattern = regexp.MustCompile(`/(?:a|q/[^/]*:.*|c/.+/\+/.*|dashboard/[^/]+|admin/(?:repos|groups|plugins).*|settings)$`)

// mapID identifies a map in places.
func mapID(m any) uintptr { return reflect.ValueOf(m).Pointer() }

// servers completes the entries of gerrits.
func (l *loader) servers(f *file) map[string]Gerrit {
	out := map[string]Gerrit{}
	for _, name := range slices.Sorted(maps.Keys(f.Gerrits)) {
		l.report(l.near(mapKey{mapID(f.Gerrits), name}), change.CheckServer(name))
		if f.Gerrits[name] == nil { // said already
			f.Gerrits[name] = new(gerrit)
		}
		out[name] = l.server(f.Gerrits[name], len(f.Gerrits) == 1)
	}
	return out
}

// server completes one entry. The account in the inputs goes to the only
// server; with several, nobody could say to which one a password may be sent.
func (l *loader) server(g *gerrit, only bool) Gerrit {
	out := Gerrit{URL: string(g.URL), Username: string(g.Username), CAFile: l.caFile(&g.CAFile)}
	if pagePattern.MatchString(out.URL) {
		l.fail(l.near(&g.URL), "leave out what follows the base: the address under which /changes/ is found", "this is the address of a page, not of the server")
	}
	user, password := l.near(&g.Username), l.near(&g.PasswordEnv)
	named := l.given(&g.PasswordEnv)
	if named {
		out.Password = l.secret(&g.PasswordEnv)
	} else if only {
		out.Password, password = Secret(l.input("gerrit-password")), Place{Input: "gerrit-password"}
	}
	if only && !l.given(&g.Username) {
		out.Username, user = l.input("gerrit-username"), Place{Input: "gerrit-username"}
	}
	l.checkClear(&g.URL, out.URL, out.Password != "" || named)
	switch {
	case out.Username == "" && (out.Password != "" || named):
		l.fail(password, "give the account's name as well", "there is a password, but no user name")
	case out.Username != "" && out.Password == "" && !named:
		l.fail(user, "give the account's HTTP password (GERRIT_PASSWORD, or password-env in a file), or remove the name for anonymous access", "there is a user name, but no password")
	}
	return out
}

// serverOf finds a project's server.
func (l *loader) serverOf(p *project, servers map[string]Gerrit) Gerrit {
	names := slices.Sorted(maps.Keys(servers))
	if p.Gerrit == "" && len(names) == 1 {
		p.Gerrit = serverName(names[0])
	}
	g, ok := servers[string(p.Gerrit)]
	switch {
	case ok || len(names) == 0: // no servers at all was said elsewhere
	case p.Gerrit == "":
		l.fail(l.near(p), "add gerrit: with one of "+strings.Join(names, ", "), "there are several Gerrit servers, and the project names none")
	default:
		hint := "the servers are " + strings.Join(names, ", ")
		if near := strictyaml.Nearest(string(p.Gerrit), names); near != "" {
			hint = "did you mean " + near + "?"
		}
		l.fail(l.near(&p.Gerrit, p), hint, "there is no server %s under gerrits", quote(string(p.Gerrit)))
	}
	return g
}

// caFile checks that a file holds certificates; the program gets its name.
func (l *loader) caFile(setting *line) string {
	name, at := string(*setting), l.near(setting)
	if name == "" {
		name, at = l.input("ca-file"), Place{Input: "ca-file"}
	}
	if name == "" {
		return ""
	}
	data, err := l.src.ReadFile(name)
	switch {
	case err != nil:
		l.fail(at, "check the name; in a job it is relative to the workspace", "failed to read %s: %w", quote(name), cause(err))
	case !x509.NewCertPool().AppendCertsFromPEM(data):
		l.fail(at, "give a PEM file: it has lines with BEGIN CERTIFICATE", "%s holds no certificate", quote(name))
	}
	return name
}

// checkShared refuses projects that stand twice and mirrors with two sources:
// the second project would prune the first one's refs.
func (l *loader) checkShared(f *file, projects []Project) {
	names, mirrors := map[string]bool{}, map[string]string{}
	for i := range projects {
		p, v := &f.Projects[i], projects[i]
		if v.Name == "" {
			continue
		}
		key := string(p.Gerrit) + " " + v.Name
		if names[key] {
			l.fail(l.near(&p.Name, p), "make one entry of the two", "the project %s stands in the list twice", quote(v.Name))
			continue
		}
		names[key] = true
		address := strings.ToLower(strings.TrimSuffix(v.Mirror.URL, ".git"))
		if other, taken := mirrors[address]; taken {
			l.fail(l.near(&p.Mirror.URL, &p.Mirror.Repository, p), "give each project a mirror of its own", "the mirror %s is also that of %s", quote(v.Mirror.Repository), quote(other))
		}
		mirrors[address] = v.Name
	}
}

// nameServers gives servers and projects the names that tell their run keys apart. A
// name must not change later, or its runs are not found again; so it depends on
// nothing but the number of servers.
func (l *loader) nameServers(f *file, projects []Project) {
	prefix := func(server string) string {
		switch g := f.Gerrits[server]; {
		case g != nil && g.KeyPrefix != nil:
			return string(*g.KeyPrefix)
		case len(f.Gerrits) > 1:
			return server
		}
		return ""
	}
	users := map[string]string{} // CI repository and prefix -> server, or project
	for i := range projects {
		p, server := &projects[i], string(f.Projects[i].Gerrit)
		p.Gerrit.Name = prefix(server)
		p.KeyPrefix = p.Gerrit.Name
		user, what, at := server, "server", Place{}
		if own := f.Projects[i].KeyPrefix; own != nil {
			p.KeyPrefix, p.OwnPrefix = string(*own), true
			user, what, at = p.Name, "project", l.near(&f.Projects[i].KeyPrefix, &f.Projects[i])
		} else if g := f.Gerrits[server]; g != nil {
			at = l.near(&g.KeyPrefix, mapKey{mapID(f.Gerrits), server})
		}
		runs := strings.ToLower(p.CI.APIURL+" "+p.CI.Repository+" ") + p.KeyPrefix
		if other, taken := users[runs]; taken && other != user && f.Gerrits[server] != nil {
			l.fail(at, "give each "+what+" a key-prefix of its own; only one of them may be empty",
				"runs of this %s and of %s cannot be told apart in the CI repository %s", what, quote(other), p.CI.Repository)
		}
		users[runs] = user
	}
}
