// SPDX-License-Identifier: BSD-3-Clause

package config

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/url"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// githubURL and githubAPI hold where the runner does not say otherwise.
const (
	githubURL = "https://github.com"
	githubAPI = "https://api.github.com"
)

// readEnvironment takes over the addresses that the runner sets.
func (l *loader) readEnvironment() {
	l.serverURL = l.address("GITHUB_SERVER_URL", githubURL)
	l.apiURL = l.address("GITHUB_API_URL", githubAPI)
	id, key := l.input("app-id"), l.input("app-private-key")
	if id == "" && key == "" {
		return
	}
	if id == "" {
		l.fail(Place{Input: "app-id"}, "give the App's number, from its settings page", "it is missing, but app-private-key is given")
		return
	}
	if key == "" {
		l.fail(Place{Input: "app-private-key"}, "give the App's private key in PEM form", "it is missing, but app-id is given")
		return
	}
	var n number
	l.report(Place{Input: "app-id"}, n.UnmarshalText([]byte(id)))
	l.checkKey(Place{Input: "app-private-key"}, key)
	l.app = &App{ID: int64(n), PrivateKey: Secret(key)}
}

func (l *loader) address(variable, otherwise string) string {
	text := strings.TrimSpace(l.src.Getenv(variable))
	if text == "" {
		return otherwise
	}
	var u webURL
	if err := u.UnmarshalText([]byte(text)); err != nil {
		l.fail(Place{}, "the runner sets this variable; remove your own value", "%s: %w", variable, err)
	}
	return string(u)
}

// mirrorCredential picks what may push to the mirror. What was not given for
// this mirror alone is only ever sent to this GitHub server.
func (l *loader) mirrorCredential(m *mirror, address string) Credential {
	if c, given := l.named(&m.auth); given {
		return c
	}
	ours := origin(address) == origin(l.serverURL)
	if token := l.src.explicit("mirror-token"); token != "" && (ours || l.file == "") {
		return Credential{Token: Secret(token), Setting: "mirror-token"}
	}
	if !ours {
		return Credential{}
	}
	return l.common()
}

// ciCredential picks what may start workflows. The job's own token reaches the
// job's own repository only.
func (l *loader) ciCredential(p *project, c CI) Credential {
	if named, given := l.named(&p.CI.auth); given {
		return named
	}
	if c.APIURL != l.apiURL {
		return Credential{}
	}
	if token := l.src.explicit("ci-token"); token != "" {
		return Credential{Token: Secret(token), Setting: "ci-token"}
	}
	common := l.common()
	if common != (Credential{}) {
		return common
	}
	if strings.EqualFold(c.Repository, strings.TrimSpace(l.src.Getenv("GITHUB_REPOSITORY"))) {
		return tokenFrom("github-token", l.input("github-token"))
	}
	return Credential{}
}

// common is what serves the mirror and the CI repository alike.
func (l *loader) common() Credential {
	if l.app != nil {
		return Credential{App: l.app, Setting: "app-id"}
	}
	return tokenFrom("GHPA_TOKEN", strings.TrimSpace(l.src.Getenv("GHPA_TOKEN")))
}

// tokenFrom is a token of a setting; nothing if that is empty.
func tokenFrom(setting, token string) Credential {
	if token == "" {
		return Credential{}
	}
	return Credential{Token: Secret(token), Setting: setting}
}

// named reads what a file says about a token.
func (l *loader) named(a *auth) (Credential, bool) {
	token, app := l.given(&a.TokenEnv), l.given(&a.App)
	switch {
	case token && app:
		l.fail(l.near(&a.App), "remove one of them", "there is both a token-env and an app")
	case token:
		return tokenFrom(string(a.TokenEnv), l.secret(&a.TokenEnv).Reveal()), true
	case app && a.App != nil:
		key := l.secret(&a.App.PrivateKeyEnv)
		if key != "" {
			l.checkKey(l.near(&a.App.PrivateKeyEnv), key.Reveal())
		}
		return Credential{App: &App{ID: int64(a.App.ID), InstallationID: int64(a.App.InstallationID), PrivateKey: key}, Setting: "app"}, true
	}
	return Credential{}, token || app
}

// secret reads a variable that a file names.
func (l *loader) secret(name *envName) Secret {
	if !envPattern.MatchString(string(*name)) {
		return "" // said already, or the key is missing
	}
	value := strings.TrimSpace(l.src.Getenv(string(*name)))
	if value == "" {
		l.fail(l.near(name), "in the job, write under env:  "+string(*name)+": ${{ secrets."+string(*name)+" }}; forks do not get secrets", "the environment variable %s is not set, or is empty", *name)
	}
	return Secret(value)
}

// checkKey makes sure that a private key is one, without showing any of it.
func (l *loader) checkKey(at Place, text string) {
	const hint = "paste the whole .pem file that GitHub made for the App, with its BEGIN and END lines"
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		l.fail(at, hint, "this is not a private key in PEM form")
		return
	}
	if _, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return
	}
	if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		if _, ok := key.(*rsa.PrivateKey); ok {
			return
		}
	}
	l.fail(at, hint, "the PEM block is not an RSA private key")
}

// checkClear refuses to send credentials where others can read them on the way. The
// place is that of the setting; one that was not given is a variable of the runner's,
// or made of it, and has none.
func (l *loader) checkClear(setting any, address string, credentials bool) {
	if !credentials || !change.InTheClear(address) {
		return
	}
	l.fail(l.places[setting], "give its https:// address; http:// is for servers on this machine, and for access without credentials",
		"credentials would be sent in the clear to %s", quote(address))
}

// origin is the scheme and host of an address: a token for https must not
// travel over http.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Scheme + "://" + u.Host)
}
