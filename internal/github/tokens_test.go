// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

func TestStatic(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{secret: secret, secret + "\r\n": secret, " " + secret: secret} {
		if got, err := Static(in)(t.Context()); got != want || err != nil {
			t.Errorf("%q: got %q, %v; want %q", in, got, err, want)
		}
	}
	for in, want := range map[string]string{
		"": "is empty", " \n": "is empty", secret + "\n" + secret: "characters that no token has",
		secret + "\x00": "characters that no token has", secret + "\u00e9": "characters that no token has",
	} {
		_, err := Static(in)(t.Context())
		checkFailure(t, err, fault.Configuration, want)
	}
}

func TestGitCredential(t *testing.T) {
	t.Parallel()
	for account, want := range map[string]string{"": "x-access-token", "relay": "relay"} {
		user, password, err := GitCredential(account, Static(secret))(t.Context())
		if user != want || password != secret || err != nil {
			t.Errorf("account %q: got %q, %q, %v", account, user, password, err)
		}
	}
	user, password, err := GitCredential("relay", Static(""))(t.Context())
	if user != "" || password != "" {
		t.Errorf("an error, and %q, %q", user, password)
	}
	checkFailure(t, err, fault.Configuration, "is empty")
}

// TestDeveloperToken changes the environment, which go-gh reads: it must not be
// parallel. go-gh reads its configuration file once in a process.
func TestDeveloperToken(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("hosts.yml", "ghe.example.org:\n    oauth_token: from-file\n", 0o600)
	t.Setenv("GH_CONFIG_DIR", dir)
	t.Setenv("GH_PATH", write("gh", "#!/bin/sh\n[ \"$1 $2\" = 'auth token' ] && echo from-gh\n", 0o700))
	for _, tc := range []struct {
		name, host string
		env        map[string]string
		want       string
	}{
		{"environment", "github.com", map[string]string{"GH_TOKEN": "from-env", "GITHUB_TOKEN": "other"}, "from-env"},
		{"second variable", "github.com", map[string]string{"GITHUB_TOKEN": "other"}, "other"},
		{"another server's variable", "github.com", map[string]string{"GH_ENTERPRISE_TOKEN": "other", "CI": "true"}, ""},
		{"configuration file", "ghe.example.org", map[string]string{"GH_TOKEN": "other", "CI": "true"}, "from-file"},
		{"gh on a desktop", "github.com", nil, "from-gh"},
		{"gh is not run in CI", "github.com", map[string]string{"CI": "true"}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, name := range []string{"GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "CI"} {
				t.Setenv(name, tc.env[name])
			}
			got, err := DeveloperToken(tc.host)(context.Background())
			if got != tc.want || (err == nil) != (tc.want != "") {
				t.Errorf("got %q, %v; want %q", got, err, tc.want)
			}
			if tc.want == "" {
				checkFailure(t, err, fault.Configuration, "GH_TOKEN, GITHUB_TOKEN")
			}
		})
	}
	t.Setenv("GH_ENTERPRISE_TOKEN", "")
	t.Setenv("CI", "true")
	_, err := DeveloperToken("other.example.org")(t.Context())
	checkFailure(t, err, fault.Configuration, "GH_ENTERPRISE_TOKEN, GITHUB_ENTERPRISE_TOKEN")
}
