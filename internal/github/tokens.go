// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"cmp"
	"context"
	"os"
	"strings"

	"github.com/cli/go-gh/v2/pkg/auth"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Static returns a source that always gives the same token.
func Static(token string) TokenSource {
	return func(context.Context) (string, error) { return cleanToken(token, "the GitHub token") }
}

// DeveloperToken returns a source that gives the token which GitHub's own
// command line tool would use for a host (github.com): from the environment or
// from gh's configuration file. On a desktop gh keeps it in the system's key
// store, so gh itself is asked last; that starts a process and may open a
// window, so it is not done where the variable CI is set. Nothing is looked up
// before the first call.
func DeveloperToken(host string) TokenSource {
	return func(context.Context) (string, error) {
		find := auth.TokenForHost
		if os.Getenv("CI") != "" {
			find = auth.TokenFromEnvOrConfig
		}
		token, source := find(host)
		if token == "" {
			return "", noDeveloperToken(host)
		}
		return cleanToken(token, "the GitHub token of "+source)
	}
}

func noDeveloperToken(host string) error {
	variables := "GH_TOKEN, GITHUB_TOKEN"
	if auth.IsEnterprise(host) {
		variables = "GH_ENTERPRISE_TOKEN, GITHUB_ENTERPRISE_TOKEN"
	}
	return fault.New(fault.Configuration, "no GitHub token: none is configured, and there is none for %s in %s or gh's hosts.yml", host, variables).
		WithHint("set GHPA_TOKEN to the service account's token (in a job, under env: GHPA_TOKEN: ${{ secrets.GHPA_TOKEN }}), or run: gh auth login --hostname %s", host)
}

// cleanToken drops the line end that a token read from a file often has, and
// refuses what cannot be sent in a header, without repeating it.
func cleanToken(token, what string) (string, error) {
	token = strings.TrimSpace(token)
	if token == "" {
		return "", fault.New(fault.Configuration, "%s is empty", what)
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return "", fault.New(fault.Configuration, "%s has characters that no token has", what).
			WithHint("copy the token again, without line breaks or quotes")
	}
	return token, nil
}

// GitCredential makes of a token source what git over HTTPS wants: the token as
// the password, and the account's name. At GitHub any name will do, by
// convention x-access-token, which stands for an empty one.
func GitCredential(account string, source TokenSource) func(context.Context) (user, password string, err error) {
	return func(ctx context.Context) (string, string, error) {
		token, err := source(ctx)
		if err != nil {
			return "", "", err
		}
		return cmp.Or(account, "x-access-token"), token, nil
	}
}
