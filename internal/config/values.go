// SPDX-License-Identifier: BSD-3-Clause

package config

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// The kinds of text that a setting can hold. Each checks itself when it is
// read, so that the complaint carries the place of the value.
type (
	webURL       string // http or https, without user and without final slash
	repository   string // OWNER/NAME
	projectName  string // a Gerrit project
	serverName   string // a short name of a Gerrit server
	branchGlob   string // a pattern over branch names
	branchName   string // one branch
	pathGlob     string // a pattern over file names
	ownerGlob    string // a pattern over user names and e-mail addresses
	pattern      string // an RE2 regular expression
	workflowFile string // a base name in .github/workflows
	eventType    string // a repository_dispatch type
	labelName    string // a Gerrit label
	envName      string // an environment variable
	account      string // a user's name for HTTP Basic
	line         string // any text on one line
)

const (
	repositoryRegexp = `^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}$`
	accountRegexp    = `^[^:\x00-\x1f\x7f]{1,200}$`
	envRegexp        = `^[A-Z_][A-Z0-9_]{0,99}$`
	labelRegexp      = `^[A-Za-z0-9][A-Za-z0-9-]{0,99}$`
	serverRegexp     = `^[a-z][a-z0-9-]{0,19}$`               // change.CheckServer
	workflowRegexp   = `^[A-Za-z0-9_][A-Za-z0-9._-]*\.ya?ml$` // change.CheckWorkflow
)

var (
	repositoryPattern = regexp.MustCompile(repositoryRegexp)
	envPattern        = regexp.MustCompile(envRegexp)
	accountPattern    = regexp.MustCompile(accountRegexp)
	labelPattern      = regexp.MustCompile(labelRegexp)
	scpPattern        = regexp.MustCompile(`^[^/@:]+@[^/:]+:`)
)

// UnmarshalText takes web addresses only. The text is not repeated in errors:
// people paste addresses with passwords in them.
func (u *webURL) UnmarshalText(text []byte) error {
	s := strings.TrimRight(string(text), "/")
	if scpPattern.MatchString(s) {
		return errSSH()
	}
	p, err := url.Parse(s)
	if err != nil {
		return bad("write it like https://review.example.org/gerrit", "this is not a web address")
	}
	switch {
	case p.Scheme == "ssh" || p.Scheme == "git+ssh":
		return errSSH()
	case p.Scheme != "http" && p.Scheme != "https":
		return bad("write it like https://review.example.org/gerrit", "the address must begin with https:// (or http://)")
	case p.User != nil:
		return bad("remove it from the address and give it as a secret", "the address holds a user name or a password")
	case p.Hostname() == "":
		return bad("write it like https://review.example.org/gerrit", "the address names no host")
	case p.RawQuery != "" || p.Fragment != "" || p.ForceQuery:
		return bad("remove what follows '?' or '#'", "the address must end with its path")
	}
	*u = webURL(s)
	return nil
}

func errSSH() error {
	return bad("give the HTTPS address", "SSH sources are out of scope")
}

// UnmarshalText checks the form OWNER/NAME.
func (r *repository) UnmarshalText(text []byte) error {
	s := string(text)
	if !repositoryPattern.MatchString(s) || strings.HasSuffix(s, "/.") || strings.HasSuffix(s, "/..") || strings.HasSuffix(s, ".git") {
		return bad("write the repository as on GitHub, for example octo-org/project", "%s is not OWNER/NAME", quote(s))
	}
	*r = repository(s)
	return nil
}

// UnmarshalText accepts what can be part of Gerrit's URLs and queries.
func (n *projectName) UnmarshalText(text []byte) error {
	s := string(text)
	parts := strings.Split(s, "/")
	if len(s) > 200 || slices.ContainsFunc(parts, func(p string) bool { return p == "" || p == "." || p == ".." }) ||
		strings.HasSuffix(s, ".git") || strings.ContainsFunc(s, unprintable) || strings.ContainsAny(s, `\"{}`) {
		return bad("write the project's name as Gerrit shows it, for example spdk/spdk", "%s is not a Gerrit project's name", quote(s))
	}
	*n = projectName(s)
	return nil
}

// UnmarshalText accepts what can begin a run key.
func (n *serverName) UnmarshalText(text []byte) error {
	*n = serverName(text)
	return change.CheckServer(string(text))
}

// UnmarshalText accepts one branch's short name.
func (b *branchName) UnmarshalText(text []byte) error {
	*b = branchName(text)
	if err := change.CheckBranch(string(text)); err != nil {
		return bad("write the short name, for example main", "%w", err)
	}
	return nil
}

// UnmarshalText accepts a glob over short names; without any special character
// it must be a branch.
func (g *branchGlob) UnmarshalText(text []byte) error {
	s := string(text)
	if strings.HasPrefix(s, "refs/") {
		return bad("write "+quote(strings.TrimPrefix(s, "refs/heads/")), "a branch is named without refs/heads/")
	}
	*g = branchGlob(s)
	if !strings.ContainsAny(s, `*?[{\`) {
		if err := (*branchName)(g).UnmarshalText(text); err != nil {
			return err
		}
	}
	return checkGlob(s)
}

// UnmarshalText accepts a glob with **.
func (g *pathGlob) UnmarshalText(text []byte) error {
	s := string(text)
	*g = pathGlob(s)
	if strings.HasPrefix(s, "/") || strings.HasPrefix(s, "./") {
		return bad("write "+quote(strings.TrimLeft(s, "./")), "paths begin at the top of the source tree, without / or ./")
	}
	return checkGlob(s)
}

// UnmarshalText accepts a glob with **.
func (g *ownerGlob) UnmarshalText(text []byte) error {
	*g = ownerGlob(text)
	return checkGlob(string(text))
}

func checkGlob(s string) error {
	if s == "" || len(s) > 500 || !doublestar.ValidatePattern(s) {
		return bad(`the signs are *, **, ?, [a-z] and {one,other}; put \ before a sign that stands for itself`, "%s is not a glob pattern", quote(s))
	}
	return nil
}

// UnmarshalText accepts what Go's regexp package compiles.
func (p *pattern) UnmarshalText(text []byte) error {
	s := string(text)
	if _, err := regexp.Compile(s); err != nil || s == "" {
		return bad(`the syntax is RE2; put \ before a sign that stands for itself, as in \[RFC\]`, "%s is not a regular expression", quote(s))
	}
	*p = pattern(s)
	return nil
}

// UnmarshalText accepts a base name that can be part of a run key.
func (f *workflowFile) UnmarshalText(text []byte) error {
	s := string(text)
	*f = workflowFile(s)
	if base := s[strings.LastIndexByte(s, '/')+1:]; base != s {
		return bad("write "+quote(base), "a workflow is named by its file's name, without folders")
	}
	if err := change.CheckWorkflow(s); err != nil {
		return bad("rename the workflow's file", "%w", err)
	}
	if !strings.HasSuffix(s, ".yml") && !strings.HasSuffix(s, ".yaml") {
		return bad("write the file's name, for example autorun.yml; a repository_dispatch type is given as event", "%s does not end in .yml or .yaml", quote(s))
	}
	return nil
}

// UnmarshalText accepts an event type that can be part of a run key; GitHub
// allows 100 characters.
func (e *eventType) UnmarshalText(text []byte) error {
	*e = eventType(text)
	if err := change.CheckWorkflow(string(text)); err != nil {
		return bad("use another event type", "%w", err)
	}
	return nil
}

// UnmarshalText accepts Gerrit's label names.
func (l *labelName) UnmarshalText(text []byte) error {
	if *l = labelName(text); !labelPattern.Match(text) {
		return bad("write the label as Gerrit shows it, for example Code-Review", "%s is not a label's name", quote(string(text)))
	}
	return nil
}

// UnmarshalText accepts the name of a variable. The text is not repeated in
// errors: it may be the secret itself.
func (e *envName) UnmarshalText(text []byte) error {
	if *e = envName(text); !envPattern.Match(text) {
		return bad("name an environment variable, for example GERRIT_PASSWORD; the secret itself must not stand here", "this is not the name of an environment variable (upper-case letters, digits and '_')")
	}
	return nil
}

// UnmarshalText accepts what can stand before the colon of HTTP Basic (RFC 7617,
// section 2).
func (a *account) UnmarshalText(text []byte) error {
	if !accountPattern.Match(text) || strings.ContainsFunc(string(text), unprintable) {
		return bad("write the account's name alone; its token or password is named by token-env", "this is not an account's name: it is empty, too long, or holds ':' or control characters")
	}
	*a = account(text)
	return nil
}

// UnmarshalText accepts text without control characters.
func (l *line) UnmarshalText(text []byte) error {
	if s := string(text); len(s) > 2000 || strings.ContainsFunc(s, unprintable) {
		return bad("write it on one line of at most 2000 bytes", "the text is too long or holds control characters")
	}
	*l = line(text)
	return nil
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// quote shows a value of the user's in an error, on one line and not too long.
func quote(s string) string { return `"` + change.OneLine(change.Clip(s, 80)) + `"` }
