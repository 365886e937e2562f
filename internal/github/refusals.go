// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

const hintArchived = "unarchive the repository, or name another one"

// refusal knows one text of an answer that refuses. Texts are matched in lower
// case; TestRefusals has whole ones, with where each was seen.
type refusal struct {
	status int // 0 is any
	text   string
	kind   fault.Kind // 0 is Configuration
	// hint says what to do. TOKEN stands for the token and its setting, GRANT for
	// how to give it the permission that the call takes.
	hint string
}

// refusals, the more special ones first. Messages repeat names of branches,
// files and organizations, so each text has a blank, which those do not. The
// message itself always stands in the error, before the hint.
var refusals = []refusal{
	// The account, the token, the organization.
	{text: "ip allow list", hint: "run on a host whose address is on the organization's IP allow list, or have its owners add this one"},
	{text: "via a personal access token (classic)", hint: "use a GitHub App, or a fine-grained token in place of TOKEN"},
	{text: "token's lifetime", hint: "give TOKEN a shorter lifetime, on the page that GitHub names"},
	{text: "via a personal access token with fine-grained", hint: "use a GitHub App, or have the organization's owners allow fine-grained tokens"},
	{text: "via a fine-grained personal access token", hint: "use a GitHub App, or have the organization's owners allow fine-grained tokens"},
	{text: "installation has been suspended", hint: "have an owner lift the suspension, on the page of installed GitHub Apps"},
	{text: "account was suspended", hint: "use an account that is not suspended; the suspended one can appeal to GitHub's support"},
	{text: "saml enforcement", hint: "authorize TOKEN for single sign-on with that organization"},
	{text: "token does not have at least one of required scope", hint: "give TOKEN the scope that the server names"}, // Gitea
	{text: "should be the owner of the repo", hint: "Gitea lists runs for the repository's owners only: use an owner's token"},
	{text: "resource not accessible by integration", hint: "GRANT"},
	{text: "resource not accessible by personal access token", hint: "GRANT"},
	{text: ":packages scope", hint: "GRANT"},
	{text: "must have admin rights", hint: "GitHub says so whatever is missing: GRANT"},
	{text: "permission to write to a repo", hint: "give the account of TOKEN the right to write to that repository"}, // Gitea

	// The repository.
	{text: "archived so is read-only", hint: hintArchived},
	{text: "repository is archived", hint: hintArchived}, // Gitea
	{text: "repository access blocked", hint: "GitHub has blocked the repository: its owner must ask GitHub's support"},
	{text: "actions has been disabled", hint: "enable Actions, in the settings of the repository or of its owner"},
	{text: "issue is locked", hint: "unlock the conversation, or name another issue"},

	// Limits that come without the headers of one.
	{text: "abuse detection mechanism", kind: fault.Transient}, // older Enterprise Servers
	{text: "rate limit", kind: fault.Transient},

	{text: "administrative rules", hint: "a proxy may take the User-Agent header away: let it pass"},

	// Workflows.
	{text: "workflow_dispatch' trigger", hint: "add workflow_dispatch to the triggers of that workflow on that branch; GitHub also wants the file on the default branch"},
	{text: "failed to parse workflow", hint: "mend the workflow file on that branch"},
	{text: "workflow is not valid", hint: "mend the workflow file on that branch"},
	{text: "may only define up to", hint: "declare fewer inputs in the workflow"},
	{text: "disabled workflow", hint: "enable the workflow on the repository's Actions page"},
	{text: "workflow is disabled", hint: "enable the workflow on the repository's Actions page"}, // Gitea
	{text: "no ref found", hint: "give a branch of the CI repository that exists"},
	{status: http.StatusUnprocessableEntity, text: "input", hint: "compare the workflow's inputs on that branch with what is sent"},
}

// known returns what is known of an answer that refuses.
func known(e *apiError) (refusal, bool) {
	text := strings.ToLower(e.message)
	for _, r := range refusals {
		if (r.status == 0 || r.status == e.status) && strings.Contains(text, r.text) {
			return r, true
		}
	}
	return refusal{}, false
}

// hint tells a person what to check after an answer that refuses: of what the
// server said, where that is known. Without a word of the server's own there is
// the usual cause.
func (c *Client) hint(q call, e *apiError) string {
	token := c.name(tokenKind(c.kind.Load()))
	needs := cmp.Or(e.accepted, q.needs)
	if r, ok := known(e); ok && (c.token != nil || !strings.Contains(r.hint, "TOKEN") && !strings.Contains(r.hint, "GRANT")) {
		return strings.NewReplacer("TOKEN", token, "GRANT", c.grant(needs, e.message)).Replace(r.hint)
	}
	silent := e.message == ""
	switch {
	case e.status == http.StatusUnauthorized && c.token != nil:
		return token + " is wrong, expired or revoked: make a new one"
	case e.status == http.StatusForbidden && silent && c.token != nil:
		return c.grant(needs, e.message)
	case c.token == nil && (e.status == http.StatusForbidden || e.status == http.StatusUnauthorized):
		return "give a token: GitHub wants one for this even where the repository is public"
	case e.status == http.StatusNotFound && c.token == nil:
		return q.missing + "; without a token only public repositories can be seen"
	case e.status == http.StatusNotFound:
		return q.missing + "; " + c.see()
	case e.status < 400:
		return "the repository seems to have moved: give its new name"
	}
	return ""
}
