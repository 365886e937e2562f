// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"net/http"
	"slices"
	"strings"
)

// Level is what a token may do with one kind of thing.
type Level int

// The levels of a fine-grained token's permissions.
const (
	None Level = iota
	Read
	Write
)

// Access is what a token allows. Metadata: read comes with every repository.
type Access struct {
	// User is the login that refusals name.
	User string
	// Repositories are the repositories (OWNER/NAME) that the token is good
	// for; empty is all of them.
	Repositories []string
	// Contents is for git, files and repository_dispatch; Actions for runs and
	// workflow_dispatch; Checks for annotations; Issues for issues and comments.
	Contents, Actions, Checks, Issues Level
	// Packages is for the versions of container packages.
	Packages Level
	// Workflows allows pushes that change workflow files.
	Workflows bool
	// App says that it is a GitHub App's token: refusals are worded for it.
	App bool
	// Classic says that it is a token with scopes: what it may not write is refused
	// in other words, which name no permission.
	Classic bool
}

// FullAccess is a token that may do everything with all repositories.
var FullAccess = Access{User: "octocat", Contents: Write, Actions: Write, Checks: Write, Issues: Write, Packages: Write, Workflows: true}

// covers reports whether the token is good for a repository.
func (a Access) covers(repository string) bool {
	return len(a.Repositories) == 0 || slices.ContainsFunc(a.Repositories, func(name string) bool {
		return strings.EqualFold(name, repository)
	})
}

// tokenOf returns a request's token: a bearer, as API clients send it, or the
// password of basic authentication, as git does.
func tokenOf(r *http.Request) string {
	if _, password, ok := r.BasicAuth(); ok {
		return password
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "bearer") || strings.EqualFold(scheme, "token") {
		return token
	}
	return ""
}

// identify returns what a request's token allows. A request without a token is
// known, and allows nothing but reading public repositories.
func (s *Server) identify(r *http.Request) (access Access, anonymous, known bool) {
	token := tokenOf(r)
	if token == "" {
		return Access{}, true, r.Header.Get("Authorization") == ""
	}
	if access, ok := s.o.Tokens[token]; ok {
		return access, false, true
	}
	m, ok := s.minted[token]
	return m.access, false, ok && s.now().Before(m.expires)
}

// need is what an API path wants of a token.
type need struct {
	contents, actions, checks, issues Level
}

// within reports whether a token allows all that is wanted.
func (n need) within(a Access) bool {
	return n.contents <= a.Contents && n.actions <= a.Actions && n.checks <= a.Checks && n.issues <= a.Issues
}

func (n need) reads() bool { return max(n.contents, n.actions, n.checks, n.issues) <= Read }

// reach finds the repository of an API request and checks that its token is
// good for what it wants. It answers the request itself if not. The server is
// locked.
func (s *Server) reach(w http.ResponseWriter, r *http.Request, n need) *Repository {
	access, anonymous, known := s.identify(r)
	if !known {
		fail(w, http.StatusUnauthorized, "Bad credentials")
		return nil
	}
	repo := s.repositories[strings.ToLower(r.PathValue("owner")+"/"+r.PathValue("repo"))]
	blind := access.Classic && access.Contents == None // without the scope repo
	if repo == nil || repo.private && (anonymous || blind || !access.covers(repo.name)) {
		fail(w, http.StatusNotFound, "Not Found")
		return nil
	}
	if !repo.private {
		access.Contents, access.Actions = max(access.Contents, Read), max(access.Actions, Read)
		access.Checks, access.Issues = max(access.Checks, Read), max(access.Issues, Read)
	}
	enough := n.within(access) && (anonymous || access.covers(repo.name) || n.reads())
	switch {
	case enough:
		return repo
	case anonymous:
		fail(w, http.StatusUnauthorized, "Requires authentication")
	case access.Classic: // ACCESS-NRI/access-spack-packages#30
		fail(w, http.StatusForbidden, "Must have admin rights to Repository.")
	case access.App:
		w.Header().Set("X-Accepted-Github-Permissions", n.String())
		fail(w, http.StatusForbidden, "Resource not accessible by integration")
	default:
		w.Header().Set("X-Accepted-Github-Permissions", n.String())
		fail(w, http.StatusForbidden, "Resource not accessible by personal access token")
	}
	return nil
}

// String lists the permissions as GitHub's header does.
// https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api#resource-not-accessible
func (n need) String() string {
	var all []string
	for _, p := range []struct {
		name  string
		level Level
	}{{"actions", n.actions}, {"checks", n.checks}, {"contents", n.contents}, {"issues", n.issues}} {
		if p.level != None {
			all = append(all, p.name+"="+map[Level]string{Read: "read", Write: "write"}[p.level])
		}
	}
	return strings.Join(all, ",")
}
