// SPDX-License-Identifier: BSD-3-Clause

package config

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
)

// show writes a credential so that a test can name it.
func show(c Credential) string {
	switch {
	case c.App != nil:
		return fmt.Sprintf("app %d", c.App.ID)
	case c.Token != "":
		return c.Token.Reveal()
	}
	return "gh"
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	app := []string{"DISPATCHER_APP_ID=12", "DISPATCHER_APP_PRIVATE_KEY=" + privateKey()}
	with := func(more ...string) []string { return append(slices.Clone(app), more...) }
	tests := []struct {
		name       string
		pairs      []string
		mirror, ci string
	}{
		{"nothing", nil, "gh", "gh"},
		{"one for both", []string{"GHPA_TOKEN=a"}, "a", "a"},
		{"one for each", []string{"INPUT_MIRROR-TOKEN=m", "INPUT_CI-TOKEN=c"}, "m", "c"},
		{"inputs win", []string{"GHPA_TOKEN=a", "INPUT_MIRROR-TOKEN=m"}, "m", "a"},
		{"inputs win, too", []string{"GHPA_TOKEN=a", "INPUT_CI-TOKEN=c"}, "a", "c"},
		{"the job's token is for CI alone", []string{"INPUT_GITHUB-TOKEN=j"}, "gh", "j"},
		{"the job's token by variable", []string{"GITHUB_TOKEN=j"}, "gh", "j"},
		{"the job's token is the last choice", []string{"GITHUB_TOKEN=j", "GHPA_TOKEN=a"}, "a", "a"},
		{"same repository in other letters", []string{"GITHUB_TOKEN=j", "INPUT_CI-REPOSITORY=Octo/CI"}, "gh", "j"},
		{"another repository", []string{"GITHUB_TOKEN=j", "INPUT_CI-REPOSITORY=octo/tests"}, "gh", "gh"},
		{"app", app, "app 12", "app 12"},
		{"app beside a token", with("GHPA_TOKEN=a", "INPUT_CI-TOKEN=c"), "app 12", "c"},
		{"a mirror elsewhere", []string{"GHPA_TOKEN=a", "INPUT_MIRROR-URL=https://git.example.org/x/y"}, "gh", "a"},
		{"a mirror elsewhere with its token", []string{"INPUT_MIRROR-TOKEN=m", "INPUT_MIRROR-URL=https://git.example.org/x/y"}, "m", "gh"},
		{"another scheme is another server", []string{"GITHUB_SERVER_URL=https://localhost", "GHPA_TOKEN=a", "INPUT_MIRROR-URL=http://localhost/x/y"}, "gh", "a"},
		{"this GitHub by address", []string{"GHPA_TOKEN=a", "INPUT_MIRROR-URL=https://GitHub.com/x/y"}, "a", "a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := one(t, tt.pairs...)
			if got := show(p.Mirror.Credential); got != tt.mirror {
				t.Errorf("mirror: got %s, want %s", got, tt.mirror)
			}
			if got := show(p.CI.Credential); got != tt.ci {
				t.Errorf("CI: got %s, want %s", got, tt.ci)
			}
		})
	}
}

// TestFileCredentials: what inputs say is for this GitHub and the only Gerrit.
func TestFileCredentials(t *testing.T) {
	t.Parallel()
	const text = `
gerrits:
  a: {url: 'https://a.example.org'}
  b: {url: 'https://b.example.org', username: ci, password-env: B_PASSWORD}
defaults:
  mirror: {app: {id: 7, private-key-env: GOOD_KEY}}
projects:
  - {name: inherits, gerrit: a}
  - {name: own, gerrit: b, mirror: {token-env: B_TOKEN}, ci: {repository: x/y, token-env: B_TOKEN}}
  - {name: elsewhere, gerrit: a, mirror: {url: 'https://git.example.org/a/b'}, ci: {repository: a/b, api-url: 'https://git.example.org/api/v3'}}
`
	c, err := loadFile("f.yml", []byte(text), "GERRIT_USERNAME=u", "GERRIT_PASSWORD=p", "GHPA_TOKEN=ghpa",
		"INPUT_MIRROR-TOKEN=m", "INPUT_CI-TOKEN=c", "B_PASSWORD=bp", "B_TOKEN=bt")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range c.Projects {
		got = append(got, fmt.Sprintf("%s: %s:%s %s %s", p.Name, p.Gerrit.Username, p.Gerrit.Password.Reveal(), show(p.Mirror.Credential), show(p.CI.Credential)))
	}
	want := []string{"inherits: : app 7 c", "own: ci:bp bt bt", "elsewhere: : app 7 gh"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestOnlyServerTakesTheInputs(t *testing.T) {
	t.Parallel()
	const text = "gerrits: {a: {url: 'https://a.example.org'}}\nprojects: [{name: x}]\n"
	c, err := loadFile("f.yml", []byte(text), "GERRIT_USERNAME=u", "INPUT_GERRIT-PASSWORD=p", "INPUT_MIRROR-TOKEN=m")
	if err != nil {
		t.Fatal(err)
	}
	g, m := c.Projects[0].Gerrit, c.Projects[0].Mirror.Credential
	if g.Username != "u" || g.Password != "p" || m.Token != "m" {
		t.Errorf("got %s:%s and %s, want u:p and m", g.Username, g.Password.Reveal(), show(m))
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	key := privateKey()
	c := &Config{Projects: []Project{
		{Gerrit: Gerrit{Username: "ci", Password: "pass"}, Mirror: Mirror{Credential: Credential{Token: "tok"}}, CI: CI{Credential: Credential{Token: "tok"}}},
		{Mirror: Mirror{Username: "relay", Credential: Credential{Token: "tok"}}},
		{CI: CI{Credential: Credential{App: &App{PrivateKey: Secret(key)}}}},
	}}
	basic := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	want := []string{"pass", basic("ci:pass"), "tok", basic("x-access-token:tok"), basic("relay:tok"), key}
	slices.Sort(want)
	if got := c.Secrets(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := new(Config).Secrets(); len(got) != 0 {
		t.Errorf("got %q, want none", got)
	}
}

// TestSecretStaysHidden tries every way in which a value is usually printed.
func TestSecretStaysHidden(t *testing.T) {
	t.Parallel()
	p := Project{Gerrit: Gerrit{Password: "hunter2"}, Mirror: Mirror{Credential: Credential{App: &App{PrivateKey: "hunter2"}}}}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", Secret("hunter2"), "project", p)
	inJSON, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{fmt.Sprint(p), fmt.Sprintf("%v %+v %#v %s %q", p, p, p, p.Gerrit.Password, p.Gerrit.Password),
		fmt.Sprintf("%#v %+v", *p.Mirror.Credential.App, p.Mirror.Credential.App), string(inJSON), log.String()}
	for _, text := range texts {
		if strings.Contains(text, "hunter2") {
			t.Errorf("shown: %s", text)
		}
	}
	if Secret("").String() != "" || Secret("hunter2").Reveal() != "hunter2" {
		t.Error("an empty secret must stay empty, and Reveal must give the text")
	}
}

// TestInTheClear: http is for this machine, and for a Gerrit that is read without
// credentials. Mirrors and CI repositories are never used without.
func TestInTheClear(t *testing.T) {
	t.Parallel()
	const text = `
gerrits:
  open: {url: 'http://open.example.org'}
  near: {url: 'http://127.0.0.1:8080', username: ci, password-env: TOKEN}
  far: {url: 'http://far.example.org', username: ci, password-env: TOKEN}
projects:
  - {name: a, gerrit: open, ci: {repository: o/ci, api-url: 'http://api.example.org'}, mirror: {url: 'http://open.example.org/o/a'}}
  - {name: b, gerrit: near, ci: {repository: o/ci, api-url: 'http://localhost/api', token-env: TOKEN}, mirror: {url: 'http://[::1]/o/b', token-env: TOKEN}}
  - name: c
    gerrit: far
    ci: {repository: o/ci, api-url: 'http://api.example.org', token-env: TOKEN}
    mirror: {url: 'http://git.example.org/o/c', app: {id: 7, private-key-env: GOOD_KEY}}
    report: {label: Verified, publish: {bucket: b, endpoint: 'http://s3.example.org'}}
`
	_, err := loadFile("clear.yml", []byte(text), "TOKEN=hunter2", "GOOD_KEY="+privateKey(), "S3_KEY=k", "S3_SECRET=hunter2")
	const clear = ": credentials would be sent in the clear to "
	checkProblems(t, err, []string{
		"clear.yml:5:14" + clear + `"http://far.example.org"`,
		"clear.yml:7:61" + clear + `"http://api.example.org"`,
		"clear.yml:7:102" + clear + `"http://open.example.org/o/a"`,
		"clear.yml:11:37" + clear + `"http://api.example.org"`,
		"clear.yml:12:19" + clear + `"http://git.example.org/o/c"`,
		"clear.yml:13:62" + clear + `"http://s3.example.org"`,
	})
}
