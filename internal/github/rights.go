// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"fmt"
	"net/http"
	"strings"
)

// tokenKind is what a token is, as its beginning tells.
// https://docs.github.com/authentication/keeping-your-account-and-data-secure/about-authentication-to-github#githubs-token-formats
type tokenKind int32

const (
	otherToken   tokenKind = iota // another server's, or an old one
	installation                  // a GitHub App's; a job's own token is one as well
	fineGrained
	classic
)

func kindOf(token string) tokenKind {
	for prefix, kind := range map[string]tokenKind{
		"ghs_": installation, "github_pat_": fineGrained, "ghp_": classic, "gho_": classic,
	} {
		if strings.HasPrefix(token, prefix) {
			return kind
		}
	}
	return otherToken
}

// name is the client's token as hints call it, with the setting that it comes from.
func (c *Client) name(kind tokenKind) string {
	name := "the token"
	switch {
	case kind == installation && c.ofJob():
		name = "the job's own token"
	case kind == installation:
		name = "the GitHub App"
	case kind == fineGrained:
		name = "the fine-grained token"
	case kind == classic:
		name = "the classic token"
	}
	if c.setting != "" {
		name += " (setting " + c.setting + ")"
	}
	return name
}

// ofJob reports whether the token is what GitHub gives to each job.
func (c *Client) ofJob() bool {
	return strings.EqualFold(c.setting, "GITHUB_TOKEN") || c.setting == "github-token"
}

// grant says how to give a permission to the token: needs is "Actions: write", or
// several with "and" or "or" between them. The message is GitHub's refusal.
func (c *Client) grant(needs, message string) string {
	kind := tokenKind(c.kind.Load())
	if strings.Contains(message, "by integration") { // GitHub should know
		kind = installation
	}
	switch {
	case strings.Contains(needs, "Packages"):
		return c.grantPackages(kind)
	case kind == installation && c.ofJob() && strings.Contains(needs, "Workflows"):
		return "no job's own token may change workflow files: use a GitHub App, or a token with " + needs
	case kind == installation && c.ofJob():
		return fmt.Sprintf("write %s under permissions: of the job, and of the job that calls its workflow; in other repositories %s has no rights", strings.ToLower(needs), c.name(kind))
	case kind == installation:
		return fmt.Sprintf("give %s the permission %s (on its page: Permissions & events), accept that on the page of its installation, and see that the repository is one of those", c.name(kind), needs)
	case kind == fineGrained && strings.Contains(needs, "Checks"):
		return "fine-grained tokens have no permission Checks: use the job's own token (permissions: checks: read), a GitHub App, or a classic token"
	case kind == fineGrained:
		return fmt.Sprintf("give %s the permission %s on that repository (its owner's Settings > Developer settings > Fine-grained tokens); the organization may have to approve it", c.name(kind), needs)
	case kind == classic:
		scope := "repo"
		if strings.Contains(needs, "Workflows") {
			scope = "repo and workflow"
		}
		return fmt.Sprintf("give %s the scope %s (Settings > Developer settings > Tokens (classic)), and its account a role in that repository that has %s", c.name(kind), scope, needs)
	}
	return fmt.Sprintf("give %s the permission %s on that repository (a classic token: the scope repo)", c.name(kind), needs)
}

// grantPackages says how to let the token list and delete containers.
// https://docs.github.com/packages/learn-github-packages/about-permissions-for-github-packages
func (c *Client) grantPackages(kind tokenKind) string {
	const job = "packages: write under permissions: of the job, and the role Admin for its repository in the package's settings (Manage Actions access)"
	const scopes = "the scopes read:packages and delete:packages, of an account that is Admin of the package"
	switch {
	case kind == installation && c.ofJob():
		return c.name(kind) + " needs " + job
	case kind == classic:
		return fmt.Sprintf("give %s %s", c.name(kind), scopes)
	}
	return fmt.Sprintf("GitHub documents no rights in packages for %s: use the job's own (%s), or a classic one with %s", c.name(kind), job, scopes)
}

// see says how to let the token see a repository that it may not even know of.
func (c *Client) see() string {
	name := c.name(tokenKind(c.kind.Load()))
	switch tokenKind(c.kind.Load()) {
	case installation:
		if c.ofJob() {
			return name + " sees its own repository and public ones only"
		}
		return "if the repository is private, add it to those of the installation of " + name
	case fineGrained:
		return "if the repository is private, add it to those of " + name + ", whose resource owner must be the repository's"
	case classic:
		return "if the repository is private, " + name + " needs the scope repo, and its account must be invited"
	}
	return "if the repository is private, " + name + " may not see it"
}

// accepted reads which permissions would have been enough, as GitHub tells: the ones
// after a comma are needed as well, those after a semicolon do instead.
// https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api#resource-not-accessible
func accepted(h http.Header) string {
	const header = "X-Accepted-Github-Permissions"
	var choices []string
	for choice := range strings.SplitSeq(h.Get(header), ";") {
		var all []string
		for one := range strings.SplitSeq(choice, ",") {
			name, level, ok := strings.Cut(strings.TrimSpace(one), "=")
			if !ok || strings.Trim(name+level, "abcdefghijklmnopqrstuvwxyz_") != "" || name == "" || level == "" {
				return ""
			}
			name = strings.ReplaceAll(name, "_", " ")
			all = append(all, strings.ToUpper(name[:1])+name[1:]+": "+level)
		}
		choices = append(choices, strings.Join(all, " and "))
	}
	return strings.Join(choices, ", or ")
}
