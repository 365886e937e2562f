// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/github"
	"github.com/spdk-community-ci/dispatcher/internal/standin/golden"
)

// TestMissingRights writes down what each kind of token is told for each permission
// that it lacks in a private repository. Who knows a right is missing should not have
// to look up where it is given.
func TestMissingRights(t *testing.T) {
	t.Parallel()
	kinds := []struct {
		name, setting, token string
		access               standin.Access
	}{
		{"a job's own token", "github-token", "ghs_0123456789abcdefghijklmnopqrstuvwxyz", standin.Access{App: true}},
		{"a GitHub App", "app-id", "ghs_1123456789abcdefghijklmnopqrstuvwxyz", standin.Access{App: true}},
		{"a fine-grained token", "GHPA_TOKEN", "github_pat_0123456789abcdefghijklmnopqrstuvwxyz", standin.Access{}},
		{"a classic token", "ci-token", "ghp_1123456789abcdefghijklmnopqrstuvwxyz", standin.Access{Classic: true}},
		{"another token", "CI_TOKEN", "0123456789abcdefghijklmnopqrstuvwxyz0123", standin.Access{}},
	}
	tokens := map[string]standin.Access{secret: standin.FullAccess}
	for _, k := range kinds {
		tokens[k.token] = k.access
	}
	w := newWorld(t, standin.Options{Tokens: tokens})
	w.repo.SetPrivate()
	w.server.AddPackage("org", "image", false, standin.PackageVersion{ID: 1, Digest: "sha256:" + strings.Repeat("0", 64)})
	calls := []struct {
		right string
		do    func(context.Context, *Client) error
	}{
		{"Actions: read", func(ctx context.Context, c *Client) error { _, err := c.Jobs(ctx, "org/ci", 1, 1); return err }},
		{"Actions: write", func(ctx context.Context, c *Client) error { _, err := c.Dispatch(ctx, autorunCall()); return err }},
		{"Checks: read", func(ctx context.Context, c *Client) error {
			_, err := c.Annotations(ctx, "org/ci", change.Job{ID: 1})
			return err
		}},
		{"Contents: read", func(ctx context.Context, c *Client) error {
			_, err := c.WorkflowFile(ctx, "org/ci", "main", "autorun.yml")
			return err
		}},
		{"Contents: write", func(ctx context.Context, c *Client) error {
			_, err := c.Dispatch(ctx, change.Call{Repository: "org/ci", Event: "patchset"})
			return err
		}},
		{"Issues: write", func(ctx context.Context, c *Client) error { return c.CommentIssue(ctx, "org/ci", 1, "x") }},
		{"Packages: write", func(ctx context.Context, c *Client) error { return c.DeletePackageVersion(ctx, "org/image", 1) }},
	}
	var b strings.Builder
	for _, k := range kinds {
		fmt.Fprintf(&b, "%s\n", k.name)
		for _, call := range calls {
			c, err := New(Options{APIURL: w.server.URL(), Token: Static(k.token), Setting: k.setting, Transport: &http.Transport{}, Sleep: w.sleep, Now: w.now})
			if err != nil {
				t.Fatal(err)
			}
			err = call.do(t.Context(), c)
			if !errors.Is(err, fault.Configuration) {
				t.Errorf("%s, %s: got %v", k.name, call.right, err)
			}
			fmt.Fprintf(&b, "  %s\n    %v\n    hint: %s\n", call.right, err, fault.HintOf(err))
		}
	}
	golden.Compare(t, "testdata/rights.txt", b.String())
}

// TestAcceptedPermissions reads the header of GitHub that says what would do.
func TestAcceptedPermissions(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"":                                  "",
		"actions=write":                     "Actions: write",
		"contents=write,workflows=write":    "Contents: write and Workflows: write",
		"issues=write; pull_requests=write": "Issues: write, or Pull requests: write",
		"actions=write; run this":           "",
		"x=<b>":                             "",
		"contents":                          "",
		"organization_self_hosted_runners=read;a=b": "Organization self hosted runners: read, or A: b",
	} {
		if got := accepted(http.Header{"X-Accepted-Github-Permissions": {header}}); got != want {
			t.Errorf("%q: got %q, want %q", header, got, want)
		}
	}
}
