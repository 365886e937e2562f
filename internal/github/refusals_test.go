// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// answering is a client whose server gives one answer to everything.
func answering(t *testing.T, status int, body []byte) *Client {
	t.Helper()
	c, err := New(Options{APIURL: "https://api.example.org", Token: Static(secret), Setting: "ci-token", Now: newClock().now,
		Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)), Request: r}, nil
		})})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestRefusals holds whole texts, with where each was seen. The server's own
// words come first; a hint only where they are known.
func TestRefusals(t *testing.T) {
	t.Parallel()
	const noHint = "-"
	for _, tt := range []struct {
		status  int
		message string
		kind    fault.Kind
		hint    string // part of it, or noHint
	}{
		// SalesforceFoundation/NPSP#7247
		{403, "Although you appear to have the correct authorization credentials, the `org` organization has an IP allow list enabled, and your IP address is not permitted to access this resource.", fault.Configuration, "IP allow list"},
		// refined-github/refined-github#6951
		{403, "`org` forbids access via a personal access token (classic). Please use a GitHub App, OAuth App, or a personal access token with fine-grained permissions.", fault.Configuration, "in place of the classic token (setting ci-token)"},
		// mislav/hub#3363
		{403, "`org` forbids access via a personal access token with fine-grained permissions. Please use a GitHub App, or an OAuth App.", fault.Configuration, "allow fine-grained tokens"},
		// NixOS/org#247, HHS/simpler-grants-gov#2547
		{403, "The 'org' organization forbids access via a fine-grained personal access tokens if the token's lifetime is greater than 366 days. Please adjust your token's lifetime at the following URL: https://github.com/settings/personal-access-tokens/1", fault.Configuration, "shorter lifetime"},
		// hub4j/github-api#473
		{403, "Repository was archived so is read-only.", fault.Configuration, "unarchive"},
		// Not documented, as the next ones.
		{403, "Repository access blocked", fault.Configuration, "GitHub's support"},
		{451, "Repository access blocked", fault.Configuration, "GitHub's support"},
		// sourcegraph/sourcegraph-public-snapshot#16638
		{403, "Sorry. Your account was suspended.", fault.Configuration, "account that is not suspended"},
		// REST reference, "Authenticating"
		{403, "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this organization.", fault.Configuration, "single sign-on"},
		// hcengineering/platform#7639, repohistory/repohistory#7
		{403, "This installation has been suspended", fault.Configuration, "lift the suspension"},
		// Of an owner, and of a repository; not documented.
		{403, "Actions has been disabled for this user.", fault.Configuration, "enable Actions"},
		{422, "Actions has been disabled for this repository.", fault.Configuration, "enable Actions"},
		// gavinr/github-csv-tools#124
		{403, "Resource not accessible by personal access token", fault.Configuration, "a role in that repository that has Actions: write"},
		// jaseci-labs/jac#5283
		{403, "Resource not accessible by integration", fault.Configuration, "the GitHub App (setting ci-token) the permission Actions: write"},
		// ACCESS-NRI/access-spack-packages#30: of a dispatch
		{403, "Must have admin rights to Repository.", fault.Configuration, "says so whatever is missing: give the classic token (setting ci-token) the scope repo"},
		// REST reference, "Rate limits"; the second on older Enterprise Servers.
		{403, "You have exceeded a secondary rate limit and have been temporarily blocked from content creation. Please retry your request again later.", fault.Transient, ""},
		{403, "You have triggered an abuse detection mechanism. Please wait a few minutes before you try again.", fault.Transient, ""},
		{403, "API rate limit exceeded for installation ID 1.", fault.Transient, ""},
		{403, "Request forbidden by administrative rules. Please make sure your request has a User-Agent header (https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required).", fault.Configuration, "User-Agent"},
		{403, "Something that nobody has seen yet", fault.Configuration, noHint},
		{403, "", fault.Configuration, "the scope repo"},
		// Gitea 1.25: routers/api/v1/api.go, services/actions/workflow.go
		{403, "token does not have at least one of required scope(s), required=[write:repository], token scope=read:user", fault.Configuration, "the scope that the server names"},
		{403, "user should be the owner of the repo", fault.Configuration, "an owner's token"},
		{403, "user should have a permission to write to a repo", fault.Configuration, "the right to write"},
		{403, "workflow is disabled", fault.Configuration, "enable the workflow"},
		{423, "repository is archived", fault.Configuration, "unarchive"},

		{401, "Bad credentials", fault.Configuration, "wrong, expired or revoked"},
		{404, "Not Found", fault.Configuration, "check that org/ci is right"},

		// benc-uk/workflow-dispatch#46, #72; Codex-/return-dispatch#188; cli/cli#5246
		{422, "Workflow does not have 'workflow_dispatch' trigger", fault.Configuration, "add workflow_dispatch"},
		{422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow", fault.Configuration, "enable the workflow"},
		{422, `Unexpected inputs provided: ["key"]`, fault.Configuration, "compare the workflow's inputs"},
		{422, "No ref found for: refs/heads/none", fault.Configuration, "a branch of the CI repository"},
		// Names are repeated in answers.
		{422, "No ref found for: archived", fault.Configuration, "a branch of the CI repository"},
		{422, "No ref found for: saml-suspended", fault.Configuration, "a branch of the CI repository"},
		{404, "Could not find suspended.yml in archived/saml", fault.Configuration, "check that org/ci is right"},
		{422, "Invalid Argument - failed to parse workflow: (Line: 3, Col: 1): Unexpected value 'inputs'", fault.Configuration, "mend the workflow file"},
		{422, "you may only define up to 25 `properties` for a `workflow_dispatch` event", fault.Configuration, "declare fewer inputs"},
	} {
		body, err := json.Marshal(map[string]string{"message": tt.message})
		if err != nil {
			t.Fatal(err)
		}
		started, err := answering(t, tt.status, body).Dispatch(t.Context(), autorunCall())
		hint := fault.HintOf(err)
		if fault.KindOf(err) != tt.kind || tt.hint != noHint && !strings.Contains(hint, tt.hint) || tt.hint == noHint && hint != "" {
			t.Errorf("%d %q: got a %v with the hint %q, want %v and %q", tt.status, tt.message, fault.KindOf(err), hint, tt.kind, tt.hint)
		}
		if tt.kind == fault.Configuration && !strings.Contains(err.Error(), tt.message[:min(100, len(tt.message))]) {
			t.Errorf("got %v, want the server's own words in it", err)
		}
		if tt.kind == fault.Transient && fault.RetryAfter(err) == 0 {
			t.Errorf("%q: no wait is named", tt.message)
		}
		if started.Outcome != change.Refused || strings.Contains(hint, "TOKEN") || strings.Contains(hint, "GRANT") {
			t.Errorf("%q: got outcome %v, hint %q", tt.message, started.Outcome, hint)
		}
	}
}

// TestRefusalsHaveBlanks: a text without one may be found in a name.
func TestRefusalsHaveBlanks(t *testing.T) {
	t.Parallel()
	for _, r := range refusals {
		if r.status == 0 && !strings.Contains(r.text, " ") {
			t.Errorf("%q may be part of a name", r.text)
		}
	}
}

// TestBombOfTheAPI: what an answer unpacks to is bounded, too. net/http unpacks
// it, as it asked for it.
func TestBombOfTheAPI(t *testing.T) {
	t.Parallel()
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write([]byte(`{"default_branch":"`))
	w.Write(make([]byte, maxBody))
	w.Write([]byte(`"}`))
	w.Close()
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		rw.Header().Set("Content-Encoding", "gzip")
		rw.Write(z.Bytes())
	}))
	t.Cleanup(srv.Close)
	c := newClient(t, newClock(), srv.URL)
	c.sleep = nil
	_, err := c.DefaultBranch(t.Context(), "org/ci")
	checkFailure(t, err, fault.Transient, "")
}
